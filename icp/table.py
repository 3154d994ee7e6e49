"""CSV files of the user's own making: any delimiter, any columns, with the company's domain somewhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fingerprints.model import InputError
from fingerprints.model.spelling import did_you_mean

DomainOf = Callable[[str], str]
"""The registrable domain of a cell; raises ValueError, with the reason, for text that names no site."""

DOMAIN_COLUMNS = (
    "domain",
    "company domain name",
    "company domain",
    "website",
    "website url",
    "company website",
    "url",
    "homepage",
)
"""Headers under which CRMs export it, the most certain first; case, `_` and `-` do not matter."""

_DELIMITERS = ",;\t|"


class TableError(InputError):
    """Raised for a CSV file that cannot be used; the message starts with its path."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """1-based line of the file the row ends in."""
    cells: list[str]

    def cell(self, column: int) -> str:
        """The cell's text, empty where the row is short."""
        return self.cells[column].strip() if column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file in memory."""

    path: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    delimiter: str

    def column(self, name: str) -> int:
        """Position of a column by its header. Raises TableError with the nearest one."""
        plain = [_plain(header) for header in self.header]
        if _plain(name) not in plain:
            hint = did_you_mean(_plain(name), plain)
            raise TableError(f"{self.path}: no column {name!r}{hint}; columns: {', '.join(self.header)}")
        return plain.index(_plain(name))

    def domain_column(self, name: str | None = None) -> int:
        """Position of the column that holds the company's domain, by name or by a usual header."""
        if name:
            return self.column(name)
        plain = [_plain(header) for header in self.header]
        found = [plain.index(usual) for usual in DOMAIN_COLUMNS if usual in plain]
        if found:
            return found[0]
        raise TableError(
            f"{self.path}: no column holds the domain; name one `domain` or `website`, or give its name with "
            f"--map domain=COLUMN; columns: {', '.join(self.header)}"
        )


def read_table(path: Path) -> Table:
    """The table in a CSV file. Raises TableError when it cannot be read or has no rows."""
    text = _read(path)
    if not text.strip():
        raise TableError(f"{path}: the file is empty")
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [Row(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as exc:
        raise TableError(f"{path}:{reader.line_num}: not readable as CSV: {exc}") from exc
    if not rows:
        raise TableError(f"{path}: the file holds only empty cells")
    header = tuple(cell.strip() for cell in rows[0].cells)
    return Table(str(path), header, tuple(rows[1:]), delimiter)


def read_domains(path: Path, domain_of: DomainOf) -> tuple[Table, list[tuple[str, Row]], list[str]]:
    """A list of companies: its table, each domain with its row, and a message for each row without one.

    A file with one column needs no header.
    """
    table = read_table(path)
    if len(table.header) == 1 and _is_domain(table.header[0], domain_of):
        table = Table(table.path, ("domain",), (Row(1, list(table.header)), *table.rows), table.delimiter)
    found, rejected = located(table, table.domain_column(), domain_of)
    return table, found, rejected


def located(table: Table, column: int, domain_of: DomainOf) -> tuple[list[tuple[str, Row]], list[str]]:
    """Each row with its domain, and a message for each row that has none."""
    found, rejected = [], []
    for row in table.rows:
        cell = row.cell(column)
        try:
            found.append((domain_of(cell), row))
        except ValueError as exc:
            rejected.append(f"{table.path}:{row.line}: {cell[:80]!r} is no domain: {exc}")
    return found, rejected


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise TableError(f"{path}: cannot read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise TableError(f"{path}: not UTF-8 text; save it as `CSV UTF-8`") from exc


def _delimiter(text: str) -> str:
    """The delimiter that cuts the header line into most cells; a comma when there is only one."""
    first = text.lstrip("\n").partition("\n")[0]
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter))))


def _is_domain(text: str, domain_of: DomainOf) -> bool:
    try:
        return bool(domain_of(text))
    except ValueError:
        return False


def _plain(header: str) -> str:
    return " ".join(header.casefold().replace("_", " ").replace("-", " ").split())
