"""One crawl at a time into a database. Everybody else may read and write it meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreError

if sys.platform != "win32":
    import fcntl


@contextmanager
def crawl_lock(path: Path) -> Iterator[None]:
    """Hold the database at `path` for one crawl; raises StoreError when another process has it.

    The system lets go of it when this process ends in whatever way. What stays is the empty file
    that is locked, `NAME.lock`: SQLite must not see locks of others on its own files.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as exc:
        raise StoreError(f"{lock}: cannot be made: {exc.strerror}") from exc
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        return  # two crawls are still safe there, but ask the same sites twice
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(
            f"{path}: another crawl is under way into it; wait for it to end, or give another --db"
        ) from None
