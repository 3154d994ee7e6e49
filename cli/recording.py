"""Where the records of a crawl go: the database, the log, and the counters that progress shows."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from cli.crawl_log import CrawlLog, log_path
from crawler.crawl import CrawlSettings
from crawler.items import Target
from fingerprints.model import DetectionState, Outcome, Record, TechnographError
from fingerprints.model.times import timestamp_now
from store.crawl_events import WARNING, Event, records_behind, save_events
from store.database import Crawl, Store

CHUNK = 500
"""Targets looked up at a time when skipping those that are done."""


class Recorder:
    """The sink of one crawl: each record is on disk before the next one is taken."""

    def __init__(self, store: Store, crawl: Crawl, log: CrawlLog) -> None:
        self.store = store
        self.crawl = crawl
        self.log = log
        self.outcomes: Counter[Outcome] = Counter()
        """Of this run; `store.outcomes` has the whole crawl."""
        self.technologies = 0
        self.began_s = monotonic()
        self._unsaved: deque[Event] = deque()

    @classmethod
    def begin(
        cls,
        store: Store,
        source: str,
        settings: CrawlSettings,
        ruleset: str,
        *,
        fresh: bool,
        command: str = "",
    ) -> Recorder:
        """Start or resume the crawl of this source. Raises CrawlLogError when its log cannot be written."""
        config = {name: str(value) for name, value in asdict(settings).items()}
        crawl = store.begin_crawl(
            source=source if source == "-" else str(Path(source).resolve()),
            settings_hash=settings.fingerprint(),
            ruleset=ruleset,
            tool_version=version("technograph"),
            config=config,
            started_at=timestamp_now(),
            fresh=fresh,
        )
        recorder = cls(store, crawl, CrawlLog(log_path(store.path, crawl.id)))
        recorder._catch_up()
        recorder.tell("resumed" if crawl.resumed else "started", command)
        return recorder

    @property
    def done(self) -> int:
        return sum(self.outcomes.values())

    def save(self, records: Sequence[Record]) -> None:
        """Store the records. Raises StoreError, which ends the crawl: a record must not be lost."""
        for record in self._stored(records):
            self.outcomes[record.outcome] += 1
            self.technologies += sum(d.state is DetectionState.PRESENT for d in record.detections)
            self.log.site(record)
        self._save_events()

    def _stored(self, records: Sequence[Record]) -> Iterable[Record]:
        """What was stored: the records in one go, or one by one where a bug of ours spoils one of them."""
        try:
            self.store.save(self.crawl.id, records)
        except TechnographError:
            raise
        except Exception as exc:  # noqa: BLE001 - a bug costs one site, not the crawl and every attempt to resume it
            if len(records) > 1:
                return [stored for record in records for stored in self._stored([record])]
            failed = _unstorable(records[0], exc)
            self.store.save(self.crawl.id, [failed])
            return [failed]
        return records

    def tell(self, kind: str, text: str) -> None:
        """Keep something that happened to the crawl as a whole, in the log and in the database."""
        self.warn(text, kind)
        self._save_events()

    def warn(self, text: str, kind: str = WARNING) -> None:
        """The same from another thread: the log has it now, the database with the next record."""
        event = Event(timestamp_now(), kind, text)
        self.log.event(event)
        self._unsaved.append(event)

    def finish(self) -> None:
        """Mark the crawl as complete."""
        self.tell("finished", self._count())
        self.store.finish_crawl(self.crawl.id, timestamp_now())

    def stop(self) -> None:
        """Say that this run of the crawl ends before its list does."""
        self.tell("stopped", self._count())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            with suppress(TechnographError):  # what could not store a record may be unable to say so
                self.tell("stopped", str(error) or type(error).__name__)
        self.log.close()

    def _count(self) -> str:
        return f"{self.crawl.done + self.done:,} targets have a record"

    def _catch_up(self) -> None:
        """Give the log the lines it lacks: a killed crawl may have stored a record and not said so yet."""
        if self.crawl.done:
            for record in records_behind(self.store, self.crawl.id, self.log.last_domain()):
                self.log.site(record)

    def _save_events(self) -> None:
        if self._unsaved:
            events = [self._unsaved.popleft() for _ in range(len(self._unsaved))]
            save_events(self.store, self.crawl.id, events)


def without_done(store: Store, crawl: Crawl, targets: Iterable[Target]) -> Iterator[Target]:
    """The targets that have no record in the crawl yet, a chunk read ahead at a time.

    Looked up in a connection of its own, since records are being stored in the other meanwhile.
    """
    if not crawl.done:
        yield from targets
        return
    stream = iter(targets)
    with Store.open(store.path, readonly=True) as reader:
        while chunk := list(itertools.islice(stream, CHUNK)):
            done = reader.done(crawl.id, [target.domain for target in chunk])
            yield from (target for target in chunk if target.domain not in done)


def _unstorable(record: Record, error: Exception) -> Record:
    return Record(
        domain=record.domain,
        outcome=Outcome.INTERNAL_ERROR,
        detail=f"its record cannot be stored: {type(error).__name__}: {error}",
        id=record.id,
        url=record.url,
        scanned_at=record.scanned_at,
    )
