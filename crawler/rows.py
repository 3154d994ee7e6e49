"""The rows of a list file, whatever program wrote it: plain lines, a table, or one JSON object a line."""

from __future__ import annotations

import csv
import difflib
import functools
import io
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from crawler.domains import NotADomain, parse_site
from fingerprints.model import InputError

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

HEAD_BYTES = 64 * 1024
"""Enough of a file to tell its encoding and its columns."""

LINE_CHARS = 1_000_000
"""Longest line kept; the rest of a longer one is skipped, so that memory stays bounded."""

_DELIMITERS = ",;\t|^~:"
_MAGIC = {
    b"PK\x03\x04": "is a workbook or an archive; save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "is compressed; unpack it first",
    b"%PDF": "is a PDF; a .txt, .csv or .jsonl file is needed",
    b"SQLite format 3": "is a database; a .txt, .csv or .jsonl file is needed",
}
_COMMENT = re.compile(r"\s*#(?![,;\t|])")
"""A line that starts with `#`, unless that is the name of the first column."""
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


def read_rows(path: str, *, column: str | None = None) -> Iterator[Row]:
    """The rows of the file, or of standard input for `-`, as they are read; blank and `#` lines left out.

    The file is opened and its shape found at once, so InputError is raised here and not at the first
    row: for a file that is missing, unreadable, a directory or not text, for a table without a domain
    column, and for a `column` it does not have.
    """
    name = "standard input" if path == "-" else path
    stream = _open(path)
    try:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        encoding = _encoding(head, name)
        first_lines = _first_lines(head.decode(encoding, errors="replace"))
        if first_lines and first_lines[0].lstrip().startswith(("{", "[")):
            _check_json(first_lines[0], column, name)
            read = functools.partial(_json_rows, column=column)
        elif first_lines and (table := _table(first_lines, column, Path(path).suffix.lower(), name)):
            read = functools.partial(_table_rows, table=table, name=name)
        else:
            read = _line_rows
    except BaseException:
        stream.close()
        raise
    return _closing(stream, encoding, read)


def _closing(stream: BinaryIO, encoding: str, read: Any) -> Iterator[Row]:
    # Undecodable bytes are kept as they are here, so that each line can be read as cp1252 on its own.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    with io.TextIOWrapper(stream, encoding=encoding, errors=errors) as text:
        yield from read(_lines(text))


def _open(path: str) -> BinaryIO:
    """A stream that can be read from its start again; what cannot be is copied to a temporary file."""
    try:
        stream = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115 - closed by the reader
    except IsADirectoryError as exc:
        raise InputError(f"{path}: is a directory; name a .txt, .csv or .jsonl file") from exc
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file") from exc
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror}") from exc
    if path != "-" and stream.seekable():
        return stream
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the reader
    shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return spool  # type: ignore[return-value]


