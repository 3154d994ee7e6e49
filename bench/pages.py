"""What `--pages auto` spares on the demo web: python -m bench.pages [--icp FILE]

Crawls it three times: home pages only, all inner pages there is room for, and those that can change the tier.
`auto` must come to the tiers of the full budget.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.render import tiers_in
from cli.demo import crawl_demo
from cli.demo_sites import load_sites
from cli.demo_web import DemoWeb
from crawler.crawl import PAGES
from fingerprints.datafiles import data_file
from icp.model import Tier

Budget = int | Literal["auto"]
BUDGETS: tuple[Budget, ...] = (1, PAGES, "auto")


@dataclass(frozen=True, slots=True)
class Crawled:
    """One crawl of the sites."""

    tiers: Mapping[str, Tier]
    requests: int
    """Of all sites, robots.txt and redirects included."""
    sites: int
    most_of_a_site: int
    sites_spared: int
    """Sites whose inner pages were all left alone."""
    spared: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icp", type=Path, default=data_file("icp/dtc-reviews.yaml"))
    arguments = parser.parse_args()
    crawls = {budget: crawled(budget, arguments.icp) for budget in BUDGETS}
    full = crawls[PAGES].tiers
    print(
        f"{'--pages':<9}{'sites':>6}{'requests':>10}{'a site':>8}{'at most':>9}{'sites spared':>14}"
        f"{'spared':>8}{'tiers unlike full':>19}"
    )
    for budget, done in crawls.items():
        unlike = sum(full[domain] is not tier for domain, tier in done.tiers.items())
        print(
            f"{budget:<9}{done.sites:>6}{done.requests:>10}{done.requests / done.sites:>8.2f}"
            f"{done.most_of_a_site:>9}{done.sites_spared:>14}{done.spared:>8}{unlike:>19}"
        )
    different = {domain: tier for domain, tier in crawls["auto"].tiers.items() if tier is not full[domain]}
    for domain, tier in different.items():
        print(f"{domain}: auto {tier}, full {full[domain]}")
    if different:
        sys.exit("auto does not keep its promise")


def crawled(budget: Budget, icp: Path) -> Crawled:
    """The demo web crawled with one budget, every record scored without facts."""
    sites = load_sites()
    with DemoWeb(sites) as web, tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "demo.db"
        profile = str(icp) if budget == "auto" else ""
        stats = crawl_demo(web, sites, database, Path(folder), quiet=True, pages=budget, icp=profile)
        return Crawled(
            tiers_in(database, icp),
            int(stats["requests/all"]),
            int(stats["requests/sites"]),
            int(stats["requests/most_of_a_site"]),
            int(stats.get("pages/sites_spared", 0)),
            int(stats.get("pages/spared", 0)),
        )


if __name__ == "__main__":
    main()
