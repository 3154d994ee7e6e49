from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from icp.account import Account
from icp.amount import parse_amount
from icp.fact_predicates import FactBetween, FactIn, FactTrue
from icp.predicates import (
    AllOf,
    AnyOf,
    CountCategories,
    Event,
    HasCategory,
    LacksCategory,
    LacksTech,
    Not,
    TechAge,
    TechAll,
    TechAny,
    VersionIs,
)
from tests.icp.world import MATURITY, NOW, detection, record, taxonomy

TAXONOMY = taxonomy()
YES, NO = Decimal(1), Decimal(0)


def judge(predicate, site=None, **facts: str):
    return predicate.judge(Account(site or record(), facts, TAXONOMY, NOW))


def degree(predicate, site=None, **facts: str):
    return judge(predicate, site, **facts).degree


PRESENT, ABSENT, UNKNOWN = HasCategory("reviews"), HasCategory("ads_pixels"), HasCategory("ab_testing")
HALF = TechAny((("shopify", Decimal("0.5")),))
SITE = record("judge-me", "shopify", unknown=["ab_testing"])


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (AnyOf((PRESENT, UNKNOWN)), YES),
        (AnyOf((ABSENT, UNKNOWN)), None),
        (AnyOf((HALF, UNKNOWN)), None),
        (AnyOf((HALF, ABSENT)), Decimal("0.5")),
        (AnyOf((ABSENT, ABSENT)), NO),
        (AllOf((PRESENT, UNKNOWN)), None),
        (AllOf((ABSENT, UNKNOWN)), NO),
        (AllOf((PRESENT, HALF)), Decimal("0.5")),
        (AllOf((PRESENT, PRESENT)), YES),
        (Not(UNKNOWN), None),
        (Not(ABSENT), YES),
        (Not(HALF), Decimal("0.5")),
    ],
    ids=repr,
)
def test_connectives_follow_kleene(predicate, expected):
    assert degree(predicate, SITE) == expected


@pytest.mark.parametrize(
    ("site", "has_shopify", "lacks_shopify"),
    [
        (record("shopify"), YES, NO),
        (record(), NO, YES),
        (record(unknown=["ecommerce_platform"]), None, None),
        (record(detection("shopify", 0.5), unknown=["ecommerce_platform"]), None, None),
        (record("woocommerce"), NO, YES),
        (record("woocommerce", detection("shopify", 0.5)), None, None),
    ],
    ids=["present", "category absent", "category unknown", "weak", "another tool", "another tool and weak"],
)
def test_technology_follows_its_category(site, has_shopify, lacks_shopify):
    assert degree(TechAny((("shopify", YES),)), site) == has_shopify
    assert degree(LacksTech(("shopify",)), site) == lacks_shopify


def test_tool_of_an_unobservable_category_is_never_ruled_out_by_another():
    assert degree(LacksTech(("hubspot-crm",)), record("salesforce")) is None


def test_all_technologies_must_be_present():
    both = TechAll(("shopify", "klaviyo"))

    assert degree(both, record("shopify", "klaviyo")) == YES
    assert degree(both, record("shopify")) == NO
    assert degree(both, record("shopify", unknown=["email_marketing"])) is None


def test_category_that_was_not_assessed_is_not_lacking():
    unassessed = replace(record(), assessments=())

    assert judge(LacksCategory("reviews"), unassessed).reason == "reviews unknown: not assessed"
    assert degree(LacksCategory("reviews"), unassessed) is None


@pytest.mark.parametrize(
    ("present", "unknown", "at_least", "graded", "at_most"),
    [
        (0, 0, NO, NO, YES),
        (2, 0, NO, Decimal(2) / 3, NO),
        (3, 0, YES, YES, NO),
        (2, 1, None, None, NO),
        (0, 2, NO, NO, None),
        (1, 1, NO, Decimal(1) / 3, None),
        (3, 3, YES, YES, NO),
    ],
)
def test_count_is_known_when_the_unknown_cannot_change_it(present, unknown, at_least, graded, at_most):
    techs = ("meta-pixel", "google-analytics-4", "google-tag-manager", "klaviyo", "hotjar", "optimizely")
    site = record(*techs[:present], unknown=MATURITY[present : present + unknown])

    assert degree(CountCategories(MATURITY, at_least=3), site) == at_least
    assert degree(CountCategories(MATURITY, at_least=3, graded=True), site) == graded
    assert degree(CountCategories(MATURITY, at_most=1), site) == at_most


@pytest.mark.parametrize(
    ("version", "op", "value", "expected"),
    [
        ("2.4.6-p3", ">=", "2.4", YES),
        ("2.3", ">=", "2.4", NO),
        ("2", "==", "2.0", YES),
        ("2.10", ">", "2.9", YES),
        ("2.4", "!=", "2.4", NO),
        ("", ">=", "2.4", None),
        ("latest", ">=", "2.4", None),
    ],
)
def test_versions_compare_by_number(version, op, value, expected):
    site = record(detection("adobe-commerce", version=version))

    assert degree(VersionIs("adobe-commerce", op, value), site) == expected


def test_history_is_unknown_until_there_is_one():
    assert judge(Event("reviews", ("added",), 90)).reason == "reviews added within 90 days: no history yet"
    assert judge(TechAge("shopify", 30), record("shopify")).reason == "Shopify 0.95; no history yet"
    assert degree(TechAge("shopify", 30), record()) == NO


@pytest.mark.parametrize(
    ("predicate", "value", "expected"),
    [
        (FactIn("x", ("online retail",)), " Online  Retail ", YES),
        (FactIn("x", ("online retail",)), "Banking; online retail", YES),
        (FactIn("x", ("online retail",)), "Banking", NO),
        (FactIn("x", ("online retail",)), "", None),
        (FactBetween("x", Decimal(50), Decimal(500)), "50", YES),
        (FactBetween("x", Decimal(50), Decimal(500)), "500", YES),
        (FactBetween("x", Decimal(50), Decimal(500)), "501", NO),
        (FactBetween("x", Decimal(50), Decimal(500)), "51-200", YES),
        (FactBetween("x", Decimal(50), Decimal(500)), "11-50", None),
        (FactBetween("x", Decimal(50), Decimal(500)), "1,000+", NO),
        (FactBetween("x", Decimal(50), Decimal(500)), "n/a", None),
        (FactTrue("x"), "Yes", YES),
        (FactTrue("x"), "FALSE", NO),
        (FactTrue("x"), "maybe", None),
    ],
    ids=repr,
)
def test_facts_are_read_as_crms_write_them(predicate, value, expected):
    assert degree(predicate, x=value) == expected


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1,200", 1200, 1200),
        ("$10.5M", 10_500_000, 10_500_000),
        ("1 000 000", 1_000_000, 1_000_000),
        ("€2bn", 2_000_000_000, 2_000_000_000),
        ("10 to 20", 10, 20),
        ("10k\N{EN DASH}20k", 10_000, 20_000),
    ],
)
def test_amounts(text, low, high):
    assert parse_amount(text) == (low, high)


@pytest.mark.parametrize("text", ["", "ten", "20-10", "1-2-3", "-5", "1.2.3", "9" * 400, "1,20"])
def test_what_states_no_amount_is_none(text):
    assert parse_amount(text) is None
