"""`technograph enrich`: a CRM export with technographic columns added."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cli.accounts import Source, open_source, records_option
from cli.database import db_option
from cli.exporting import Cells
from cli.output import note, open_output
from cli.scoring import (
    Scorer,
    domain_of,
    map_option,
    now_utc,
    read_facts,
    read_profiles,
    rule_taxonomy,
    scorer,
)
from fingerprints.model import Record, Taxonomy
from fingerprints.model.cells import CsvSafety
from icp.batch import top_reasons
from icp.criteria import Profile
from icp.facts import parse_mappings
from icp.model import Score
from icp.summary import summarize
from icp.table import Row, Table, read_table
from store.current import platform_of

RECORD_COLUMNS = (
    "tg_status",
    "tg_scanned_at",
    "tg_platform",
    "tg_technologies",
    "tg_categories_absent",
    "tg_categories_unknown",
)
SCORE_COLUMNS = ("tg_icp", "tg_score", "tg_tier", "tg_coverage", "tg_reasons")

NO_DOMAIN, NOT_SCANNED = "no_domain", "not_scanned"
"""`tg_status` of rows that have no record; all other values are outcomes of a crawl."""

BATCH_ROWS = 1_000
"""Rows whose records are read at once."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("crm", type=click.Path(path_type=Path))
@click.option(
    "--icp",
    "icp",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add the score against this ICP too.",
)
@click.option("-o", "--output", "path", default="-", metavar="FILE", help="Write to FILE.")
@map_option
@records_option
@db_option
@click.option(
    "--csv-safety",
    type=click.Choice([safety.value for safety in CsvSafety]),
    default=CsvSafety.SPREADSHEET.value,
    show_default=True,
    help="What becomes of our text that a spreadsheet would run as a formula; your cells stay as they are.",
)
def enrich(
    crm: Path,
    icp: Path | None,
    path: str,
    mappings: tuple[str, ...],
    records_path: str,
    db_path: Path,
    csv_safety: str,
) -> None:
    """Add technographic columns to the CSV file CRM.

    Every row and column stays where it is, untouched; the new columns start with tg_. A row without a
    record gets only a status, so that an import overwrites nothing with what nobody knows. With --icp the
    file's own columns are the facts for firmographic and behavioural criteria.

    \b
    Example:
      technograph enrich crm.csv -o enriched.csv
      technograph enrich crm.csv --icp data/icp/dtc-reviews.yaml -o enriched.csv
    """
    taxonomy, now = rule_taxonomy(), now_utc()
    profile = read_profiles([icp], taxonomy)[0] if icp else None
    table = read_table(crm)
    position = table.domain_column(parse_mappings(mappings).get("domain"))
    columns = RECORD_COLUMNS + (SCORE_COLUMNS if profile else ())
    facts = read_facts([crm], mappings, [profile]) if profile else None
    added = _Added(taxonomy, now, profile, scorer(facts, taxonomy, now))
    cells = Cells(CsvSafety(csv_safety))
    counts: Counter[str] = Counter()
    with open_source(records_path, db_path) as source, open_output(path) as stream:
        writer = csv.writer(stream, delimiter=table.delimiter, lineterminator="\n")
        # Rows may be longer than the header; our columns come after the longest.
        width = max([len(table.header), *(len(row.cells) for row in table.rows)])
        writer.writerow([*_padded(table.header, width), *_free_names(columns, table)])
        for row, record, status in _joined(table, position, source):
            ours = added.cells(record) if record else {"tg_status": status}
            counts["found" if record else status] += 1
            writer.writerow([*_padded(row.cells, width), *cells.row(ours.get(name) for name in columns)])
    note(
        f"rows: {len(table.rows):,}; with a record {counts['found']:,}, not scanned {counts[NOT_SCANNED]:,}, "
        f"without a usable domain {counts[NO_DOMAIN]:,}"
    )


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _free_names(columns: Sequence[str], table: Table) -> list[str]:
    """Our headers; a name the file already has, from an earlier run, gets a number."""
    taken = set(table.header)
    free = []
    for name in columns:
        number = 2
        unique = name
        while unique in taken:
            unique = f"{name}_{number}"
            number += 1
        free.append(unique)
    return free


def _joined(table: Table, position: int, source: Source) -> Iterator[tuple[Row, Record | None, str]]:
    """Every row in order, with its record or the reason why it has none."""
    for start in range(0, len(table.rows), BATCH_ROWS):
        rows = table.rows[start : start + BATCH_ROWS]
        domains = [_domain(row.cell(position)) for row in rows]
        records = {record.domain: record for record in source.records({d for d in domains if d})}
        for row, domain in zip(rows, domains, strict=True):
            yield row, records.get(domain), NOT_SCANNED if domain else NO_DOMAIN


def _domain(cell: str) -> str:
    try:
        return domain_of(cell)
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class _Added:
    """What is said about a record, by column."""

    taxonomy: Taxonomy
    now: datetime
    profile: Profile | None
    score: Scorer

    def cells(self, record: Record) -> dict[str, Any]:
        summary = summarize(record, self.taxonomy, self.now)
        platform = platform_of(record)
        found: dict[str, Any] = {
            "tg_status": record.outcome.value,
            "tg_scanned_at": record.scanned_at,
            "tg_platform": platform.slug if platform and summary.technologies else None,
            "tg_technologies": sorted(d.slug for d in summary.technologies),
            "tg_categories_absent": list(summary.absent),
            "tg_categories_unknown": list(summary.unknown),
        }
        return found | (_score_cells(self.score(record, self.profile)) if self.profile else {})


def _score_cells(score: Score) -> dict[str, Any]:
    return {
        "tg_icp": f"{score.icp} v{score.icp_version}",
        "tg_score": score.score,
        "tg_tier": score.tier.value,
        "tg_coverage": round(score.coverage, 3),
        "tg_reasons": top_reasons(score),
    }
