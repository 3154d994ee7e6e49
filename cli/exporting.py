"""Writing scored accounts for other systems: HubSpot, Salesforce, plain CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.output import note, open_output
from fingerprints.model import InputError, Taxonomy
from fingerprints.model.cells import CsvSafety, safe_cell
from fingerprints.model.wire import to_json
from icp.batch import Scored
from icp.criteria import Profile
from icp.export_accounts import ACCOUNT_COLUMNS, account_row, with_input_columns
from icp.export_hubspot import HUBSPOT_COLUMNS, MAX_ROWS, hubspot_properties, hubspot_row
from icp.export_salesforce import (
    MAX_PICKLIST_VALUES,
    SALESFORCE_COLUMNS,
    WIZARD_ROWS,
    named_technologies,
    salesforce_fields,
    salesforce_row,
)
from icp.model import Score
from icp.summary import summarize
from store.current import platform_of

EXPORTS = ("hubspot", "salesforce", "csv", "jsonl", "parquet")
CRM_EXPORTS = ("hubspot", "salesforce")

_SPOOL_BYTES = 64_000_000
"""Rows held in memory while the input's columns are collected; the rest waits in a temporary file."""


@dataclass(slots=True)
class Cells:
    """Writes CSV cells and counts the texts that were left out because a CRM would keep an apostrophe."""

    safety: CsvSafety
    dropped: int = 0

    def row(self, values: Iterable[Any]) -> list[str]:
        return [self._cell(";".join(v) if isinstance(v, list) else v) for v in values]

    def _cell(self, value: Any) -> str:
        text = safe_cell(value, self.safety)
        self.dropped += bool(not text and value not in (None, ""))
        return text


@dataclass(frozen=True, slots=True)
class Export:
    """One export: what, where to, and what it needs to know."""

    kind: str
    path: str
    safety: CsvSafety
    taxonomy: Taxonomy
    now: datetime
    profiles: Sequence[Profile]

    def write(self, accounts: Iterable[Scored]) -> int:
        """Write the accounts as they come and return the number of rows."""
        writers: dict[str, Callable[[Export, Iterable[Scored]], int]] = {
            "hubspot": _write_hubspot,
            "salesforce": _write_salesforce,
            "csv": _write_csv,
            "jsonl": _write_jsonl,
            "parquet": _write_parquet,
        }
        return writers[self.kind](self, accounts)


@dataclass(slots=True)
class _Options:
    """Values the multi-select columns of a CRM file use; they must exist there before the import."""

    technologies: set[str] = field(default_factory=set)
    categories: set[str] = field(default_factory=set)


def _best(account: Scored) -> Score:
    """The one score a CRM row can carry: the best profile's, or the first when none fits."""
    return account.best or account.scores[0]


def _write_hubspot(export: Export, accounts: Iterable[Scored]) -> int:
    options = _Options()

    def rows() -> Iterator[Mapping[str, Any]]:
        for account in accounts:
            row = hubspot_row(
                account.record, summarize(account.record, export.taxonomy, export.now), _best(account)
            )
            options.technologies.update(row["Tech Stack"])
            options.categories.update(row["Missing Categories"])
            yield row

    count = _write_rows(export, rows(), HUBSPOT_COLUMNS)
    properties = hubspot_properties(options.technologies, options.categories, export.taxonomy)
    _write_properties(export, properties, "create these company properties in HubSpot before the import")
    if count > MAX_ROWS:
        note(f"HubSpot takes {MAX_ROWS:,} rows a file; split {export.path}")
    return count


