"""A page as an lxml tree: what is used without the compiled reader, and where a selector needs XPath.

Simple selectors are answered from columns: a compiled selector call walks the whole tree, a column is
walked once and then serves every rule.
"""

from __future__ import annotations

import functools
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from lxml import etree

from fingerprints.selectors import (
    MAX_NODES,
    Compound,
    Condition,
    parse_compound,
    split_list,
    xpath_of,
)
from fingerprints.tags import UNSEEN_TAGS, is_reference

_string = cast("Callable[[Any], str]", etree.XPath("string()", smart_strings=False))
"""All text inside an element; inside the parser's library, so far faster than joining `itertext`."""

_shown = cast(
    "Callable[[Any], list[str]]",
    etree.XPath(
        # `/descendant::` rather than `//`, which libxml2 evaluates in half the time.
        "/descendant::text()[not(parent::script or parent::style or parent::noscript or parent::template"
        " or parent::head)]",
        smart_strings=False,
    ),
)


class LxmlElement:
    """One element, with the words of `tree.Element`."""

    __slots__ = ("node",)

    def __init__(self, node: Any) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LxmlElement) and other.node is self.node

    def __hash__(self) -> int:
        return hash(self.node)

    @property
    def tag(self) -> str:
        return cast("str", self.node.tag)

    @property
    def text(self) -> str:
        return self.node.text or ""

    @property
    def lead(self) -> str:
        return self.node.text or (self.node[0].text if len(self.node) else "") or ""

    @property
    def content(self) -> bytes:
        return _string(self.node).encode("utf-8", "replace")

    def get(self, name: str) -> str | None:
        return cast("str | None", self.node.get(name))

    def get_bytes(self, name: str) -> bytes | None:
        value = self.node.get(name)
        return None if value is None else value.encode("utf-8", "replace")

    def items(self) -> Sequence[tuple[str, str]]:
        return cast("Sequence[tuple[str, str]]", self.node.items())

    def references(self) -> Sequence[str]:
        return [value for name, value in self.node.items() if value and is_reference(self.tag, name, value)]


class LxmlTree:
    """One page, with the words of `tree.Tree`."""

    def __init__(self, root: Any, flags: set[str]) -> None:
        self.root = root
        self.flags = flags & {"tree_cut"}
        self._everything: list[Any] = []
        self._columns: dict[tuple[str, str], dict[str, list[Any]]] = {}

    def get(self, name: str) -> str | None:
        return cast("str | None", self.root.get(name))

    def elements(self, *tags: str, limit: int = sys.maxsize) -> Iterator[LxmlElement]:
        return map(LxmlElement, itertools.islice(self.root.iter(*tags), limit))

    def having(self, tag: str, attribute: str, limit: int = sys.maxsize) -> Iterator[tuple[str, LxmlElement]]:
        found = ((node.get(attribute), LxmlElement(node)) for node in self.root.iter(tag))
        return itertools.islice(((value, element) for value, element in found if value is not None), limit)

    def leaving(self, tag: str, attribute: str, host: str, limit: int = sys.maxsize) -> Iterator[str]:
        values = (node.get(attribute) or "" for node in self.root.iter(tag))
        away = (v for v in values if (found := _AUTHORITY.match(v)) and found[1].lower() != host)
        return itertools.islice(away, limit)

    def values_with(self, text: str) -> Sequence[tuple[str, str]]:
        return [(node.tag, value) for node in self.root.iter("*") for value in node.values() if text in value]

    def count_inside(self, tag: str, *containers: str) -> int:
        return sum(1 for container in self.root.iter(*containers) for _ in container.iter(tag))

    def select(self, selector: str, limit: int = MAX_NODES) -> Iterator[LxmlElement]:
        nodes = (node for part in _parts(selector) for node in self._select_one(part))
        return map(LxmlElement, itertools.islice(nodes, limit))

    def shown_text(self, limit: int) -> str:
        return " ".join(" ".join(_shown(self.root)).split())[:limit]

    def seen_text(self, limit: int) -> str:
        pieces: list[str] = []
        size = 0
        for piece in _seen_text(self.root):
            pieces.append(piece)
            size += len(piece) + 1
            if size > limit:
                break
        return " ".join(pieces)[:limit]

    def _select_one(self, part: str) -> Iterable[Any]:
        compound = _compound(part)
        if compound is None:
            return cast("list[Any]", xpath_of(part)(self.root))
        if not compound.conditions:
            return self._tagged(compound.tag)
        return self._by_conditions(compound)

    def _by_conditions(self, compound: Compound) -> Iterator[Any]:
        first = min(compound.conditions, key=_cost)
        others = [condition for condition in compound.conditions if condition is not first]
        column = self._column(compound.tag, first.attribute)
        for value in first.holding(column):
            for node in column[value]:
                if all(condition.holds(node.get(condition.attribute)) for condition in others):
                    yield node

    def _column(self, tag: str, attribute: str) -> dict[str, list[Any]]:
        """Values of one attribute of one tag (`*` for any), each with its elements."""
        column = self._columns.get((tag, attribute))
        if column is None:
            column = self._columns[tag, attribute] = {}
            for node in self._tagged(tag):
                value = node.get(attribute)
                if value is not None:
                    column.setdefault(value, []).append(node)
        return column

    def _tagged(self, tag: str) -> Iterable[Any]:
        """Elements of one tag, `*` for all of them, in page order."""
        if tag == self.root.tag:
            return [self.root]
        if tag != "*":
            return cast("Iterable[Any]", self.root.iter(tag))
        # An element that nobody holds is made anew each time it is asked for.
        self._everything = self._everything or list(self.root.iter("*"))
        return self._everything


