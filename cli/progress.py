"""How far a crawl is: one live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import deque
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.output import note
from cli.recording import Recorder
from crawler.targets import TargetReport

PLAIN_EVERY_S = 10.0
RATE_OVER_S = 30.0
"""The speed shown is that of the last half minute: a crawl starts slowly and ends with its slowest sites."""


class Progress:
    """Shows a recorder's counters while its `with` block runs."""

    def __init__(self, recorder: Recorder, report: TargetReport, *, lines: int | None, quiet: bool) -> None:
        self._recorder = recorder
        self._report = report
        self._lines = lines
        self._quiet = quiet
        self._samples: deque[tuple[float, int]] = deque([(monotonic(), 0)])
        self._live: Live | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._quiet:
            return self
        if sys.stderr.isatty():
            console = Console(stderr=True, highlight=False)
            self._live = Live(
                get_renderable=self._text, console=console, refresh_per_second=4, transient=True
            )
            self._live.start()
        else:
            self._thread = threading.Thread(target=self._print_now_and_then, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._live is not None:
            self._live.stop()
        if self._thread is not None:
            self._thread.join()

    def _print_now_and_then(self) -> None:
        while not self._ended.wait(PLAIN_EVERY_S):
            note(self.line(monotonic()))

    def _text(self) -> Text:
        return Text(self.line(monotonic()), no_wrap=True, overflow="ellipsis")

    def line(self, now_s: float) -> str:
        """Done, speed, time left, outcomes from the most frequent, technologies found."""
        done = self._recorder.done
        rate = self._rate(now_s, done)
        before = self._recorder.crawl.done
        total = self._total()
        parts = [f"{done + before:,} of {total:,} done" if total else f"{done + before:,} done"]
        parts.append(f"{rate:.1f}/s")
        if total and rate > 0 and total > done + before:
            parts.append(f"{duration((total - done - before) / rate)} left")
        outcomes = self._recorder.outcomes.copy().most_common(4)  # another thread counts
        parts += [", ".join(f"{outcome} {count:,}" for outcome, count in outcomes)] if outcomes else []
        parts.append(f"{self._recorder.technologies:,} technologies")
        return " | ".join(parts)

    def left(self) -> int | None:
        """Targets without a record, as far as is known."""
        total = self._total()
        return None if total is None else max(total - self._recorder.crawl.done - self._recorder.done, 0)

    def _total(self) -> int | None:
        """Targets in the list, as far as is known: lines that turn out to be none are taken off."""
        if self._lines is None:
            return None
        return self._lines - self._report.duplicates - self._report.rejected

    def _rate(self, now_s: float, done: int) -> float:
        """Targets a second over the last RATE_OVER_S."""
        self._samples.append((now_s, done))
        while len(self._samples) > 2 and self._samples[1][0] < now_s - RATE_OVER_S:
            self._samples.popleft()
        first_s, first_done = self._samples[0]
        return (done - first_done) / (now_s - first_s) if now_s > first_s else 0.0


def duration(seconds: float) -> str:
    """A length of time as people say it.

    >>> duration(42), duration(125), duration(7300)
    ('42 s', '2 min', '2 h 1 min')
    """
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
