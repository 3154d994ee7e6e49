"""Rule files into a detector: read, check as a set, compile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fingerprints.detector import Detector
from fingerprints.model import Category, Observability, Taxonomy
from fingerprints.model.spelling import did_you_mean
from fingerprints.plan import compile_plan
from fingerprints.rules import Combine, Rule, Signal
from fingerprints.sources import TECHNOLOGIES, is_wappalyzer, rule_paths
from fingerprints.strict import RuleError
from fingerprints.toml_rules import load_categories, load_rule_file
from fingerprints.wappalyzer import MERGED_STRENGTH, OTHER, load_wappalyzer

RULESET_VERSION = "2026.11.1"


def read_detector(sources: Sequence[Path], digest: str) -> Detector:
    """The detector for these files and folders, whose contents have this digest; reads and compiles them all.

    Another rule set's names become ours where our own rules are among the sources.
    """
    rules: list[Rule] = []
    problems: list[str] = []
    coverage: list[str] = []
    for source in sources:
        if is_wappalyzer(source):
            imported = load_wappalyzer(source, merge_names=TECHNOLOGIES in sources)
            rules.extend(imported.rules)
            problems.extend(imported.skipped)
            coverage.append(f"{source}: {imported.coverage()}")
        else:
            rules.extend(_read(source, problems))
    detector = build_detector(rules, f"{RULESET_VERSION}+{digest[:8]}", problems=problems)
    return replace(detector, coverage=tuple(coverage))


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


def _read(source: Path, problems: list[str]) -> Iterator[Rule]:
    """The rules of our own format; a file that cannot be read is added to `problems` and loses nothing else."""
    for path in rule_paths(source):
        try:
            yield load_rule_file(path).rule
        except RuleError as exc:
            problems.append(str(exc))


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