_AUTHORITY = re.compile(r"[\x00-\x20]*(?:https?:)?//([^/?#\\]*)", re.IGNORECASE | re.ASCII)


def _seen_text(root: Any) -> Iterator[str]:
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            part = node.tail
        elif node.tag in UNSEEN_TAGS:
            walk.skip_subtree()
            continue
        else:
            part = node.text
        if part and (words := part.split()):
            yield " ".join(words)


_parts = functools.cache(split_list)


def _cost(condition: Condition) -> int:
    """Which condition to look up first: ids and data attributes have few values, links have many."""
    return {"id": 0, "class": 2, "href": 3, "src": 3, "style": 4}.get(condition.attribute, 1)


@functools.cache
def _compound(part: str) -> Compound | None:
    return parse_compound(part)


def lxml_tree(body: bytes, flags: set[str]) -> LxmlTree | None:
    """The tree of a page in UTF-8, or None when there is nothing in it. Flags `tree_cut` when the parser gave up.

    libxml2 stops at a nesting depth of 2,048; real pages stay below 300.
    """
    body = _without_early_end(body)
    if _has_long_run(body):
        body = _LONG_TAG.sub(lambda tag: _without_surplus_attributes(tag[0], flags), body)
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, collect_ids=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        flags.add("tree_cut")
        return None
    if any(
        "xcessive depth" in entry.message or entry.type_name == "ERR_RESOURCE_LIMIT"
        for entry in parser.error_log
    ):
        flags.add("tree_cut")
    return LxmlTree(root, flags) if root is not None else None


def _without_early_end(body: bytes) -> bytes:
    """The page with its `</html>` made a comment where elements follow: libxml2 would stop there, browsers go on.

    One page in forty has scripts after its end (measured 2026-11 on 1,704 pages).
    """
    first = _END.search(body)
    return _END.sub(b"</ html", body) if first and _ELEMENT.search(body, first.end()) else body


_END = re.compile(rb"</html", re.IGNORECASE)
_ELEMENT = re.compile(rb"<[a-zA-Z]")
_LONG_TAG_BYTES = 20_000
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{%d,}" % _LONG_TAG_BYTES)
"""Start tags of unusual length; runs between `<` do not overlap, so the search is linear."""
MAX_ATTRIBUTES = 1_000
"""Of one tag."""


def _has_long_run(body: bytes) -> bool:
    """Whether a tag of unusual length is possible: somewhere no `<` and no `>` stands for that long.

    Looks from the far end of one window to the next, so an ordinary page costs a dozen steps.
    """
    position, end = 0, len(body) - _LONG_TAG_BYTES
    while position < end:
        window = position, position + _LONG_TAG_BYTES
        last = max(body.rfind(b"<", *window), body.rfind(b">", *window))
        if last < position:
            return True
        position = last + 1
    return False


def _without_surplus_attributes(tag: bytes, flags: set[str]) -> bytes:
    """The start tag, cut when it has thousands of attributes: libxml2 compares each with all before it."""
    if tag.count(b"=") <= MAX_ATTRIBUTES and len(tag.split()) <= MAX_ATTRIBUTES:
        return tag
    flags.add("tree_cut")
    return b" ".join(tag.split()[:MAX_ATTRIBUTES])[:20_000]
