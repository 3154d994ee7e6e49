"""Rule files into a detector: read, check as a set, compile, and keep the result on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fingerprints import cache
from fingerprints.detector import Detector
from fingerprints.model import Category, Observability, Taxonomy
from fingerprints.model.spelling import did_you_mean
from fingerprints.plan import compile_plan
from fingerprints.rules import Combine, Rule, Signal
from fingerprints.strict import RuleError
from fingerprints.toml_rules import CATEGORIES, TECHNOLOGIES, load_categories, load_rule_file, rule_paths
from fingerprints.wappalyzer import MERGED_STRENGTH, OTHER, is_wappalyzer, load_wappalyzer

RULESET_VERSION = "2026.11.1"


def load_detector(others: Sequence[Path] = (), *, ours: bool = True) -> Detector:
    """The detector for our rules and these files or folders; from the cache when nothing changed."""
    sources = ([TECHNOLOGIES] if ours else []) + list(others)
    if not sources:
        raise RuleError("no rules: --rules-only needs at least one --rules FILE|DIR")
    files = [path for source in sources for path in rule_files(source)]
    digest = content_hash([CATEGORIES, *files])
    cached = cache.load(digest)
    if isinstance(cached, Detector):
        return cached
    rules: list[Rule] = []
    problems: list[str] = []
    for source in sources:
        rules.extend(_load(source, ours, problems))
    detector = build_detector(rules, f"{RULESET_VERSION}+{digest[:8]}", problems=problems)
    cache.save(digest, detector)
    return detector


def build_detector(
    rules: Iterable[Rule], ruleset: str = "local", engine: str = "", problems: Iterable[str] = ()
) -> Detector:
    """The detector for rules that are already read.

    A rule that does not fit in (a slug that is taken, a category that does not exist) is left out and
    added to the detector's `problems`.
    """
    by_slug: dict[str, Rule] = {}
    found = list(problems)
    categories = load_categories()
    categories[OTHER] = Category(OTHER, "Other", Observability.LOGIN, primary=False)
    for rule in rules:
        try:
            _check_categories(rule, categories)
            known = by_slug.get(rule.slug)
            by_slug[rule.slug] = _merged(known, rule) if known else rule
        except RuleError as exc:
            found.append(str(exc))
    taxonomy = build_taxonomy(by_slug.values(), categories)
    return Detector(by_slug, compile_plan(by_slug.values(), engine), taxonomy, ruleset, tuple(found))


def _check_categories(rule: Rule, categories: Mapping[str, Category]) -> None:
    for category in rule.technology.categories:
        if category not in categories:
            raise RuleError(f"{rule.path}: unknown category {category!r}{did_you_mean(category, categories)}")


def build_taxonomy(rules: Iterable[Rule], categories: Mapping[str, Category]) -> Taxonomy:
    """Names of the rules and of the categories; `other` only where a rule uses it."""
    technologies, aliases = {}, {}
    for rule in rules:
        technologies[rule.slug] = rule.technology
        aliases.update(dict.fromkeys(rule.technology.aliases, rule.slug))
    covered = frozenset(slug for technology in technologies.values() for slug in technology.categories)
    kept = {slug: category for slug, category in categories.items() if slug != OTHER or OTHER in covered}
    return Taxonomy(kept, technologies, aliases, covered)


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents; the same rules give the same hash on every machine."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def rule_files(source: Path) -> list[Path]:
    """Every file a source consists of, sorted. Raises RuleError when there is none."""
    if not source.exists():
        raise RuleError(f"{source}: no such file or folder")
    if source.is_file():
        return [source]
    files = sorted(source.rglob("*.json")) if is_wappalyzer(source) else rule_paths(source)
    if not files:
        raise RuleError(f"{source}: holds neither <category>/<slug>.toml files nor technologies/*.json")
    return files


def _load(source: Path, merge: bool, problems: list[str]) -> list[Rule]:
    """The rules of one source; what cannot be read is added to `problems` and loses nothing else."""
    if is_wappalyzer(source):
        imported = load_wappalyzer(source, merge_names=merge)
        problems.extend(imported.skipped)
        return imported.rules
    rules = []
    for path in rule_paths(source):
        try:
            rules.append(load_rule_file(path).rule)
        except RuleError as exc:
            problems.append(str(exc))
    return rules


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
        replace(signal, id=f"{rule.slug}#{number}")
        for number, signal in enumerate(rule.signals, start=after + 1)
    )
