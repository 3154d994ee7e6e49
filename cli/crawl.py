"""`technograph crawl`: a domain list in, one stored record per domain out; stopped and resumed at will."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.database import db_option
from cli.output import note
from cli.progress import Progress
from cli.recording import Recorder, without_done
from cli.summary import crawl_summary
from crawler.crawl import Control, CrawlSettings
from crawler.crawl import crawl as run_crawl
from crawler.domains import NotADomain, parse_site
from crawler.items import SiteItem, Target
from crawler.targets import Suppressions, TargetReport, read_suppressions, read_targets
from fingerprints.model import InputError, Record
from store.database import Store

if TYPE_CHECKING:
    from fingerprints.detector import Detector

STOPPED_EARLY = 3
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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", metavar="FILE|-")
@db_option
@click.option(
    "--column", help="The column that holds the domain.  [default: domain, website, url or homepage]"
)
@click.option("--suppress", metavar="FILE", help="Domains never to be asked for anything.")
@click.option(
    "--pages",
    default=4,
    show_default=True,
    type=click.IntRange(1, 10),
    help="Pages per site, the home page included.",
)
@click.option(
    "--workers", default=0, type=click.IntRange(0, 256), help="Crawling processes.  [default: one a core]"
)
@click.option(
    "--concurrency",
    default=256,
    show_default=True,
    type=click.IntRange(1, 5000),
    help="Sites open at once in each process.",
)
@click.option(
    "--delay",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="S",
    help="Seconds between the pages of one site.",
)
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(1),
    metavar="S",
    help="Seconds for one site in all.",
)
@click.option(
    "--contact",
    default="",
    metavar="URL",
    envvar="TECHNOGRAPH_CONTACT",
    help="Who is asking, for the User-Agent.",
)
@click.option("--user-agent", default="", metavar="NAME", help="A name instead of technograph's.")
@click.option("--rules", default="", metavar="DIR", help="Rules to use beside ours.")
@click.option(
    "--fresh", is_flag=True, help="Start anew although an unfinished crawl of this list could go on."
)
@click.option(
    "--rejected",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where lines that are no domain are listed.  [default: rejected.csv beside the database]",
)
@click.option("--until", metavar="HH:MM", help="Stop at this local time; the same command goes on later.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Crawl at most N more targets.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
@click.option("--allow-private", is_flag=True, hidden=True, help="Also connect to private addresses.")
@click.option("--resolve-all-to", default="", hidden=True, help="A web of our own instead of the internet.")
@click.option(
    "--name-server",
    "name_servers",
    multiple=True,
    metavar="IP",
    help="Ask this DNS server instead of the system's.",
)
def crawl(
    source: str,
    db_path: Path,
    column: str | None,
    suppress: str | None,
    rejected: Path | None,
    limit: int | None,
    fresh: bool,
    quiet: bool,
    until: str | None,
    delay: float,
    timeout: float,
    **options: Any,
) -> None:
    """Crawl the domains of a list and store one record for each.

    FILE is a .txt, .csv or .jsonl list; - reads standard input. The same command again goes on where
    the last run stopped. robots.txt is obeyed, and each site gets one request at a time.

    \b
    Example:
      technograph crawl prospects.csv --contact https://acme.com/bot
      technograph crawl prospects.csv --until 07:00
    """
    job = Job(
        source=source,
        column=column,
        suppress=read_suppressions(suppress) if suppress else Suppressions(),
        rejected_path=rejected or db_path.parent / "rejected.csv",
        limit=limit,
        fresh=fresh,
        quiet=quiet,
    )
    settings = CrawlSettings(
        delay_s=delay, target_timeout_s=timeout, log_path=db_path.with_suffix(".workers.log"), **options
    )
    control = Control()
    with stopping_at(until, control), Store.open(db_path) as store:
        if not crawl_into(store, job, settings, control):
            sys.exit(STOPPED_EARLY)


def crawl_into(store: Store, job: Job, settings: CrawlSettings, control: Control) -> bool:
    """Crawl the job's targets into the database, with progress and summary; False when stopped early."""
    from fingerprints.detector import Detector

    detector = Detector.load([settings.rules]) if settings.rules else Detector.default()
    store.sync_taxonomy(detector.taxonomy)
    with TargetReport(rejected_path=job.rejected_path) as report:
        allow_private = settings.allow_private
        targets = read_targets(
            job.source, report=report, column=job.column, allow_private=allow_private, suppress=job.suppress
        )
        total = count_lines(job.source)
        if (total or 0) > ANONYMOUS_LIMIT and not settings.contact:
            note(
                "warning: no --contact URL; owners of so many sites should be able to find out who is asking"
            )
        recorder = Recorder.begin(store, job.source, settings, detector.ruleset, fresh=job.fresh)
        if recorder.crawl.resumed and not job.quiet:
            note(f"resuming: {recorder.crawl.done:,} targets are done and will be skipped")
        todo = without_done(store, recorder.crawl.id, targets)
        cut = _Limited(todo, job.limit)
        with Progress(recorder, total=total, quiet=job.quiet), _signals(control, quiet=job.quiet):
            finished = run_crawl(cut, recorder.save, settings, control=control)
        if finished and not cut.was_cut:
            recorder.finish()
    if not job.quiet:
        note(crawl_summary(recorder, report, finished=finished and not cut.was_cut))
    return finished


def crawl_one(url: str, detector: Detector) -> Record:
    """The record of one site, crawled now and stored nowhere. Raises InputError for what is no site.

    Runs Scrapy in this process, which works once a process.
    """
    from crawler.worker import run
    from pipelines.detect import record_of

    try:
        site = parse_site(url)
    except NotADomain as exc:
        raise InputError(f"{url!r}: {exc}") from exc

    async def feed() -> AsyncIterator[Target]:
        yield Target(site.domain, site.url)

    items: list[SiteItem] = []
    # Without pipelines the item arrives with its pages, for the detector the caller has chosen.
    run(CrawlSettings().scrapy_settings() | {"ITEM_PIPELINES": {}}, feed(), items.append)
    return record_of(items[0], detector)


class _Limited:
    """The first `limit` targets; remembers whether there were more."""

    def __init__(self, targets: Iterator[Target], limit: int | None) -> None:
        self._targets = targets
        self._limit = limit
        self.was_cut = False

    def __iter__(self) -> Iterator[Target]:
        if self._limit is None:
            yield from self._targets
            return
        yield from itertools.islice(self._targets, self._limit)
        self.was_cut = next(self._targets, None) is not None


def count_lines(source: str) -> int | None:
    """Lines of a file, for the estimate of how long it takes; None for standard input."""
    if source == "-":
        return None
    try:
        with Path(source).open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
    except OSError:
        return None


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


@contextmanager
def stopping_at(clock: str | None, control: Control) -> Iterator[None]:
    """Stop the crawl when the local clock next shows HH:MM. Raises InputError for anything else."""
    if clock is None:
        yield
        return
    timer = threading.Timer(seconds_until(clock, datetime.now(UTC).astimezone()), control.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def seconds_until(clock: str, now: datetime) -> float:
    """Seconds from `now` until the clock next shows HH:MM; raises InputError for another form.

    >>> seconds_until("07:00", datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    28800.0
    """
    try:
        at = datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - a time of day; the zone is now's
    except ValueError as exc:
        raise InputError(f"--until {clock!r}: expected a time of day as 07:00") from exc
    then = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return ((then if then > now else then + timedelta(days=1)) - now).total_seconds()
