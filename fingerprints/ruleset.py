"""Rule files into a detector: read, check as a set, compile, and keep the result on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from fingerprints import cache
from fingerprints.detector import Detector
from fingerprints.model import Category, Observability, Taxonomy
from fingerprints.plan import compile_plan
from fingerprints.rules import Combine, Rule, Signal
from fingerprints.strict import RuleError, nearest
from fingerprints.toml_rules import CATEGORIES, TECHNOLOGIES, load_categories, load_rule_files, rule_paths
from fingerprints.wappalyzer import MERGED_STRENGTH, OTHER, is_wappalyzer, load_wappalyzer

RULESET_VERSION = "2026.11.1"


def load_detector(others: Sequence[Path] = (), *, ours: bool = True) -> Detector:
    """The detector for our rules and these files or folders; from the cache when nothing changed."""
    sources = ([TECHNOLOGIES] if ours else []) + list(others)
    if not sources:
        raise RuleError("no rules: --rules-only needs at least one --rules FILE|DIR")
    files = [path for source in sources for path in _files(source)]
    digest = content_hash([CATEGORIES, *files])
    cached = cache.load(digest)
    if isinstance(cached, Detector):
        return cached
    rules: list[Rule] = []
    for source in sources:
        rules.extend(_load(source, merge=ours))
    detector = build_detector(rules, f"{RULESET_VERSION}+{digest[:8]}")
    cache.save(digest, detector)
    return detector


def build_detector(rules: Iterable[Rule], ruleset: str = "local", engine: str = "") -> Detector:
    """The detector for rules that are already read. Raises RuleError when two claim one slug."""
    by_slug: dict[str, Rule] = {}
    for rule in rules:
        known = by_slug.get(rule.slug)
        if known is not None:
            rule = _merged(known, rule)
        by_slug[rule.slug] = rule
    taxonomy = build_taxonomy(by_slug.values())
    return Detector(by_slug, compile_plan(by_slug.values(), engine), taxonomy, ruleset)


def build_taxonomy(rules: Iterable[Rule]) -> Taxonomy:
    """Names of the rules and of our categories. Raises RuleError for a category that does not exist."""
    rules = list(rules)
    categories = load_categories()
    if any(OTHER in rule.technology.categories for rule in rules):
        categories[OTHER] = Category(OTHER, "Other", Observability.LOGIN, primary=False)
    technologies, aliases = {}, {}
    for rule in rules:
        for category in rule.technology.categories:
            if category not in categories:
                raise RuleError(f"{rule.path}: unknown category {category!r}{nearest(category, categories)}")
        technologies[rule.slug] = rule.technology
        aliases.update(dict.fromkeys(rule.technology.aliases, rule.slug))
    covered = frozenset(slug for technology in technologies.values() for slug in technology.categories)
    return Taxonomy(categories, technologies, aliases, covered)


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents; the same rules give the same hash on every machine."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(source: Path) -> list[Path]:
    if not source.exists():
        raise RuleError(f"{source}: no such file or folder")
    if source.is_file():
        return [source]
    files = sorted(source.rglob("*.json")) if is_wappalyzer(source) else rule_paths(source)
    if not files:
        raise RuleError(f"{source}: holds neither <category>/<slug>.toml files nor technologies/*.json")
    return files


def _load(source: Path, *, merge: bool) -> list[Rule]:
    if is_wappalyzer(source):
        return list(load_wappalyzer(source, merge_names=merge).rules)
    return [file.rule for file in load_rule_files(source)]


def _merged(first: Rule, second: Rule) -> Rule:
    """Our rule with the other set's signals added; two of our own files with one slug are an error."""
    if first.combine is second.combine is Combine.INDEPENDENT:
        raise RuleError(f"{second.path}: slug {second.slug!r} is taken by {first.path}")
    if first.combine is second.combine:
        return replace(first, signals=first.signals + _renumbered(second, len(first.signals)))
    ours, theirs = (first, second) if first.combine is Combine.INDEPENDENT else (second, first)
    added = _renumbered(theirs, len(ours.signals))
    weighed = tuple(replace(signal, strength=min(signal.strength, MERGED_STRENGTH)) for signal in added)
    return replace(ours, signals=ours.signals + weighed)


def _renumbered(rule: Rule, after: int) -> tuple[Signal, ...]:
    return tuple(
        replace(signal, id=f"{rule.slug}#{number}") for number, signal in enumerate(rule.signals, start=after + 1)
    )
