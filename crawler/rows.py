"""The rows of a list file, whatever program wrote it: plain lines, a table, or one JSON object a line."""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from crawler.domains import NotADomain, parse_site
from crawler.listfile import COMMENT, ListFile, open_list
from fingerprints.model import InputError
from fingerprints.model.spelling import nearest

DOMAIN_COLUMNS = (
    "domain",
    "website",
    "url",
    "homepage",
    "companydomainname",
    "domainname",
    "websiteurl",
    "host",
    "email",
)
"""Column names without case, blanks and punctuation; the first that is there is used."""

ID_COLUMNS = ("id", "externalid")

_DELIMITERS = ",;\t|^~:"
_HEADLESS_DELIMITERS = ",;\t|"
_EXCEL_HINT = re.compile(r"sep=(.)\s*$", re.IGNORECASE)
"""A first line by which Excel is told the delimiter."""
_INLINE_COMMENT = re.compile(r"\s#")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list, not yet judged."""

    line: int
    """1-based line of the file; the first one of a row that spans several."""
    value: str
    """What should name a domain."""
    id: str = ""
    attrs: Mapping[str, str] = field(default_factory=dict)
    """The other columns, in order."""
    problem: str = ""
    """Why the line could not be read; empty when it could."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Positions of the columns with a meaning."""

    domain: int
    id: int | None


@dataclass(frozen=True, slots=True)
class _Table:
    delimiter: str
    columns: tuple[str, ...]
    places: _Places
    has_header: bool


def read_rows(path: str, *, column: str | None = None) -> Generator[Row, None, None]:
    """The rows of the file, or of standard input for `-`, as they are read; blank and `#` lines left out.

    The file is opened and its shape found at once, so InputError is raised here and not at the first
    row: for a file that cannot be read as text, for a table without a domain column, and for a `column`
    it does not have.
    """
    file = open_list(path)
    try:
        is_json = bool(file.first_lines) and file.first_lines[0].lstrip().startswith(("{", "["))
        if is_json:
            _check_json(file, column)
        table = _table(file, column) if file.first_lines and not is_json else None
    except InputError:
        file.stream.close()
        raise
    return _rows(file, table, is_json, column)


def _rows(
    file: ListFile, table: _Table | None, is_json: bool, column: str | None
) -> Generator[Row, None, None]:
    with closing(file.lines()) as lines:
        if is_json:
            yield from _json_rows(lines, column)
        elif table is not None:
            yield from _table_rows(lines, table, file.name)
        else:
            yield from _line_rows(lines)


# --- plain lines


