from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from fingerprints.model import Outcome, Reason, Record
from icp.criteria import supplied_layers
from icp.model import Result, Score, Tier
from icp.profile import load_profile
from icp.score import score_record
from tests.icp.world import DTC_REVIEWS, MATURE, NOW, blocked, detection, record, taxonomy

TAXONOMY = taxonomy()
PROFILE = load_profile(DTC_REVIEWS, TAXONOMY)
TECH_ONLY = ("technographic",)
ALL_LAYERS = ("technographic", "firmographic", "behavioural")
FITTING_FACTS = {
    "industry": "Online Retail",
    "employees": "200",
    "revenue_usd": "$25M",
    "region": "north-america",
    "business_model": "dtc",
}
EVERYTHING = FITTING_FACTS | {"trigger": "funding", "intent": "surge", "growth": "headcount"}


@dataclass(frozen=True)
class Worked:
    """One row of the table of worked accounts; earned and points are sums over known criteria."""

    record: Record
    earned: float
    points: float
    raw: float
    score: int | None
    tier: Tier
    coverage: float
    low: int
    high: int
    facts: dict[str, str] | None = None
    basis: tuple[str, ...] = TECH_ONLY
    provisional: bool = False
    disqualified_by: tuple[str, ...] = ()
    caps: tuple[str, ...] = ()


WEAK_SFCC = record(
    detection("salesforce-commerce-cloud", 0.5), *MATURE, unknown={"ecommerce_platform": Reason.WEAK_ONLY}
)
NO_PRODUCT_PAGE = record("shopify-plus", *MATURE, unknown=["reviews"])

WORKED = {
    "1 everything met": Worked(
        record("shopify-plus", *MATURE), 100, 100, 100, 100, Tier.A, 1, 100, 100, EVERYTHING, ALL_LAYERS
    ),
    "2 tech-only, five maturity categories": Worked(
        record("shopify-plus", *MATURE), 60, 60, 100, 100, Tier.A, 1, 100, 100
    ),
    "3 two of three maturity": Worked(
        record("shopify", "meta-pixel", "klaviyo"), 47, 60, 78.33, 78, Tier.B, 1, 78, 78
    ),
    "4 has a reviews tool": Worked(
        record("shopify-plus", "judge-me", *MATURE), 35, 60, 58.33, 58, Tier.C, 1, 58, 58
    ),
    "5 blocked": Worked(
        blocked(),
        25,
        25,
        100,
        None,
        Tier.U,
        0.25,
        25,
        100,
        FITTING_FACTS,
        ALL_LAYERS,
        provisional=True,
        caps=("T1 must_have unknown: 79 (provisional)", "T2 critical unknown: 79 (provisional)"),
    ),
    "6 reviews unknown": Worked(
        NO_PRODUCT_PAGE,
        35,
        35,
        100,
        79,
        Tier.B,
        0.583,
        58,
        100,
        provisional=True,
        caps=("T2 critical unknown: 79 (provisional)",),
    ),
    "7 platform we cannot support": Worked(
        record("wix-stores", *MATURE),
        40,
        60,
        66.67,
        0,
        Tier.X,
        1,
        67,
        67,
        disqualified_by=("D1",),
        caps=("T1 must_have not met: 39",),
    ),
    "8 must-have not met": Worked(
        record("woocommerce", *MATURE),
        40,
        60,
        66.67,
        39,
        Tier.D,
        1,
        67,
        67,
        caps=("T1 must_have not met: 39",),
    ),
    "9 already excels": Worked(
        record("adobe-commerce", "bazaarvoice", "pixlee", *MATURE),
        35,
        60,
        58.33,
        0,
        Tier.X,
        1,
        58,
        58,
        disqualified_by=("D2",),
    ),
    "10 no investment": Worked(
        record("shopify"), 37, 60, 61.67, 0, Tier.X, 1, 62, 62, disqualified_by=("D3",)
    ),
    "11 penalty and unknown facts": Worked(
        record("bigcommerce", "adsense", *MATURE),
        78,
        92,
        84.78,
        75,
        Tier.B,
        0.92,
        78,
        86,
        {
            "industry": "consumer brands",
            "employees": "800",
            "region": "western-europe",
            "business_model": "DTC",
            "trigger": "funding",
            "growth": "none",
        },
        ALL_LAYERS,
    ),
    "12 weak platform": Worked(
        WEAK_SFCC,
        40,
        40,
        100,
        79,
        Tier.B,
        0.667,
        67,
        100,
        provisional=True,
        caps=("T1 must_have unknown: 79 (provisional)",),
    ),
}


def score(record: Record, *, facts: dict[str, str] | None = None, basis=TECH_ONLY, profile=PROFILE) -> Score:
    return score_record(record, profile, facts=facts, basis=basis, taxonomy=TAXONOMY, now=NOW)


@pytest.mark.parametrize("account", WORKED.values(), ids=WORKED)
def test_worked_account(account: Worked):
    found = score(account.record, facts=account.facts, basis=account.basis)

    known = [line for line in found.lines if line.section == "criteria" and line.result is not Result.UNKNOWN]
    assert sum(line.points_earned for line in known) == pytest.approx(account.earned)
    assert sum(line.points_max for line in known) == account.points
    assert found.raw == pytest.approx(account.raw, abs=0.005)
    assert (found.score, found.tier) == (account.score, account.tier)
    assert found.coverage == pytest.approx(account.coverage, abs=0.0005)
    assert (round(found.raw_low), round(found.raw_high)) == (account.low, account.high)
    assert found.provisional == account.provisional
    assert found.disqualified_by == account.disqualified_by
    assert found.caps == account.caps


