"""The counters of a running crawl, kept so that its vitals can be read at any moment from any thread."""

from __future__ import annotations

import threading
from collections import Counter, deque

from crawler.troubles import RECENT, Signs, Tally, Vitals
from fingerprints.model import Outcome

MINUTE_S = 60.0


class Pulse:
    """Counts what is done; the clock is the caller's, in monotonic seconds."""

    def __init__(self, began_s: float) -> None:
        self._began_s = began_s
        self._recent: deque[Signs] = deque()
        self._counted = _Counted()
        self._earlier = _Counted()
        self._minutes: list[int] = []
        self._lock = threading.Lock()

    def add(self, signs: Signs, now_s: float) -> None:
        with self._lock:
            self._grow(now_s)
            self._minutes[-1] += 1
            if signs.outcome is Outcome.SUPPRESSED:  # nobody was asked
                return
            self._recent.append(signs)
            self._counted.add(signs, 1)
            if len(self._recent) > RECENT:
                oldest = self._recent.popleft()
                self._counted.add(oldest, -1)
                self._earlier.add(oldest, 1)

    def vitals(
        self, now_s: float, *, is_ending: bool, left: int | None, disk_free_bytes: int | None
    ) -> Vitals:
        with self._lock:
            self._grow(now_s)
            return Vitals(
                recent=self._counted.tally(),
                before=self._earlier.tally(),
                per_minute=tuple(self._minutes[:-1]),
                is_ending=is_ending,
                left=left,
                disk_free_bytes=disk_free_bytes,
            )

    def _grow(self, now_s: float) -> None:
        """Begin the minutes up to now: those in which nothing came count, too."""
        minute = int((now_s - self._began_s) // MINUTE_S)
        self._minutes += [0] * (minute + 1 - len(self._minutes))


class _Counted:
    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._walls: Counter[str] = Counter()
        self._robots = 0
        self._sites_at: Counter[str] = Counter()
        self._timeouts_at: Counter[str] = Counter()

    def add(self, signs: Signs, count: int) -> None:
        self._outcomes[signs.outcome] += count
        self._robots += count * signs.robots_unreachable
        if signs.wall:
            self._walls[signs.wall] += count
        if signs.address:
            self._sites_at[signs.address] += count
            self._timeouts_at[signs.address] += count * (signs.outcome is Outcome.TIMEOUT)

    def tally(self) -> Tally:
        return Tally(
            self._outcomes.total(),
            +self._outcomes,
            +self._walls,
            self._robots,
            +self._timeouts_at,
            +self._sites_at,
        )
