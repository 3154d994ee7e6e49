"""Facts about companies from the user's own CSV, joined to records by registrable domain."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fingerprints.model import InputError
from icp.table import DomainOf, Table, TableError, located, read_table


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of every company in the file."""

    keys: frozenset[str]
    """Facts the file has a column for."""
    by_domain: Mapping[str, Mapping[str, str]]
    """Domain to fact key to value; empty values are left out."""
    rejected: tuple[str, ...]
    """A message for each row without a usable domain, as `crm.csv:12: 'n/a' is no domain: ...`."""
    repeated: int
    """Rows for a domain that an earlier row had; they only fill what it left empty."""
    unmapped: tuple[str, ...] = ()
    """Facts that were to come from a column which no file has."""

    def of(self, domain: str) -> Mapping[str, str]:
        return self.by_domain.get(domain, {})


def load_facts(
    paths: Sequence[Path],
    domain_of: DomainOf,
    columns: Mapping[str, str],
    required: Collection[str] = (),
) -> Facts:
    """Read the facts; `columns` maps a fact key (or `domain`) to its column where the names differ.

    Every other column is a fact under its header in lower case with `_` for spaces. Where several rows
    or files have a value for one company's fact, the first counts. Raises TableError for a file that
    cannot be read, and where no file has the column of a `required` key.
    """
    tables = [read_table(path) for path in paths]
    positions = [_positions(table, columns) for table in tables]
    unmapped = [key for key in columns if key != "domain" and not any(key in keys for keys in positions)]
    for key in unmapped:
        if key in required:
            tables[0].column(columns[key])  # raises, naming the nearest column
    by_domain: dict[str, dict[str, str]] = {}
    rejected: list[str] = []
    repeated = 0
    for table, keys in zip(tables, positions, strict=True):
        found, messages = located(table, table.domain_column(columns.get("domain")), domain_of)
        rejected += messages
        repeated += len(found) - len({domain for domain, _ in found})
        for domain, row in found:
            facts = by_domain.setdefault(domain, {})
            for key, position in keys.items():
                if value := row.cell(position):
                    facts.setdefault(key, value)
    return Facts(frozenset().union(*positions), by_domain, tuple(rejected), repeated, tuple(unmapped))


def fact_key(header: str) -> str:
    """The fact key a column has by itself.

    >>> fact_key("Annual Revenue (USD)")
    'annual_revenue_usd'
    """
    return re.sub(r"\W+", "_", header.casefold()).strip("_")


def parse_mappings(flags: tuple[str, ...]) -> dict[str, str]:
    """`field=column` flags as a mapping. Raises InputError for anything else."""
    found = {}
    for flag in flags:
        key, separator, column = flag.partition("=")
        if not (key.strip() and separator and column.strip()):
            raise InputError(
                f"--map {flag!r}: write it as field=column, as --map employees='Number of Employees'"
            )
        found[key.strip()] = column.strip()
    return found


def merge_mappings(profiles: Mapping[str, Mapping[str, str]], flags: Mapping[str, str]) -> dict[str, str]:
    """The column of each fact over several profiles, by profile name; flags win.

    Raises InputError when two profiles disagree and no flag decides.
    """
    merged: dict[str, str] = {}
    origin: dict[str, str] = {}
    for name, mapping in profiles.items():
        for key, column in mapping.items():
            if key not in flags and merged.get(key, column) != column:
                raise InputError(
                    f"ICP {name} reads fact {key!r} from column {column!r}, "
                    f"ICP {origin[key]} from {merged[key]!r}; "
                    f"decide with --map {key}=COLUMN"
                )
            merged[key], origin[key] = column, name
    return merged | dict(flags)


def _positions(table: Table, columns: Mapping[str, str]) -> dict[str, int]:
    """Fact key to column position, by mapping or by header; of equal headers the first counts."""
    if not table.rows:
        raise TableError(f"{table.path}: has a header but no rows")
    keys = [fact_key(header) for header in table.header]
    by_header = {key: keys.index(key) for key in keys if key}
    mapped = {key: keys.index(fact_key(name)) for key, name in columns.items() if fact_key(name) in keys}
    return by_header | {key: position for key, position in mapped.items() if key != "domain"}