def _encoding(head: bytes, name: str) -> str:
    for magic, problem in _MAGIC.items():
        if head.startswith(magic):
            raise InputError(f"{name}: {problem}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" not in head:
        return "utf-8-sig"
    # Latin letters in UTF-16 have a zero as every second byte.
    even_zeros, odd_zeros = head[0::2].count(0), head[1::2].count(0)
    if odd_zeros > len(head) // 4 and not even_zeros:
        return "utf-16-le"
    if even_zeros > len(head) // 4 and not odd_zeros:
        return "utf-16-be"
    raise InputError(f"{name}: is a binary file; a .txt, .csv or .jsonl file is needed")


def _first_lines(head: str) -> list[str]:
    return [line for line in head.splitlines() if not _is_blank(line) and not _COMMENT.match(line)]


def _is_blank(line: str) -> bool:
    return not line.strip()


def _lines(text: TextIO) -> Iterator[str]:
    """Every physical line, cut at LINE_CHARS; a line that is not UTF-8 is read as cp1252."""
    while line := text.readline(LINE_CHARS):
        rest = line
        while not rest.endswith("\n") and len(rest) == LINE_CHARS:
            rest = text.readline(LINE_CHARS)
        yield line if line.isascii() else _repaired(line)


def _repaired(line: str) -> str:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return line


# --- plain lines


def _line_rows(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        value = _INLINE_COMMENT.split(line, maxsplit=1)[0].strip()
        if value and not _COMMENT.match(value):
            yield Row(number, value)


# --- tables


def _table(first_lines: Sequence[str], column: str | None, suffix: str, name: str) -> _Table | None:
    """The table's shape, or None when the file is plain lines."""
    shapes = [(d, _first_cells(first_lines, d)) for d in _delimiters(first_lines[0])]
    named = [(places, d, cells) for d, cells in shapes if (places := _places(cells, column))]
    if named:
        places, delimiter, cells = max(named, key=lambda shape: len(shape[2]))
        return _Table(delimiter, _unique_names(cells), places, has_header=True)
    delimiter, cells = max(shapes, key=lambda shape: len(shape[1]))
    if column is not None:
        raise InputError(
            f"{name}: no column {column!r}{_nearest(column, cells)}; its columns: {', '.join(cells)}"
        )
    if len(cells) == 1 and suffix not in (".csv", ".tsv"):
        return None
    for position, cell in enumerate(cells):
        if _is_domain(cell):  # a list without a header line, as the public top-million lists are
            return _Table(
                delimiter, _unique_names([""] * len(cells)), _Places(position, None), has_header=False
            )
    if suffix in (".csv", ".tsv"):
        raise InputError(
            f"{name}: no column named domain, website, url or homepage; name it with --column; "
            f"its columns: {', '.join(cells)}"
        )
    return None


def _delimiters(line: str) -> list[str]:
    if line.lower().startswith("sep=") and len(line) == 5:
        return [line[4]]  # how Excel is told the delimiter
    return [d for d in _DELIMITERS if d in line] or [","]


def _first_cells(lines: Sequence[str], delimiter: str) -> list[str]:
    after_hint = lines[1:] if lines[0].lower().startswith("sep=") else lines
    return [cell.strip() for cell in next(csv.reader(after_hint, delimiter=delimiter), [])]


def _table_rows(lines: Iterable[str], table: _Table, name: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=table.delimiter)
    header_pending = table.has_header
    line = 1
    try:
        for cells in reader:
            first, line = line, reader.line_num + 1
            if header_pending and tuple(_unique_names([c.strip() for c in cells])) == table.columns:
                header_pending = False
            elif any(cell.strip() for cell in cells) and not _is_note(cells):
                yield _row(first, table.columns, cells, table.places)
    except csv.Error as exc:
        raise InputError(f"{name}:{line}: not a readable table: {exc}; is a quoted cell left open?") from exc


def _is_note(cells: Sequence[str]) -> bool:
    return bool(_COMMENT.match(cells[0]) and cells[0] != "#") or (
        len(cells) <= 2 and cells[0].lower().startswith("sep=")
    )


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
        if _is_blank(line) or line.startswith("#"):
            continue
        try:
            item = json.loads(line)
        except ValueError:
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


def _check_json(first_line: str, column: str | None, name: str) -> None:
    """Raise InputError when the first object shows that the file is not what was meant."""
    if first_line.lstrip().startswith("["):
        raise InputError(f"{name}: is a JSON array; write one JSON object a line")
    try:
        columns = list(json.loads(first_line))
    except ValueError:
        return
    if _places(columns, column) is None:
        wanted = (
            repr(column) + _nearest(column, columns) if column else "named domain, website, url or homepage"
        )
        raise InputError(f"{name}: no key {wanted}; its keys: {', '.join(columns)}")


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


def _nearest(column: str, columns: Sequence[str]) -> str:
    near = difflib.get_close_matches(column.casefold(), [name.casefold() for name in columns], n=1)
    return f" (did you mean {next(c for c in columns if c.casefold() == near[0])!r}?)" if near else ""


def _is_domain(text: str) -> bool:
    try:
        parse_site(text)
    except NotADomain:
        return False
    return True
