"""A list into the database: what `crawl` and `demo` share once their options are read."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cli.lookout import Lookout
from cli.output import note
from cli.patience import Patience
from cli.progress import Progress
from cli.recording import Recorder, without_done
from cli.rule_sets import load_rules
from cli.sites import site_named
from cli.summary import crawl_summary
from crawler.crawl import Control, CrawlSettings, crawl
from crawler.garbage import spare_what_is_loaded
from crawler.items import SiteItem, Target
from crawler.targets import Suppressions, TargetReport, read_targets
from fingerprints.model import Record
from store.database import Store
from store.locking import crawl_lock

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
    command: str = ""
    """As it was typed; kept with the crawl."""
    report_path: Path | None = None
    """Where the page about the crawl goes when it ends."""


def crawl_into(store: Store, job: Job, settings: CrawlSettings, control: Control) -> bool:
    """Crawl the job's targets into the database, with progress and summary; False when stopped early."""
    detector = load_rules(settings.rules, only=settings.rules_only)
    store.sync_taxonomy(detector.taxonomy)
    lines = count_lines(job.source)
    with crawl_lock(store.path), TargetReport(rejected_path=job.rejected_path) as report:
        listed = read_targets(
            job.source,
            report=report,
            column=job.column,
            allow_private=settings.allow_private,
            suppress=job.suppress,
        )
        with Recorder.begin(
            store, job.source, settings, detector.ruleset, fresh=job.fresh, command=job.command
        ) as recorder:
            if not job.quiet:
                _say_before(recorder, lines, settings)
            targets = _Limited(without_done(store, recorder.crawl, listed), job.limit)
            progress = Progress(recorder, report, lines=lines, quiet=job.quiet)
            lookout = _lookout(recorder, progress, targets)
            store.wait_on = Patience(store.path, partial(_warn, recorder), control)

            def sink(records: Sequence[Record]) -> None:
                recorder.save(records)
                lookout.saw(records)

            spare_what_is_loaded()
            with progress, lookout, _signals(control, quiet=job.quiet):
                finished = crawl(targets, sink, settings, control=control)
            is_whole = finished and not targets.was_cut
            if is_whole:
                recorder.finish()
            else:
                recorder.stop()
    if job.report_path:
        from cli.crawl_report import write_report

        write_report(store, recorder.crawl.id, str(job.report_path))
    if not job.quiet:
        note(crawl_summary(recorder, report, control.stats, finished=is_whole, page=job.report_path))
    return finished


def target_of(text: str, *, allow_private: bool = False) -> Target:
    """The site a URL, a host or an e-mail address names. Raises InputError for what names none."""
    site = site_named(text, allow_private=allow_private)
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
    run(
        settings.scrapy_settings() | {"ITEM_PIPELINES": pipelines}, feed(), lambda item, _: items.append(item)
    )
    return record_of(items[0], detector)


def crawl_within(target: Target, settings: CrawlSettings, limit_s: float) -> Record | None:
    """The record of one target, crawled now in a process of its own; None when it took longer."""
    control, records = Control(), list[Record]()
    timer = threading.Timer(limit_s, control.kill)
    timer.start()
    try:
        crawl([target], records.extend, settings, control=control)
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
    """The first `limit` targets; remembers whether all were taken, and whether there were more."""

    def __init__(self, targets: Iterator[Target], limit: int | None) -> None:
        self._targets = targets
        self._limit = limit
        self.is_read = False
        self.was_cut = False

    def __iter__(self) -> Iterator[Target]:
        yield from itertools.islice(self._targets, self._limit)
        self.is_read = True
        self.was_cut = self._limit is not None and next(self._targets, None) is not None


def _lookout(recorder: Recorder, progress: Progress, targets: _Limited) -> Lookout:
    """Looks out for trouble; the list's end is no trouble."""
    folder = recorder.store.path.absolute().parent
    tell = partial(_warn, recorder)
    return Lookout(folder, tell, left=progress.left, is_ending=lambda: targets.is_read)


def _warn(recorder: Recorder, text: str) -> None:
    """Tell the person, the log and the database; from any thread."""
    note(f"warning: {text}")
    recorder.warn(text)


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
