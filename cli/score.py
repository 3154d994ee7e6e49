"""`technograph score`: records against ideal customer profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cli.database import db_option
from cli.exporting import CRM_EXPORTS, EXPORTS, Export
from cli.output import Output, note, output_options, write_rows
from cli.records import read_records
from cli.scoring import (
    NO_DATA,
    facts_option,
    map_option,
    now_utc,
    read_facts,
    read_profiles,
    rule_taxonomy,
)
from fingerprints.model import InputError
from fingerprints.model.cells import CsvSafety
from icp.batch import Scored, score_all, top_reasons, unknown_criteria
from icp.criteria import Profile
from icp.facts import Facts
from icp.model import Score, Tier
from store.database import Store

COLUMNS = (
    "domain",
    "icp",
    "score",
    "tier",
    "coverage",
    "raw_low",
    "raw_high",
    "timing",
    "qualified_now",
    "disqualified_by",
    "top_reasons",
    "unknown_criteria",
)

SAVE_EVERY = 500
"""Accounts whose scores are stored in one transaction."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("icp", type=click.Path(path_type=Path))
@click.argument("records", required=False, default="")
@click.option(
    "--icp",
    "more",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Score another ICP too, apart from the first. Repeatable.",
)
@facts_option
@map_option
@click.option("--tier", "tiers", default="", metavar="A,B", help="Only accounts in these tiers.")
@db_option
@click.option(
    "--export",
    "export_kind",
    type=click.Choice(EXPORTS),
    help="Write a file for another system instead of rows; needs -o FILE.",
)
@click.option("--include-disqualified", is_flag=True, help="Export accounts in tier X too.")
@click.option("--lines", "with_lines", is_flag=True, help="Add every criterion's line to each row.")
@output_options
@click.pass_context
def score(
    ctx: click.Context,
    icp: Path,
    records: str,
    more: tuple[Path, ...],
    fact_paths: tuple[Path, ...],
    mappings: tuple[str, ...],
    tiers: str,
    db_path: Path,
    export_kind: str | None,
    include_disqualified: bool,
    with_lines: bool,
    output: Output,
) -> None:
    """Score accounts against the ideal customer profile in the file ICP.

    RECORDS is a file of JSON lines as `technograph detect` prints them, or - for stdin. Without it, the
    newest record of every domain in the database is scored and the scores are stored there.

    The score is 0 to 100 over what is known; an account of which too little is known gets tier U and no
    score, a disqualified one tier X. docs/scoring.md has the rules, `technograph explain` the reasons.

    \b
    Example:
      technograph score data/icp/dtc-reviews.yaml --facts crm.csv --tier A,B
      technograph score icp.yaml --facts crm.csv --export hubspot -o hubspot.csv
      technograph detect --jsonl pages.jsonl | technograph score icp.yaml -
    """
    wanted = _tiers(tiers)
    taxonomy, now = rule_taxonomy(), now_utc()
    profiles = read_profiles((icp, *more), taxonomy)
    facts = read_facts(fact_paths, mappings, profiles)
    tally = _Tally(profiles, facts)
    with ExitStack() as stack:
        if records:
            found, store = read_records(records), None
        else:
            store = stack.enter_context(Store.open(db_path, create=False))
            found = store.records()
        scored = score_all(found, profiles, facts=facts, taxonomy=taxonomy, now=now)
        accounts = _in_tiers(_saving(store, tally.counting(scored)), wanted)
        if export_kind:
            safety, path = _safety(ctx, output, export_kind), _file(output, export_kind)
            kept = accounts if include_disqualified else _in_tiers(accounts, frozenset(Tier) - {Tier.X})
            tally.written = Export(export_kind, path, safety, taxonomy, now, profiles).write(kept)
        else:
            columns = COLUMNS + (("best_icp",) if more else ()) + (("lines",) if with_lines else ())
            tally.written = write_rows(_rows(accounts, columns), columns, output)
    for line in tally.summary(output.path):
        note(line)
    if not tally.accounts:
        raise SystemExit(NO_DATA)


