"""The lines of a JSON lines file, or of standard input, for every command that reads one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crawler.packed import UNPACKING_ERRORS, unpacked
from fingerprints.model import InputError

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Longest JSON line that is read; a page of the web is far below."""


def read_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """Numbered lines that are not blank; `-` is stdin; what is packed (gzip, xz) is unpacked.

    Raises InputError for a file that cannot be opened, or not be read to its end.
    """
    number = 0
    try:
        with _opened(path) as stream:
            for number, line in numbered(unpacked(stream)):
                yield number, line
    except UNPACKING_ERRORS as exc:
        raise InputError(f"{path}: cannot read on after line {number}: {exc}") from exc


def _opened(path: str) -> IO[bytes]:
    if path == "-":
        return sys.stdin.buffer
    try:
        return Path(path).open("rb")
    except OSError as exc:
        raise InputError(f"{path}: cannot read: {exc.strerror}") from exc


def numbered(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers; of one longer than MAX_LINE_BYTES only its beginning."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        rest = line
        while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES)
        if line.strip():
            yield number, line
