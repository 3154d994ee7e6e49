"""How commands hand over rows: a table on a terminal, JSON lines or CSV elsewhere or on request."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from fingerprints.model import InputError
from fingerprints.model.cells import CsvSafety, clean, safe_cell

F = TypeVar("F", bound=Callable[..., Any])

LIST_SEPARATOR = ";"
"""Between the values of a list in one CSV cell; slugs never contain it."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go and how they are written; made by `output_options`."""

    format: str
    path: str
    safety: CsvSafety


def output_options(command: F) -> F:
    """Add `--format`, `--output` and `--csv-safety`; the command gets one `output: Output` argument."""

    @click.option("--format", "format_", type=click.Choice(["table", "csv", "jsonl"]), help="Default: table on a terminal, else jsonl.")
    @click.option("-o", "--output", "path", default="-", metavar="FILE", help="Write to FILE instead of standard output.")
    @click.option(
        "--csv-safety",
        type=click.Choice([safety.value for safety in CsvSafety]),
        default=CsvSafety.SPREADSHEET.value,
        show_default=True,
        help="What becomes of text that a spreadsheet would run as a formula.",
    )
    def wrapper(*args: Any, format_: str | None, path: str, csv_safety: str, **kwargs: Any) -> Any:
        chosen = format_ or _format_for(path)
        return command(*args, output=Output(chosen, path, CsvSafety(csv_safety)), **kwargs)

    wrapper.__name__ = command.__name__
    wrapper.__doc__ = command.__doc__
    for attribute in ("__click_params__",):
        if hasattr(command, attribute):
            wrapper.__click_params__ = getattr(command, attribute) + wrapper.__click_params__  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


def _format_for(path: str) -> str:
    if path == "-":
        return "table" if sys.stdout.isatty() else "jsonl"
    return "csv" if path.lower().endswith(".csv") else "jsonl"


@contextmanager
def open_output(path: str) -> Iterator[TextIO]:
    """The stream to write to; `-` is standard output. Raises InputError when the file cannot be written."""
    if path == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        stream = Path(path).open("w", encoding="utf-8", newline="")
    except OSError as exc:
        raise InputError(f"{path}: cannot write: {exc.strerror}") from exc
    with stream:
        yield stream


def write_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], output: Output) -> int:
    """Write the rows as they come and return how many; a table is held in memory, the others are not."""
    with open_output(output.path) as stream:
        if output.format == "table":
            return _write_table(rows, columns, stream)
        if output.format == "csv":
            return _write_csv(rows, columns, output.safety, stream)
        count = 0
        for row in rows:
            stream.write(json.dumps(dict(row), ensure_ascii=False) + "\n")
            count += 1
        return count


def _write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], safety: CsvSafety, stream: TextIO) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([safe_cell(column, safety) for column in columns])
    count = 0
    for row in rows:
        writer.writerow([safe_cell(_scalar(row.get(column)), safety) for column in columns])
        count += 1
    return count


def _write_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], stream: TextIO) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        # Text, never markup: a page title may contain "[red]" and must be shown as it is.
        table.add_row(*(Text(clean("" if (v := _scalar(row.get(c))) is None else str(v))) for c in columns))
        count += 1
    Console(file=stream, soft_wrap=not stream.isatty(), highlight=False).print(table)
    return count


def _scalar(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return LIST_SEPARATOR.join(str(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value


def note(message: str) -> None:
    """A line for the person, on stderr, so that data on stdout stays clean."""
    click.echo(message, err=True)
