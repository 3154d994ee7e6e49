"""What the commands around an ICP share: profiles, facts, records from anywhere, domains from any cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.output import note
from crawler.domains import NotADomain, parse_site
from fingerprints.detector import Detector
from fingerprints.model import InputError, Record, Taxonomy
from icp.criteria import supplied_layers
from icp.facts import Facts, load_facts, merge_mappings, parse_mappings
from icp.model import Score
from icp.profile import Profile, load_profile
from icp.score import score_record

SHOWN_PROBLEMS = 10
"""Broken lines or rows that are shown one by one; of more, only the number is told."""

NO_DATA = 4
"""Exit code when there was nothing to work on."""

Scorer = Callable[[Record, Profile], Score]

facts_option = click.option(
    "--facts",
    "fact_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Facts about companies, joined by domain, for firmographic and behavioural criteria. Repeatable.",
)
map_option = click.option(
    "--map",
    "mappings",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column holds a fact, or the domain, as --map employees='Number of Employees'. Repeatable.",
)


def rule_taxonomy() -> Taxonomy:
    """The names our rules know."""
    return Detector.default().taxonomy


def now_utc() -> datetime:
    return datetime.now(UTC)


def read_profiles(paths: Sequence[Path], taxonomy: Taxonomy) -> list[Profile]:
    """The profiles of the files; their warnings go to stderr. Raises InputError when two have one name."""
    profiles = [load_profile(path, taxonomy) for path in paths]
    for warning in (warning for profile in profiles for warning in profile.warnings):
        note(f"warning: {warning}")
    names = [profile.name for profile in profiles]
    for path, name in zip(paths, names, strict=True):
        if names.count(name) > 1:
            raise InputError(
                f"{path}: ICP {name!r} is given twice; rename one, or compare versions with `icp review`"
            )
    return profiles


def read_facts(paths: Sequence[Path], mappings: tuple[str, ...], profiles: Sequence[Profile]) -> Facts | None:
    """The facts of the files, None when there are none; what could not be joined goes to stderr."""
    flags = parse_mappings(mappings)
    columns = merge_mappings({p.name: p.facts for p in profiles}, flags)
    if not paths:
        return None
    facts = load_facts(paths, domain_of, columns, required=flags)
    for key in facts.unmapped:
        note(f"warning: no facts file has the column {columns[key]!r}, so {key!r} stays unknown")
    note_problems(list(facts.rejected), "rows have no usable domain")
    if facts.repeated:
        note(
            f"repeated domains in the facts: {facts.repeated:,}; they only fill what earlier rows left empty"
        )
    return facts


def scorer(facts: Facts | None, taxonomy: Taxonomy, now: datetime) -> Scorer:
    """Scores one record against any profile, with this run's facts."""
    columns = facts.keys if facts else frozenset()

    def score(record: Record, profile: Profile) -> Score:
        return score_record(
            record,
            profile,
            facts=facts.of(record.domain) if facts else None,
            basis=supplied_layers(profile, columns),
            taxonomy=taxonomy,
            now=now,
        )

    return score


def domain_of(text: str) -> str:
    """The registrable domain of a cell, as the crawl writes it. Raises ValueError with the reason."""
    try:
        return parse_site(text).domain
    except NotADomain:
        if "." not in text:
            raise
        # Names without a public suffix (`acme.test`) have records too: the demo's, or an intranet's.
        return parse_site(text, allow_private=True).domain


def note_problems(problems: Sequence[str], what: str) -> None:
    """The first few problems on stderr, and how many there are in all."""
    for problem in problems[:SHOWN_PROBLEMS]:
        note(problem)
    if len(problems) > SHOWN_PROBLEMS:
        note(f"... {len(problems):,} {what}")
