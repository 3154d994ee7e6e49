"""`technograph icp review`: a profile against the outcomes of a quarter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cli.accounts import AccountList, open_source, read_accounts, records_option
from cli.database import db_option
from cli.icp_derive import trait_row
from cli.output import note
from cli.scoring import (
    Scorer,
    facts_option,
    map_option,
    now_utc,
    read_facts,
    read_profiles,
    rule_taxonomy,
    scorer,
)
from fingerprints.model import InputError, Record
from icp.criteria import Profile
from icp.derive import derive as derive_traits
from icp.model import Score
from icp.render import review_reminder
from icp.report import review_text
from icp.review import BAD, GOOD, OPEN, Advice, Migration, additions, advise, migrate
from icp.traits import Trait

CLASS_COLUMNS = ("class", "outcome", "stage", "status")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("icp", type=click.Path(path_type=Path))
@click.option(
    "--outcomes",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV with a domain and an outcome column: won, lost, stalled, churned, pipeline or trial.",
)
@click.option(
    "--diff-against",
    "old",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An older version of the ICP: shows which accounts would move.",
)
@facts_option
@map_option
@records_option
@db_option
@click.option("--json", "as_json", is_flag=True, help="The same figures as one JSON object.")
def review(
    icp: Path,
    outcomes: Path,
    old: Path | None,
    fact_paths: tuple[Path, ...],
    mappings: tuple[str, ...],
    records_path: str,
    db_path: Path,
    as_json: bool,
) -> None:
    """Hold a profile against a quarter's outcomes.

    Says of each criterion whether to keep it, drop it or wait for more data, and which traits of the won
    accounts no criterion asks for yet.

    \b
    Example:
      technograph icp review icp.yaml --outcomes q3.csv --diff-against icp-v2.yaml
    """
    taxonomy, now = rule_taxonomy(), now_utc()
    [profile] = read_profiles([icp], taxonomy)
    before = read_profiles([old], taxonomy)[0] if old else None
    score = scorer(read_facts(fact_paths, mappings, [profile]), taxonomy, now)
    accounts = read_accounts(outcomes)
    classes = _classes(accounts)
    with open_source(records_path, db_path) as source:
        records = accounts.records(source)
        won = [record for record in records if classes.get(record.domain) in GOOD]
        lost = [record for record in records if classes.get(record.domain) in BAD]
        advice = advise(profile, [score(r, profile) for r in won], [score(r, profile) for r in lost])
        added = additions(derive_traits(won, lost, taxonomy=taxonomy, now=now), profile)
        migration = migrate(_pairs(source.records(), score, before, profile)) if before else None
    if as_json:
        click.echo(json.dumps(_review_json(profile, advice, added, migration), ensure_ascii=False))
    else:
        click.echo(review_text(profile, advice, added, migration, f"v{before.version}" if before else ""))
    note(
        f"{len(won)} won, {len(lost)} lost or churned, {sum(c in OPEN for c in classes.values())} still open"
    )
    reminder = review_reminder(profile, now.date())
    if reminder:
        note(reminder)
    note(f"when you are done, set reviewed_on: {now.date()} in {icp}")


def _classes(accounts: AccountList) -> Mapping[str, str]:
    """Domain to outcome. Raises InputError when no column holds one, or a value is none."""
    column = accounts.column(CLASS_COLUMNS)
    if column is None:
        raise InputError(
            f"{accounts.path}: no column holds the outcome; name one of: {', '.join(CLASS_COLUMNS)}"
        )
    found = {}
    for domain, cells in accounts.rows.items():
        text = cells[column].strip().lower().removeprefix("closed ") if column < len(cells) else ""
        if text not in GOOD | BAD | OPEN:
            known = ", ".join(sorted(GOOD | BAD | OPEN))
            raise InputError(f"{accounts.path}: {domain}: outcome {text!r} is not one of {known}")
        found[domain] = text
    return found


def _pairs(
    records: Iterable[Record], score: Scorer, old: Profile, new: Profile
) -> Iterator[tuple[Score, Score]]:
    for record in records:
        yield score(record, old), score(record, new)


def _review_json(
    profile: Profile, advice: list[Advice], added: list[Trait], migration: Migration | None
) -> dict[str, Any]:
    moves = {f"{old}->{new}": n for (old, new), n in sorted(migration.moves.items())} if migration else None
    return {
        "icp": profile.name,
        "version": profile.version,
        "criteria": [asdict(item) for item in advice],
        "add": [trait_row(trait) for trait in added],
        "migration": moves,
    }
