"""Records from JSON lines, as `detect` prints them or somebody else has written them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from cli.pages import read_lines
from cli.scoring import note_problems
from fingerprints.model import InputError, Record
from fingerprints.model.wire import RecordFormatError, from_json


def read_records(path: str) -> Iterator[Record]:
    """The records of a file, `-` is stdin. Broken lines are told on stderr and skipped.

    Raises InputError when the file cannot be read.
    """
    problems = []
    with sys.stdin.buffer if path == "-" else _open(path) as stream:
        for number, line in read_lines(stream):
            try:
                record = _parse(line)
            except (InputError, TypeError, ValueError, RecursionError) as exc:
                problems.append(f"{path}:{number}: {exc}; line skipped")
            else:
                yield record
    note_problems(problems, "lines could not be read")


def _parse(line: bytes) -> Record:
    data = json.loads(line)
    if b"\\ud" in line.lower():
        # Half of a surrogate pair is valid in JSON, but could never be written out again as UTF-8.
        data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    record = from_json(data)
    _refuse_wrong_types(record, "")
    if record.scanned_at and not _is_time(record.scanned_at):
        raise RecordFormatError(f"scanned_at {record.scanned_at!r} is not an ISO 8601 time")
    return record


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _refuse_wrong_types(item: Any, where: str) -> None:
    """Raise RecordFormatError where a field is not of its declared type: JSON lets anybody write anything."""
    for field in fields(item):
        value, name = getattr(item, field.name), f"{where}{field.name}"
        if field.type == "str" and not isinstance(value, str):
            raise RecordFormatError(f"{name}: expected text, not {value!r}")
        if field.type == "float" and isinstance(value, bool):
            raise RecordFormatError(f"{name}: expected a number, not {value!r}")
        if isinstance(value, tuple):
            for part in value:
                if is_dataclass(part):
                    _refuse_wrong_types(part, f"{name}.")
                elif not isinstance(part, str):
                    raise RecordFormatError(f"{name}: expected a list of texts, not {part!r}")
        if isinstance(value, Mapping) and not all(isinstance(part, str) for part in value.values()):
            raise RecordFormatError(f"{name}: expected texts, not {dict(value)!r}")


def _open(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except OSError as exc:
        raise InputError(f"{path}: cannot read: {exc.strerror}") from exc
