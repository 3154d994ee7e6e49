"""`technograph audit`: what the crawl misses without a browser, measured on sites crawled with one, too."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.comparison import Comparison, present
from cli.database import db_option, open_for_reading
from cli.output import Output, note, open_output, output_options, write_rows
from cli.scoring import NO_DATA, rule_taxonomy
from fingerprints.assess import TABLE_VARIABLE
from store.pairs import rendered_pairs

COLUMNS = ("category", "known", "found", "unknown", "absent", "share", "low", "high", "missed")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@db_option
@click.option(
    "--write",
    "table_path",
    metavar="FILE",
    help="Also write the shares as a detectability table; - is standard output, then without the rows.",
)
@output_options
@click.pass_context
def audit(ctx: click.Context, db_path: Path, table_path: str | None, output: Output) -> None:
    """Per category, how many of the sites that a browser shows to use such a tool are found without one.

    Compares the newest record of each site with a browser to its newest one without: crawl the same
    list twice, the second time with --render always. `absent` counts false absences, the mistake that
    matters; low and high are the 95% interval (Wilson) of the share, wide where there are few sites.

    \b
    Example:
      technograph crawl sample.csv && technograph crawl sample.csv --render always
      technograph audit --format table
      technograph audit --write ours.json && TECHNOGRAPH_DETECTABILITY=ours.json technograph crawl list.csv
    """
    compared = Comparison()
    with open_for_reading(db_path) as store:
        for fetched, seen in rendered_pairs(store):
            compared.add(fetched, present(seen))
    if not compared.sites:
        note(f"{db_path}: no site was crawled both ways; crawl the list again with --render always")
        ctx.exit(NO_DATA)
    if table_path != "-":
        write_rows(compared.rows(), COLUMNS, output)
    if table_path:
        _write_table(compared, table_path)
        if table_path != "-":
            note(f"{TABLE_VARIABLE}={table_path} makes crawls trust absences as far as this table goes")
    known = sum(share.known for share in compared.categories.values())
    absent = sum(share.absent for share in compared.categories.values())
    note(
        f"{compared.sites:,} sites; of {known:,} tools by category, {absent:,} would wrongly be called absent"
    )


def _write_table(compared: Comparison, path: str) -> None:
    table = compared.table(
        rule_taxonomy(),
        source=f"technograph audit: {compared.sites} sites crawled without and with a browser",
        measured=datetime.now(UTC).date().isoformat(),
    )
    with open_output(path) as stream:
        stream.write(json.dumps(table, indent=1) + "\n")
