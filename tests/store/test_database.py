from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprints.model import LoadedHost, Outcome, PageKind, Record, ResourceKind
from store.database import Crawl, Store
from tests.store.records import LAST_NIGHT, NOW, absent, detection, failed, present, site, taxonomy

EARLIER = "2026-10-01T02:00:00Z"


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "t.db") as opened:
        yield opened


def begin(store: Store, *, fresh: bool = False, **changes) -> Crawl:
    values = {
        "source": "prospects.csv",
        "settings_hash": "s1",
        "ruleset": "2026.11.1+3f9c2a7b",
        "tool_version": "0.1.0",
        "config": {"concurrency": 32},
        "started_at": NOW,
    }
    return store.begin_crawl(**values | changes, fresh=fresh)


FULL = dataclasses.replace(
    site(
        "acme.com",
        detection("shopify", excerpt="=HYPERLINK(1) \u202e\U0001f600 \0"),
        detection("judge-me", version="3.1", scope="embed"),
        absent_in=("web_analytics",),
        unknown_in=("email_marketing",),
        attrs={"Company": "Acme, Inc.", "zip": "00123"},
    ),
    detail="cut at 2 MiB",
    outcome=Outcome.PARTIAL,
    id="row-17",
    redirected_to="https://www.acme.com/",
    hosts=(
        LoadedHost("cdn.widget.example", (ResourceKind.IMG, ResourceKind.SCRIPT), (PageKind.HOME,)),
        LoadedHost("pay.example", (ResourceKind.FORM,), (PageKind.CART, PageKind.HOME)),
    ),
    containers_found=("gtm:GTM-AB12", "gtm:GTM-CD34"),
    containers_parsed=("gtm:GTM-AB12",),
    dns_ok=False,
    rendered=True,
    flags=("body_cut",),
)
IMPLIED = dataclasses.replace(
    detection("wordpress"), implied_by="woocommerce", evidence=(), accounts=("1", "2")
)


@pytest.mark.parametrize(
    "record",
    [FULL, site("implied.example", IMPLIED), failed("dead.example"), Record("bare.example", Outcome.EMPTY)],
    ids=["everything set", "implied without evidence", "failed", "nothing set"],
)
def test_record_comes_back_exactly_as_it_was_saved(store, record):
    store.save(begin(store).id, [record])
    assert store.record(record.domain) == record
    assert list(store.records()) == [record]


def test_old_record_keeps_its_words_when_the_rules_rename_a_technology(store):
    old = site("old.example", "klaviyo")
    renamed = dataclasses.replace(
        detection("klaviyo"), name="Klaviyo Marketing", categories=("email_marketing", "sms_push")
    )
    new = site("new.example", renamed)
    store.save(begin(store).id, [old, new])
    assert [store.record("old.example"), store.record("new.example")] == [old, new]


def test_text_that_is_no_unicode_is_stored_with_replacements(store):
    record = site("acme.com", detection("shopify", excerpt="broken \ud83d emoji"))
    store.save(begin(store).id, [record])
    assert store.record("acme.com").detections[0].evidence[0].excerpt == "broken ? emoji"


def test_unknown_domain_has_no_record(store):
    assert store.record("nobody.example") is None


def test_second_record_of_a_domain_in_one_crawl_is_left_out(store):
    crawl = begin(store)
    first, second = site("acme.com", "shopify"), failed("acme.com")
    assert store.save(crawl.id, [first]) == 1
    assert store.save(crawl.id, [second, site("beta.com")]) == 1
    assert store.record("acme.com", newest=True) == first


def test_done_names_the_domains_that_already_have_a_record(store):
    crawl, other = begin(store), begin(store, source="other.csv")
    store.save(crawl.id, [site("acme.com"), failed("dead.com")])
    store.save(other.id, [site("beta.com")])
    assert store.done(crawl.id, ["acme.com", "dead.com", "beta.com", "new.com"]) == {"acme.com", "dead.com"}


