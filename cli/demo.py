"""`technograph demo`: the whole path, from a list to scores, on a small web served on this machine."""

from __future__ import annotations

import contextlib
import csv
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

from cli.demo_sites import DemoSite, load_sites
from cli.demo_web import ADDRESS, DemoWeb
from cli.output import note
from crawler.crawl import PAGES, Control, CrawlSettings
from fingerprints.datafiles import data_file
from store.database import Store

ICP = "icp/dtc-reviews.yaml"

TOUR = (
    ("Shops without a reviews app, looked for on their home and product pages:",
     ["find", "tech:shopify AND lacks:reviews", "--format", "table"]),
    ("Shops of which nobody can say so; they are not called missing:",
     ["find", "tech:shopify AND unknown:reviews", "--format", "table"]),
    ("Why not, for one of them:",
     ["explain", "drift-and-tide.example", "reviews"]),
    ("All shops against an ideal customer profile; tiers A and B:",
     ["score", "ICP", "--tier", "A,B", "--format", "table"]),
    ("Why the best one is the best:",
     ["explain", "copper-kettle.example", "--icp", "ICP"]),
)  # fmt: skip
"""What a newcomer is shown after the crawl: a sentence, and the command as one would type it."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--db",
    "db_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the records in this database.  [default: a temporary one]",
)
@click.option("--keep", is_flag=True, help="Keep the temporary folder with the database and the list.")
@click.option("--serve-only", is_flag=True, help="Only serve the sites, and print their names, until Ctrl-C.")
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), help="Serve on this port.  [default: a free one]"
)
def demo(db_path: Path | None, keep: bool, serve_only: bool, port: int) -> None:
    """Crawl, query and score a small web served on this machine; no internet is needed.

    Some sixty fictional sites: shops and software companies with the tags of real vendors, and every
    way a site can fail to be read. The crawl is the real one; only the resolver is pointed here.

    \b
    Example:
      technograph demo
      technograph demo --db demo.db && technograph show copper-kettle.example --db demo.db
      technograph demo --serve-only --port 8080
    """
    sites = load_sites()
    with DemoWeb(sites, port) as web:
        if serve_only:
            _serve(web, sites)
            return
        count = len(targets_of(sites))
        note(f"The demo web: {count} fictional sites at {ADDRESS}:{web.port}; nothing leaves this machine.\n")
        with _folder(db_path, keep) as folder:
            database = db_path or folder / "demo.db"
            crawl_demo(web, sites, database, folder)
            for sentence, command in TOUR:
                _show(sentence, command, database, is_kept=bool(keep or db_path))
            if keep:
                note(f"\nAll of it is kept in {folder}.")
            elif not db_path:
                note("\nThis database was a temporary one; `technograph demo --db demo.db` keeps it.")


def targets_of(sites: Sequence[DemoSite]) -> list[DemoSite]:
    return [site for site in sites if site.is_target]


def crawl_demo(
    web: DemoWeb,
    sites: Sequence[DemoSite],
    database: Path,
    folder: Path,
    *,
    quiet: bool = False,
    pages: int | Literal["auto"] = PAGES,
    render: str = "never",
    icp: str = "",
) -> Mapping[str, float]:
    """Crawl the served sites into the database; `folder` gets the list of targets. Returns the counters."""
    from cli.crawl import Job, crawl_into

    source = folder / "demo-web.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "domain"])
        writer.writerows([site.name, site.host] for site in targets_of(sites))
    settings = CrawlSettings(
        workers=1,
        delay_s=0.0,  # every site is ours
        target_timeout_s=20.0,
        page_timeout_s=3.0,
        allow_private=True,
        resolve_all_to=f"http={ADDRESS}:{web.port}",
        log_path=database.with_suffix(".workers.log"),
        pages=pages,
        render=render,
        icp=icp,
    )
    job = Job(source=str(source), rejected_path=folder / "rejected.csv", fresh=True, quiet=quiet)
    control = Control()
    with Store.open(database) as store:
        crawl_into(store, job, settings, control)
    return control.stats


def _serve(web: DemoWeb, sites: Sequence[DemoSite]) -> None:
    for site in targets_of(sites):
        click.echo(site.host)
    with contextlib.suppress(KeyboardInterrupt):
        note(f"serving at {ADDRESS}:{web.port} until Ctrl-C; to crawl the names printed above:")
        note(f"  technograph crawl FILE --allow-private --resolve-all-to http={ADDRESS}:{web.port}")
        web.wait()


def _show(sentence: str, command: Sequence[str], database: Path, *, is_kept: bool) -> None:
    """Run one command of the tour as if it had been typed."""
    from cli.main import technograph

    icp = os.path.relpath(data_file(ICP))
    typed = [icp if word == "ICP" else word for word in command]
    named = ["--db", str(database)]
    note(f"\n{sentence}\n$ technograph {shlex.join([*typed, *named] if is_kept else typed)}")
    technograph.main(args=[*typed, *named], prog_name="technograph", standalone_mode=False)


@contextmanager
def _folder(db_path: Path | None, keep: bool) -> Iterator[Path]:
    """Where the demo may write: beside nothing of the user's, and removed unless it is to be kept."""
    if keep:
        yield Path(tempfile.mkdtemp(prefix="technograph-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="technograph-demo-") as folder:
        yield Path(folder)
