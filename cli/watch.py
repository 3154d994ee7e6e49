"""`technograph watch`: saved queries, and what changed in their answers since they were last told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.database import ask, db_option, icp_name_option, open_for_reading
from cli.output import Output, note, output_options, write_rows
from fingerprints.model import InputError
from fingerprints.model.times import timestamp_now
from store.database import Store
from store.queries import Question
from store.watches import (
    Change,
    Standing,
    Watch,
    add_watch,
    remember,
    remove_watch,
    standings,
    watch_named,
    watches,
)

_HELP = {"help_option_names": ["-h", "--help"]}

LIST_COLUMNS = ("name", "query", "icp", "sites", "told_at", "added_at")
CHANGE_COLUMNS = (
    "watch", "change", "domain", "tier_before", "tier", "score", "platform", "outcome", "scanned_at",
)  # fmt: skip


@click.group(context_settings=_HELP)
def watch() -> None:
    """Save a query, and later list only what changed in its answer.

    \b
    Example:
      technograph watch add review-gap 'tech:shopify AND lacks:reviews' --icp dtc-reviews
      technograph crawl prospects.csv && technograph score icp.yaml -o scores.csv
      technograph watch run >> alerts.jsonl
    """


@watch.command(context_settings=_HELP)
@click.argument("name")
@click.argument("query", nargs=-1, required=True)
@db_option
@icp_name_option
def add(name: str, query: tuple[str, ...], db_path: Path, icp_name: str) -> None:
    """Save a QUERY under a NAME, with its present answer.

    `technograph find --help` has the terms. The sites that match now are taken as told; `watch run`
    lists what changes from here on.

    \b
    Example:
      technograph watch add review-gap 'tech:shopify AND lacks:reviews' --icp dtc-reviews
    """
    text = " ".join(query)
    with Store.open(db_path, create=False) as store:
        count = add_watch(store, name, text, ask(store, text, icp=icp_name), timestamp_now())
    note(f"{name}: {count:,} sites match now; `technograph watch run {name}` lists later changes")


@watch.command(name="list", context_settings=_HELP)
@db_option
@output_options
def list_(db_path: Path, output: Output) -> None:
    """The saved queries, and how many sites each has told of.

    \b
    Example:
      technograph watch list
    """
    with open_for_reading(db_path) as store:
        rows = [{column: getattr(saved, column) for column in LIST_COLUMNS} for saved in watches(store)]
    write_rows(rows, LIST_COLUMNS, output)


@watch.command(context_settings=_HELP)
@click.argument("names", nargs=-1)
@db_option
@click.option("--peek", is_flag=True, help="Do not take the changes as told: list them again next time.")
@output_options
def run(names: tuple[str, ...], db_path: Path, peek: bool, output: Output) -> None:
    """List what changed since it was last told.

    Without NAMES all saved queries are run.

    \b
    Changes:
      new           matches now, and did not
      dropped       is known not to match any more
      tier_changed  matches as before, in another tier of the watch's ICP

    A site nobody knows about now (a failed scan, a finding too old to count, tier U) stays as it was
    last told. Run `technograph score` first, or tiers are those of the last time.

    \b
    Example:
      technograph watch run >> alerts.jsonl
      technograph watch run review-gap --format csv -o monday.csv
    """
    with Store.open(db_path, create=False) as store:
        found = [_looked_at(store, saved) for saved in _chosen(store, names)]
        write_rows(_rows(found), CHANGE_COLUMNS, output)
        for saved, question, sites in found:
            note(_summary(saved, sites))
            if not peek:
                remember(store, saved, question, sites, timestamp_now())


@watch.command(context_settings=_HELP)
@click.argument("name")
@db_option
def remove(name: str, db_path: Path) -> None:
    """Forget a saved query.

    \b
    Example:
      technograph watch remove review-gap
    """
    with Store.open(db_path, create=False) as store:
        remove_watch(store, name)
    note(f"{name}: removed")


_Look = tuple[Watch, Question, list[Standing]]


def _chosen(store: Store, names: tuple[str, ...]) -> list[Watch]:
    chosen = [watch_named(store, name) for name in dict.fromkeys(names)] if names else watches(store)
    if not chosen:
        raise InputError("nothing is watched yet; add a query: technograph watch add NAME QUERY")
    return chosen


def _looked_at(store: Store, saved: Watch) -> _Look:
    try:
        question = ask(store, saved.query, icp=saved.icp)
    except InputError as exc:  # a technology was renamed or dropped since
        raise InputError(f"watch {saved.name!r}: {exc}") from exc
    return saved, question, list(standings(store, saved, question))


def _rows(found: list[_Look]) -> Iterator[dict[str, Any]]:
    for saved, _, sites in found:
        for site in sites:
            if site.change is not None:
                yield {
                    "watch": saved.name,
                    "change": site.change.value,
                    "domain": site.domain,
                    "tier_before": site.tier_before or None,
                    "tier": site.tier or None,
                    "score": site.score,
                    "platform": site.platform or None,
                    "outcome": site.outcome,
                    "scanned_at": site.scanned_at,
                }


def _summary(saved: Watch, sites: list[Standing]) -> str:
    """As `gap: 3 new, 1 dropped, 2 changed tier since 2026-11-01; 1,204 listed, 12 of them unknown now`."""
    counts = Counter(site.change for site in sites)
    listed = [site for site in sites if site.is_kept]
    unknown = sum(site.match == "unknown" for site in listed)
    return (
        f"{saved.name}: {counts[Change.NEW]:,} new, {counts[Change.DROPPED]:,} dropped, "
        f"{counts[Change.TIER_CHANGED]:,} changed tier since {saved.told_at[:10]}; "
        f"{len(listed):,} listed" + (f", {unknown:,} of them unknown now" if unknown else "")
    )
