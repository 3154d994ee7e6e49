"""The files a rule set consists of, and what tells one state of them from another."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fingerprints.strict import RuleError

HERE = Path(__file__).resolve().parent
TECHNOLOGIES = HERE / "technologies"
CATEGORIES = HERE / "categories.toml"

_NOT_RULES = ("categories.json", "groups.json", "schema.json")


def rule_files(source: Path) -> list[Path]:
    """Every rule file a source consists of, sorted. Raises RuleError when there is none."""
    if not source.exists():
        raise RuleError(f"{source}: no such file or folder")
    is_json = is_wappalyzer(source)
    files = technology_files(source) if is_json else rule_paths(source)
    if not files:
        raise RuleError(f"{source}: holds neither <category>/<slug>.toml files nor technologies/*.json")
    return files + category_files(source) if is_json else files


def rule_paths(folder: Path = TECHNOLOGIES) -> list[Path]:
    """Every rule file of our own format below the folder, sorted; a single file is itself."""
    return [folder] if folder.is_file() else sorted(folder.glob("*/*.toml"))


def is_wappalyzer(source: Path) -> bool:
    """Whether a file or folder holds rules in the Wappalyzer format rather than ours."""
    if source.is_file():
        return source.suffix == ".json"
    return any(source.glob("*.json")) or any(source.glob("**/technologies/*.json"))


def technology_files(source: Path) -> list[Path]:
    """The files of a rule set in the Wappalyzer format that hold technologies, sorted."""
    if source.is_file():
        return [source]
    nested = sorted(source.glob("**/technologies/*.json"))
    return nested or [path for path in sorted(source.glob("*.json")) if path.name not in _NOT_RULES]


def category_files(source: Path) -> list[Path]:
    """The categories.json that lies with, or above, the technologies of a set in the Wappalyzer format."""
    folders = dict.fromkeys(path.parent for path in technology_files(source))
    beside = [folder / "categories.json" for folder in folders]
    above = [folder.parent / "categories.json" for folder in folders if folder.name == "technologies"]
    return [path for path in beside + above if path.is_file()]


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents; the same rules give the same hash on every machine."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name}\0".encode())
        with contextlib.suppress(OSError):  # whoever reads it says so
            digest.update(path.read_bytes())
    return digest.hexdigest()


def stamp(sources: Iterable[Path]) -> str:
    """SHA-256 over path, size and times of every file below these sources that may be a rule.

    Another one means that a file was written, added, removed or moved; the same one, on this machine,
    that nothing changed. Needs no file to be read: 10 ms for our own rules, where hashing takes 60.
    """
    entries = [sorted(_entries(os.path.abspath(source))) for source in sources]
    return hashlib.sha256(repr(entries).encode()).hexdigest()


def _entries(source: str) -> Iterator[tuple[str, int, int, int]]:
    if os.path.isfile(source):
        yield _entry(source)
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith((".toml", ".json")):
                yield _entry(f"{folder}/{name}")


def _entry(path: str) -> tuple[str, int, int, int]:
    # The time of the last change cannot be set back, so an edit that keeps size and date is seen too.
    try:
        found = os.stat(path)
    except OSError:  # a link to nowhere
        return path, 0, 0, 0
    return path, found.st_size, found.st_mtime_ns, found.st_ctime_ns
