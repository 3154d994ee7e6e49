"""How long a crawl waits for a database that another program keeps locked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawler.crawl import Control
from store import opening

PATIENCE_S = 1800.0
"""Longer than any command of ours needs to write; a program that was left open holds the lock for ever."""


class Patience:
    """Decides for `Store.wait_on`: warns when a wait begins, gives up after PATIENCE_S or on a second Ctrl-C.

    Once given up, always given up: the crawl is ending.
    """

    def __init__(self, path: Path, warn: Callable[[str], None], control: Control) -> None:
        self._path = path
        self._warn = warn
        self._control = control
        self._is_over = False

    def __call__(self, waited_s: float) -> bool:
        if waited_s < 2 * opening.BUSY_TIMEOUT_S and not self._is_over:
            minutes = round(PATIENCE_S / 60)
            self._warn(
                f"{self._path}: locked by another program; the crawl waits for it, up to {minutes} minutes"
            )
        self._is_over = self._is_over or waited_s >= PATIENCE_S or self._control.is_killed
        return not self._is_over
