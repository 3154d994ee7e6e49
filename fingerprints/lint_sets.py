"""What is wrong with a rule set in the Wappalyzer format: what can never fire, fires too much, or twice.

Findings about single rules of others are mostly notes: they say where a set can be trusted less. The codes
are explained in docs/rules-lint.md.
"""

from __future__ import annotations

import re
import re._constants as sre
import re._parser as sre_parser
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fingerprints.detector import Detector
from fingerprints.lint import (
    FREE_TEXT,
    HOSTILE_BYTES,
    HOSTILE_SECONDS,
    LITERAL_CHARS,
    Finding,
    check_clean_pages,
    has_literal,
    hostile_seconds,
)
from fingerprints.resolve import PRESENT_FROM, combine
from fingerprints.rules import Channel, Combine, Rule, Signal
from fingerprints.ruleset import build_detector, dangling
from fingerprints.scan import QUICK_TO_BUILD
from fingerprints.selectors import parse_compound, split_list
from fingerprints.sources import rule_paths
from fingerprints.wappalyzer import Imported, load_wappalyzer

_ANYWHERE = (*FREE_TEXT, Channel.ROBOTS)
"""Channels every page has something in, so an empty pattern there matches every page."""


def check_set(source: Path, clean_pages: Mapping[str, str]) -> tuple[Imported, list[Finding]]:
    """The set in a file or folder, and every finding about it; names of our technologies are known to it.

    Raises RuleError for a set that cannot be read at all.
    """
    imported = load_wappalyzer(source, merge_names=True)
    rules = {rule.slug: rule for rule in imported.rules}
    known = rules.keys() | {path.stem for path in rule_paths()}
    findings = [Finding("unusable", str(source), line) for line in imported.skipped]
    findings += [Finding("unknown-slug", str(source), line) for line in dangling(imported.rules, known)]
    implied = {item.slug for rule in imported.rules for item in rule.implies}
    for rule in imported.rules:
        findings.extend(_check_rule(rule, is_implied=rule.slug in implied))
    findings.extend(_same_patterns(imported.rules))
    findings.extend(_on_clean_pages(build_detector(imported.rules, engine=QUICK_TO_BUILD), clean_pages))
    return imported, findings


def _check_rule(rule: Rule, *, is_implied: bool) -> Iterator[Finding]:
    yield from _check_reach(rule, is_implied=is_implied)
    for signal in rule.signals:
        yield from _check_breadth(rule, signal)
        if signal.on in FREE_TEXT and signal.pattern:
            seconds = hostile_seconds(signal)
            if seconds > HOSTILE_SECONDS:
                message = (
                    f"{described(signal)} takes {seconds:.2f} s over {HOSTILE_BYTES} bytes of hostile text"
                )
                yield _finding("slow", rule, message)
    yield from _shadowed(rule)


def _finding(code: str, rule: Rule, message: str, *, is_note: bool = False) -> Finding:
    return Finding(code, rule.path, f"{rule.technology.name}: {message}", is_note)


def described(signal: Signal) -> str:
    """A signal in a few words, as `url 'cdn\\.acme'`."""
    parts = [signal.name, f"[{signal.attribute}]" if signal.attribute else "", repr(signal.pattern or "")]
    return " ".join([signal.on.value, *filter(None, parts)])


def _check_reach(rule: Rule, *, is_implied: bool) -> Iterator[Finding]:
    static = [signal for signal in rule.signals if not signal.live_only]
    if not rule.signals and not is_implied:
        yield _finding("dead", rule, "has no pattern that can be used, and nothing implies it")
    elif rule.signals and not static and not is_implied:
        yield _finding("browser-only", rule, "shows only in a browser: see --render", is_note=True)
    best = combine({signal.id: signal.strength for signal in rule.signals}, Combine.SUM)
    if rule.signals and best < PRESENT_FROM[Combine.SUM] and not is_implied:
        message = f"all patterns together give {best:.2f}, so it is never present"
        yield _finding("reach", rule, message, is_note=True)


def _check_breadth(rule: Rule, signal: Signal) -> Iterator[Finding]:
    if signal.on is Channel.SELECTOR and not (signal.pattern or signal.attribute or signal.text):
        compounds = [parse_compound(part) for part in split_list(signal.name)]
        if any(
            compound is not None and not compound.conditions and "-" not in compound.tag
            for compound in compounds
        ):
            yield _finding(
                "broad", rule, f"{described(signal)} is on pages of any kind; name a class or attribute"
            )
    elif signal.on in _ANYWHERE and not signal.pattern:
        yield _finding("broad", rule, f"{described(signal)} matches every page; write what must be there")
    elif signal.on in _ANYWHERE and not has_literal(signal):
        message = f"{described(signal)} has no run of {LITERAL_CHARS} letters that must occur; it may match too much"
        yield _finding("broad", rule, message, is_note=True)


def _shadowed(rule: Rule) -> Iterator[Finding]:
    """Plain texts that add nothing, because a part of them alone is certain already."""
    plain = [(signal, text) for signal in rule.signals if (text := _plain_text(signal.pattern))]
    certain = [(signal, text) for signal, text in plain if signal.strength >= 1]
    for signal, text in plain:
        wider = (
            other for other, part in certain if part != text and part in text and _same_place(signal, other)
        )
        other = None if signal.version else next(wider, None)
        if other is not None:
            message = f"{described(signal)} adds nothing to {other.pattern!r}; take it out"
            yield _finding("shadowed", rule, message, is_note=True)


def _same_place(one: Signal, other: Signal) -> bool:
    return (one.on, one.name, one.attribute, one.text) == (other.on, other.name, other.attribute, other.text)


def _plain_text(pattern: str | None) -> str:
    """The lower-case text a pattern stands for, when it is nothing but text; else nothing."""
    if not pattern:
        return ""
    try:
        tree = sre_parser.parse(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return ""
    is_plain = all(op is sre.LITERAL for op, _ in tree)
    return "".join(chr(argument) for _, argument in tree).lower() if is_plain else ""


def _same_patterns(rules: Iterable[Rule]) -> Iterator[Finding]:
    owners: dict[tuple[object, ...], dict[str, tuple[Rule, Signal]]] = defaultdict(dict)
    for rule in rules:
        for signal in rule.signals:
            owners[signal.looks_for][rule.slug] = (rule, signal)
    for claimed in owners.values():
        for slug, (rule, signal) in claimed.items() if len(claimed) > 1 else ():
            others = ", ".join(
                sorted(rule.technology.name for other, (rule, _) in claimed.items() if other != slug)
            )
            yield _finding(
                "duplicate", rule, f"{described(signal)} is also a pattern of {others}", is_note=True
            )


def _on_clean_pages(detector: Detector, pages: Mapping[str, str]) -> Iterator[Finding]:
    for finding in check_clean_pages(pages, detector):
        yield Finding("clean-page", finding.where, finding.message, is_note=True)
