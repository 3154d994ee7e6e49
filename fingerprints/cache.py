"""Compiled rule sets on disk, so that a later start takes a tenth of the time. Losing it costs nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from fingerprints.scan import best_engine

FORMAT = 1
"""Raised whenever the pickled classes change their fields."""


def folder() -> Path:
    """Where compiled rules are kept: TECHNOGRAPH_CACHE, or the user's cache folder."""
    given = os.environ.get("TECHNOGRAPH_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "technograph"


def _path(digest: str) -> Path:
    engine = best_engine()
    library = metadata.version("hyperscan" if engine == "hyperscan" else "ahocorasick-rs")
    parts = (FORMAT, sys.version_info[:2], platform.machine(), engine, library, _code_stamp())
    return folder() / f"rules-{digest[:16]}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.pickle"


def _code_stamp() -> int:
    """Newest change of this package's code, so that a developer never sees yesterday's plan."""
    here = Path(__file__).resolve().parent
    return max(path.stat().st_mtime_ns for path in [*here.glob("*.py"), *here.glob("model/*.py")])


def load(digest: str) -> object | None:
    """The cached object, or None when there is none that can be used. Never raises."""
    path = _path(digest)
    try:
        if os.name == "posix" and path.stat().st_uid != os.getuid():
            return None  # a pickle can run code: only our own file is opened
        with path.open("rb") as stream:
            return pickle.load(stream)  # type: ignore[no-any-return]  # noqa: S301
    except Exception:  # noqa: BLE001 - whatever is wrong with a cache, the answer is to rebuild it
        return None


def save(digest: str, value: object) -> None:
    """Keep the object, replacing older ones; a folder that cannot be written is not an error."""
    path = _path(digest)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
            pickle.dump(value, stream, protocol=pickle.HIGHEST_PROTOCOL)
        os.replace(stream.name, path)
        for other in sorted(path.parent.glob("rules-*.pickle"), key=lambda p: p.stat().st_mtime)[:-8]:
            other.unlink(missing_ok=True)