def test_same_command_continues_the_unfinished_crawl(store):
    crawl = begin(store)
    assert crawl == Crawl(id=1, resumed=False, done=0)
    store.save(crawl.id, [site("acme.com"), site("beta.com")])
    assert begin(store) == Crawl(id=1, resumed=True, done=2)


@pytest.mark.parametrize(
    "changes",
    [{"source": "other.csv"}, {"settings_hash": "s2"}, {"ruleset": "2026.12.1"}, {"fresh": True}],
    ids=lambda changes: next(iter(changes)),
)
def test_other_input_settings_or_rules_start_a_new_crawl(store, changes):
    begin(store)
    assert begin(store, **changes) == Crawl(id=2, resumed=False, done=0)


def test_finished_crawl_is_not_continued(store):
    store.finish_crawl(begin(store).id, NOW)
    assert begin(store) == Crawl(id=2, resumed=False, done=0)


def rescan(store: Store, *records: Record) -> None:
    for number, record in enumerate(records):
        store.save(begin(store, source=str(number)).id, [record])


@pytest.mark.parametrize(
    ("outcome", "speaks"),
    [
        (Outcome.TIMEOUT, False),
        (Outcome.BLOCKED, False),
        (Outcome.DNS_ERROR, False),
        (Outcome.HTTP_ERROR, False),
        (Outcome.PARKED, True),
        (Outcome.REDIRECTED_OFFSITE, True),
        (Outcome.PARTIAL, True),
    ],
)
def test_failed_rescan_never_hides_a_good_record(store, outcome, speaks):
    good = site("acme.com", "shopify", absent_in=("reviews",), scanned_at=EARLIER)
    later = failed("acme.com", outcome)
    rescan(store, good, later)
    assert store.record("acme.com") == (later if speaks else good)
    assert store.record("acme.com", newest=True) == later


def test_good_rescan_replaces_a_failed_one(store):
    later = site("acme.com", "shopify")
    rescan(store, failed("acme.com", scanned_at=EARLIER), later)
    assert store.record("acme.com") == later


def test_older_record_that_arrives_late_does_not_speak_for_the_domain(store):
    newer = site("acme.com", "woocommerce")
    rescan(store, newer, site("acme.com", "shopify", scanned_at=EARLIER))
    assert store.record("acme.com") == newer


def test_look_up_tables_hold_what_the_latest_views_say(store):
    rescan(
        store,
        site("acme.com", "shopify", "judge-me", absent_in=("cms",), scanned_at=EARLIER),
        site("acme.com", "shopify", absent_in=("reviews",), unknown_in=("cms",)),
        site("beta.com", "woocommerce", absent_in=("reviews",)),
        failed("beta.com", scanned_at=NOW),
    )
    by_name = (
        "SELECT domain, slug, state FROM site_{0} JOIN site ON site.id = site_id JOIN {0} ON {0}.id = {0}_id"
    )
    by_technology, by_category = by_name.format("technology"), by_name.format("category")
    execute = store.db.execute
    assert set(execute(by_technology)) == set(
        execute("SELECT domain, technology, state FROM latest_detection")
    )
    assert set(execute(by_category)) == set(
        execute("SELECT domain, category, state FROM latest_assessment WHERE state <> 'unknown'")
    )
    assert set(execute("SELECT domain, scanned_at, platform FROM latest_record")) == {
        ("acme.com", LAST_NIGHT, "shopify"),
        ("beta.com", LAST_NIGHT, "woocommerce"),
    }


def test_batch_with_a_broken_record_stores_nothing_and_the_next_one_works(store):
    crawl = begin(store)
    twice = site("twice.example", "shopify", "shopify")
    with pytest.raises(sqlite3.IntegrityError):
        store.save(crawl.id, [site("acme.com", "klaviyo"), twice])
    assert list(store.records()) == []
    good = site("acme.com", "klaviyo")
    assert store.save(crawl.id, [good]) == 1
    assert store.record("acme.com") == good


