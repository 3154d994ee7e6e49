"""`technograph icp test`: a profile against accounts whose outcome is known."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from cli.accounts import (
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
from cli.scoring import facts_option, map_option, now_utc, read_facts, read_profiles, rule_taxonomy, scorer
from fingerprints.model import InputError
from icp.backtest import backtest
from icp.model import Tier
from icp.report import backtest_text, headline


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("icp", type=click.Path(path_type=Path))
@best_option
@worst_option
@universe_option
@click.option(
    "--high", default="A,B", show_default=True, metavar="TIERS", help="Tiers that count as high fit."
)
@facts_option
@map_option
@records_option
@db_option
@click.option("--json", "as_json", is_flag=True, help="The same figures as one JSON object.")
def test(
    icp: Path,
    best: Path,
    worst: Path,
    universe: str,
    high: str,
    fact_paths: tuple[Path, ...],
    mappings: tuple[str, ...],
    records_path: str,
    db_path: Path,
    as_json: bool,
) -> None:
    """Try a profile on accounts whose outcome is known.

    70 to 85% of the best customers should score as high fit: more is too broad, less is misaligned. The
    Wilson interval says whether the list is long enough to tell; usually it is not.

    \b
    Example:
      technograph icp test icp.yaml --best won.csv --worst lost.csv --universe all
    """
    taxonomy, now = rule_taxonomy(), now_utc()
    [profile] = read_profiles([icp], taxonomy)
    facts = read_facts(fact_paths, mappings, [profile])
    tiers = _high(high)
    good, bad = read_accounts(best), read_accounts(worst)
    refuse_overlap(good, bad)
    with open_source(records_path, db_path) as source:
        result = backtest(
            profile,
            good.records(source),
            bad.records(source),
            listed=(len(good.rows), len(bad.rows)),
            score=scorer(facts, taxonomy, now),
            universe=universe_records(universe, source),
            high=tiers,
        )
    if as_json:
        figures = asdict(result) | {
            "verdict": result.verdict,
            "interval": result.interval,
            "lift": result.lift,
            "precision": result.precision,
            "headline": headline(result),
        }
        click.echo(json.dumps(figures, ensure_ascii=False))
    else:
        click.echo(backtest_text(profile, result, tiers))


def _high(text: str) -> tuple[Tier, ...]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    if not names or any(name not in ("A", "B", "C", "D") for name in names):
        raise InputError(f"--high {text!r}: use tiers such as A or A,B")
    return tuple(sorted(map(Tier, set(names))))
