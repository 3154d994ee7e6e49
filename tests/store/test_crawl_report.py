"""What is counted of one crawl: nothing of another, nothing twice, and no more text than a page can hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fingerprints.model import Outcome, Reason
from store import crawl_report as counting
from store.crawl_events import Event, load_events, save_events
from store.crawl_report import SlowSite, crawl_report, newest_crawl
from store.database import Store
from tests.store.records import failed, filled, site, unknown

SITES = [
    replace(site("acme.com", "shopify", absent_in=("reviews",)), took_ms=1_250, requests=5),
    replace(site("beta.com", "shopify", unknown_in=("reviews",)), took_ms=640, requests=3),
    replace(
        site("gamma.com"),
        assessments=(unknown("reviews", Reason.PAGE_INCOMPLETE), unknown("cms", Reason.NOT_OBSERVABLE)),
        took_ms=90,
        requests=40,
        scanned_at="2026-11-22T02:00:05Z",
    ),
    replace(failed("dead.com"), took_ms=20_010, requests=1, scanned_at="2026-11-22T02:00:05Z"),
    replace(failed("dead.org"), took_ms=20_000, requests=1, scanned_at="2026-11-22T02:00:05Z"),
    replace(failed("no.com", Outcome.SUPPRESSED), detail="on the suppression list"),
]


@pytest.fixture
def store(tmp_path):
    with filled(tmp_path / "t.db", SITES) as store:
        yield store


def test_outcomes_with_their_reasons_and_times(store):
    report = crawl_report(store, 1)
    assert report.sites == 6
    assert report.outcomes == {"ok": 3, "timeout": 2, "suppressed": 1}
    assert report.reasons == {
        "timeout": {"no answer within 20 s": 2},
        "suppressed": {"on the suppression list": 1},
    }
    first = min(report.slots)
    assert report.step_s == 1
    assert report.slots == {first: {"ok": 2, "suppressed": 1}, first + 5: {"ok": 1, "timeout": 2}}


def test_what_sites_cost(store):
    report = crawl_report(store, 1)
    assert report.requests == {1: 2, 3: 1, 5: 1, 15: 1}  # 40 are "15 and more"
    assert (report.requests_total, report.sites_counted) == (50, 5)
    assert (report.pages_total, report.bytes_total) == (3, 3 * 5120)
    assert report.times_ms == {50: 1_300, 90: 20_100, 99: 20_100}
    assert report.slowest[:2] == (
        SlowSite("dead.com", 20_010, "timeout", "no answer within 20 s", 0, 1),
        SlowSite("dead.org", 20_000, "timeout", "no answer within 20 s", 0, 1),
    )
    assert "no.com" not in {slow.domain for slow in report.slowest}


def test_categories_of_the_sites_that_were_read(store):
    report = crawl_report(store, 1)
    known = {category.slug: category for category in report.categories}
    assert known["reviews"].states == {"absent": 1, "unknown": 2}
    assert known["reviews"].unknown_because == {"page_incomplete": 1, "surface_not_fetched": 1}
    assert known["ecommerce_platform"].states == {"present": 2}
    assert report.sampled == 3


def test_categories_of_a_large_crawl_are_those_of_an_even_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(counting, "SAMPLED_SITES", 10)
    sites = [site(f"site{n}.com", absent_in=("reviews",)) for n in range(40)]
    with filled(tmp_path / "t.db", sites) as store:
        report = crawl_report(store, 1)
    assert report.sampled == 10
    assert report.outcomes == {"ok": 40}


def test_nothing_is_counted_of_another_crawl(store):
    other = store.begin_crawl(
        source="more.csv",
        settings_hash="s",
        ruleset="r2",
        tool_version="0.2.0",
        config={"pages": 1},
        started_at="2026-11-23T01:00:00Z",
    )
    before = crawl_report(store, 1)
    store.save(other.id, [replace(site("acme.com", "woocommerce"), took_ms=90_000, requests=9)])
    save_events(store, other.id, [Event("2026-11-23T01:00:00Z", "started", "technograph crawl more.csv")])
    assert crawl_report(store, 1) == before
    assert newest_crawl(store) == other.id
    newer = crawl_report(store, other.id)
    assert (newer.sites, newer.finished_at, newer.settings) == (1, "", {"pages": "1"})
    assert [event.kind for event in newer.events] == ["started"]


def test_crawl_without_a_record_yet_has_a_report(tmp_path):
    with filled(tmp_path / "t.db", []) as store:
        report = crawl_report(store, 1)
    assert (report.sites, report.slots, report.times_ms, report.categories) == (0, {}, {}, ())


def test_crawl_that_does_not_exist_has_none(store, tmp_path: Path):
    assert crawl_report(store, 7) is None
    with Store.open(tmp_path / "empty.db") as empty:
        assert newest_crawl(empty) is None


def test_records_of_before_times_were_kept_have_a_report(tmp_path):
    with filled(tmp_path / "t.db", [site("acme.com", "shopify")]) as store:
        report = crawl_report(store, 1)
    assert (report.times_ms, report.requests, report.slowest) == ({}, {}, ())


def test_only_the_newest_events_are_read(store):
    save_events(store, 1, [Event("2026-11-22T02:00:00Z", "warning", str(n)) for n in range(9)])
    assert [event.text for event in load_events(store, 1, 3)] == ["6", "7", "8"]
