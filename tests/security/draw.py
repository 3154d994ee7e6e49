"""Random bytes into the inputs a target wants; the same bytes always give the same input.

One source serves both a fuzzer that mutates bytes by coverage (bench/fuzz.py) and hypothesis, which
shrinks them: the targets need not know who drives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

MAX_DEPTH = 6
_NUMBERS = (0, 1, -1, 200, 404, 2**31, 2**63, -(2**70), 0.5, 1e308, float("nan"), float("inf"))


class Draw:
    """Bytes taken from the front; once they are used up, every answer is the smallest."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        value = self._data[self._at] if self._at < len(self._data) else 0
        self._at += 1
        return value

    def pick(self, options: Sequence[T]) -> T:
        return options[self.byte() % len(options)]

    def flag(self) -> bool:
        return self.byte() % 2 == 1

    def some(self, most: int) -> range:
        """A range to loop over, of 0 to `most` rounds."""
        return range(self.byte() % (most + 1))

    def bytes(self, most: int = 64) -> bytes:
        size = min(self.byte(), most)
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def rest(self) -> bytes:
        taken = self._data[self._at :]
        self._at = len(self._data)
        return taken

    def text(self, words: Sequence[str] = (), pieces: int = 6) -> str:
        """Words of the target's own language and arbitrary characters, half surrogates and NUL included."""
        parts = []
        for _ in self.some(pieces):
            if words and self.flag():
                parts.append(self.pick(words))
            else:
                parts.append(self.bytes(24).decode("utf-8", self.pick(("replace", "surrogateescape"))))
        return "".join(parts)

    def json(self, words: Sequence[str], depth: int = 0) -> Any:
        """A value of any shape; `words` are the keys and texts that lead deep into the reader."""
        kind = self.byte() % 8
        if kind == 0 or depth >= MAX_DEPTH:
            return self.text(words, 2)
        if kind in (1, 2, 3):
            return {self.key(words): self.json(words, depth + 1) for _ in self.some(5)}
        if kind == 4:
            return [self.json(words, depth + 1) for _ in self.some(4)]
        if kind == 5:
            return self.pick(_NUMBERS)
        return self.pick((None, True, False)) if kind == 6 else self.pick(words)

    def key(self, words: Sequence[str]) -> str:
        return self.pick(words) if self.byte() % 4 else self.text(words, 2)
