from __future__ import annotations

from datetime import datetime

import pytest

from fingerprints.model import Outcome
from store.database import Store
from store.freshness import Freshness
from store.names import names_of
from store.parser import parse
from store.queries import (
    Question,
    category_usage,
    crawls,
    find,
    find_page,
    history,
    input_columns,
    known_names,
    matching_records,
    similar_domains,
    technology_usage,
)
from store.selection import in_domain_order, in_stored_order
from tests.store.records import LAST_NIGHT, NOW, detection, failed, filled, site, taxonomy

FRESHNESS = Freshness.at(datetime.fromisoformat(NOW))
NAMES = names_of(taxonomy())

SITES = [
    site("gamma.com", "shopify", unknown_in=("reviews",)),
    site("acme.com", "shopify", absent_in=("reviews",), attrs={"Company": "Acme", "zip": "1"}),
    site("beta.com", "shopify", "judge-me", attrs={"zip": "2", "Country": "DE"}),
    site("delta.com", "woocommerce", "yotpo-reviews"),
    site("epsilon.com", detection("wordpress", version="6.4"), absent_in=("reviews", "ecommerce_platform")),
    failed("dead.com"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with filled(tmp_path_factory.mktemp("store") / "t.db", SITES) as opened:
        yield opened


def asked(query: str) -> Question:
    return Question(parse(query, NAMES), FRESHNESS)


def test_row_shows_the_state_of_everything_asked_with_the_reason(store):
    assert list(find(store, asked("tech:shopify AND lacks:reviews"))) == [
        {
            "domain": "acme.com",
            "platform": "shopify",
            "shopify": "present",
            "reviews": "absent",
            "reviews_reason": "surfaces_clear",
            "outcome": "ok",
            "scanned_at": LAST_NIGHT,
        }
    ]


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("outcome:ok", []),
        ("platform:shopify", []),
        ("lacks:reviews category:reviews", ["reviews", "reviews_reason"]),
        ("version:wordpress>6 OR tech:wordpress", ["wordpress", "wordpress_version"]),
        ("tier:A score>3", ["tier", "score"]),
    ],
)
def test_each_thing_asked_has_its_columns_once(query, columns):
    assert [c.name for c in asked(query).columns] == ["domain", "platform", *columns, "outcome", "scanned_at"]


def test_state_columns_tell_weak_unknown_and_stale(tmp_path):
    records = [
        site("a-weak", detection("shopify", state="weak"), unknown_in=("reviews",)),
        site("b-failed", outcome=Outcome.TIMEOUT),
        site("c-stale", "shopify", "judge-me", scanned_at="2026-01-01T00:00:00Z"),
        site("d-other", "woocommerce", absent_in=("reviews",)),
    ]
    with filled(tmp_path / "t.db", records) as store:
        rows = find(store, asked("tech:shopify OR category:reviews OR domain:*"), include_unknown=True)
        assert [(r["domain"], r["shopify"], r["reviews"], r["reviews_reason"]) for r in rows] == [
            ("a-weak", "weak", "unknown", "surface_not_fetched"),
            ("b-failed", "unknown", "unknown", None),
            ("c-stale", "unknown", "unknown", "stale"),
            ("d-other", "absent", "absent", "surfaces_clear"),
        ]


def test_sites_are_listed_by_domain_up_to_the_limit(store):
    listed = [row["domain"] for row in find(store, asked("outcome:ok"))]
    assert listed == ["acme.com", "beta.com", "delta.com", "epsilon.com", "gamma.com"]
    assert [row["domain"] for row in find(store, asked("outcome:ok"), limit=2)] == listed[:2]


def test_pages_together_are_the_whole_list(store):
    question, after, seen = asked("tech:shopify"), 0, []
    while page := find_page(store, question, after=after, limit=2):
        seen += [row["domain"] for row in page]
        after = page[-1]["id"]
    assert seen == ["gamma.com", "acme.com", "beta.com"]


QUERIES = [
    "tech:shopify AND lacks:reviews",
    "lacks:reviews category:ecommerce_platform",
    "platform:shopify lacks:reviews",
    "tier:A lacks:reviews",
    "score>=60",
    "domain:acme.com lacks:reviews",
    "version:wordpress<6",
    "tech:shopify (lacks:reviews OR unknown:reviews)",
]


def plan(store: Store, statement) -> list[str]:
    sql, parameters = statement
    return [row["detail"] for row in store.ask(f"EXPLAIN QUERY PLAN {sql}", parameters)]


@pytest.mark.parametrize("query", QUERIES)
def test_query_walks_an_index_and_never_every_site(store, query):
    question = asked(query)
    page = plan(store, in_stored_order(question.truth.true, question.columns, 0, 100))
    whole = plan(store, in_domain_order(question.truth.true, question.columns, None))
    for steps in (page, whole):
        assert steps[0].startswith("SEARCH ")
        assert not [step for step in steps if step.startswith("SCAN") and step != "SCAN icp"]
    assert "USE TEMP B-TREE FOR ORDER BY" not in page[:3]