def _tiers(text: str) -> frozenset[Tier]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(Tier)]
    if unknown:
        raise InputError(f"--tier {unknown[0]!r} is not a tier; use any of {','.join(Tier)}")
    return frozenset(map(Tier, names)) or frozenset(Tier)


def _file(output: Output, kind: str) -> str:
    if output.path == "-" and kind not in ("csv", "jsonl"):
        raise InputError(f"--export {kind} writes files; say where with -o FILE")
    return output.path


def _safety(ctx: click.Context, output: Output, kind: str) -> CsvSafety:
    """An apostrophe would become part of a CRM's value, so those exports leave such text out unless told."""
    is_chosen = ctx.get_parameter_source("csv_safety") is not ParameterSource.DEFAULT
    return CsvSafety.CRM if kind in CRM_EXPORTS and not is_chosen else output.safety


def _in_tiers(accounts: Iterable[Scored], tiers: frozenset[Tier]) -> Iterator[Scored]:
    """Accounts with the scores in these tiers only; accounts without any are left out."""
    for account in accounts:
        scores = tuple(score for score in account.scores if score.tier in tiers)
        if scores:
            yield replace(account, scores=scores)


def _saving(store: Store | None, accounts: Iterable[Scored]) -> Iterator[Scored]:
    """The accounts, once their scores are in the database where there is one."""
    accounts = iter(accounts)
    while batch := list(islice(accounts, SAVE_EVERY if store else 1)):
        if store:
            store.save_scores(score for account in batch for score in account.scores)
        yield from batch


def _rows(accounts: Iterable[Scored], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for account in accounts:
        best = account.best.icp if account.best else None
        for found in account.scores:
            row = _row(found) | {"best_icp": best, "lines": [asdict(line) for line in found.lines]}
            yield {column: row[column] for column in columns}


def _row(found: Score) -> dict[str, Any]:
    return {
        "domain": found.domain,
        "icp": found.icp,
        "score": found.score,
        "tier": found.tier.value,
        "coverage": round(found.coverage, 3),
        "raw_low": round(found.raw_low, 2),
        "raw_high": round(found.raw_high, 2),
        "timing": None if found.timing is None else round(found.timing, 3),
        "qualified_now": found.qualified_now,
        "disqualified_by": list(found.disqualified_by),
        "top_reasons": top_reasons(found),
        "unknown_criteria": unknown_criteria(found),
    }


class _Tally:
    """What the person is told at the end."""

    def __init__(self, profiles: Sequence[Profile], facts: Facts | None) -> None:
        self.accounts = 0
        self.written = 0
        self._profiles = profiles
        self._facts = facts
        self._joined: set[str] = set()
        self._tiers: dict[str, Counter[Tier]] = {profile.name: Counter() for profile in profiles}

    def counting(self, accounts: Iterable[Scored]) -> Iterator[Scored]:
        for account in accounts:
            self.accounts += 1
            if self._facts and account.record.domain in self._facts.by_domain:
                self._joined.add(account.record.domain)
            for found in account.scores:
                self._tiers[found.icp][found.tier] += 1
            yield account

    def summary(self, path: str) -> Iterator[str]:
        if not self.accounts:
            yield "no records to score; crawl first: technograph crawl prospects.csv"
            return
        for profile in self._profiles:
            counts = self._tiers[profile.name]
            tiers = ", ".join(f"{tier} {counts[tier]:,}" for tier in Tier)
            yield f"{profile.name} v{profile.version}: {self.accounts:,} scored; {tiers}"
        if path != "-":
            yield f"{path}: {self.written:,} rows"
        if self._facts:
            yield from self._unmatched(self._facts)

    def _unmatched(self, facts: Facts) -> Iterator[str]:
        lost = sorted(set(facts.by_domain) - self._joined)
        yield f"accounts with facts: {len(self._joined):,} of {self.accounts:,}"
        if lost:
            shown = ", ".join(lost[:3]) + (", ..." if len(lost) > 3 else "")
            yield f"domains in the facts without a record: {len(lost):,} ({shown})"
