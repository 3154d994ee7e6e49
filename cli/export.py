"""`technograph export`: accounts, technologies or whole records to a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from cli.database import (
    ask,
    db_option,
    icp_name_option,
    open_for_reading,
    scored_profile,
)
from cli.output import Output, note, output_options, write_rows
from cli.scoring import now_utc, rule_taxonomy
from fingerprints.model import Record
from fingerprints.model.wire import to_json
from store.database import Store
from store.export import TECHNOLOGY_COLUMNS, Row, account_columns, account_row, technology_rows
from store.queries import Question, input_columns, matching_records


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("what", type=click.Choice(["accounts", "technologies", "records"]))
@db_option
@click.option("--where", "query", metavar="QUERY", help="Only sites that match, as for `find`.")
@icp_name_option
@output_options
def export(what: str, db_path: Path, query: str | None, icp_name: str, output: Output) -> None:
    """Write accounts (one row a site), technologies (one row each use) or whole records (JSON lines).

    Accounts start with the columns of the input list, untouched; a column of ours with the same name
    gets the prefix tg_. Findings too old to count are unknown there. Rows are in domain order.

    \b
    Example:
      technograph export accounts -o accounts.csv
      technograph export technologies --where 'tech:shopify AND lacks:reviews' -o uses.csv
      technograph export records -o records.jsonl
    """
    if what == "records" and output.format != "jsonl":
        raise click.UsageError("records are JSON lines; leave out --format, or name the file .jsonl")
    with open_for_reading(db_path) as store:
        question = ask(store, query, icp=icp_name) if query else None
        rows, columns = _rows(store, what, question, icp_name)
        note(f"{write_rows(rows, columns, output):,} {what} written")


def _rows(
    store: Store, what: str, question: Question | None, icp_name: str
) -> tuple[Iterable[Row], Sequence[str]]:
    records = matching_records(store, question)
    if what == "records":
        return map(to_json, records), ()
    if what == "technologies":
        return (row for record in records for row in technology_rows(record)), TECHNOLOGY_COLUMNS
    given = input_columns(store, question)
    return _accounts(store, records, scored_profile(store, icp_name), given), account_columns(given)


def _accounts(store: Store, records: Iterable[Record], icp: str, given: Sequence[str]) -> Iterator[Row]:
    taxonomy, now = rule_taxonomy(), now_utc()
    for record in records:
        yield account_row(record, store.score(record.domain, icp), given, taxonomy=taxonomy, now=now)
