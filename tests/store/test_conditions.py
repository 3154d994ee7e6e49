"""Queries asked of a small set of sites in known states; what nobody knows never matches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fingerprints.model import DetectionState, Outcome
from icp.model import Score, Tier
from store.database import Store
from store.freshness import Freshness
from store.names import names_of
from store.parser import MAX_DEPTH, MAX_TERMS, parse
from store.queries import Answers, Question, count_answers, find
from tests.store.records import NOW, detection, failed, filled, site, taxonomy

NAMES = names_of(taxonomy())
FRESHNESS = Freshness.at(datetime.fromisoformat(NOW))
DAYS_50 = "2026-10-03T02:00:00Z"
DAYS_100 = "2026-08-14T02:00:00Z"

WEAK_SHOPIFY = detection("shopify", DetectionState.WEAK, 0.5)
EMBEDDED_SHOPIFY = detection("shopify", scope="embed")
SITES = [
    site("shop-lacks", "shopify", "klaviyo", absent_in=("reviews",)),
    site("shop-has", "shopify", "judge-me", absent_in=("email_marketing",)),
    site("shop-unknown", "shopify", unknown_in=("reviews", "email_marketing")),
    site("shop-weak", WEAK_SHOPIFY, absent_in=("reviews",), unknown_in=("ecommerce_platform",)),
    site("buy-button", detection("wordpress", version="6.4.1"), EMBEDDED_SHOPIFY, absent_in=("reviews",)),
    site("woo", "woocommerce", detection("wordpress", version="5.9"), "mailchimp", absent_in=("reviews",)),
    site("no-shop", detection("wordpress"), absent_in=("ecommerce_platform", "reviews", "email_marketing")),
    failed("dead"),
    failed("for-sale", Outcome.PARKED),
]


def score(domain: str, value: int | None, tier: Tier, icp: str = "dtc", at: str = NOW) -> Score:
    return Score(domain, icp, 1, value, tier, None, 0.0, 100.0, 0.5, None, False, False, scored_at=at)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with filled(tmp_path_factory.mktemp("store") / "t.db", SITES) as opened:
        opened.save_scores(
            [
                score("shop-lacks", 82, Tier.A),
                score("shop-has", 0, Tier.X),
                score("woo", None, Tier.U),
                score("woo", 70, Tier.B, icp="b2b", at="2026-01-01T00:00:00Z"),
            ]
        )
        yield opened


def asked(store: Store, query: str, freshness: Freshness = FRESHNESS, icp: str = "") -> Question:
    return Question(parse(query, NAMES), freshness, icp)


def matching(store: Store, query: str, **options) -> set[str]:
    return {row["domain"] for row in find(store, asked(store, query, **options))}


def unknown(store: Store, query: str, **options) -> set[str]:
    rows = find(store, asked(store, query, **options), include_unknown=True)
    return {row["domain"] for row in rows if row["match"] == "unknown"}


SHOPS = {"shop-lacks", "shop-has", "shop-unknown"}
LACKING = {"shop-lacks", "shop-weak", "buy-button", "woo", "no-shop"}
MAYBE_SHOPIFY = {"shop-weak", "buy-button", "dead", "for-sale"}
UNREAD = {"dead", "for-sale"}
NO_CMS_VERSION = {"no-shop", *SHOPS, "shop-weak", *UNREAD}
UNSCORED = {"shop-unknown", "shop-weak", "buy-button", "no-shop", *UNREAD}


@pytest.mark.parametrize(
    ("query", "match", "not_known"),
    [
        ("tech:shopify", SHOPS, MAYBE_SHOPIFY),
        ("tech:shopify AND lacks:reviews", {"shop-lacks"}, {"shop-unknown", *MAYBE_SHOPIFY}),
        ("lacks:reviews", LACKING, {"shop-unknown", *UNREAD}),
        ("NOT category:reviews", LACKING, {"shop-unknown", *UNREAD}),
        ("NOT lacks:reviews", {"shop-has"}, {"shop-unknown", *UNREAD}),
        ("unknown:reviews", {"shop-unknown", *UNREAD}, set()),
        ("NOT unknown:reviews NOT outcome:ok", set(), set()),
        # A site with another shop platform is known not to be on this one; one with a weak or an
        # embedded sign of it is not.
        ("NOT tech:shopify", {"woo", "no-shop"}, MAYBE_SHOPIFY),
        # Many sites have several e-mail tools: another one says nothing about this one.
        ("NOT tech:klaviyo", {"shop-has", "no-shop"}, {"shop-unknown", "woo", *MAYBE_SHOPIFY}),
        ("tech:shopify,woocommerce", SHOPS | {"woo"}, MAYBE_SHOPIFY),
        ("platform:wordpress", {"buy-button", "no-shop"}, {"shop-weak", *UNREAD}),
        ("NOT platform:wordpress", SHOPS | {"woo"}, {"shop-weak", *UNREAD}),
        ("platform:woocommerce", {"woo"}, {"shop-weak", *UNREAD}),
        ("version:wordpress<6", {"woo"}, NO_CMS_VERSION),
        ("version:wordpress=6", {"buy-button"}, NO_CMS_VERSION),
        ("NOT version:wordpress>=6.4.1", {"woo"}, NO_CMS_VERSION),
        ("outcome:parked", {"for-sale"}, set()),
        ("outcome:parked,timeout", UNREAD, set()),
        ("domain:shop-*", SHOPS | {"shop-weak"}, set()),
        ("domain:woo", {"woo"}, set()),
        ("tier:A", {"shop-lacks"}, {"woo", *UNSCORED}),
        ("NOT tier:A", {"shop-has"}, {"woo", *UNSCORED}),
        ("tier:U", {"woo"}, UNSCORED),
        ("score>=60", {"shop-lacks"}, {"woo", *UNSCORED}),
        ("score<60", {"shop-has"}, {"woo", *UNSCORED}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_what_is_known_to_be_true_matches(store, query, match, not_known):
    assert matching(store, query) == match
    assert unknown(store, query) == not_known


A, B = "category:reviews", "category:email_marketing"


def truth_of(store: Store, query: str, domain: str) -> str:
    question = f"domain:{domain} ({query})"
    if matching(store, question):
        return "true"
    return "unknown" if unknown(store, question) else "false"


NEGATION = {"true": "false", "false": "true", "unknown": "unknown"}
ORDER = ["false", "unknown", "true"]


@pytest.fixture(scope="module")
def all_pairs(tmp_path_factory):
    """One site for each pair of states of two categories."""
    tools = {"reviews": "judge-me", "email_marketing": "klaviyo"}
    records = []
    for left in ORDER:
        for right in ORDER:
            pair = {"reviews": left, "email_marketing": right}
            records.append(
                site(
                    f"{left}-{right}",
                    *[tools[slug] for slug, state in pair.items() if state == "true"],
                    absent_in=tuple(slug for slug, state in pair.items() if state == "false"),
                    unknown_in=tuple(slug for slug, state in pair.items() if state == "unknown"),
                )
            )
    with filled(tmp_path_factory.mktemp("pairs") / "t.db", records) as opened:
        yield opened


@pytest.mark.parametrize("left", ORDER)
@pytest.mark.parametrize("right", ORDER)
def test_truth_table_has_three_values(all_pairs, left, right):
    domain = f"{left}-{right}"
    both, either = (f"{A} {word} {B}" for word in ("AND", "OR"))
    assert truth_of(all_pairs, both, domain) == min(left, right, key=ORDER.index)
    assert truth_of(all_pairs, either, domain) == max(left, right, key=ORDER.index)
    assert truth_of(all_pairs, f"NOT {A}", domain) == NEGATION[left]
    assert truth_of(all_pairs, f"NOT ({both})", domain) == NEGATION[min(left, right, key=ORDER.index)]


def test_old_findings_are_unknown_and_absence_ages_first(tmp_path):
    records = [
        site("new", "shopify", absent_in=("reviews",)),
        site("50-days", "shopify", absent_in=("reviews",), scanned_at=DAYS_50),
        site("100-days", "shopify", absent_in=("reviews",), scanned_at=DAYS_100),
    ]
    with filled(tmp_path / "t.db", records) as store:
        assert matching(store, "tech:shopify") == {"new", "50-days"}
        assert matching(store, "category:ecommerce_platform") == {"new", "50-days"}
        assert matching(store, "platform:shopify") == {"new", "50-days"}
        assert matching(store, "lacks:reviews") == {"new"}
        assert matching(store, "NOT tech:woocommerce") == {"new"}
        assert matching(store, "unknown:reviews") == {"50-days", "100-days"}
        assert unknown(store, "tech:shopify lacks:reviews") == {"50-days", "100-days"}
        ever = {"freshness": Freshness()}
        assert matching(store, "tech:shopify lacks:reviews", **ever) == {"new", "50-days", "100-days"}
        assert matching(store, "unknown:reviews", **ever) == set()


def test_time_of_the_limits():
    now = datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert Freshness.at(now) == Freshness("2026-08-24T06:00:00Z", "2026-10-08T06:00:00Z")


def test_tiers_are_of_the_profile_last_used_or_of_the_one_named(store):
    assert matching(store, "tier:B") == set()
    assert matching(store, "tier:B", icp="b2b") == {"woo"}


def test_answers_count_what_is_listed(store):
    assert count_answers(store, asked(store, "tech:shopify AND lacks:reviews")) == Answers(1, 5, 2)


@pytest.mark.parametrize("opening", ["(tier:A OR tier:B AND ", "(tier:A OR ", "NOT ", "("])
def test_deepest_query_that_is_read_is_answered(store, opening):
    query = opening * MAX_DEPTH + "version:wordpress<6" + ")" * (MAX_DEPTH * opening.count("("))
    assert len(list(find(store, asked(store, query), include_unknown=True))) > 0
    count_answers(store, asked(store, query))


def test_longest_query_that_is_read_is_answered(store):
    query = " OR ".join(["tech:shopify", "NOT tech:shopify"] * (MAX_TERMS // 2))
    assert matching(store, query) == SHOPS | {"woo", "no-shop"}
