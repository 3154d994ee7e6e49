"""The compiled reader's tree, with every selector: the few it does not know go through lxml."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING

from fingerprints import native
from fingerprints.selectors import MAX_NODES, compounds, split_list

if TYPE_CHECKING:
    from fingerprints.lxml_tree import LxmlTree
    from fingerprints.tree import Element, Tree


class FlatTree(native.Tree):
    """One page, with the words of `tree.Tree`."""

    def select(self, selector: str, limit: int = MAX_NODES) -> Iterable[Element]:
        parts = _compiled(selector)
        if len(parts) == 1:
            return self._select_one(parts[0], limit)
        return islice(chain.from_iterable(self._select_one(part, limit) for part in parts), limit)

    def _select_one(self, part: native.Selector | str, limit: int) -> Iterable[Element]:
        if isinstance(part, native.Selector):
            return self.matching(part, limit)
        return () if self._lxml is None else self._lxml.select(part, limit)

    @functools.cached_property
    def _lxml(self) -> LxmlTree | None:
        from fingerprints.lxml_tree import MAX_ATTRIBUTES, lxml_tree  # few pages need it, and a start none

        if self.most_attributes > MAX_ATTRIBUTES:  # libxml2 compares each with all before it
            self._seen_late.add("tree_cut")
            return None
        return lxml_tree(self.body, self._seen_late)

    @property
    def flags(self) -> set[str]:
        return self._seen_late | ({"tree_cut"} if self.is_cut else set())

    @functools.cached_property
    def _seen_late(self) -> set[str]:
        return set()


def flat_tree(body: bytes, flags: set[str]) -> Tree | None:
    """The tree of a page in UTF-8. Flags `tree_cut` when not all of it was read."""
    tree = FlatTree(body)
    flags |= tree.flags
    return tree


@functools.cache
def _compiled(selector: str) -> tuple[native.Selector | str, ...]:
    """The alternatives of a selector list; as text those that only lxml can answer."""
    return tuple(_compiled_part(part) for part in split_list(selector))


def _compiled_part(part: str) -> native.Selector | str:
    parsed = compounds(part)
    if parsed is None:
        return part
    steps = [
        (combinator, compound.tag, [dataclasses.astuple(condition) for condition in compound.conditions])
        for combinator, compound in parsed
    ]
    try:
        return native.Selector(steps)
    except ValueError:  # longer than any rule's so far
        return part
