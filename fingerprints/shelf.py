"""Collections whose items stay pickled until one is asked for: a page needs few of thousands of rules."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Shelf(Mapping[str, T], Generic[T]):
    """Such a mapping."""

    __slots__ = ("_pickled", "_taken")

    def __init__(self, values: Mapping[str, T]) -> None:
        self._pickled = {key: pickle.dumps(value, pickle.HIGHEST_PROTOCOL) for key, value in values.items()}
        self._taken: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        value = self._taken.get(key)
        if value is None:
            value = self._taken[key] = pickle.loads(self._pickled[key])  # noqa: S301 - see cache.load
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._pickled)

    def __len__(self) -> int:
        return len(self._pickled)

    def __contains__(self, key: object) -> bool:
        return key in self._pickled


class ShelvedList(Sequence[T], Generic[T]):
    """Such a sequence. An item is the same object each time."""

    __slots__ = ("_pickled", "_taken")

    def __init__(self, items: Iterable[T]) -> None:
        self._pickled = [pickle.dumps(item, pickle.HIGHEST_PROTOCOL) for item in items]
        self._taken: dict[int, T] = {}

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        if index < 0:
            index += len(self)
        if index not in self._taken:
            self._taken[index] = pickle.loads(self._pickled[index])  # noqa: S301 - see cache.load
        return self._taken[index]

    def __len__(self) -> int:
        return len(self._pickled)
