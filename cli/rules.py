"""`technograph rules`: list, find, show, check, test, format and write fingerprint rules."""

from __future__ import annotations

import datetime
import difflib
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import Output, note, output_options, write_rows
from fingerprints.model import InputError, TechnographError

if TYPE_CHECKING:
    from fingerprints.detector import Detector
    from fingerprints.lint import Finding
    from fingerprints.rules import Rule
    from fingerprints.toml_rules import RuleFile


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def rules() -> None:
    """List, explain, check and write fingerprint rules.

    \b
    Example:
      technograph rules find hs-scripts
      technograph rules new crm_visible/acme-crm
      technograph rules check
    """


def _detector() -> Detector:
    from fingerprints.detector import Detector

    return Detector.default()


@rules.command("list")
@click.option("--category", help="Only this category.")
@output_options
def list_(category: str | None, output: Output) -> None:
    """Every technology of the rule set.

    \b
    Example:
      technograph rules list --category reviews
    """
    taxonomy = _detector().taxonomy
    if category and category not in taxonomy.categories:
        raise InputError(f"no category {category!r}{_nearest(category, list(taxonomy.categories))}")
    rows = [
        {
            "slug": t.slug,
            "name": t.name,
            "category": t.category,
            "pricing": t.pricing,
            "status": t.status,
            "website": t.website,
        }
        for t in sorted(taxonomy.technologies.values(), key=lambda t: (t.category, t.slug))
        if category in (None, *t.categories)
    ]
    write_rows(rows, ["slug", "name", "category", "pricing", "status", "website"], output)


@rules.command()
@click.argument("text")
@output_options
def find(text: str, output: Output) -> None:
    """Rules that mention TEXT in a name, an alias, a host or a pattern.

    \b
    Example:
      technograph rules find klaviyo
    """
    wanted = text.lower()
    rows = []
    for rule in _detector().rules.values():
        where = _mention(rule, wanted)
        if where:
            rows.append(
                {
                    "slug": rule.slug,
                    "name": rule.technology.name,
                    "category": rule.technology.category,
                    "where": where,
                    "file": rule.path,
                }
            )
    if not rows:
        note(f"No rule mentions {text!r}. To add one: technograph rules new CATEGORY/SLUG")
    write_rows(
        sorted(rows, key=lambda row: row["slug"]), ["slug", "name", "category", "where", "file"], output
    )


def _mention(rule: Rule, wanted: str) -> str:
    """Where the rule mentions the text, or nothing."""
    technology = rule.technology
    for label, texts in (
        ("slug", [rule.slug]),
        ("name", [technology.name]),
        ("alias", technology.aliases),
        ("vendor", [technology.vendor, technology.website]),
    ):
        if any(wanted in text.lower() for text in texts):
            return label
    for signal in rule.signals:
        texts = [*signal.hosts, signal.name, signal.pattern or ""]
        if any(wanted in text.lower() or wanted in text.lower().replace("\\", "") for text in texts):
            return f"{signal.id} ({signal.on})"
    return ""


@rules.command()
@click.argument("slug")
def show(slug: str) -> None:
    """One technology: what it is, and every signal with its strength.

    \b
    Example:
      technograph rules show shopify
    """
    detector = _detector()
    current = detector.taxonomy.resolve(slug)
    if current is None:
        raise InputError(f"no technology {slug!r}{_nearest(slug, list(detector.rules))}")
    rule = detector.rules[current]
    technology = rule.technology
    click.echo(
        f"{technology.name} ({technology.slug})  {', '.join(technology.categories)}"
        f"  {technology.pricing}, {technology.status}"
    )
    click.echo(f"  {technology.website}  vendor {technology.vendor or '-'}  file {rule.path}")
    for label, slugs in (
        ("implies", [i.slug for i in rule.implies]),
        ("requires", rule.requires),
        ("excludes", rule.excludes),
        ("aliases", technology.aliases),
    ):
        if slugs:
            click.echo(f"  {label}: {', '.join(slugs)}")
    for signal in rule.signals:
        what = ", ".join(signal.hosts) or " ".join(
            part for part in (signal.name, signal.pattern or "") if part
        )
        click.echo(f"  {signal.id:<28} {signal.on:<10} {signal.strength:.2f}  {what}")


