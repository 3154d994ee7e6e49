"""Whether a pattern that only a backtracking engine can run is safe on pages that strangers write.

`re` tries every way in which nested or adjacent repeats can share a text: `(a+)+$` doubles its time with each
further letter. Such a pattern is found by trying it on texts made for it, short ones first.
"""

from __future__ import annotations

import math
import re
import re._constants as sre
import re._parser as sre_parser
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

MAX_SECONDS = 0.3
"""Of one search, on a slow machine. What stays below it on 2 kB made for the pattern takes microseconds on pages."""
MAX_TEXTS = 24
MAX_EMPTY = 8
_GROWTH = 1.25
"""From one text to the next, as long as nothing is noticed."""
_NOTICEABLE_S = 0.005
_SLOWER = 4.0
"""How much longer than the one before a search may be expected to take: the last one, at which a pattern is
caught, takes a second or two. Some patterns take a hundred times as long for a quarter more text."""
_MISMATCHES = ("\0", "")
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_SAMPLES = "a0 -./_=\"'<>"


def explodes(pattern: str, most_bytes: int) -> bool:
    """Whether some text of at most `most_bytes` keeps `re` busy for more than MAX_SECONDS."""
    tree = sre_parser.parse(pattern, re.IGNORECASE)
    if _repeats_what_may_be_empty(tree):
        return True
    search = re.compile(pattern.encode(), re.IGNORECASE).search
    for before, repeated in islice(_pumps(tree), MAX_TEXTS):
        for mismatch in _MISMATCHES:
            last, last_s, length = 1.0, 0.0, 2.0
            while length < most_bytes * _GROWTH:
                size = int(min(length, most_bytes))
                text = before + repeated * (size // len(repeated) + 1)
                made = f"{text[:size]}{mismatch}".encode()
                took_s = _seconds(search, made)
                # A busy machine may slow one try, hardly two.
                if took_s > MAX_SECONDS and _seconds(search, made) > MAX_SECONDS:
                    return True
                step = max(1.0, length * (_GROWTH - 1))
                if took_s > _NOTICEABLE_S and took_s > last_s > 0:
                    growth = math.log(took_s / last_s) / (length - last)
                    step = min(step, max(1.0, math.log(_SLOWER) / growth))
                last, last_s, length = length, took_s, length + step
    return False


def _seconds(search: Callable[[bytes], object], text: bytes) -> float:
    """CPU time of one search."""
    began_s = time.process_time()
    search(text)
    return time.process_time() - began_s


def _repeats_what_may_be_empty(items: Iterable[tuple[Any, Any]]) -> bool:
    """Whether there is something like `(a?){60}`, which is slow from the first text that is long enough."""
    return any(
        (op in _REPEATS and argument[1] > MAX_EMPTY and not argument[2].getwidth()[0])
        or any(map(_repeats_what_may_be_empty, _parts(op, argument)))
        for op, argument in items
    )


def _pumps(items: Iterable[tuple[Any, Any]], before: str = "") -> Iterator[tuple[str, str]]:
    """For each repeat of the pattern, what leads to it and a text it can repeat; the outermost first."""
    for op, argument in items:
        if op in _REPEATS and argument[1] > 1:
            sample = _sample(argument[2])
            if sample:
                yield before, sample
        for inner in _parts(op, argument):
            yield from _pumps(inner, before)
        before += _sample([(op, argument)])


def _parts(op: Any, argument: Any) -> list[Any]:
    """The sub-patterns of one item."""
    if op in _REPEATS:
        return [argument[2]]
    if op is sre.SUBPATTERN:
        return [argument[3]]
    if op is sre.BRANCH:
        return list(argument[1])
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    return []


def _sample(items: Iterable[tuple[Any, Any]]) -> str:
    """A short text the items match, as far as one can tell without matching."""
    return "".join(_sample_of(op, argument) for op, argument in items)


def _sample_of(op: Any, argument: Any) -> str:
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return ""
    if op in _REPEATS:
        return _sample(argument[2]) * int(max(argument[0], 1))
    inner = _parts(op, argument)
    return _sample(inner[0]) if inner else _character(op, argument)


def _character(op: Any, argument: Any) -> str:
    """The character an item stands for, or one of its class; nothing for anchors and references."""
    if op is sre.LITERAL:
        return chr(argument)
    if op is sre.ANY:
        return "a"
    if op is sre.NOT_LITERAL:
        return next(char for char in _SAMPLES if ord(char) != argument)
    if op is sre.IN:
        return next((char for char in _SAMPLES if _is_in(char, argument)), _first(argument))
    return ""


def _is_in(char: str, members: Iterable[tuple[Any, Any]]) -> bool:
    """Whether a character class has the character."""
    members = list(members)
    is_negated = members[0][0] is sre.NEGATE
    found = any(_is_member(char, op, argument) for op, argument in members)
    return found != is_negated


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    sre.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    sre.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    sre.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}


def _is_member(char: str, op: Any, argument: Any) -> bool:
    if op is sre.LITERAL:
        return bool(ord(char) == argument)
    if op is sre.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    return op is sre.CATEGORY and bool(_CATEGORIES[argument](char))


def _first(members: Iterable[tuple[Any, Any]]) -> str:
    """The first character a class names."""
    op, argument = next(iter(members))
    if op is sre.LITERAL:
        return chr(argument)
    return chr(argument[0]) if op is sre.RANGE else ""
