"""Where the records of a crawl go: the database, the log, and the counters that progress shows."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

from cli.output import note
from crawler.crawl import CrawlSettings
from crawler.items import Target
from crawler.outcomes import explain_same_failure
from fingerprints.model import DetectionState, InputError, Outcome, Record
from fingerprints.model.cells import clean
from store.database import Crawl, Store

CHUNK = 500
"""Targets looked up at a time when skipping those that are done."""


class Recorder:
    """The sink of one crawl: each record is on disk before the next one is taken."""

    def __init__(self, store: Store, crawl: Crawl, log: TextIO) -> None:
        self.store = store
        self.crawl = crawl
        self.outcomes: Counter[Outcome] = Counter()
        """Of this run; `store.outcomes` has the whole crawl."""
        self.technologies = 0
        self.began_s = monotonic()
        self._log = log
        self._is_explained = False

    @classmethod
    def begin(
        cls, store: Store, source: str, settings: CrawlSettings, ruleset: str, *, fresh: bool
    ) -> Recorder:
        """Start or resume the crawl of this source. Raises InputError when the log cannot be written."""
        config = {name: str(value) for name, value in asdict(settings).items()}
        crawl = store.begin_crawl(
            source=source if source == "-" else str(Path(source).resolve()),
            settings_hash=settings.fingerprint(),
            ruleset=ruleset,
            tool_version=version("technograph"),
            config=config,
            started_at=_now(),
            fresh=fresh,
        )
        path = store.path.with_suffix(".log")
        try:
            log = path.open("a", encoding="utf-8", buffering=1)
        except OSError as exc:
            raise InputError(f"{path}: cannot write the log: {exc.strerror}") from exc
        return cls(store, crawl, log)

    @property
    def done(self) -> int:
        return sum(self.outcomes.values())

    def save(self, record: Record) -> None:
        """Store one record. Raises StoreError, which ends the crawl: a record must not be lost."""
        self.store.save(self.crawl.id, [record])
        self.outcomes[record.outcome] += 1
        self.technologies += sum(d.state is DetectionState.PRESENT for d in record.detections)
        self._log.write(log_line(record))
        self._explain()

    def finish(self) -> None:
        """Mark the crawl as complete."""
        self.store.finish_crawl(self.crawl.id, _now())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()

    def _explain(self) -> None:
        """Say once, and early, when everything fails in the same way."""
        if self._is_explained:
            return
        reason = explain_same_failure(self.outcomes)
        if reason is not None:
            self._is_explained = True
            note(f"warning: {reason}")


def log_line(record: Record) -> str:
    """One line a domain: when, what, how it ended, how much was found."""
    return (
        f"{record.scanned_at} {record.domain} {record.outcome} pages={len(record.pages)} "
        f"technologies={len(record.detections)} {clean(record.detail)}".rstrip().replace("\n", " ")
        + "\n"
    )


def without_done(store: Store, crawl_id: int, targets: Iterable[Target]) -> Iterator[Target]:
    """The targets that have no record in the crawl yet, a chunk read ahead at a time."""
    stream = iter(targets)
    while chunk := list(itertools.islice(stream, CHUNK)):
        done = store.done(crawl_id, [target.domain for target in chunk])
        yield from (target for target in chunk if target.domain not in done)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
