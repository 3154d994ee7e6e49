"""`technograph crawl`: a domain list in, one stored record per domain out; stopped and resumed at will."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import click

from cli.crawling import Job, crawl_into
from cli.database import db_option
from cli.rule_sets import rule_set_options
from cli.web_options import allow_private_option, resolve_all_to_option
from crawler.crawl import PAGES, Control, CrawlSettings
from crawler.targets import Suppressions, read_suppressions
from fingerprints.assess import measured_detectability
from fingerprints.model import InputError
from store.database import Store

__all__ = ["Job", "crawl", "crawl_into"]

STOPPED_EARLY = 3


class PagesType(click.ParamType[int | Literal["auto"]]):
    """A number of pages, or the word auto."""

    name = "1-10|auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["auto"]:
        return "auto" if value == "auto" else click.IntRange(1, 10).convert(value, param, ctx)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", metavar="FILE|-")
@db_option
@click.option(
    "--column", help="The column that holds the domain.  [default: domain, website, url or homepage]"
)
@click.option("--suppress", metavar="FILE", help="Domains never to be asked for anything.")
@click.option(
    "--pages",
    default=PAGES,
    show_default=True,
    type=PagesType(),
    help="Pages per site, the home page included; auto: at most 4, only those that can change the tier in --icp.",
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
@rule_set_options
@click.option(
    "--dns/--no-dns", default=True, help="Look up mail, name server and TXT records; on by default."
)
@click.option(
    "--containers/--no-containers", default=True, help="Read the tag containers of pages; on by default."
)
@click.option(
    "--render",
    type=click.Choice(["never", "auto", "always"]),
    default="never",
    show_default=True,
    help="Look again in a browser; auto: where it can change the tier in --icp.",
)
@click.option("--icp", default="", metavar="FILE", help="The customer profile that auto decides by.")
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
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page about the crawl when it ends; `technograph report` makes it later.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
@allow_private_option
@resolve_all_to_option
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
    report: Path | None,
    quiet: bool,
    until: str | None,
    delay: float,
    timeout: float,
    **options: Any,
) -> None:
    """Crawl the domains of a list and store one record for each.

    FILE is a .txt, .csv or .jsonl list, perhaps packed (.gz, .xz); - reads standard input. The same
    command again goes on where the last run stopped. robots.txt is obeyed, and each site gets one
    request at a time.

    \b
    Example:
      technograph crawl prospects.csv --contact https://acme.com/bot
      technograph crawl prospects.csv --until 07:00
    """
    if report:
        check_report_path(report)
    check_auto(**{name: options[name] for name in ("pages", "render", "icp", "rules", "rules_only")})
    job = Job(
        source=source,
        column=column,
        suppress=read_suppressions(suppress) if suppress else Suppressions(),
        rejected_path=rejected or db_path.parent / "rejected.csv",
        limit=limit,
        fresh=fresh,
        quiet=quiet,
        command=shlex.join(["technograph", *sys.argv[1:]]),
        report_path=report,
    )
    settings = CrawlSettings(
        delay_s=delay, target_timeout_s=timeout, log_path=db_path.with_suffix(".workers.log"), **options
    )
    control = Control()
    with stopping_at(until, control), Store.open(db_path) as store:
        if not crawl_into(store, job, settings, control):
            sys.exit(STOPPED_EARLY)


def check_report_path(path: Path) -> None:
    """Raise InputError now for a page that could not be written in the morning."""
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"--report {path}: the folder {path.parent} is not there or cannot be written")


def check_auto(
    pages: int | str, render: str, icp: str, rules: tuple[str, ...] = (), rules_only: bool = False
) -> None:
    """Raise InputError now for what would end every worker: no browser, or a file that cannot be read."""
    measured_detectability()
    if icp and "auto" not in (pages, render):
        raise InputError(
            "--icp decides what --pages auto reads and where --render auto looks; give one of them, or score "
            "afterwards with `score`"
        )
    if pages == "auto" and not icp:
        raise InputError("--pages auto reads what can change the tier in a profile; name it with --icp FILE")
    if render != "never":
        from pipelines.browser import find_chromium

        find_chromium()
    if icp:
        from icp.profile import load_profile
        from pipelines.detect import detector_for

        load_profile(Path(icp), detector_for(rules, only=rules_only).taxonomy)


@contextmanager
def stopping_at(clock: str | None, control: Control) -> Iterator[None]:
    """Stop the crawl when the local clock next shows HH:MM. Raises InputError for anything else."""
    if clock is None:
        yield
        return
    now = datetime.now()  # noqa: DTZ005 - the local clock, which may be set forward or back tonight
    timer = threading.Timer(seconds_until(clock, now), control.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def seconds_until(clock: str, now: datetime) -> float:
    """Seconds from `now` until the clock next shows HH:MM; raises InputError for another form.

    A `now` without a zone is the local clock's, with its summer time.

    >>> seconds_until("07:00", datetime(2026, 11, 22, 23, 0))
    28800.0
    """
    try:
        at = datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - a time of day; the zone is now's
    except ValueError as exc:
        raise InputError(f"--until {clock!r}: expected a time of day as 07:00") from exc
    then = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    then = then if then > now else then + timedelta(days=1)
    return then.timestamp() - now.timestamp()
