"""Records from JSON lines, as `detect` prints them or somebody else has written them."""

from __future__ import annotations

from collections.abc import Iterator

from cli.jsonl import read_lines
from cli.pages import parse_json
from cli.scoring import note_problems
from fingerprints.model import InputError, Record
from fingerprints.model.wire import from_json


def read_records(path: str) -> Iterator[Record]:
    """The records of a file, `-` is stdin. Broken lines are told on stderr and skipped.

    Raises InputError when the file cannot be read.
    """
    problems = []
    for number, line in read_lines(path):
        try:
            record = from_json(parse_json(line))
        except (InputError, ValueError, RecursionError) as exc:
            problems.append(f"{path}:{number}: {exc}; line skipped")
        else:
            yield record
    note_problems(problems, "lines could not be read")
