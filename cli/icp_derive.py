"""`technograph icp derive`: what the best customers have in common."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.accounts import (
    AccountList,
    best_option,
    open_source,
    read_accounts,
    records_option,
    refuse_overlap,
    universe_option,
    universe_records,
    worst_option,
)
from cli.database import db_option
from cli.output import Output, note, open_output, output_options, write_rows
from cli.scoring import NO_DATA, now_utc, rule_taxonomy
from fingerprints.model import InputError, Record, Taxonomy
from icp.derive import MAX_Q
from icp.derive import derive as derive_traits
from icp.proposal import proposal, sample_size
from icp.report import derivation_text
from icp.traits import Trait

SHOWN_P = 0.05
"""Traits above this p are listed only on request."""

TRAIT_COLUMNS = (
    "trait", "best", "worst", "unknown", "p", "q", "effect", "lower", "points", "stability", "universe",
    "selected", "same_as",
)  # fmt: skip


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@best_option
@worst_option
@universe_option
@click.option(
    "--ours",
    default="",
    metavar="SLUG,...",
    help="Technologies you install yourself: left out, with their categories.",
)
@click.option("--name", default="proposal", show_default=True, help="Name of the proposed ICP.")
@click.option(
    "--out",
    "out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the proposal to this new file.",
)
@click.option("--all", "show_all", is_flag=True, help="List every trait that was tested.")
@records_option
@db_option
@output_options
def derive(
    best: Path,
    worst: Path,
    universe: str,
    ours: str,
    name: str,
    out: Path | None,
    show_all: bool,
    records_path: str,
    db_path: Path,
    output: Output,
) -> None:
    """Propose an ICP from your best and worst customers.

    Looks for what the best ones' sites have in common that the worst ones' do not, and prints each trait
    with its counts, p, q (Benjamini-Hochberg), effect in log-odds with a lower bound, and proposed points.
    What is unknown is left out of the counts and shown beside them. With --out the selected traits become
    a new ICP file; no existing file is ever changed.

    \b
    Example:
      technograph icp derive --best won.csv --worst churned.csv --universe all --out proposal.yaml
    """
    if out is not None and out.exists():
        raise InputError(f"{out}: exists already; a proposal never overwrites a file, choose another name")
    taxonomy, now = rule_taxonomy(), now_utc()
    leaked = _known_technologies(ours, taxonomy)
    good, bad = read_accounts(best), read_accounts(worst)
    refuse_overlap(good, bad)
    with open_source(records_path, db_path) as source:
        left, right = good.records(source), bad.records(source)
        if not left or not right:
            note("nothing to compare: both lists need accounts with records")
            raise SystemExit(NO_DATA)
        everyone = universe_records(universe, source)
        found = derive_traits(left, right, taxonomy=taxonomy, now=now, universe=everyone or (), ours=leaked)
    shown = [trait for trait in found.traits if show_all or trait.selected or trait.p <= SHOWN_P]
    if output.format == "table":
        with open_output(output.path) as stream:
            stream.write(derivation_text(shown) + "\n")
    else:
        write_rows(map(trait_row, shown), TRAIT_COLUMNS, output)
    note(f"n={found.best}/{found.worst}: hypothesis, from {sample_size(found)}")
    note(f"{found.tested} traits tested, {len(found.selected)} selected at q <= {MAX_Q}")
    for warning in (*found.warnings, *_late_records(good, left), *_late_records(bad, right)):
        note(f"warning: {warning}")
    if out is not None:
        _write_proposal(out, proposal(found, name, now.date()) if found.selected else "")


def _known_technologies(text: str, taxonomy: Taxonomy) -> set[str]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    for name in sorted(names):
        if taxonomy.resolve(name) is None:
            raise InputError(
                f"--ours {name!r} is not a technology; search with `technograph rules find {name}`"
            )
    return {str(taxonomy.resolve(name)) for name in names}


def trait_row(trait: Trait) -> dict[str, Any]:
    counts = trait.counts
    return {
        "trait": trait.name,
        "best": f"{counts.best_with}/{counts.best}",
        "worst": f"{counts.worst_with}/{counts.worst}",
        "unknown": f"{counts.best_unknown}+{counts.worst_unknown}",
        "p": round(trait.p, 5),
        "q": round(trait.q, 4),
        "effect": round(trait.effect, 2),
        "lower": round(trait.lower, 2),
        "points": trait.points,
        "stability": None if trait.stability is None else round(trait.stability, 2),
        "universe": None if trait.universe is None else round(trait.universe, 3),
        "selected": trait.selected,
        "same_as": trait.same_as or None,
    }


def _late_records(accounts: AccountList, records: list[Record]) -> Iterator[str]:
    """Warnings about stacks that were observed after the decision they are meant to predict."""
    decided = accounts.dates()
    if not decided:
        yield f"{accounts.path}: no column says when deals were decided, so stacks may show what came after"
        return
    late = sum(
        record.scanned_at[:10] > decided[record.domain].isoformat()
        for record in records
        if record.domain in decided
    )
    if late:
        yield f"{accounts.path}: {late} of {len(records)} stacks were observed after the deal was decided"


def _write_proposal(path: Path, text: str) -> None:
    if not text:
        note(f"no trait passes, so nothing is proposed and {path} is not written")
        return
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as exc:
        raise InputError(f"{path}: cannot write: {exc.strerror}") from exc
    note(f"{path}: written; read it, then `technograph icp check {path}`")