def test_records_come_in_domain_order_whatever_order_they_were_crawled_in(store, monkeypatch):
    monkeypatch.setattr("store.database.BATCH", 2)
    domains = ["e.com", "a.com", "d.com", "b.com", "c.com"]
    store.save(begin(store).id, [site(domain, "shopify") for domain in domains])
    assert [record.domain for record in store.records()] == sorted(domains)
    assert [record.domain for record in store.records(["d.com", "nobody.com", "b.com", "a.com"])] == [
        "a.com",
        "b.com",
        "d.com",
    ]


def test_summary_of_a_crawl(store):
    crawl, other = begin(store), begin(store, source="other.csv")
    store.save(
        crawl.id,
        [
            site("a.com", "shopify", "klaviyo", absent_in=("reviews",)),
            site("b.com", "shopify", unknown_in=("reviews",)),
            failed("c.com"),
        ],
    )
    store.save(other.id, [site("d.com", "klaviyo", absent_in=("reviews",))])
    assert store.outcomes(crawl.id) == {"ok": 2, "timeout": 1}
    assert store.assessable(crawl.id) == {"ecommerce_platform": 2, "email_marketing": 1, "reviews": 1}
    assert store.top_technologies(crawl.id, 5) == [("shopify", 2), ("klaviyo", 1)]
    assert store.top_technologies(crawl.id, 1) == [("shopify", 2)]


def test_taxonomy_follows_the_rules_and_keeps_what_only_old_records_mention(store):
    store.save(
        begin(store).id, [site("a.com", dataclasses.replace(detection("klaviyo"), slug="retired-tool"))]
    )
    store.sync_taxonomy(taxonomy())
    store.sync_taxonomy(taxonomy())
    rows = dict(store.db.execute("SELECT slug, name FROM technology"))
    assert rows["judge-me"] == "Judge.me"
    assert rows["retired-tool"] == "Klaviyo"
    memberships = "SELECT count(*) FROM technology_category WHERE is_primary"
    assert store.db.execute(memberships).fetchone() == (len(taxonomy().technologies) + 1,)


def test_database_opens_in_another_browser_of_sqlite_files(store):
    record = site("acme.com", "shopify", absent_in=("reviews",))
    store.save(
        begin(store).id,
        [dataclasses.replace(record, assessments=(present("ecommerce_platform"), absent("reviews")))],
    )
    plain = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)
    try:
        assert plain.execute(
            "SELECT domain, category, reason, checked FROM latest_assessment ORDER BY 2"
        ).fetchall() == [
            ("acme.com", "ecommerce_platform", "detected", '["home"]'),
            ("acme.com", "reviews", "surfaces_clear", '["home","product"]'),
        ]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        plain.close()


WRITER = """
import sys
from store.database import Store
from tests.store.records import site
store = Store.open(sys.argv[1])
crawl = store.begin_crawl(
    source="x", settings_hash="s", ruleset="r", tool_version="0", config={}, started_at="2026-11-22T01:00:00Z"
)
for number in range(100_000):
    store.save(crawl.id, [site(f"site{number}.com", "shopify", absent_in=("reviews",))])
    print(f"site{number}.com", flush=True)
"""


def test_killed_writer_loses_nothing_it_had_stored(tmp_path):
    path = tmp_path / "t.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    stored = {writer.stdout.readline().strip() for _ in range(20)}
    writer.kill()
    stored |= set(writer.communicate()[0].splitlines())
    with Store.open(path) as store:
        assert store.done(1, sorted(stored)) == stored
        assert store.outcomes(1)["ok"] - len(stored) in (0, 1)
        assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_query_of_the_docs_finds_shops_without_reviews(store):
    crawl = begin(store)
    store.save(
        crawl.id,
        [
            site("acme.com", "shopify", absent_in=("reviews",)),
            site("beta.com", "shopify", "judge-me"),
            site("gamma.com", "shopify", unknown_in=("reviews",)),
            site("blog.com", "wordpress", absent_in=("reviews",)),
        ],
    )
    docs = Path(__file__).parents[2] / "docs" / "database.md"
    sql = docs.read_text("utf-8").split("```sql\n")[1].split("```")[0]
    assert list(store.db.execute(sql)) == [("acme.com", '["home","product"]')]
