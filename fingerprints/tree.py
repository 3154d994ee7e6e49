"""A page's elements and text for whoever asks: what a tree answers, and which reader makes it.

`fingerprints.native` is compiled at installation and reads a page five times as fast as lxml (measured
2026-11); `fingerprints.lxml_tree` serves where there was no compiler, and for the rare selectors that
need a whole XPath.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from fingerprints.compiled import IS_COMPILED
from fingerprints.selectors import MAX_NODES

if IS_COMPILED:
    from fingerprints.flat_tree import flat_tree as _read
else:
    from fingerprints.lxml_tree import lxml_tree as _read


class Element(Protocol):
    """One element; two that stand for the same are equal."""

    @property
    def tag(self) -> str: ...
    @property
    def text(self) -> str:
        """Text before the first child."""
        ...

    @property
    def lead(self) -> str:
        """Text before the first child or, where there is none, the first child's."""
        ...

    @property
    def content(self) -> bytes:
        """All text inside, in UTF-8."""
        ...

    def get(self, name: str) -> str | None: ...
    def get_bytes(self, name: str) -> bytes | None:
        """The value of an attribute in UTF-8."""
        ...

    def items(self) -> Sequence[tuple[str, str]]: ...
    def references(self) -> Sequence[str]:
        """Values of the attributes that hold the URL of what it shows or runs, perhaps for later."""
        ...


class Tree(Protocol):
    """One page."""

    @property
    def flags(self) -> set[str]:
        """`tree_cut` when not all of the page was read, which may show only when a selector asks for it."""
        ...

    def get(self, name: str) -> str | None:
        """An attribute of the root element."""
        ...

    def elements(self, *tags: str, limit: int = ...) -> Iterable[Element]:
        """At most `limit` elements with one of these tags, in page order."""
        ...

    def having(self, tag: str, attribute: str, limit: int = ...) -> Iterable[tuple[str, Element]]:
        """At most `limit` elements of a tag that have the attribute, each after its value, in page order."""
        ...

    def leaving(self, tag: str, attribute: str, host: str, limit: int = ...) -> Iterable[str]:
        """At most `limit` values of an attribute of one tag that are URLs of another host, in page order.

        With http, https or no scheme. `host` is in lower case; a port or a user name makes another of it.
        """
        ...

    def values_with(self, text: str) -> Sequence[tuple[str, str]]:
        """Attributes whose value holds a text: the element's tag and the value."""
        ...

    def count_inside(self, tag: str, *containers: str) -> int:
        """How many elements of a tag stand inside one of the containers."""
        ...

    def select(self, selector: str, limit: int = MAX_NODES) -> Iterable[Element]:
        """At most `limit` elements that a selector list matches. Raises SelectorSyntaxError."""
        ...

    def shown_text(self, limit: int) -> str:
        """Text but for what scripts, styles, templates and fallbacks hold themselves.

        White space collapsed, at most `limit` characters.
        """
        ...

    def seen_text(self, limit: int) -> str:
        """Text that a reader sees: nothing from inside what is not shown. White space collapsed."""
        ...


def tree_of(body: bytes, flags: set[str]) -> Tree | None:
    """The tree of a page in UTF-8, or None for one without markup. Flags `tree_cut` when not all of it was read."""
    if b"<" not in body:
        return None
    return _read(body, flags)
