"""What happened to a crawl as a whole: its starts, its ends, and the warnings it gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fingerprints.model import Record
from store.database import BATCH, Store

STARTS = ("started", "resumed")
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Event:
    at: str
    """UTC, ISO 8601 with Z."""
    kind: str
    """`started`, `resumed`, `stopped`, `finished` or `warning`."""
    text: str
    """The command for a start, one sentence for the others; may hold what strangers wrote."""


def save_events(store: Store, crawl_id: int, events: Sequence[Event]) -> None:
    with store.writing() as connection:
        rows = [(crawl_id, event.at, event.kind, event.text) for event in events]
        connection.executemany(_INSERT, rows)


def load_events(store: Store, crawl_id: int, limit: int) -> list[Event]:
    """The crawl's first and newest events, at most `limit`, in the order they happened."""
    return [Event(row["at"], row["event"], row["text"]) for row in store.ask(_EVENTS, (crawl_id, limit))]


def records_behind(store: Store, crawl_id: int, domain: str | None) -> Iterator[Record]:
    """The crawl's records stored after the domain's, in that order; all of them for None.

    None at all when the domain has no record in the crawl.
    """
    if domain is None:
        found = store.ask(_RECORDS, (crawl_id, 0))
    else:
        found = store.ask(_RECORDS_BEHIND, (crawl_id, crawl_id, domain))
    ids = [row["id"] for row in found]
    for start in range(0, len(ids), BATCH):
        yield from store.load(ids[start : start + BATCH])


_INSERT = "INSERT INTO crawl_event (crawl_id, at, event, text) VALUES (?, ?, ?, ?)"
_EVENTS = """
SELECT at, event, text FROM (SELECT * FROM crawl_event WHERE crawl_id = ? ORDER BY id DESC LIMIT ?) ORDER BY id
"""
_RECORDS = "SELECT id FROM record WHERE crawl_id = ? AND id > ? ORDER BY id"
_RECORDS_BEHIND = """
SELECT id FROM record WHERE crawl_id = ? AND id > (
    SELECT record.id FROM site JOIN record ON record.site_id = site.id AND record.crawl_id = ?
    WHERE site.domain = ?
) ORDER BY id
"""