@pytest.mark.parametrize(
    ("account", "flips"),
    [
        (NO_PRODUCT_PAGE, [("reviews absent", 100, Tier.A), ("reviews present", 58, Tier.C)]),
        (
            WEAK_SFCC,
            [
                ("salesforce-commerce-cloud confirmed", 100, Tier.A),
                ("salesforce-commerce-cloud refuted", 39, Tier.D),
            ],
        ),
        (record("shopify-plus", *MATURE), []),
    ],
    ids=["6 reviews unknown", "12 weak platform", "nothing unknown"],
)
def test_flips_say_what_an_unknown_would_change(account: Record, flips: list[tuple[str, int, Tier]]):
    assert [(flip.assumed, flip.score, flip.tier) for flip in score(account).flips] == flips


def test_blocked_account_has_no_number_and_says_what_would_give_one():
    found = score(blocked(), facts=FITTING_FACTS, basis=ALL_LAYERS)

    assert found.score is None
    assert [(flip.id, flip.assumed, flip.score, flip.tier) for flip in found.flips] == [
        ("T2", "reviews absent", 79, Tier.B),
        ("T2", "reviews present", 50, Tier.C),
        ("", "all met", 100, Tier.A),
        ("", "all not met", 25, Tier.D),
    ]


def test_timing_stands_apart_from_fit():
    later = score(
        record("shopify-plus", *MATURE), facts=FITTING_FACTS | {"growth": "headcount"}, basis=ALL_LAYERS
    )
    now = score(record("shopify-plus", *MATURE), facts=EVERYTHING, basis=ALL_LAYERS)

    assert (later.tier, later.timing, later.qualified_now) == (Tier.A, None, False)
    assert (now.tier, now.timing, now.qualified_now) == (Tier.A, 1.0, True)


def test_provisional_account_is_never_qualified_now():
    found = score(NO_PRODUCT_PAGE, facts=EVERYTHING, basis=ALL_LAYERS)

    assert (found.tier, found.timing, found.qualified_now) == (Tier.B, 1.0, False)


def test_embedded_shop_is_not_a_platform():
    embedded = record(detection("shopify", scope="embed"), *MATURE)

    line = score(embedded).lines[0]

    assert (line.id, line.result) == ("T1", Result.NOT_MET)


def test_known_lower_degree_is_used_while_a_better_technology_is_weak():
    line = score(record("shopify", detection("shopify-plus", 0.5), *MATURE)).lines[0]

    assert (line.result, line.degree, line.points_earned) == (Result.PARTLY, 0.6, 12.0)
    assert line.reason == "Shopify 0.95 (degree 0.6)"


@pytest.mark.parametrize(
    ("days", "platform", "reviews"),
    [
        (44, Result.MET, Result.MET),
        (46, Result.MET, Result.UNKNOWN),
        (89, Result.MET, Result.UNKNOWN),
        (91, Result.UNKNOWN, Result.UNKNOWN),
    ],
)
def test_absence_goes_stale_before_presence(days: int, platform: Result, reviews: Result):
    scanned_at = (NOW - timedelta(days=days)).isoformat()
    lines = score(record("shopify-plus", *MATURE, scanned_at=scanned_at)).lines

    assert [line.result for line in lines[:2]] == [platform, reviews]


def test_another_tool_of_the_category_rules_a_technology_out_only_while_absence_is_fresh():
    fresh, old = (
        record("woocommerce", *MATURE, scanned_at=at)
        for at in ("2026-10-01T00:00:00Z", "2026-08-01T00:00:00Z")
    )

    assert score(fresh).lines[0].reason == (
        "none of shopify-plus, adobe-commerce, salesforce-commerce-cloud, bigcommerce, shopify; "
        "ecommerce_platform is WooCommerce"
    )
    assert score(old).lines[0].result is Result.UNKNOWN


def test_unknown_disqualifier_asks_for_review_and_changes_nothing():
    found = score(record("shopify-plus", *MATURE, unknown=["ugc_shoppable_video", "reviews"]))

    assert (found.review, found.disqualified_by, found.tier) == (("D2",), (), Tier.B)


def test_disqualified_beats_too_little_known():
    found = score(
        record("wix-stores", unknown=["reviews", *("ads_pixels", "email_marketing", "session_replay")])
    )

    assert (found.score, found.tier, found.disqualified_by) == (0, Tier.X, ("D1",))


def test_layer_without_a_source_takes_no_part_and_a_missing_value_is_unknown():
    tech_only = score(record("shopify-plus", *MATURE))
    with_empty_facts = score(record("shopify-plus", *MATURE), facts={}, basis=ALL_LAYERS)

    assert {line.layer for line in tech_only.lines} == {"technographic", ""}
    assert with_empty_facts.coverage == pytest.approx(0.6)


def test_layers_are_supplied_by_the_columns_that_hold_their_facts():
    assert supplied_layers(PROFILE, []) == ("technographic",)
    assert supplied_layers(PROFILE, ["employees"]) == ("technographic", "firmographic")
    assert supplied_layers(PROFILE, ["employees", "intent"]) == ALL_LAYERS


def test_failed_scan_without_assessments_says_how_it_ended():
    failed = replace(blocked(), outcome=Outcome.TIMEOUT, assessments=())

    assert score(failed).lines[1].reason == "reviews unknown: the scan ended timeout"


def test_absence_names_what_was_read():
    assert (
        score(record("shopify-plus")).lines[1].reason == "reviews absent: home, product read; GTM-AB12 parsed"
    )


def test_evidence_names_signal_page_and_channel():
    line = score(record("shopify-plus")).lines[0]

    assert line.evidence == ("shopify-plus#1 @ https://acme.com/ script",)
