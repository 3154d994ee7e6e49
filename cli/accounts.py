"""Lists of accounts in CSV files, with the records that speak for them."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from cli.output import note
from cli.records import read_records
from cli.scoring import domain_of, note_problems
from fingerprints.model import InputError, Record
from icp.table import Table, read_domains
from store.database import Store

DATE_COLUMNS = ("closed on", "close date", "closed date", "won on", "deal date", "decided on", "date")

records_option = click.option(
    "--records",
    "records_path",
    default="",
    metavar="FILE",
    help="Take records from JSON lines as `detect` prints them (- is stdin) instead of from the database.",
)


best_option = click.option(
    "--best",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV or list of your best customers.",
)
worst_option = click.option(
    "--worst",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV or list of bad fits: lost, churned.",
)
universe_option = click.option(
    "--universe",
    default="",
    metavar="all|FILE",
    help="What to compare with: every record, or a list of domains.",
)


class Source(Protocol):
    """Where records come from."""

    def records(self, domains: Iterable[str] | None = None) -> Iterator[Record]: ...


class _InMemory:
    def __init__(self, records: Iterable[Record]) -> None:
        self._by_domain = {record.domain: record for record in records}

    def records(self, domains: Iterable[str] | None = None) -> Iterator[Record]:
        wanted = sorted(self._by_domain) if domains is None else sorted(set(domains) & set(self._by_domain))
        return (self._by_domain[domain] for domain in wanted)


@contextmanager
def open_source(records_path: str, db_path: Path) -> Iterator[Source]:
    """Records of a file where one is given, else of the database."""
    if records_path:
        yield _InMemory(read_records(records_path))
        return
    with Store.open(db_path, create=False, readonly=True) as store:
        yield store


@dataclass(frozen=True, slots=True)
class AccountList:
    """The accounts one file names."""

    path: Path
    table: Table
    rows: dict[str, list[str]]
    """Domain to its row's cells; of repeated domains the first."""

    @property
    def domains(self) -> Collection[str]:
        return self.rows.keys()

    def records(self, source: Source) -> list[Record]:
        """The records of these accounts; how many have none goes to stderr."""
        found = list(source.records(self.domains))
        if len(found) < len(self.rows):
            missing = len(self.rows) - len(found)
            note(f"{self.path}: {missing} of {len(self.rows)} accounts have no record; crawl them first")
        return found

    def column(self, names: Collection[str]) -> int | None:
        """Position of the first column with one of these headers, None when there is none."""
        plain = [header.casefold().replace("_", " ") for header in self.table.header]
        return next((plain.index(name) for name in names if name in plain), None)

    def dates(self) -> dict[str, datetime.date]:
        """When each account was decided, where the file says so."""
        column = self.column(DATE_COLUMNS)
        found = {}
        for domain, cells in self.rows.items():
            text = cells[column].strip()[:10] if column is not None and column < len(cells) else ""
            try:
                found[domain] = datetime.date.fromisoformat(text)
            except ValueError:
                continue
        return found


def read_accounts(path: Path) -> AccountList:
    """The accounts of a CSV file or a plain list of domains. Raises InputError when it names none."""
    table, found, rejected = read_domains(path, domain_of)
    note_problems(rejected, "rows have no usable domain")
    rows: dict[str, list[str]] = {}
    for domain, row in found:
        rows.setdefault(domain, row.cells)
    if not rows:
        raise InputError(f"{path}: names no account")
    return AccountList(path, table, rows)


def refuse_overlap(best: AccountList, worst: AccountList) -> None:
    """Raise InputError when an account is in both lists: it cannot be an example of both."""
    both = sorted(set(best.domains) & set(worst.domains))
    if both:
        raise InputError(
            f"{best.path} and {worst.path} both name {', '.join(both[:5])}; decide which list it belongs to"
        )


def universe_records(universe: str, source: Source) -> Iterator[Record] | None:
    """The records of the universe: `all`, a file of domains, or None when none was asked for."""
    if not universe:
        return None
    if universe == "all":
        return source.records()
    return source.records(read_accounts(Path(universe)).domains)
