"""`technograph rules explain|import`: rules against pages, and rule sets of other people."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import note
from cli.rule_sets import load_rules, rule_set_options
from fingerprints.model import Detection, DetectionState, InputError
from fingerprints.model.cells import printable
from fingerprints.resolve import is_open
from fingerprints.rules import Gate

if TYPE_CHECKING:
    from fingerprints.detector import Detector
    from fingerprints.wappalyzer import Imported


MAX_LISTED = 20
"""Fields and categories in a line of `import`; the file that --pin writes has them all."""


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--url", default="", help="The page's own address, to tell first from third party.")
@rule_set_options
def explain(page: str, url: str, rules: tuple[str, ...], rules_only: bool) -> None:
    """Every piece of evidence in an HTML file.

    Also what was not reported, and why. PAGE is a file, or - for standard input.

    \b
    Example:
      technograph rules explain saved.html --url https://www.acme.com/
      technograph rules explain saved.html --rules my-rules.json --rules-only
    """
    from fingerprints.observe import observe

    detector = load_rules(rules, only=rules_only)
    body = sys.stdin.buffer.read() if page == "-" else Path(page).read_bytes()
    observation = observe(body, url=url)
    matched = detector.match([observation])
    reported = {detection.slug: detection for detection in detector.detect([observation])}
    by_technology: dict[str, list[Any]] = {}
    for item in matched.evidence:
        by_technology.setdefault(item.technology, []).append(item)
    for slug in sorted({*by_technology, *reported}):
        found = reported.get(slug)
        click.echo(f"{slug}  {_verdict(found) if found else _why_not(slug, detector, reported)}")
        for item in sorted(by_technology.get(slug, []), key=lambda e: e.signal):
            account = f"  account {item.account}" if item.account else ""
            click.echo(
                f"    {item.signal:<28} {item.channel:<9} {item.kind:<10} {item.strength:.2f}  {item.excerpt}{account}"
            )
    note(
        f"{len(observation.resources)} resources, {len(observation.scripts)} inline scripts, "
        f"{len(reported)} technologies; flags: {', '.join(sorted(observation.flags)) or 'none'}"
    )


def _verdict(found: Detection) -> str:
    version = f"  version {found.version}" if found.version else ""
    implied = f"  implied by {found.implied_by}" if found.implied_by else ""
    return f"{found.state.value} {found.confidence:.2f}{version}{implied}"


def _why_not(slug: str, detector: Detector, reported: Mapping[str, Detection]) -> str:
    """Why a technology with evidence is not among the detections."""
    present = [
        detector.rules[other] for other, found in reported.items() if found.state is DetectionState.PRESENT
    ]
    excluding = next((rule.slug for rule in present if slug in rule.excludes), "")
    if excluding:
        return f"not reported: excluded by {excluding}"
    rule = detector.rules[slug]
    closed = (gate for gate in (rule.gate, *rule.gated.values()) if gate and not is_open(gate, present))
    gate = next(closed, None)
    return f"not reported: requires {', '.join(_wanted(gate))}" if gate else "not reported: too weak"


def _wanted(gate: Gate) -> Iterator[str]:
    yield from gate.requires
    yield from (f"category {category}" for category in gate.categories)
    yield from (f"category {number} of its set" for number in gate.numbers)


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--pin",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the checksum and the coverage to this file.",
)
@click.option(
    "--check",
    "pinned",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with a file written by --pin.",
)
@click.option("--skipped", is_flag=True, help="List everything that is left out, and why.")
def import_(source: Path, pin: Path | None, pinned: Path | None, skipped: bool) -> None:
    """Say what of a Wappalyzer rule set works here.

    Nothing is copied: use it with `--rules DIR`. A pin file shows later that the set has changed.

    \b
    Example:
      technograph rules import webappanalyzer/src --pin rules.pin.json
      technograph detect --jsonl pages.jsonl --rules webappanalyzer/src
    """
    import json

    from fingerprints.ruleset import dangling
    from fingerprints.sources import content_hash, is_wappalyzer, rule_files, rule_paths
    from fingerprints.wappalyzer import load_wappalyzer

    files = rule_files(source)
    if not is_wappalyzer(source):
        raise InputError(
            f"{source}: holds no technologies/*.json; TOML rules need no import, use --rules {source}"
        )
    imported = load_wappalyzer(source, merge_names=True)
    known = {rule.slug for rule in imported.rules} | {path.stem for path in rule_paths()}
    imported.skipped += dangling(imported.rules, known)
    summary = _coverage(imported) | {"sha256": content_hash(files)}
    for line in _coverage_lines(summary):
        click.echo(line)
    for line in imported.skipped if skipped else ():
        click.echo(printable(f"left out: {line}"))
    if imported.skipped and not (skipped or pinned):
        note(f"{len(imported.skipped)} left out; --skipped lists them")
    if pinned is not None:
        _compare_pin(pinned, summary)
    if pin is not None:
        try:
            pin.write_text(json.dumps({"source": str(source), **summary}, indent=2) + "\n", "utf-8")
        except OSError as exc:
            raise InputError(f"{pin}: cannot write: {exc.strerror}") from exc
        note(f"{pin}: checksum and coverage written")


def _coverage(imported: Imported) -> dict[str, Any]:
    """What a rule set comes to here, as JSON values."""
    categories = Counter(rule.technology.category for rule in imported.rules)
    return {
        "technologies": len(imported.rules),
        "patterns": sum(imported.patterns.values()),
        "patterns_by_field": dict(imported.patterns.most_common()),
        "not_evaluable_by_field": dict(imported.not_evaluable.most_common()),
        "technologies_only_a_browser_sees_by_category": dict(imported.blind.most_common()),
        "technologies_by_category": dict(categories.most_common()),
        "skipped": len(imported.skipped),
    }


def _coverage_lines(summary: dict[str, Any]) -> Iterator[str]:
    yield f"{summary['technologies']} technologies, {summary['patterns']} patterns, {summary['skipped']} left out"
    for key in (
        "patterns_by_field",
        "not_evaluable_by_field",
        "technologies_only_a_browser_sees_by_category",
        "technologies_by_category",
    ):
        counts = summary[key]
        more = len(counts) - MAX_LISTED
        listed = [f"{name} {count}" for name, count in list(counts.items())[:MAX_LISTED]]
        yield f"{key.replace('_', ' ')}: {', '.join([*listed, f'{more} more'] if more > 0 else listed) or 'none'}"
    yield f"sha256 {summary['sha256']}"


def _compare_pin(path: Path, summary: dict[str, Any]) -> None:
    import json

    try:
        before = json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InputError(f"{path}: cannot read: {exc.strerror}; --pin writes it") from exc
    except ValueError:
        before = None
    if not isinstance(before, dict):
        raise InputError(f"{path}: no file that --pin has written")
    if before.get("sha256") != summary["sha256"]:
        counts = f"{before.get('technologies')} technologies then, {summary['technologies']} now"
        raise InputError(
            f"{path}: the rule set has changed since it was pinned ({counts}); "
            f"look at what changed, then write it again with --pin {path}"
        )
    note(f"{path}: unchanged")
