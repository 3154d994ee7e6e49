"""Compiled rule sets on disk, so that a later start takes a tenth of the time. Losing it costs nothing.

Two kinds of file: `digest-*.txt` remembers which contents a state of the rule files had, so that a start
need not read them; `rules-*.pickle` holds what was made of these contents, by this code on this machine.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import pickle
import platform
import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from fingerprints.scan import engine_version

FORMAT = 5
"""Raised whenever the pickled classes change their fields."""

KEPT = 8
"""Files of a kind that stay; older ones go when a new one is written."""


def folder() -> Path:
    """Where compiled rules are kept: TECHNOGRAPH_CACHE, or the user's cache folder."""
    given = os.environ.get("TECHNOGRAPH_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "technograph"


def remembered(stamp: str, digest: Callable[[], str]) -> str:
    """The digest of the rule files whose state this stamp names; worked out the first time only."""
    path = folder() / f"digest-{stamp[:32]}.txt"
    with contextlib.suppress(OSError, ValueError):
        if re.fullmatch(r"[0-9a-f]{64}", known := path.read_text("ascii")):
            return known
    found = digest()
    _replace(path, found.encode())
    return found


def load(digest: str) -> object | None:
    """The cached object, or None when there is none that can be used. Never raises."""
    path = _path(digest)
    try:
        with path.open("rb") as stream, _no_garbage_collection():
            # A pickle can run code. The open file is asked, so that it cannot be exchanged after the question.
            return pickle.load(stream) if _is_ours_alone(stream.fileno()) else None  # noqa: S301
    except Exception:  # noqa: BLE001 - whatever is wrong with a cache, the answer is to rebuild it
        return None


def _is_ours_alone(descriptor: int) -> bool:
    """Whether nobody but this user can have written the file."""
    if os.name != "posix":
        return True  # the user's own folders are closed to others there
    status = os.fstat(descriptor)
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def save(digest: str, value: object) -> None:
    """Keep the object; a folder that cannot be written is not an error."""
    _replace(_path(digest), pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))


def _path(digest: str) -> Path:
    parts = (FORMAT, sys.version_info[:2], platform.machine(), engine_version(), _code_stamp())
    return folder() / f"rules-{digest[:16]}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.pickle"


def _code_stamp() -> int:
    """Newest change of this package's code, so that a developer never sees yesterday's plan."""
    here = os.path.dirname(os.path.abspath(__file__))
    entries = [entry for name in (here, f"{here}/model") for entry in os.scandir(name)]
    return max(entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(".py"))


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it, and let the oldest of its kind go."""
    import tempfile  # a start that finds everything writes nothing

    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
            stream.write(content)
        os.replace(stream.name, path)
        same_kind = path.parent.glob(f"{path.name.partition('-')[0]}-*")
        for other in sorted(same_kind, key=lambda found: found.stat().st_mtime)[:-KEPT]:
            other.unlink(missing_ok=True)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Nothing that is being read can be garbage, and looking for it takes half as long as the reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
