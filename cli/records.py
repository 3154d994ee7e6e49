"""Records from JSON lines, as `detect` prints them or somebody else has written them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cli.pages import read_lines
from cli.scoring import note_problems
from fingerprints.model import InputError, Record
from fingerprints.model.wire import from_json


def read_records(path: str) -> Iterator[Record]:
    """The records of a file, `-` is stdin. Broken lines are told on stderr and skipped.

    Raises InputError when the file cannot be read.
    """
    problems = []
    with sys.stdin.buffer if path == "-" else _open(path) as stream:
        for number, line in read_lines(stream):
            try:
                record = _parse(line)
            except (InputError, ValueError, RecursionError) as exc:
                problems.append(f"{path}:{number}: {exc}; line skipped")
            else:
                yield record
    note_problems(problems, "lines could not be read")


def _parse(line: bytes) -> Record:
    data = json.loads(line)
    if b"\\ud" in line.lower():
        # Half of a surrogate pair is valid in JSON, but could never be written out again as UTF-8.
        data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return from_json(data)


def _open(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except OSError as exc:
        raise InputError(f"{path}: cannot read: {exc.strerror}") from exc
