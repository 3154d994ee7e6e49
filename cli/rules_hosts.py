"""`technograph rules unknown-hosts`: where the next rules come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.database import db_option, open_for_reading
from cli.jsonl import read_lines
from cli.output import Output, note, output_options, write_rows
from cli.pages import PageFormatError, from_json_line, observe_given
from fingerprints.hosts import host_of
from fingerprints.loaded import LOADING_KINDS
from fingerprints.model import InputError, Observation, Party, ResourceKind
from store.hosts import common_hosts, recognised_urls
from store.queries import crawls

if TYPE_CHECKING:
    from fingerprints.detector import Detector
    from store.database import Store

SEEN_ON = 3
"""Domains a host must be seen on to be worth a rule."""
SCRIPTS = frozenset({ResourceKind.SCRIPT})


@dataclass(frozen=True, slots=True)
class _Seen:
    """The third-party hosts of many sites."""

    common: list[dict[str, Any]]
    """`host`, `domains` and `example` of those seen on SEEN_ON or more domains."""
    recognised: set[str]
    """Hosts that some signal other than a host signal fired on."""


@click.command("unknown-hosts")
@click.argument("source", metavar="[FILE|-|CRAWL]", required=False)
@click.option("--all-kinds", is_flag=True, help="Whatever a page loads, not only scripts.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Hosts to list.")
@db_option
@output_options
def unknown_hosts(source: str | None, all_kinds: bool, limit: int, db_path: Path, output: Output) -> None:
    """Third-party hosts on many sites that no rule claims.

    They are where the next rules come from.

    CRAWL is a number that `technograph runs` lists; without it the newest crawl of the database. FILE holds
    one page a line, as for `technograph detect --jsonl`; it may be packed (.gz, .xz). The example is a site
    of the crawl, or a URL of the file.

    \b
    Example:
      technograph rules unknown-hosts
      technograph rules unknown-hosts pages.jsonl
    """
    from fingerprints.detector import Detector

    kinds = frozenset(LOADING_KINDS) if all_kinds else SCRIPTS
    detector = Detector.default()
    if source is not None and (source == "-" or not source.isdigit() or Path(source).exists()):
        seen = _of_pages(source, kinds, detector)
    else:
        with open_for_reading(db_path) as store:
            seen = _of_crawl(store, _crawl_id(store, source), kinds)
    unknown = [row for row in seen.common if not _is_claimed(row["host"], seen, detector)]
    claimed = len(seen.common) - len(unknown)
    share = f" ({claimed / len(seen.common):.1%})" if seen.common else ""
    note(f"{len(seen.common)} third-party hosts on {SEEN_ON} or more domains; a rule claims {claimed}{share}")
    write_rows(unknown[:limit], ["host", "domains", "example"], output)


def _is_claimed(host: str, seen: _Seen, detector: Detector) -> bool:
    return host in seen.recognised or bool(detector.plan.hosts.signals_of(host))


def _crawl_id(store: Store, number: str | None) -> int:
    """The crawl of this number, or the newest. Raises InputError when there is none."""
    known = [row["crawl"] for row in crawls(store)]
    if number is None and known:
        return int(known[0])
    if number is None or int(number) not in known:
        what = "no crawl yet" if number is None else f"no crawl {number}; `technograph runs` lists them"
        raise InputError(f"{store.path}: {what}")
    return int(number)


def _of_crawl(store: Store, crawl_id: int, kinds: frozenset[ResourceKind]) -> _Seen:
    common = common_hosts(store, crawl_id, kinds, at_least=SEEN_ON)
    # An excerpt may begin inside `https`; one that begins inside the host is of no use here.
    return _Seen(common, {host_of(url) for url in recognised_urls(store, crawl_id)})


def _of_pages(path: str, kinds: frozenset[ResourceKind], detector: Detector) -> _Seen:
    domains: dict[str, set[str]] = defaultdict(set)
    recognised: set[str] = set()
    examples: dict[str, str] = {}
    for domain, observation in _observations(path):
        places = (item.place for item in detector.match([observation]).evidence)
        recognised |= {host_of(place.removeprefix("url:")) for place in places if place.startswith("url:")}
        for resource in observation.resources:
            if resource.kind in kinds and resource.party is Party.THIRD:
                domains[resource.host].add(domain)
                examples.setdefault(resource.host, resource.url)
    common = [
        {"host": host, "domains": len(seen), "example": examples[host]}
        for host, seen in sorted(domains.items(), key=lambda item: (-len(item[1]), item[0]))
        if len(seen) >= SEEN_ON
    ]
    return _Seen(common, recognised)


def _observations(path: str) -> Iterator[tuple[str, Observation]]:
    """Domain and observation of each page; lines that hold no page are named and left out."""
    for number, line in read_lines(path):
        try:
            page = from_json_line(line, number)
        except PageFormatError as exc:
            note(f"technograph: {path}: {exc}")
            continue
        yield page.domain, observe_given(page)[0]
