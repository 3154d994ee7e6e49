"""What is wrong with a set of rule files: each finding says where, what, and what to do about it.

The codes are explained, with examples, in docs/rules-lint.md.
"""

from __future__ import annotations

import datetime
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fingerprints.detector import Detector
from fingerprints.examples import Example, examples_of
from fingerprints.hosts import parent_domains
from fingerprints.model import Detection, DetectionState, Evidence, Taxonomy
from fingerprints.model.spelling import did_you_mean
from fingerprints.observe import observe
from fingerprints.plan import search_of
from fingerprints.regexes import group_count, required_literals
from fingerprints.resolve import PRESENT_FROM, combine, resolve
from fingerprints.rules import Channel, Combine, Rule, Signal
from fingerprints.selectors import check_selector
from fingerprints.strict import RuleError
from fingerprints.toml_rules import RuleFile

LITERAL_CHARS = 4
HOSTILE_BYTES = 100_000
HOSTILE_SECONDS = 0.25
"""RE2 needs about 1 ms; only a pattern that is not linear comes near this."""
STALE_AFTER = datetime.timedelta(days=365)

FREE_TEXT = (Channel.HTML, Channel.SCRIPT, Channel.TEXT, Channel.CSS, Channel.URL, Channel.PATH)
_CPE = re.compile(
    r"cpe:2\.3:[aho](?::(?:[*-]|(?:[a-z0-9._-]|\\[!-/:-@\[-`{-~])+)){2}(?::(?:[*-]|[a-z0-9._-]+)){8}"
)
"""The formatted string of NIST IR 7695, section 6.2: part, vendor and product, then eight more attributes."""
_BARE_DOT = re.compile(r"(?<![\\\]])[a-z0-9]\.(?:com|net|org|io|co|js|ai|app|eu|de)(?![a-z*+?{])")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, or with `is_note` one to know."""

    code: str
    where: str
    message: str
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.code}: {self.message}"


def check(
    files: Sequence[RuleFile], detector: Detector, *, today: datetime.date | None = None
) -> list[Finding]:
    """Every finding about these files; `detector` holds the whole set they belong to."""
    findings: list[Finding] = []
    for file in files:
        findings.extend(check_file(file, detector))
        if today and today - file.checked > STALE_AFTER:
            findings.append(Finding("stale", file.rule.path, f"last checked on {file.checked}", is_note=True))
    findings.extend(_same_slugs(files))
    findings.extend(_shared_hosts(detector.rules))
    findings.extend(_same_patterns(detector.rules))
    findings.extend(_circles(detector.rules))
    chosen = {file.rule.path for file in files}
    return [finding for finding in findings if finding.where.partition(": ")[0] in chosen]


def check_file(file: RuleFile, detector: Detector) -> Iterator[Finding]:
    """Findings about one file: its signals, its examples, the names it uses."""
    rule = file.rule
    for signal in rule.signals:
        yield from check_signal(signal, f"{rule.path}: signal {signal.id.rpartition('#')[2]}")
    yield from _shadowed_hosts(rule)
    yield from _check_names(rule, detector.taxonomy)
    yield from _check_cpe(rule)
    yield from _repeated(rule)
    yield from _check_reach(rule)
    yield from _check_examples(file, detector)
    if not file.source:
        yield Finding(
            "source", rule.path, "say in `source` where the vendor documents this or how it was seen"
        )


def check_signal(signal: Signal, where: str) -> Iterator[Finding]:
    if signal.on is Channel.SELECTOR:
        try:
            check_selector(signal.name)
        except Exception as exc:  # noqa: BLE001 - whatever the selector library says, it is the finding
            yield Finding("selector", where, str(exc))
    pattern = signal.pattern
    if not pattern:
        return
    captured = {int(n) for n in re.findall(r"\\(\d)", signal.version)} | ({signal.account} - {0})
    unused = set(range(1, group_count(pattern) + 1)) - captured
    if unused:
        yield Finding(
            "groups",
            where,
            f"capture group {min(unused)} is not used; write (?:...) or name it in version or account",
        )
    if signal.on in FREE_TEXT and not has_literal(signal):
        yield Finding(
            "literal",
            where,
            f"needs a run of {LITERAL_CHARS} letters that must occur; {pattern!r} would match too much",
        )
    if signal.on in FREE_TEXT and _BARE_DOT.search(pattern):
        yield Finding("dot", where, f"{_BARE_DOT.search(pattern)[0]!r} has an unescaped dot; write \\.")  # type: ignore[index]
    if re.search(r"(?<!\\)\.[*+]", pattern):
        yield Finding("unbounded", where, "unbounded `.*` crosses anything; bound it, as [^\"'<>]{0,80}")
    seconds = hostile_seconds(signal)
    if seconds > HOSTILE_SECONDS:
        yield Finding("slow", where, f"takes {seconds:.2f} s over {HOSTILE_BYTES} bytes of hostile text")


def has_literal(signal: Signal) -> bool:
    """Whether every match holds a run of LITERAL_CHARS characters."""
    return any(
        all(len(text) >= LITERAL_CHARS for text in literals)
        for literals in required_literals(signal.pattern or "")
    )


def hostile_seconds(signal: Signal) -> float:
    """CPU seconds of one search over text that repeats the pattern's own beginning."""
    literals = required_literals(signal.pattern or "")
    piece = min(literals[0]) if literals else "a"
    text = (piece.encode() * (HOSTILE_BYTES // len(piece) + 1))[:HOSTILE_BYTES]
    started = time.process_time()
    search_of(signal)(text)
    return time.process_time() - started


def _check_names(rule: Rule, taxonomy: Taxonomy) -> Iterator[Finding]:
    known = taxonomy.technologies
    named = {"implies": [i.slug for i in rule.implies], "requires": rule.requires, "excludes": rule.excludes}
    for key, slugs in named.items():
        for slug in slugs:
            if slug not in known:
                yield Finding(
                    "unknown-slug", rule.path, f"{key}: no technology {slug!r}{did_you_mean(slug, known)}"
                )
    for category in rule.requires_category:
        if category not in taxonomy.categories:
            yield Finding("unknown-slug", rule.path, f"requires_category: no category {category!r}")
    for alias in rule.technology.aliases:
        if alias in known or taxonomy.aliases.get(alias) != rule.slug:
            yield Finding("alias", rule.path, f"alias {alias!r} is taken by another technology")


def _check_cpe(rule: Rule) -> Iterator[Finding]:
    cpe = rule.technology.cpe
    if cpe and not _CPE.fullmatch(cpe):
        form = "cpe:2.3:a:vendor:product:*:*:*:*:*:*:*:*"
        yield Finding("cpe", rule.path, f"{cpe!r} is no CPE 2.3 name; its form is {form}")


def _repeated(rule: Rule) -> Iterator[Finding]:
    seen: dict[tuple[object, ...], str] = {}
    for signal in rule.signals:
        number = signal.id.rpartition("#")[2]
        first = seen.setdefault(signal.looks_for, number)
        if first != number:
            yield Finding(
                "repeated", f"{rule.path}: signal {number}", f"the same as signal {first}; take one out"
            )


def _shadowed_hosts(rule: Rule) -> Iterator[Finding]:
    """Hosts that add nothing, because the rule names a domain above them at least as strongly."""
    named = [(host, signal) for signal in rule.signals for host in signal.hosts]
    for host, signal in named:
        above = parent_domains(host)[1:]
        for other, wider in named:
            if (
                other in above
                and wider.strength >= signal.strength
                and wider.kinds >= signal.kinds
                and wider.party in (None, signal.party)
            ):
                message = f"host {host!r} adds nothing to {other!r} ({wider.id}); take it out"
                yield Finding(
                    "shadowed", f"{rule.path}: signal {signal.id.rpartition('#')[2]}", message, is_note=True
                )
                break


def _check_reach(rule: Rule) -> Iterator[Finding]:
    if not rule.signals:
        yield Finding(
            "no-signal",
            rule.path,
            "has no signal; a technology that leaves no trace belongs in docs/coverage.md",
        )
        return
    best = combine({signal.id: signal.strength for signal in rule.signals}, Combine.INDEPENDENT)
    if best < PRESENT_FROM[Combine.INDEPENDENT]:
        yield Finding(
            "reach",
            rule.path,
            f"all signals together give {best:.2f}, so it can never be present; find a stronger signal",
        )


def _check_examples(file: RuleFile, detector: Detector) -> Iterator[Finding]:
    rule = file.rule
    try:
        examples = list(examples_of(file))
    except RuleError as exc:
        for mistake in str(exc).splitlines():
            yield Finding("example", rule.path, mistake.removeprefix(f"{rule.path}: "))
        return
    fired: set[str] = set()
    for example in examples:
        evidence = detector.match([example.observation]).evidence
        if example.expect != "none":
            fired |= {item.signal for item in evidence}
        yield from _check_example(example, rule, detect_ungated(evidence, rule, detector))
    for signal in rule.signals:
        if signal.id not in fired:
            number = signal.id.rpartition("#")[2]
            yield Finding(
                "unproven", f"{rule.path}: signal {number}", "no example fires it; add one with what it needs"
            )
    if all(example.expect != "none" for example in examples):
        message = 'has no example with expect = "none": a link, an article, a similar name'
        yield Finding("near-miss", rule.path, message)


def detect_ungated(evidence: Sequence[Evidence], rule: Rule, detector: Detector) -> tuple[Detection, ...]:
    """Detections as if the rule had no gate: an example need not repeat what proves the required technology."""
    open_rule = replace(rule, requires=(), requires_category=(), requires_numbers=())
    return resolve(evidence, {**detector.rules, rule.slug: open_rule})


def _check_example(example: Example, rule: Rule, detections: Sequence[Detection]) -> Iterator[Finding]:
    own = next((d for d in detections if d.slug == rule.slug), None)
    state = own.state if own else None
    if state is not example.state:
        got = f"{own.state.value} ({own.confidence:.2f})" if own else "not reported"
        yield Finding("example", example.where, f"expected {example.expect}, got {got}")
        return
    if own is None:
        return
    if example.version and own.version != example.version:
        yield Finding("example", example.where, f"expected version {example.version!r}, got {own.version!r}")
    if example.account and example.account not in own.accounts:
        yield Finding(
            "example", example.where, f"expected account {example.account!r}, got {list(own.accounts)}"
        )
    related = {rule.slug, *rule.requires, *(implied.slug for implied in rule.implies)}
    for other in detections:
        if (
            example.expect == "present"
            and other.slug not in related
            and other.state is DetectionState.PRESENT
            and other.evidence
        ):
            message = f"also reports {other.slug}; keep the example to one technology"
            yield Finding("fires-others", example.where, message, is_note=True)


def _same_slugs(files: Sequence[RuleFile]) -> Iterator[Finding]:
    paths: dict[str, list[str]] = defaultdict(list)
    for file in files:
        paths[file.rule.slug].append(file.rule.path)
    for claimed in paths.values():
        for path in claimed if len(claimed) > 1 else ():
            others = ", ".join(other for other in claimed if other != path)
            yield Finding(
                "slug", path, f"{others} has the same file name; a slug belongs to one file in the whole set"
            )


def _shared_hosts(rules: Mapping[str, Rule]) -> Iterator[Finding]:
    owners: dict[str, dict[str, Rule]] = defaultdict(dict)
    for rule in rules.values():
        for signal in rule.signals:
            for host in signal.hosts:
                owners[host][rule.slug] = rule
    for host, claimed in sorted(owners.items()):
        if len(claimed) > 1:
            names = sorted(claimed)
            for slug in names:
                others = ", ".join(n for n in names if n != slug)
                yield Finding(
                    "host",
                    claimed[slug].path,
                    f"host {host!r} is claimed by {others} too; use `url` with a path that tells them apart",
                )


def _same_patterns(rules: Mapping[str, Rule]) -> Iterator[Finding]:
    owners: dict[tuple[str, str, str, str], list[Rule]] = defaultdict(list)
    for rule in rules.values():
        keys = {
            (s.on.value, s.name.lower(), s.pattern or "", s.attribute) for s in rule.signals if not s.hosts
        }
        for key in keys:
            owners[key].append(rule)
    for key, claimed in sorted(owners.items()):
        for rule in claimed if len(claimed) > 1 else ():
            others = ", ".join(sorted(other.slug for other in claimed if other is not rule))
            yield Finding(
                "duplicate", rule.path, f"{key[0]} {key[1] or key[2]!r} is also a signal of {others}"
            )


def _circles(rules: Mapping[str, Rule]) -> Iterator[Finding]:
    for rule in rules.values():
        seen: set[str] = set()
        queue = [implied.slug for implied in rule.implies]
        while queue:
            slug = queue.pop()
            if slug == rule.slug:
                yield Finding("circle", rule.path, "implies itself through other technologies")
                break
            if slug not in seen and slug in rules:
                seen.add(slug)
                queue.extend(implied.slug for implied in rules[slug].implies)


def check_clean_pages(pages: Mapping[str, str], detector: Detector) -> Iterator[Finding]:
    """Findings for pages of our own that use nothing, or only talk about vendors, and must stay silent."""
    for name, markup in sorted(pages.items()):
        for detection in detector.detect([observe(markup, url="https://www.example.com/")]):
            if detection.evidence and all(item.kind == "csp" for item in detection.evidence):
                continue  # what a policy allows is shown as weak, and only as weak
            signal = (
                detection.evidence[0].signal if detection.evidence else f"implied by {detection.implied_by}"
            )
            rule = detector.rules[detection.slug]
            yield Finding("clean-page", rule.path, f"{signal} fires on {name}, which does not use it")
