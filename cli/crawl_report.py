"""`technograph report`: the page about one crawl, also while it is running; `crawl --report` writes the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from cli.crawl_page import crawl_page
from cli.database import db_option, open_for_reading
from cli.output import note, open_output
from fingerprints.model import InputError
from store.crawl_report import crawl_report, newest_crawl
from store.database import Store


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("crawl_id", metavar="[CRAWL]", required=False, type=click.IntRange(1))
@db_option
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    help="Write to FILE, or to standard output for -.  [default: crawl-N.html]",
)
def report(crawl_id: int | None, db_path: Path, path: str | None) -> None:
    """Write a page about one crawl: how sites ended and when, how fast, what was slow, what went wrong.

    CRAWL is a number that `technograph runs` shows; the newest one without it, finished or not. The page is
    one HTML file that loads nothing and runs no script.

    \b
    Example:
      technograph report
      technograph report 3 -o night.html
    """
    with open_for_reading(db_path) as store:
        number = crawl_id or newest_crawl(store)
        if number is None:
            raise InputError(f"{db_path}: no crawl yet; `technograph crawl` makes one")
        written = write_report(store, number, path or f"crawl-{number}.html")
    if written != "-":
        note(f"the page about crawl {number} is {written}")


def write_report(store: Store, crawl_id: int, path: str) -> str:
    """Write the page and return where; raises InputError when there is no such crawl or no such folder."""
    counted = crawl_report(store, crawl_id)
    if counted is None:
        raise InputError(f"{store.path}: no crawl {crawl_id}; `technograph runs` lists them")
    page = crawl_page(counted, datetime.now(UTC))
    with open_output(path) as stream:
        stream.write(page)
    return path
