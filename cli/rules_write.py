"""`technograph rules check|test|fmt|new`: for whoever writes rule files."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.output import note
from fingerprints.model import InputError, TechnographError
from fingerprints.model.cells import printable
from fingerprints.model.spelling import did_you_mean

if TYPE_CHECKING:
    from fingerprints.detector import Detector
    from fingerprints.lint import Finding
    from fingerprints.toml_rules import RuleFile


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--only", "-k", default="", help="Only rules whose path contains this text.")
@click.option("--notes/--no-notes", default=False, help="Also show what is worth knowing but no error.")
def check(paths: tuple[str, ...], only: str, notes: bool) -> None:
    """Lint rule files and run their examples.

    Without PATHS all of ours are checked. A PATH may also be a rule set in the Wappalyzer format, file or
    folder: what of it cannot be used, can never fire or fires too much.

    \b
    Example:
      technograph rules check
      technograph rules check -k reviews/
      technograph rules check webappanalyzer/src --notes
    """
    from fingerprints.sources import is_wappalyzer, rule_files

    sets = [path for path in paths if Path(path).exists() and is_wappalyzer(Path(path))]
    for path in paths:
        rule_files(Path(path))  # says so when there is none
    own = tuple(path for path in paths if path not in sets)
    to_mend = sum(_check_set(Path(path), only, notes) for path in sets)
    if own or not sets:
        to_mend += _check_own(own, only, notes)
    if to_mend:
        raise click.exceptions.Exit(1)


def _check_set(source: Path, only: str, notes: bool) -> int:
    """Report on a rule set of others; how many findings are to be mended."""
    from fingerprints.lint_sets import check_set

    started = time.monotonic()
    imported, findings = check_set(source, _clean_pages())
    chosen = [finding for finding in findings if only in str(finding)]
    _report(chosen, [], notes)
    errors = sum(not finding.is_note for finding in chosen)
    hidden = 0 if notes else len(chosen) - errors
    note(
        f"{source}: {len(imported.rules)} technologies, {sum(imported.patterns.values())} patterns checked in "
        f"{time.monotonic() - started:.1f} s: {errors} to mend" + (f", {hidden} --notes" if hidden else "")
    )
    return errors


def _check_own(paths: tuple[str, ...], only: str, notes: bool) -> int:
    """Report on rule files of our format; how many findings are to be mended."""
    from fingerprints.lint import check as lint
    from fingerprints.lint import check_clean_pages

    started = time.monotonic()
    files, broken = _read_files(paths)
    detector = _detector_for(files)
    chosen = [file for file in files if only in file.rule.path]
    findings = lint(chosen, detector, today=datetime.datetime.now(datetime.UTC).date())
    findings += check_clean_pages(_clean_pages(), detector)
    _report(findings, broken, notes)
    errors = [finding for finding in findings if not finding.is_note]
    signals = sum(len(file.rule.signals) for file in chosen)
    examples = sum(len(file.examples) for file in chosen)
    seconds = time.monotonic() - started
    note(
        f"{len(chosen)} technologies, {signals} signals, {examples} examples checked in {seconds:.1f} s: "
        f"{len(errors) + len(broken)} to mend"
    )
    return len(errors) + len(broken)


def _read_files(paths: tuple[str, ...]) -> tuple[list[RuleFile], list[str]]:
    """The rule files that can be read, and a line for each mistake in those that cannot."""
    from fingerprints.sources import TECHNOLOGIES, rule_paths
    from fingerprints.toml_rules import load_rule_file

    files, broken = [], []
    for source in [Path(path) for path in paths] or [TECHNOLOGIES]:
        if not source.exists():
            raise InputError(f"{source}: no such file or folder")
        for path in rule_paths(source):
            try:
                files.append(load_rule_file(path))
            except TechnographError as exc:
                broken += str(exc).splitlines()
    return files, broken


def _detector_for(files: list[RuleFile]) -> Detector:
    """All of our rules, with these files in place of those of the same slug."""
    from fingerprints.ruleset import build_detector
    from fingerprints.scan import QUICK_TO_BUILD
    from fingerprints.sources import TECHNOLOGIES, rule_paths
    from fingerprints.toml_rules import load_rule_file

    by_slug = {file.rule.slug: file.rule for file in files}
    for path in rule_paths(TECHNOLOGIES):
        if path.stem not in by_slug:
            try:
                by_slug[path.stem] = load_rule_file(path).rule
            except TechnographError:
                continue  # reported by the check that names this file
    return build_detector(by_slug.values(), engine=QUICK_TO_BUILD)


def _clean_pages() -> dict[str, str]:
    from fingerprints.datafiles import data_file

    return {path.name: path.read_text("utf-8") for path in data_file("reference/clean-pages").glob("*.html")}


def _report(findings: list[Finding], broken: list[str], notes: bool) -> None:
    for message in broken:
        click.echo(printable(message))
    for finding in sorted(findings, key=lambda f: (f.where, f.code)):
        if notes or not finding.is_note:
            click.echo(printable(str(finding)))
    counts = Counter(finding.code for finding in findings if notes or not finding.is_note)
    if counts:
        note("; ".join(f"{code} {count}" for code, count in counts.most_common()))


@click.command()
@click.argument("slug")
def test(slug: str) -> None:
    """Run one technology's examples and show what fires.

    SLUG may be category/slug or a file.

    \b
    Example:
      technograph rules test klaviyo
    """
    from fingerprints.examples import examples_of
    from fingerprints.lint import check_file, detect_ungated

    file = _rule_file(slug)
    detector = _detector_for([file])
    for number, example in enumerate(examples_of(file), start=1):
        evidence = detector.match([example.observation]).evidence
        own = next(
            (d for d in detect_ungated(evidence, file.rule, detector) if d.slug == file.rule.slug), None
        )
        got = f"{own.state.value} {own.confidence:.2f}" if own else "none"
        fired = ", ".join(f"{e.signal} [{e.excerpt}]" for e in evidence if e.technology == file.rule.slug)
        click.echo(f"example {number}: expects {example.expect}, got {got}  {fired}")
    findings = [finding for finding in check_file(file, detector) if not finding.is_note]
    for finding in findings:
        click.echo(str(finding))
    if findings:
        raise click.exceptions.Exit(1)
    note(f"{file.rule.path}: {len(file.rule.signals)} signals, {len(file.examples)} examples, all good")


def _rule_file(slug: str) -> RuleFile:
    from fingerprints.sources import TECHNOLOGIES, rule_paths
    from fingerprints.toml_rules import load_rule_file

    given = Path(slug)
    if given.suffix == ".toml" and given.exists():
        return load_rule_file(given)
    stem = slug.rpartition("/")[2].removesuffix(".toml")
    paths = {path.stem: path for path in rule_paths(TECHNOLOGIES)}
    if stem not in paths:
        raise InputError(f"no rule file {slug!r}{did_you_mean(stem, paths)}")
    return load_rule_file(paths[stem])


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--check", "check_only", is_flag=True, help="Change nothing; fail when a file is not in canonical form."
)
def fmt(paths: tuple[str, ...], check_only: bool) -> None:
    """Bring rule files into canonical form.

    That is the order of keys, and blank lines. Without PATHS all of ours.

    \b
    Example:
      technograph rules fmt --check
    """
    from fingerprints.canonical import canonical
    from fingerprints.sources import TECHNOLOGIES, rule_paths

    changed = []
    for source in [Path(path) for path in paths] or [TECHNOLOGIES]:
        for path in rule_paths(source):
            text = path.read_text("utf-8")
            formatted = canonical(text)
            if formatted != text:
                changed.append(path)
                if not check_only:
                    path.write_text(formatted, "utf-8")
    for path in changed:
        click.echo(
            f"{path}: {'not in canonical form; run: technograph rules fmt' if check_only else 'formatted'}"
        )
    if changed and check_only:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("place", metavar="CATEGORY/SLUG")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Rule folder; default: this package's."
)
def new(place: str, folder: Path | None) -> None:
    """Write the skeleton of a new rule.

    `rules check` refuses it until its examples are filled in.

    \b
    Example:
      technograph rules new live_chat/acme-chat
    """
    from fingerprints.sources import TECHNOLOGIES
    from fingerprints.toml_rules import SLUG, load_categories

    category, _, slug = place.partition("/")
    categories = load_categories()
    if category not in categories:
        raise InputError(f"no category {category!r}{did_you_mean(category, categories)}; write CATEGORY/SLUG")
    if not SLUG.match(slug):
        raise InputError(f"slug {slug!r} must be lower-case letters, digits and single hyphens")
    path = (folder or TECHNOLOGIES) / category / f"{slug}.toml"
    if path.exists():
        raise InputError(f"{path}: exists already; to see it: technograph rules show {slug}")
    path.parent.mkdir(parents=True, exist_ok=True)
    today = datetime.datetime.now(datetime.UTC).date()
    path.write_text(_SKELETON.format(name=slug.replace("-", " ").title(), vendor=slug, today=today), "utf-8")
    click.echo(f"{path}: fill it in, then: technograph rules test {slug}")


_SKELETON = """\
name = "{name}"
website = "https://"
vendor = "{vendor}"
description = ""
source = []
checked = {today}

[[signal]]
on = "host"
host = []
strength = "strong"

[[example]]
expect = "present"
script_src = ""

[[example]]
expect = "none"
html = ""
"""