def _write_salesforce(export: Export, accounts: Iterable[Scored]) -> int:
    options = _Options()
    priority = frozenset().union(*(named_technologies(profile) for profile in export.profiles))
    nameless, cut = 0, 0

    def rows() -> Iterator[Mapping[str, Any]]:
        nonlocal nameless, cut
        for account in accounts:
            summary = summarize(account.record, export.taxonomy, export.now)
            row = salesforce_row(account.record, summary, _best(account), priority)
            options.technologies.update(row["Tech_Stack__c"])
            options.categories.update(row["Missing_Categories__c"])
            nameless += not summary.name
            cut += len(summary.technologies) > MAX_PICKLIST_VALUES
            yield row

    count = _write_rows(export, rows(), SALESFORCE_COLUMNS)
    fields = salesforce_fields(options.technologies, options.categories)
    _write_properties(export, fields, "create these account fields in Salesforce before the import")
    if nameless:
        note(
            f"accounts without a name in the input: {nameless:,}; their Name holds the domain, do not map it"
        )
    if cut:
        note(f"stacks cut to {MAX_PICKLIST_VALUES} values, those the ICP names first: {cut:,}")
    if count > WIZARD_ROWS:
        note(f"the Import Wizard takes {WIZARD_ROWS:,} rows; use Data Loader for {export.path}")
    return count


def _write_rows(export: Export, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> int:
    cells = Cells(export.safety)
    count = 0
    with open_output(export.path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(cells.row(row[column] for column in columns))
            count += 1
    if cells.dropped:
        note(f"cells left empty because they could run as a formula: {cells.dropped:,}")
    return count


def _write_properties(export: Export, properties: Sequence[Mapping[str, Any]], what: str) -> None:
    path = Path(export.path).parent / "properties.json"
    with open_output(str(path)) as stream:
        json.dump(properties, stream, ensure_ascii=False, indent=2)
        stream.write("\n")
    note(f"{path}: {what}")


def _write_csv(export: Export, accounts: Iterable[Scored]) -> int:
    with _spooled(export, accounts) as (names, rows):
        ours = with_input_columns(names)
        cells = Cells(export.safety)
        count = 0
        with open_output(export.path) as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(cells.row([*names, *ours.values()]))
            for attrs, row in rows:
                values = [*(attrs.get(name) for name in names), *(row[column] for column in ACCOUNT_COLUMNS)]
                writer.writerow(cells.row(values))
                count += 1
    if cells.dropped:
        note(f"cells left empty because they could run as a formula: {cells.dropped:,}")
    return count


def _write_jsonl(export: Export, accounts: Iterable[Scored]) -> int:
    count = 0
    with open_output(export.path) as stream:
        for account in accounts:
            row = to_json(account.record) | {"scores": [asdict(score) for score in account.scores]}
            stream.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            count += 1
    return count


def _write_parquet(export: Export, accounts: Iterable[Scored]) -> int:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as exc:
        raise InputError(
            "--export parquet needs pyarrow; install it with: pip install 'technograph[parquet]'"
        ) from exc
    with _spooled(export, accounts) as (names, rows):
        ours = with_input_columns(names)
        flat = [
            {name: attrs.get(name) for name in names}
            | {ours[column]: row[column] for column in ACCOUNT_COLUMNS}
            for attrs, row in rows
        ]
    types = {
        "text": pyarrow.string(),
        "list": pyarrow.list_(pyarrow.string()),
        "number": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "flag": pyarrow.bool_(),
    }
    columns = [(name, pyarrow.string()) for name in names]
    columns += [(ours[column], types[kind]) for column, kind in ACCOUNT_COLUMNS.items()]
    try:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(flat, pyarrow.schema(columns)), export.path)
    except OSError as exc:
        raise InputError(f"{export.path}: cannot write: {exc}") from exc
    return len(flat)


_AttrsAndRow = tuple[dict[str, str], dict[str, Any]]


@contextmanager
def _spooled(
    export: Export, accounts: Iterable[Scored]
) -> Iterator[tuple[list[str], Iterator[_AttrsAndRow]]]:
    """The input's columns over all accounts, and each row: the header must be known before the first row."""
    names: dict[str, None] = {}
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES, "w+", encoding="utf-8") as spool:
        for account in accounts:
            record = account.record
            summary = summarize(record, export.taxonomy, export.now)
            names.update(dict.fromkeys(record.attrs))
            for score in account.scores:
                row = account_row(record, summary, score, platform_of(record))
                spool.write(json.dumps([dict(record.attrs), row]) + "\n")
        spool.seek(0)
        yield list(names), (tuple(json.loads(line)) for line in spool)
