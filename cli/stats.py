"""`technograph stats` and `runs`: counts over the stored sites, and the crawls they come from."""

from __future__ import annotations

from pathlib import Path

import click

from cli.database import db_option, freshness_now, include_stale_option, known_category, open_for_reading
from cli.output import Output, note, output_options, write_rows
from store.queries import category_usage, crawls, technology_usage

_HELP = {"help_option_names": ["-h", "--help"]}

CATEGORY_COLUMNS = ("category", "label", "present", "absent", "unknown", "present_pct")
TECHNOLOGY_COLUMNS = ("technology", "name", "sites", "usage_pct", "share_pct", "assessed")
CRAWL_COLUMNS = (
    "crawl", "started_at", "finished_at", "source", "records", "read", "ruleset", "tool_version", "outcomes",
)  # fmt: skip


@click.command(context_settings=_HELP)
@click.argument("category", required=False)
@db_option
@click.option("--by", type=click.Choice(["platform"]), help="Count apart for each platform.")
@include_stale_option
@output_options
def stats(category: str | None, db_path: Path, by: str | None, include_stale: bool, output: Output) -> None:
    """How many sites have something of each category, or use each technology of one CATEGORY.

    Shares are of the sites where the category is known to be present or absent; sites where nobody
    knows are left out, never counted as lacking. usage_pct is of those sites, share_pct of the ones
    that have something of the category. An empty platform means that it is not known.

    \b
    Example:
      technograph stats
      technograph stats reviews --by platform
    """
    if by and not category:
        raise click.UsageError(
            "--by platform needs a category, as in: technograph stats reviews --by platform"
        )
    with open_for_reading(db_path) as store:
        freshness = freshness_now(include_stale)
        if category is None:
            write_rows(category_usage(store, freshness), CATEGORY_COLUMNS, output)
            return
        slug = known_category(store, category)
        rows = technology_usage(store, slug, freshness, by_platform=by == "platform")
        columns = ("platform", *TECHNOLOGY_COLUMNS) if by else TECHNOLOGY_COLUMNS
        if not write_rows(rows, columns, output):
            note(f"{slug}: no site in {store.path} is known to use anything of it")


@click.command(context_settings=_HELP)
@db_option
@output_options
def runs(db_path: Path, output: Output) -> None:
    """The crawls in the database, the newest first; one that is not finished goes on when run again.

    `technograph report CRAWL` writes a page about one of them.

    \b
    Example:
      technograph runs
    """
    with open_for_reading(db_path) as store:
        if not write_rows(crawls(store), CRAWL_COLUMNS, output):
            note(f"{store.path}: no crawl yet")
