"""What happened when: counts of a crawl's steps gathered into as many columns as a chart can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MOST_COLUMNS = 60
WIDTHS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    7 * 86_400,
)  # fmt: skip
"""Lengths of time people think in."""

Slots = Mapping[int, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Column:
    start_s: int
    """Since 1970."""
    length_s: int
    """The last one before a pause may be shorter than the others."""
    outcomes: Mapping[str, int]
    pause_s: int = 0
    """How long the crawl was not running just before it; 0 when it was."""

    @property
    def sites(self) -> int:
        return sum(self.outcomes.values())

    @property
    def per_second(self) -> float:
        return self.sites / self.length_s


def columns(slots: Slots, step_s: int, starts_s: Sequence[int]) -> list[Column]:
    """At most about MOST_COLUMNS equal columns over the time the crawl was running.

    `slots` are counts by number of steps since 1970, `starts_s` the times it was started or resumed:
    only before these may nothing for a long time mean that it was not running.
    """
    runs = _runs(sorted(slots), step_s, starts_s)
    if not runs:
        return []
    width = _width(runs, step_s)
    found: list[Column] = []
    for run in runs:
        pause_s = run.start * step_s - (found[-1].start_s + found[-1].length_s) if found else 0
        for first in range(run.start, run.stop, width):
            last = min(first + width, run.stop)
            counted = sum((Counter(slots.get(slot, {})) for slot in range(first, last)), Counter[str]())
            found.append(Column(first * step_s, (last - first) * step_s, dict(counted), max(pause_s, 0)))
            pause_s = 0
    return found


def _runs(slots: Sequence[int], step_s: int, starts_s: Sequence[int]) -> list[range]:
    """Steps in which the crawl was running, from its starts to the last site before the next one."""
    runs: list[range] = []
    for slot in slots:
        if runs and not _was_started(runs[-1].stop, slot, step_s, starts_s):
            runs[-1] = range(runs[-1].start, slot + 1)
        else:
            runs.append(range(slot, slot + 1))
    # More starts than columns: a crawl that was killed again and again. It is shown as one run.
    return runs if len(runs) <= MOST_COLUMNS // 2 else [range(runs[0].start, runs[-1].stop)]


def _was_started(end: int, slot: int, step_s: int, starts_s: Sequence[int]) -> bool:
    return slot > end and any(end * step_s <= start <= (slot + 1) * step_s for start in starts_s)


def _width(runs: Sequence[range], step_s: int) -> int:
    """Steps a column."""
    widths: Iterator[int] = (seconds // step_s for seconds in WIDTHS_S if seconds % step_s == 0)
    return next(
        (width for width in widths if sum(-(-len(run) // width) for run in runs) <= MOST_COLUMNS),
        max(-(-sum(map(len, runs)) // MOST_COLUMNS), 1),
    )
