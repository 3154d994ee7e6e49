"""Targets from a list of domains: one a registrable domain, streamed, with every line accounted for."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections import Counter
from collections.abc import Container, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from crawler.domains import NotADomain, parse_host, parse_site
from crawler.items import Target
from crawler.rows import Row, read_rows
from fingerprints.model import InputError
from fingerprints.model.cells import safe_cell

_LOCAL_PART = re.compile(r"[^\s@<>]+@")


@dataclass(slots=True)
class TargetReport:
    """What became of each line of the list; also writes the rejected ones to a CSV file.

    `lines == targets + duplicates + rejected` once the list is read. Use it in a `with` block: the
    file is opened at the first rejected line and closed at the end.
    """

    rejected_path: Path | None = None
    lines: int = 0
    """Lines that hold something: blank lines, comments and the header are not counted."""
    targets: int = 0
    """Targets handed out, the suppressed ones included."""
    duplicates: int = 0
    rejected: int = 0
    suppressed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Reason to number of rejected lines."""
    first_rejected: str = ""
    """The first one, as `line 3: 'foo': not a domain name`."""
    _file: TextIO | None = None

    def reject(self, line: int, value: str, reason: str) -> None:
        """Count a line that is no target and write it down; raises InputError when it cannot be written."""
        value = _LOCAL_PART.sub("...@", value[:200])  # a person's address has no business in a second file
        self.rejected += 1
        self.reasons[reason] += 1
        self.first_rejected = self.first_rejected or f"line {line}: {value!r}: {reason}"
        if self.rejected_path is not None:
            self._write([line, value, reason])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, cells: list[object]) -> None:
        assert self.rejected_path is not None
        try:
            if self._file is None:
                self.rejected_path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.rejected_path.open("w", encoding="utf-8", newline="")
                csv.writer(self._file, lineterminator="\n").writerow(["line", "value", "reason"])
            csv.writer(self._file, lineterminator="\n").writerow([safe_cell(cell) for cell in cells])
        except OSError as exc:
            raise InputError(f"{self.rejected_path}: cannot write: {exc.strerror}") from exc


@dataclass(frozen=True, slots=True)
class Suppressions:
    """Domains never to be asked for anything: `host in suppressions` also covers their sub-domains."""

    domains: frozenset[str] = frozenset()

    def __contains__(self, host: object) -> bool:
        rest = str(host)
        while rest:
            if rest in self.domains:
                return True
            rest = rest.partition(".")[2]
        return False


def read_suppressions(path: str) -> Suppressions:
    """The suppression list of a file: domains one a line, or any list that `read_targets` reads.

    Raises InputError for a line that is not a domain: a suppression must not be lost silently.
    """
    domains = set()
    for row in read_rows(path):
        try:
            host = parse_host(row.value.strip().removeprefix("*").lstrip("."))
        except NotADomain as exc:
            raise InputError(
                f"{path}:{row.line}: {row.value!r}: {row.problem or exc}; correct or remove the line"
            ) from exc
        domains.add(host.removeprefix("www."))
    return Suppressions(frozenset(domains))


def read_targets(
    path: str,
    *,
    report: TargetReport,
    column: str | None = None,
    allow_private: bool = False,
    suppress: Container[str] = frozenset(),
) -> Iterator[Target]:
    """The targets of a list file, or of standard input for `-`, in the order of its lines.

    One target a registrable domain, the first line that names it; later ones are counted as
    duplicates. A target starts at `https://domain/`, or at the host or port its line named; the path
    is left out, because a site's tools are judged on its home page and the pages linked from there.
    A suppressed domain is handed out with `suppressed` set, so that it still gets its record.

    Memory stays bounded for any length: seen domains are kept in a temporary SQLite file. Raises
    InputError at the call for a file that cannot be used, and after the last line when there was no
    target at all.
    """
    rows = read_rows(path, column=column)
    return _targets(rows, "standard input" if path == "-" else path, report, allow_private, suppress)


def _targets(
    rows: Generator[Row, None, None],
    name: str,
    report: TargetReport,
    allow_private: bool,
    suppress: Container[str],
) -> Iterator[Target]:
    with closing(rows), closing(_Seen()) as seen:
        for row in rows:
            report.lines += 1
            try:
                target = _target(row, allow_private, suppress)
            except NotADomain as exc:
                report.reject(row.line, row.value, str(exc))
                continue
            if not seen.add(target.domain):
                report.duplicates += 1
                continue
            report.targets += 1
            report.suppressed += target.suppressed
            yield target
    if not report.targets:
        raise InputError(_why_no_targets(name, report))


def _target(row: Row, allow_private: bool, suppress: Container[str]) -> Target:
    if row.problem:
        raise NotADomain(row.problem)
    site = parse_site(row.value, allow_private=allow_private)
    return Target(
        domain=site.domain,
        url=site.url,
        line=row.line,
        id=row.id,
        attrs=row.attrs,
        suppressed=site.domain in suppress or site.host in suppress,
    )


def _why_no_targets(name: str, report: TargetReport) -> str:
    if not report.lines:
        return f"{name}: holds no domains; write one a line, or a CSV with a column named domain"
    return f"{name}: none of its {report.lines} lines names a domain; {report.first_rejected}"


class _Seen:
    """A set of domains that lives on disk once it outgrows SQLite's page cache."""

    def __init__(self) -> None:
        # An empty name is a private temporary database that SQLite deletes by itself.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(f"PRAGMA cache_size = -{64 * 1024}")  # KiB
        self._db.execute("CREATE TABLE seen (domain TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def add(self, domain: str) -> bool:
        """Whether the domain is new."""
        return self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (domain,)).rowcount == 1

    def close(self) -> None:
        self._db.close()
