"""The log of one crawl: a line a target, and a line for each thing that happened to the crawl as a whole.

Every line is one JSON object of printable ASCII, because the standard library then takes care of what
strangers wrote: no reason or address can begin a line of its own or give a terminal orders. grep and jq
read it (`jq 'select(.outcome == "blocked") | .domain'`), and so does every data frame.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fingerprints.model import DetectionState, Record, TechnographError
from store.crawl_events import Event
from store.current import platform_of

TAIL_BYTES = 64 * 1024
"""Looked through from the end for the last whole line of a target; a line has some 300 bytes."""
REASON_CHARS = 300


class CrawlLogError(TechnographError):
    """Raised when the log cannot be opened or written: the file and what to do."""


def log_path(database: Path, crawl_id: int) -> Path:
    """Where the log of a crawl is: beside its database."""
    return database.with_name(f"{database.stem}.crawl-{crawl_id}.log")


class CrawlLog:
    """Appends to the log; each line is one write, so that a killed crawl leaves whole lines.

    A half line, which only a full disk or a power cut leaves, is cut off when the log is opened again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._cut_half_line()
        except OSError as exc:
            raise CrawlLogError(f"{path}: cannot write the log: {exc.strerror}") from exc

    def last_domain(self) -> str | None:
        """The target of the last line that is a target's; None when there is no such line."""
        sites = (line for line in reversed(self._tail().splitlines()) if b'"event":"site"' in line)
        return next((domain for line in sites if (domain := _domain_in(line))), None)

    def site(self, record: Record) -> None:
        self._write(_site_line(record))

    def event(self, event: Event) -> None:
        self._write({"at": event.at, "event": event.kind, "text": event.text})

    def close(self) -> None:
        os.close(self._fd)

    def _write(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            os.write(self._fd, data)
        except OSError as exc:
            remedy = "free some space and run the same command again"
            raise CrawlLogError(f"{self.path}: cannot write the log: {exc.strerror}; {remedy}") from exc

    def _cut_half_line(self) -> None:
        tail = self._tail()
        half = len(tail) - (tail.rfind(b"\n") + 1)
        if half:
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - half)

    def _tail(self) -> bytes:
        size = os.fstat(self._fd).st_size
        return os.pread(self._fd, TAIL_BYTES, max(size - TAIL_BYTES, 0))


def _site_line(record: Record) -> dict[str, Any]:
    """What the log says of one target; `ms` and `requests` are null when nobody was asked."""
    platform = platform_of(record)
    return {
        "at": record.scanned_at,
        "event": "site",
        "domain": record.domain,
        "outcome": record.outcome.value,
        "reason": (record.detail or record.redirected_to)[:REASON_CHARS],
        "pages": len(record.pages),
        "requests": record.requests,
        "ms": record.took_ms,
        "bytes": sum(page.body_bytes for page in record.pages),
        "platform": platform.slug if platform else "",
        "technologies": sum(d.state is DetectionState.PRESENT for d in record.detections),
    }


def _domain_in(line: bytes) -> str | None:
    try:
        domain = json.loads(line).get("domain")
    except ValueError:  # the tail began in the middle of this line
        return None
    return domain if isinstance(domain, str) else None
