"""A list into the database: what `crawl` and `demo` share once their options are read."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import note
from cli.progress import Progress
from cli.recording import Recorder, without_done
from cli.summary import crawl_summary
from crawler.crawl import Control, CrawlSettings, crawl
from crawler.domains import NotADomain, parse_site
from crawler.items import SiteItem, Target
from crawler.targets import Suppressions, TargetReport, read_targets
from fingerprints.model import InputError, Record
from store.database import Store

if TYPE_CHECKING:
    from fingerprints.detector import Detector

ANONYMOUS_LIMIT = 1_000
"""Targets a crawl may have before it should name somebody whom a site's owner can ask."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to crawl and how much of it."""

    source: str
    column: str | None = None
    suppress: Suppressions = field(default_factory=Suppressions)
    rejected_path: Path | None = None
    limit: int | None = None
    fresh: bool = False
    quiet: bool = False


def crawl_into(store: Store, job: Job, settings: CrawlSettings, control: Control) -> bool:
    """Crawl the job's targets into the database, with progress and summary; False when stopped early."""
    from fingerprints.detector import Detector

    detector = Detector.load([settings.rules]) if settings.rules else Detector.default()
    store.sync_taxonomy(detector.taxonomy)
    lines = count_lines(job.source)
    with TargetReport(rejected_path=job.rejected_path) as report:
        listed = read_targets(
            job.source,
            report=report,
            column=job.column,
            allow_private=settings.allow_private,
            suppress=job.suppress,
        )
        with Recorder.begin(store, job.source, settings, detector.ruleset, fresh=job.fresh) as recorder:
            if not job.quiet:
                _say_before(recorder, lines, settings)
            targets = _Limited(without_done(store, recorder.crawl.id, listed), job.limit)
            with Progress(recorder, report, lines=lines, quiet=job.quiet), _signals(control, quiet=job.quiet):
                finished = crawl(targets, recorder.save, settings, control=control)
            is_whole = finished and not targets.was_cut
            if is_whole:
                recorder.finish()
    if not job.quiet:
        note(crawl_summary(recorder, report, control.stats, finished=is_whole))
    return finished


def target_of(text: str, *, allow_private: bool = False) -> Target:
    """The site a URL, a host or an e-mail address names. Raises InputError for what names none."""
    try:
        site = parse_site(text, allow_private=allow_private)
    except NotADomain as exc:
        raise InputError(f"{text!r}: {exc}") from exc
    return Target(site.domain, site.url)


def crawl_one(url: str, detector: Detector, settings: CrawlSettings | None = None) -> Record:
    """The record of one site, crawled now and stored nowhere. Raises InputError for what is no site.

    Runs Scrapy in this process, which works once a process.
    """
    from crawler.worker import run
    from pipelines.detect import record_of

    settings = settings or CrawlSettings()
    target = target_of(url, allow_private=settings.allow_private)

    async def feed() -> AsyncIterator[Target]:
        yield target

    items: list[SiteItem] = []
    # Without the detect pipeline the item arrives with its pages, for the detector the caller has chosen.
    pipelines = {"pipelines.dns.DnsPipeline": 40, "pipelines.containers.ContainersPipeline": 50}
    run(settings.scrapy_settings() | {"ITEM_PIPELINES": pipelines}, feed(), items.append)
    return record_of(items[0], detector)


def crawl_within(target: Target, settings: CrawlSettings, limit_s: float) -> Record | None:
    """The record of one target, crawled now in a process of its own; None when it took longer."""
    control, records = Control(), list[Record]()
    timer = threading.Timer(limit_s, control.kill)
    timer.start()
    try:
        crawl([target], records.append, settings, control=control)
    finally:
        timer.cancel()
    return records[0] if records else None


def count_lines(source: str) -> int | None:
    """Lines of a file that hold something, to tell how far a crawl is; None for standard input."""
    if source == "-":
        return None
    try:
        with Path(source).open("rb") as stream:
            return sum(1 for line in stream if line.strip() and not line.startswith(b"#"))
    except OSError:
        return None  # reading the targets says what is wrong


class _Limited:
    """The first `limit` targets; remembers whether there were more."""

    def __init__(self, targets: Iterator[Target], limit: int | None) -> None:
        self._targets = targets
        self._limit = limit
        self.was_cut = False

    def __iter__(self) -> Iterator[Target]:
        yield from itertools.islice(self._targets, self._limit)
        self.was_cut = self._limit is not None and next(self._targets, None) is not None


def _say_before(recorder: Recorder, lines: int | None, settings: CrawlSettings) -> None:
    if (lines or 0) > ANONYMOUS_LIMIT and not settings.contact:
        note("warning: no --contact URL; owners of so many sites should be able to find out who is asking")
    if recorder.crawl.resumed:
        note(f"resuming: {recorder.crawl.done:,} targets are done and will be skipped")


@contextmanager
def _signals(control: Control, *, quiet: bool) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop cleanly; the second one at once."""

    def stop(_: int, __: object) -> None:
        if control.is_stopping:
            control.kill()
            return
        control.stop()
        if not quiet:
            note("stopping: sites under way are finished first; press Ctrl-C again to stop now")

    kept = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
