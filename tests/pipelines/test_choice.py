"""Inner pages read only where they can change a decision, on the demo web and decided from single pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.render import tiers_in
from cli.demo import crawl_demo
from cli.demo_sites import load_sites
from cli.demo_web import DemoWeb
from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from fingerprints.model import PageKind, Record
from fingerprints.observe import observe
from icp.profile import load_profile
from pipelines.choice import PageChoice
from store.database import Store

REVIEWS = "icp/dtc-reviews.yaml"
SHOP = """<script src="https://cdn.shopify.com/s/files/1/theme.js"></script>
<script>Shopify.shop = 'a.myshopify.com'</script>"""
JUDGE_ME = "<script src='https://cdn.judge.me/widget_preloader.js'></script>"
PROFILE = """
icp: test
version: 1
status: hypothesis
reviewed_on: 2026-11-01
criteria:
  - {id: T1, layer: technographic, points: 60, why: platform, tech_any: [shopify]}
  - {id: T2, layer: technographic, points: 36, why: need, lacks_category: CATEGORY}
  - {id: T3, layer: technographic, points: 4, why: bonus, has_category: ats}
"""


@pytest.mark.parametrize(
    ("category", "html", "kinds"),
    [
        ("reviews", SHOP, {PageKind.PRODUCT}),
        ("reviews", SHOP + JUDGE_ME, set()),
        ("upsell_cart", SHOP, {PageKind.PRODUCT, PageKind.CART}),
        ("live_chat", SHOP + "<script>load('GTM-AB12CD')</script>", set()),
        ("crm_visible", SHOP, set()),
    ],
    ids=[
        "what decides shows on product pages",
        "it showed on the home page, and hiring is worth no tier",
        "two kinds of pages settle it",
        "only the container can tell",
        "nothing can tell",
    ],
)
def test_pages_that_can_settle_what_decides_are_chosen(
    tmp_path: Path, category: str, html: str, kinds: set[PageKind]
) -> None:
    path = tmp_path / "icp.yaml"
    path.write_text(PROFILE.replace("CATEGORY", category))
    detector = Detector.default()
    choose = PageChoice(detector, load_profile(path, detector.taxonomy))
    assert choose(observe(html, url="https://acme.com/")) == kinds


def crawled(
    tmp_path: Path, pages: int | str
) -> tuple[dict[str, Record], dict[str, object], dict[str, float]]:
    """Some of the demo's sites: their records, tiers, and what was counted."""
    wanted = {"copper-kettle", "harbour-soap", "alder-moss", "datacove", "oak-stories"}
    sites = [s for s in load_sites() if s.host.removesuffix(".example") in wanted or not s.is_target]
    database, icp = tmp_path / f"{pages}.db", data_file(REVIEWS)
    with DemoWeb(sites) as web:
        stats = crawl_demo(
            web, sites, database, tmp_path, quiet=True, pages=pages, icp=str(icp) if pages == "auto" else ""
        )
    with Store.open(database, readonly=True) as store:
        records = {record.domain: record for record in store.records()}
    return records, dict(tiers_in(database, icp)), dict(stats)


def test_auto_comes_to_the_tiers_of_the_full_budget_with_fewer_requests(tmp_path: Path) -> None:
    full, full_tiers, full_stats = crawled(tmp_path, 4)
    auto, tiers, stats = crawled(tmp_path, "auto")
    assert tiers == full_tiers
    read = sum(len(record.pages) for record in auto.values())
    assert stats["pages/spared"] == sum(len(record.pages) for record in full.values()) - read
    assert stats["requests/all"] == full_stats["requests/all"] - stats["pages/spared"]
    assert stats["pages/sites_spared"] == sum(len(r.pages) == 1 < len(full[d].pages) for d, r in auto.items())
    kettle = [page.kind for page in auto["copper-kettle.example"].pages]
    assert kettle == [PageKind.HOME, PageKind.PRODUCT]
