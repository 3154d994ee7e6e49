"""`technograph rules explain|import`: rules against pages, and rule sets of other people."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import note
from fingerprints.model import InputError

if TYPE_CHECKING:
    from fingerprints.wappalyzer import Imported


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--url", default="", help="The page's own address, to tell first from third party.")
def explain(page: str, url: str) -> None:
    """Every piece of evidence in an HTML file.

    Also what was too weak to report. PAGE is a file, or - for standard input.

    \b
    Example:
      technograph rules explain saved.html --url https://www.acme.com/
    """
    from fingerprints.detector import Detector
    from fingerprints.observe import observe

    detector = Detector.default()
    body = sys.stdin.buffer.read() if page == "-" else Path(page).read_bytes()
    observation = observe(body, url=url)
    matched = detector.match([observation])
    reported = {detection.slug: detection for detection in detector.detect([observation])}
    by_technology: dict[str, list[Any]] = {}
    for item in matched.evidence:
        by_technology.setdefault(item.technology, []).append(item)
    for slug in sorted({*by_technology, *reported}):
        detection = reported.get(slug)
        verdict = f"{detection.state.value} {detection.confidence:.2f}" if detection else "not reported"
        implied = f"  implied by {detection.implied_by}" if detection and detection.implied_by else ""
        version = f"  version {detection.version}" if detection and detection.version else ""
        click.echo(f"{slug}  {verdict}{version}{implied}")
        for item in sorted(by_technology.get(slug, []), key=lambda e: e.signal):
            account = f"  account {item.account}" if item.account else ""
            click.echo(
                f"    {item.signal:<28} {item.channel:<9} {item.kind:<10} {item.strength:.2f}  {item.excerpt}{account}"
            )
    note(
        f"{len(observation.resources)} resources, {len(observation.scripts)} inline scripts, "
        f"{len(reported)} technologies; flags: {', '.join(sorted(observation.flags)) or 'none'}"
    )


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
@click.option("--skipped", is_flag=True, help="List every pattern that cannot be used.")
def import_(source: Path, pin: Path | None, pinned: Path | None, skipped: bool) -> None:
    """Say what of a Wappalyzer rule set works here.

    Nothing is copied: use it with `--rules DIR`. A pin file shows later that the set has changed.

    \b
    Example:
      technograph rules import webappanalyzer/src --pin rules.pin.json
      technograph detect --jsonl pages.jsonl --rules webappanalyzer/src
    """
    import json

    from fingerprints.sources import content_hash, is_wappalyzer, rule_files
    from fingerprints.wappalyzer import load_wappalyzer

    if not source.exists():
        raise InputError(f"{source}: no such file or folder")
    if not is_wappalyzer(source):
        raise InputError(
            f"{source}: holds no technologies/*.json; TOML rules need no import, use --rules {source}"
        )
    imported = load_wappalyzer(source, merge_names=True)
    summary = _coverage(imported) | {"sha256": content_hash(rule_files(source))}
    for line in _coverage_lines(summary):
        click.echo(line)
    for line in imported.skipped if skipped else ():
        click.echo(f"skipped: {line}")
    if pinned is not None:
        _compare_pin(pinned, summary)
    if pin is not None:
        pin.write_text(json.dumps({"source": str(source), **summary}, indent=2) + "\n", "utf-8")
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
    yield f"{summary['technologies']} technologies, {summary['patterns']} patterns, {summary['skipped']} skipped"
    for key in (
        "patterns_by_field",
        "not_evaluable_by_field",
        "technologies_only_a_browser_sees_by_category",
    ):
        listed = ", ".join(f"{name} {count}" for name, count in list(summary[key].items())[:20])
        yield f"{key.replace('_', ' ')}: {listed or 'none'}"
    yield f"sha256 {summary['sha256']}"


def _compare_pin(path: Path, summary: dict[str, Any]) -> None:
    import json

    try:
        before = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: no pin file: {exc}") from exc
    if before.get("sha256") != summary["sha256"]:
        counts = f"{before.get('technologies')} technologies then, {summary['technologies']} now"
        raise InputError(f"{path}: the rule set has changed since it was pinned ({counts})")
    note(f"{path}: unchanged")
