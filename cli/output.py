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
from fingerprints.model.cells import CsvSafety, clean, printable, safe_cell

F = TypeVar("F", bound=Callable[..., Any])

PLAIN_WIDTH = 160
"""Characters of a table that goes to a file or a pipe; a terminal says its own width."""
NARROW_COLUMN = 24
WIDE_COLUMN = 72

BEGAN_S = "technograph.began_s"
"""In a click context's `meta`: the monotonic clock when the command line was read, before its module was."""

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

    @click.option(
        "--format",
        "format_",
        type=click.Choice(["table", "csv", "jsonl"]),
        help="Default: table on a terminal, else jsonl.",
    )
    @click.option(
        "-o",
        "--output",
        "path",
        default="-",
        metavar="FILE",
        help="Write to FILE instead of standard output.",
    )
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
        stream = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115 - closed by the with below
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


def _write_csv(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], safety: CsvSafety, stream: TextIO
) -> int:
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
    cells = [[_shown(row.get(column)) for column in columns] for row in rows]
    for index, column in enumerate(columns):
        widest = max([len(column), *(len(row[index]) for row in cells)])
        # A short column is never cut to make room for a long one: only the long ones give way.
        narrow = min(widest, NARROW_COLUMN)
        table.add_column(column, no_wrap=True, overflow="ellipsis", min_width=narrow, max_width=WIDE_COLUMN)
    for row in cells:
        # Text, never markup: a page title may contain "[red]" and must be shown as it is.
        table.add_row(*(Text(cell) for cell in row))
    width = None if stream.isatty() else PLAIN_WIDTH
    console = Console(file=stream, highlight=False, width=width)
    with console.capture() as printed:  # written by us, for rich would end the program at a closed pipe
        console.print(table)
    stream.write(printed.get())
    return len(cells)


def _shown(value: Any) -> str:
    scalar = _scalar(value)
    return "" if scalar is None else " ".join(clean(str(scalar)).split())


def _scalar(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return LIST_SEPARATOR.join(str(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value


def note(message: str) -> None:
    """A line for the person, on stderr, so that data on stdout stays clean; it may quote what a stranger wrote."""
    click.echo(printable(message), err=True)