@pytest.mark.parametrize(
    "query", ["outcome:ok", "unknown:reviews", "NOT tech:shopify", "tech:shopify OR tier:A"]
)
def test_page_of_any_query_starts_behind_the_last_site(store, query):
    question = asked(query)
    steps = plan(store, in_stored_order(question.truth.true, question.columns, 5, 100))
    assert steps[0].startswith("SEARCH site USING ")
    assert "rowid>?" in steps[0]


def test_page_costs_the_same_however_many_sites_match(tmp_path):
    def steps_for(count: int, after: int) -> int:
        """Thousands of instructions of SQLite's machine that one page takes."""
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        records = [site(f"site{n}.com", "shopify", absent_in=("reviews",)) for n in range(count)]
        with filled(tmp_path / f"{count}.db", records) as store:
            store.db.conn.set_progress_handler(step, 1000)
            assert len(find_page(store, asked("tech:shopify lacks:reviews"), after=after, limit=20)) == 20
        return steps

    assert abs(steps_for(2000, after=1900) - steps_for(100, after=50)) <= 1


def test_names_come_from_the_taxonomy_in_the_database(store):
    assert known_names(store) == NAMES


def test_technology_the_taxonomy_lacks_is_known_once_it_was_detected(tmp_path):
    with Store.open(tmp_path / "t.db") as store:
        crawl = store.begin_crawl(
            source="x", settings_hash="s", ruleset="r", tool_version="0", config={}, started_at=NOW
        )
        store.save(crawl.id, [site("acme.com", "klaviyo")])
        assert known_names(store).technology("Klaviyo").category == "email_marketing"


def test_records_of_matching_sites(store):
    assert [record.domain for record in matching_records(store, asked("lacks:reviews"))] == [
        "acme.com",
        "epsilon.com",
    ]
    assert [record.domain for record in matching_records(store, None)] == sorted(r.domain for r in SITES)


def test_input_columns_come_in_the_order_of_the_list(store):
    assert input_columns(store, None) == ["Company", "zip", "Country"]
    assert input_columns(store, asked("domain:beta.com")) == ["zip", "Country"]
    assert input_columns(store, asked("domain:dead.com")) == []


def test_history_tells_which_record_speaks(store, tmp_path):
    with filled(tmp_path / "t.db", [site("acme.com", "shopify", scanned_at="2026-10-01T02:00:00Z")]) as store:
        again = store.begin_crawl(
            source="x", settings_hash="s", ruleset="r", tool_version="0", config={}, started_at=NOW
        )
        store.save(again.id, [failed("acme.com")])
        assert history(store, "acme.com") == [
            {
                "crawl": 2,
                "scanned_at": LAST_NIGHT,
                "outcome": "timeout",
                "detail": "no answer within 20 s",
                "is_current": 0,
            },
            {
                "crawl": 1,
                "scanned_at": "2026-10-01T02:00:00Z",
                "outcome": "ok",
                "detail": "",
                "is_current": 1,
            },
        ]
        assert history(store, "nobody.com") == []
        assert [(c["crawl"], c["records"], c["read"], c["finished_at"]) for c in crawls(store)] == [
            (2, 1, 0, None),
            (1, 1, 1, "2026-11-22T03:00:00Z"),
        ]


def test_similar_domains(store):
    assert similar_domains(store, "acme.co") == ["acme.com"]
    assert similar_domains(store, "zzz.com") == []


def test_shares_are_of_assessed_sites_only(store):
    rows = {row["category"]: row for row in category_usage(store, FRESHNESS)}
    assert rows["reviews"] == {
        "category": "reviews",
        "label": "Reviews",
        "present": 2,
        "absent": 2,
        "unknown": 2,
        "present_pct": 50.0,
    }
    assert list(rows) == ["cms", "ecommerce_platform", "reviews"]


def test_usage_of_a_category(store):
    rows = technology_usage(store, "reviews", FRESHNESS)
    assert [(r["technology"], r["sites"], r["usage_pct"], r["share_pct"], r["assessed"]) for r in rows] == [
        ("judge-me", 1, 25.0, 50.0, 4),
        ("yotpo-reviews", 1, 25.0, 50.0, 4),
    ]


def test_usage_by_platform(store):
    rows = technology_usage(store, "reviews", FRESHNESS, by_platform=True)
    assert [
        (r["platform"], r["technology"], r["usage_pct"], r["share_pct"], r["assessed"]) for r in rows
    ] == [
        ("shopify", "judge-me", 50.0, 100.0, 2),
        ("woocommerce", "yotpo-reviews", 100.0, 100.0, 1),
    ]


def test_stale_sites_are_not_counted_as_users(store):
    tomorrow = Freshness("2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z")
    assert category_usage(store, tomorrow) == []
    assert technology_usage(store, "reviews", tomorrow) == []
