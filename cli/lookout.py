"""Looks after a running crawl and says what is going wrong with it, while there is time to act."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from cli.vitals import Pulse
from crawler.troubles import signs_of, troubles, untold
from fingerprints.model import Record, TechnographError

LOOK_EVERY_S = 10.0
"""A crawl in which nothing comes any more has to be looked after, too."""


class Lookout:
    """Tells each trouble once, and again when it has become clearly worse, while its `with` block runs.

    `tell` may be called from another thread.
    """

    def __init__(
        self,
        folder: Path,
        tell: Callable[[str], None],
        *,
        left: Callable[[], int | None],
        is_ending: Callable[[], bool],
    ) -> None:
        self._folder = folder
        self._tell = tell
        self._left = left
        self._is_ending = is_ending
        self._pulse = Pulse(monotonic())
        self._told: dict[str, float] = {}
        self._looking = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_now_and_then, daemon=True)

    def __enter__(self) -> Self:
        self.look(monotonic())  # the disk may be too small for the list before it has begun
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def saw(self, records: Sequence[Record]) -> None:
        """Take note of finished targets."""
        now_s = monotonic()
        for record in records:
            self._pulse.add(signs_of(record), now_s)
        self.look(now_s)

    def look(self, now_s: float) -> None:
        vitals = self._pulse.vitals(
            now_s,
            is_ending=self._is_ending(),
            left=self._left(),
            disk_free_bytes=_free_bytes(self._folder),
        )
        with self._looking:
            for trouble in untold(troubles(vitals), self._told):
                self._told[trouble.kind] = trouble.severity
                self._tell(trouble.text)

    def _look_now_and_then(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            with suppress(TechnographError):  # a log that cannot be written ends the crawl at its next record
                self.look(monotonic())


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
