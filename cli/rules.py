"""`technograph rules`: the rule set as a list, and the group that its other commands belong to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from cli.output import Output, note, output_options, write_rows
from cli.rules_hosts import unknown_hosts
from cli.rules_pages import explain, import_
from cli.rules_write import check, fmt, new, test
from fingerprints.model import InputError
from fingerprints.model.spelling import did_you_mean

if TYPE_CHECKING:
    from fingerprints.detector import Detector
    from fingerprints.rules import Rule


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
        raise InputError(f"no category {category!r}{did_you_mean(category, taxonomy.categories)}")
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
@output_options
def categories(output: Output) -> None:
    """Every category with the number of its technologies.

    Also how its absence can be seen (docs/absence.md), and the nearest Wappalyzer category ids.

    \b
    Example:
      technograph rules categories --format table
    """
    taxonomy = _detector().taxonomy
    counts = Counter(technology.category for technology in taxonomy.technologies.values())
    rows = [
        {
            "category": c.slug,
            "label": c.label,
            "technologies": counts[c.slug],
            "observability": c.observability.value,
            "primary": c.primary,
            "wappalyzer": c.wappalyzer,
        }
        for c in taxonomy.categories.values()
    ]
    columns = ["category", "label", "technologies", "observability", "primary", "wappalyzer"]
    note(f"{sum(counts.values())} technologies in {len(counts)} of {len(rows)} categories")
    write_rows(rows, columns, output)


@rules.command()
@click.argument("text")
@output_options
def find(text: str, output: Output) -> None:
    """Rules that mention a TEXT.

    It may be in a name, an alias, a host or a pattern.

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
    """One technology and its signals.

    Says what it is, and shows every signal with its strength.

    \b
    Example:
      technograph rules show shopify
    """
    detector = _detector()
    current = detector.taxonomy.resolve(slug)
    if current is None:
        raise InputError(f"no technology {slug!r}{did_you_mean(slug, detector.rules)}")
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


for _command in (check, test, fmt, new, explain, unknown_hosts, import_):
    rules.add_command(_command)
