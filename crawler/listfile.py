"""A list file as lines of text, whatever program wrote it and whatever encoding that program chose."""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crawler.packed import UNPACKING_ERRORS, unpacked
from fingerprints.model import InputError

HEAD_BYTES = 64 * 1024
"""Enough of a file to tell its encoding and its columns."""

LINE_CHARS = 1_000_000
"""Longest line kept; the rest of a longer one is skipped, so that memory stays bounded."""

COMMENT = re.compile(r"\s*#(?![,;\t|])")
"""A line that starts with `#`, unless that is the name of the first column."""

_MAGIC = {
    b"PK\x03\x04": "is a workbook or an archive; save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook; save the sheet as CSV (UTF-8)",
    b"%PDF": "is a PDF; a .txt, .csv or .jsonl file is needed",
    b"SQLite format 3": "is a database; a .txt, .csv or .jsonl file is needed",
}


@dataclass(frozen=True, slots=True)
class ListFile:
    """An open file whose encoding is known."""

    name: str
    """For messages: the path, or `standard input`."""
    suffix: str
    """Lower case with its dot, that of the packing left out; empty for standard input."""
    first_lines: tuple[str, ...]
    """Those of the first HEAD_BYTES that are neither blank nor comments."""
    stream: IO[bytes]
    encoding: str

    def lines(self) -> Generator[str, None, None]:
        """Every line with its line end, cut at LINE_CHARS; closes the file after the last one.

        A line that is not UTF-8 is read as windows-1252 by itself, as mixed files need.
        """
        errors = "surrogateescape" if self.encoding == "utf-8-sig" else "replace"
        with io.TextIOWrapper(self.stream, encoding=self.encoding, errors=errors) as text:
            while line := text.readline(LINE_CHARS):
                rest = line
                while len(rest) == LINE_CHARS and not rest.endswith("\n"):
                    rest = text.readline(LINE_CHARS)
                yield line if line.isascii() else _repaired(line)


def open_list(path: str) -> ListFile:
    """The file, or standard input for `-`, opened and looked at.

    Raises InputError for a file that is missing, unreadable, a directory or not text.
    """
    name = "standard input" if path == "-" else path
    stream = _open(path)
    try:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        encoding = _encoding(head, name)
    except BaseException:
        stream.close()
        raise
    lines = head.decode(encoding, errors="replace").splitlines()
    first_lines = tuple(line for line in lines if line.strip() and not COMMENT.match(line))
    suffix = Path(path.lower().removesuffix(".gz").removesuffix(".xz")).suffix
    return ListFile(name, suffix, first_lines, stream, encoding)


def _open(path: str) -> IO[bytes]:
    """A stream that can be read from its start again, unpacked; what cannot be is copied to a temporary file."""
    try:
        stream = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115 - lines() closes it
    except IsADirectoryError as exc:
        raise InputError(f"{path}: is a directory; name a .txt, .csv or .jsonl file") from exc
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file") from exc
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    is_kept = False
    try:
        contents = unpacked(stream)
        is_kept = contents is stream and path != "-"
        return stream if is_kept else _copied(contents)
    except UNPACKING_ERRORS as exc:
        raise InputError(f"{'standard input' if path == '-' else path}: cannot be unpacked: {exc}") from exc
    finally:
        if not is_kept and path != "-":
            stream.close()


def _copied(stream: IO[bytes]) -> IO[bytes]:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - lines() closes it
    try:
        shutil.copyfileobj(stream, copy)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


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


def _repaired(line: str) -> str:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return line
