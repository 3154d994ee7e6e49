"""What a browser is worth on the demo web: python -m bench.render [--icp FILE]

Crawls it three times, with --render never, auto and always, and compares the tiers of all sites and what the
browser cost. `auto` must come to the tiers of `always` with the browser on at most a third of the sites.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from cli.demo import crawl_demo, targets_of
from cli.demo_sites import DemoSite, load_sites
from cli.demo_web import DemoWeb
from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from icp.criteria import supplied_layers
from icp.model import Tier
from icp.profile import load_profile
from icp.score import score_record
from store.database import Store

MODES = ("never", "auto", "always")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One crawl of the sites."""

    tiers: Mapping[str, Tier]
    rendered: int
    """Sites the browser looked at."""
    browser_s: float
    took_s: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--icp", type=Path, default=data_file("icp/dtc-reviews.yaml"))
    arguments = parser.parse_args()
    sites = load_sites()
    outcomes = {mode: crawled(mode, sites, arguments.icp) for mode in MODES}
    count = len(targets_of(sites))
    always = outcomes["always"].tiers
    print(
        f"{'--render':<10}{'browser on':>12}{'sites':>7}{'browser s':>11}{'took s':>8}{'tiers unlike always':>21}"
    )
    for mode, outcome in outcomes.items():
        unlike = sum(always[domain] is not tier for domain, tier in outcome.tiers.items())
        print(
            f"{mode:<10}{outcome.rendered:>12}{count:>7}{outcome.browser_s:>11.1f}{outcome.took_s:>8.1f}{unlike:>21}"
        )
    if outcomes["auto"].tiers != always or outcomes["auto"].rendered > count / 3:
        for domain, tier in always.items():
            if outcomes["auto"].tiers[domain] is not tier:
                print(f"{domain}: auto {outcomes['auto'].tiers[domain]}, always {tier}")
        sys.exit("auto does not keep its promise")


def crawled(mode: str, sites: Sequence[DemoSite], icp: Path) -> Outcome:
    """The demo web crawled in one mode, every record scored without facts."""
    began_s = monotonic()
    with DemoWeb(sites) as web, tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "demo.db"
        profile_path = str(icp) if mode == "auto" else ""
        stats = crawl_demo(web, sites, database, Path(folder), quiet=True, render=mode, icp=profile_path)
        return Outcome(
            tiers_in(database, icp),
            int(stats.get("render/sites", 0)),
            stats.get("render/seconds", 0.0),
            monotonic() - began_s,
        )


def tiers_in(database: Path, icp: Path) -> dict[str, Tier]:
    taxonomy = Detector.default().taxonomy
    profile = load_profile(icp, taxonomy)
    basis, now = supplied_layers(profile, ()), datetime.now(UTC)
    with Store.open(database, readonly=True) as store:
        return {
            record.domain: score_record(
                record, profile, facts=None, basis=basis, taxonomy=taxonomy, now=now
            ).tier
            for record in store.records()
        }


if __name__ == "__main__":
    main()