@rules.command()
@click.argument("paths", nargs=-1)
@click.option("--only", "-k", default="", help="Only rules whose path contains this text.")
@click.option("--notes/--no-notes", default=False, help="Also show what is worth knowing but no error.")
def check(paths: tuple[str, ...], only: str, notes: bool) -> None:
    """Read and lint rule files and run their examples; all of ours when no PATHS are given.

    \b
    Example:
      technograph rules check
      technograph rules check -k reviews/
    """
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
    if errors or broken:
        raise click.exceptions.Exit(1)


def _read_files(paths: tuple[str, ...]) -> tuple[list[RuleFile], list[str]]:
    """The rule files that can be read, and a message for each that cannot."""
    from fingerprints.toml_rules import TECHNOLOGIES, load_rule_file, rule_paths

    files, broken = [], []
    for source in [Path(path) for path in paths] or [TECHNOLOGIES]:
        if not source.exists():
            raise InputError(f"{source}: no such file or folder")
        for path in rule_paths(source):
            try:
                files.append(load_rule_file(path))
            except TechnographError as exc:
                broken.append(str(exc))
    return files, broken


def _detector_for(files: list[RuleFile]) -> Detector:
    """All of our rules, with these files in place of those of the same slug."""
    from fingerprints.ruleset import build_detector
    from fingerprints.toml_rules import TECHNOLOGIES, load_rule_file, rule_paths

    by_slug = {file.rule.slug: file.rule for file in files}
    for path in rule_paths(TECHNOLOGIES):
        if path.stem not in by_slug:
            try:
                by_slug[path.stem] = load_rule_file(path).rule
            except TechnographError:
                continue  # reported by the check that names this file
    return build_detector(by_slug.values())


def _clean_pages() -> dict[str, str]:
    from fingerprints.datafiles import data_file

    return {path.name: path.read_text("utf-8") for path in data_file("reference/clean-pages").glob("*.html")}


def _report(findings: list[Finding], broken: list[str], notes: bool) -> None:
    for message in broken:
        click.echo(message)
    for finding in sorted(findings, key=lambda f: (f.where, f.code)):
        if notes or not finding.is_note:
            click.echo(str(finding))
    counts = Counter(finding.code for finding in findings if notes or not finding.is_note)
    if counts:
        note("; ".join(f"{code} {count}" for code, count in counts.most_common()))


@rules.command()
@click.argument("slug")
def test(slug: str) -> None:
    """Run one technology's examples and show what each of them fires. SLUG may be category/slug or a file.

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
    from fingerprints.toml_rules import TECHNOLOGIES, load_rule_file, rule_paths

    given = Path(slug)
    if given.suffix == ".toml" and given.exists():
        return load_rule_file(given)
    stem = slug.rpartition("/")[2].removesuffix(".toml")
    paths = {path.stem: path for path in rule_paths(TECHNOLOGIES)}
    if stem not in paths:
        raise InputError(f"no rule file {slug!r}{_nearest(stem, list(paths))}")
    return load_rule_file(paths[stem])


@rules.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--check", "check_only", is_flag=True, help="Change nothing; fail when a file is not in canonical form."
)
def fmt(paths: tuple[str, ...], check_only: bool) -> None:
    """Bring rule files into canonical form: key order, blank lines.

    \b
    Example:
      technograph rules fmt --check
    """
    from fingerprints.canonical import canonical
    from fingerprints.toml_rules import TECHNOLOGIES, rule_paths

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


@rules.command()
@click.argument("place", metavar="CATEGORY/SLUG")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Rule folder; default: this package's."
)
def new(place: str, folder: Path | None) -> None:
    """Write the skeleton of a rule; the check refuses it until its examples are filled in.

    \b
    Example:
      technograph rules new live_chat/acme-chat
    """
    from fingerprints.toml_rules import SLUG, TECHNOLOGIES, load_categories

    category, _, slug = place.partition("/")
    categories = load_categories()
    if category not in categories:
        raise InputError(
            f"no category {category!r}{_nearest(category, list(categories))}; write CATEGORY/SLUG"
        )
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


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


@rules.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--url", default="", help="The page's own address, to tell first from third party.")
def explain(page: str, url: str) -> None:
    """Every piece of evidence in an HTML file, also what was too weak to report. `-` is stdin.

    \b
    Example:
      technograph rules explain saved.html --url https://www.acme.com/
    """
    from fingerprints.observe import observe

    detector = _detector()
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