def _line_rows(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        value = _INLINE_COMMENT.split(line, maxsplit=1)[0].strip()
        if value and not COMMENT.match(value):
            yield Row(number, value)


# --- tables


def _table(file: ListFile, column: str | None) -> _Table | None:
    """The table's shape, or None when the file is plain lines."""
    shapes = [(delimiter, _first_cells(file, delimiter)) for delimiter in _delimiters(file.first_lines[0])]
    named = [(d, cells, places) for d, cells in shapes if (places := _places(cells, column)) is not None]
    if named:
        delimiter, cells, places = max(named, key=lambda shape: len(shape[1]))
        return _Table(delimiter, _unique_names(cells), places, has_header=True)
    _, cells = max(shapes, key=lambda shape: len(shape[1]))
    if column is not None:
        raise InputError(_no_column(file.name, "column", column, cells))
    must_be_table = file.suffix in (".csv", ".tsv")
    if _is_domain(file.first_lines[0]):  # the whole line, so that a URL is not cut at its colon
        return _headless(",", [""], 0) if must_be_table else None
    for delimiter, cells in shapes:
        position = next((n for n, cell in enumerate(cells) if _is_domain(cell)), None)
        if delimiter in _HEADLESS_DELIMITERS and position is not None:
            return _headless(delimiter, cells, position)
    if must_be_table:
        raise InputError(_no_column(file.name, "column", None, cells))
    return None


def _headless(delimiter: str, cells: Sequence[str], position: int) -> _Table:
    """A list without a header line, as the public top-million lists are."""
    return _Table(delimiter, _unique_names([""] * len(cells)), _Places(position, None), has_header=False)


def _delimiters(line: str) -> list[str]:
    hint = _EXCEL_HINT.match(line)
    if hint:
        return [hint[1]]
    return [d for d in _DELIMITERS if d in line] or [","]


def _first_cells(file: ListFile, delimiter: str) -> list[str]:
    after_hint = file.first_lines[1:] if _EXCEL_HINT.match(file.first_lines[0]) else file.first_lines
    return [
        cell.strip() for cell in next(csv.reader(after_hint, delimiter=delimiter, skipinitialspace=True), [])
    ]


def _table_rows(lines: Iterable[str], table: _Table, name: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=table.delimiter, skipinitialspace=True)
    header_pending = table.has_header
    line = 0
    try:
        for cells in reader:
            first_line, line = line + 1, reader.line_num
            if not any(cell.strip() for cell in cells) or _is_note(cells):
                continue
            if header_pending:
                header_pending = False
            else:
                yield _row(first_line, table.columns, cells, table.places)
    except csv.Error as exc:
        raise InputError(f"{name}:{line + 1}: not a table: {exc}; is a quoted cell left open?") from exc


def _is_note(cells: Sequence[str]) -> bool:
    """Whether the row is a comment or Excel's hint."""
    if cells[0].lower() == "sep=":
        return not any(cells[1:])
    return cells[0] != "#" and bool(COMMENT.match(cells[0]))


def _unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Column names that can be keys: nameless ones get their number, repeated ones a count."""
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = base = cell or f"column {position}"
        count = 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return tuple(names)


# --- JSON lines


def _json_rows(lines: Iterable[str], column: str | None) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or COMMENT.match(line):
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            yield Row(number, line.strip()[:200], problem="not JSON")
            continue
        yield _json_row(number, item, column)


def _json_row(number: int, item: Any, column: str | None) -> Row:
    if isinstance(item, str):
        return Row(number, item)
    if not isinstance(item, dict):
        return Row(number, str(item)[:200], problem="not a JSON object")
    columns = tuple(item)
    places = _places(columns, column)
    if places is None:
        return Row(number, "", problem="no key named domain, website, url or homepage")
    return _row(number, columns, [_as_text(value) for value in item.values()], places)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()  # JSON may carry half a surrogate pair


def _check_json(file: ListFile, column: str | None) -> None:
    """Raise InputError when the first object shows that the file is not what was meant."""
    first_line = file.first_lines[0]
    if first_line.lstrip().startswith("["):
        raise InputError(f"{file.name}: is a JSON array; write one JSON object a line")
    try:
        keys = list(json.loads(first_line))
    except (ValueError, RecursionError):
        return  # reported with its line number later
    if _places(keys, column) is None:
        raise InputError(_no_column(file.name, "key", column, keys))


# --- columns


def _row(line: int, columns: Sequence[str], cells: Sequence[str], places: _Places) -> Row:
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    names = [*columns, *(f"column {n}" for n in range(len(columns) + 1, len(cells) + 1))]
    kept = {
        name: cell
        for n, (name, cell) in enumerate(zip(names, padded, strict=True))
        if n not in (places.domain, places.id)
    }
    return Row(line, padded[places.domain], "" if places.id is None else padded[places.id].strip(), kept)


def _places(columns: Sequence[str], column: str | None) -> _Places | None:
    """Where the domain and the id are, or None when no column is the domain's."""
    return _find_places(tuple(columns), column)


@functools.lru_cache(maxsize=64)
def _find_places(columns: tuple[str, ...], column: str | None) -> _Places | None:
    plain = [_plain(name) for name in columns]
    wanted = DOMAIN_COLUMNS if column is None else (_plain(column),)
    domain = next((plain.index(name) for name in wanted if name in plain), None)
    if domain is None:
        return None
    return _Places(domain, next((plain.index(name) for name in ID_COLUMNS if name in plain), None))


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum()) or name


def _no_column(name: str, word: str, column: str | None, there: Sequence[str]) -> str:
    if column is None:
        return (
            f"{name}: no {word} named domain, website, url or homepage; name it with --column; "
            f"its {word}s: {', '.join(there)}"
        )
    by_case = {name.casefold(): name for name in there}
    near = nearest(column.casefold(), by_case)
    hint = f" (did you mean {by_case[near]!r}?)" if near else ""
    return f"{name}: no {word} {column!r}{hint}; its {word}s: {', '.join(there)}"


def _is_domain(text: str) -> bool:
    try:
        parse_site(text)
    except NotADomain:
        return False
    return True
