"""Rule files into a detector: read, check as a set, compile."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fingerprints.detector import Detector
from fingerprints.model import Category, Observability, Taxonomy
from fingerprints.model.spelling import did_you_mean
from fingerprints.plan import compile_plan
from fingerprints.rules import Combine, Gate, Rule
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
    found.extend(dangling(by_slug.values(), by_slug))
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
            problems += str(exc).splitlines()


def dangling(rules: Iterable[Rule], known: Container[str]) -> Iterator[str]:
    """One line for each name of another technology that no rule has; an implication to nowhere is no error."""
    for rule in rules:
        name = rule.technology.name
        for slug in dict.fromkeys(slug for gate in _gates(rule) for slug in gate.requires):
            if slug not in known:
                yield f"{name}: requires: no rule for {slug!r} is loaded, so it opens no gate"
        named = {"implies": [implied.slug for implied in rule.implies], "excludes": rule.excludes}
        for key, slugs in named.items():
            for slug in dict.fromkeys(slugs):
                if slug not in known:
                    yield f"{name}: {key}: no rule for {slug!r} is loaded"


def _gates(rule: Rule) -> Iterator[Gate]:
    if rule.gate is not None:
        yield rule.gate
    yield from rule.gated.values()


def _merged(first: Rule, second: Rule) -> Rule:
    """One rule of two for the same technology; two of our own files with one slug are an error.

    Ours keeps its names and categories and takes in what the other says: weaker, and behind the other's gate.
    """
    if first.combine is second.combine is Combine.INDEPENDENT:
        raise RuleError(f"{second.path}: slug {second.slug!r} is taken by {first.path}")
    ours, theirs = (second, first) if second.combine is Combine.INDEPENDENT else (first, second)
    known = {signal.looks_for for signal in ours.signals}
    new = [signal for signal in theirs.signals if signal.looks_for not in known]
    most = MERGED_STRENGTH if ours.combine is Combine.INDEPENDENT else 1.0
    signals = tuple(
        replace(signal, id=f"{ours.slug}#{number}", strength=min(signal.strength, most))
        for number, signal in enumerate(new, start=len(ours.signals) + 1)
    )
    implied = {implied.slug for implied in ours.implies}
    gate = theirs.gate if ours.gate is None else None
    return replace(
        ours,
        signals=ours.signals + signals,
        implies=ours.implies + tuple(item for item in theirs.implies if item.slug not in implied),
        excludes=tuple(dict.fromkeys(ours.excludes + theirs.excludes)),
        category_numbers=tuple(dict.fromkeys(ours.category_numbers + theirs.category_numbers)),
        gated={**ours.gated, **(dict.fromkeys((signal.id for signal in signals), gate) if gate else {})},
    )
