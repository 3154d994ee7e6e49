"""The compiled reader's tree, with every selector: the few it does not know go through lxml."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING

from fingerprints import native
from fingerprints.lxml_tree import LxmlTree, lxml_tree
from fingerprints.selectors import MAX_NODES, nested_compounds, split_list

if TYPE_CHECKING:
    from fingerprints.tree import Element


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
        return lxml_tree(self.body, set())


@functools.cache
def _compiled(selector: str) -> tuple[native.Selector | str, ...]:
    """The alternatives of a selector list; as text those that only lxml can answer."""
    return tuple(_compiled_part(part) for part in split_list(selector))


def _compiled_part(part: str) -> native.Selector | str:
    nested = nested_compounds(part)
    if nested is None:
        return part
    steps = [
        (is_child, compound.tag, [dataclasses.astuple(condition) for condition in compound.conditions])
        for is_child, compound in nested
    ]
    try:
        return native.Selector(steps)
    except ValueError:  # longer than any rule's so far
        return part
