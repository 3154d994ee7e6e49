"""The detector for some rule sets: from the cache when none of their files changed, else made and kept.

What reads and compiles rules is imported only where there is something to read: a start from the cache
takes a tenth of a second, and a third of that would go into parsers it does not use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fingerprints import cache
from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from fingerprints.shelf import Shelf
from fingerprints.sources import CATEGORIES, TECHNOLOGIES, content_hash, rule_files, stamp
from fingerprints.strict import RuleError


def load_detector(others: Sequence[Path] = (), *, ours: bool = True) -> Detector:
    """The detector for our rules and these files or folders; from the cache when nothing changed.

    Raises RuleError for a source that does not exist or holds no rules.
    """
    sources = ([TECHNOLOGIES] if ours else []) + list(others)
    if not sources:
        raise RuleError("no rules: --rules-only needs at least one --rules FILE|DIR")
    digest = _digest(sources)
    cached = cache.load(digest)
    if isinstance(cached, Detector):
        return cached
    from fingerprints.ruleset import read_detector

    detector = read_detector(sources, digest)
    cache.save(digest, _shelved(detector))
    return detector


def _digest(sources: Sequence[Path]) -> str:
    """SHA-256 over the contents of everything a detector is made from."""
    tables = [CATEGORIES, data_file("reference/wappalyzer-names.toml")]
    # A set's categories.json may lie above what was named: its technologies folder, or a file in there.
    above = [folder / "categories.json" for source in sources for folder in list(source.parents)[:2]]
    beside = [path for path in above if path.is_file()]

    def read() -> str:
        return content_hash([*tables, *(path for source in sources for path in rule_files(source))])

    return cache.remembered(stamp([*tables, *sources, *beside]), read)


def _shelved(detector: Detector) -> Detector:
    """The detector with its rules and technologies on shelves, which a start takes as they are."""
    technologies = Shelf(detector.taxonomy.technologies)
    taxonomy = replace(detector.taxonomy, technologies=technologies)
    return replace(detector, rules=Shelf(detector.rules), taxonomy=taxonomy)
