from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fingerprints.model import Outcome
from store.export import SCORE_COLUMNS, account_columns, account_row, technology_rows
from tests.store.records import LAST_NIGHT, NOW, detection, evidence, failed, site, taxonomy
from tests.store.test_scores import SCORE

RECORD = site(
    "acme.com",
    "shopify",
    "klaviyo",
    detection("judge-me", state="weak", confidence=0.5),
    absent_in=("web_analytics",),
    unknown_in=("reviews",),
    attrs={"Company": "Acme, Inc.", "domain": "HTTP://ACME.COM", "score": "hot"},
)


def account(record=RECORD, score=None, given=()):
    return account_row(record, score, given, taxonomy=taxonomy(), now=datetime.fromisoformat(NOW))


def test_input_columns_come_first_and_ours_make_way():
    given = ["Company", "domain", "Score"]
    columns = account_columns(given)
    assert columns[:4] == ["Company", "domain", "Score", "tg_domain"]
    assert "tg_score" in columns
    assert "score" not in columns
    row = account(given=given)
    assert list(row) == columns
    assert (row["domain"], row["tg_domain"]) == ("HTTP://ACME.COM", "acme.com")


def test_account_sums_up_what_is_known():
    row = account()
    assert row["platform"] == "shopify"
    assert row["technologies"] == ["klaviyo", "shopify"]
    assert row["categories_present"] == ["ecommerce_platform", "email_marketing"]
    assert row["categories_absent"] == ["web_analytics"]
    assert row["categories_unknown"] == ["reviews"]
    assert (row["tech_count"], row["paid_tech_count"]) == (2, 1)
    assert row["name"] == "Acme, Inc."
    assert row["tier"] is None


def test_stale_record_exports_nothing_as_present_or_absent():
    row = account(replace(RECORD, scanned_at="2026-01-01T00:00:00Z"))
    assert (row["platform"], row["technologies"], row["tech_count"]) == (None, [], None)
    assert (row["categories_present"], row["categories_absent"]) == ([], [])
    assert row["categories_unknown"] == ["ecommerce_platform", "email_marketing", "reviews", "web_analytics"]


def test_failed_account_is_exported_with_its_outcome():
    row = account(failed("dead.com", Outcome.DNS_ERROR))
    assert (row["domain"], row["scan_status"], row["categories_absent"]) == ("dead.com", "dns_error", [])


def test_score_columns_are_filled_once_the_account_was_scored():
    row = account(score=SCORE)
    assert (row["icp"], row["score"], row["tier"], row["unknown_criteria"]) == (
        "dtc-reviews",
        79,
        "B",
        ["T2"],
    )
    unscored = account()
    assert {unscored[column] for column in SCORE_COLUMNS} == {None}


def test_account_too_little_known_to_score_has_an_empty_score():
    assert account(score=replace(SCORE, score=None))["score"] is None


def test_technology_row_carries_its_strongest_evidence():
    strong = replace(
        evidence("shopify", "https://acme.com/cart"), signal="shopify#3", strength=0.95, channel="header"
    )
    record = site(
        "acme.com", replace(detection("shopify", version="2.0"), evidence=(evidence("shopify"), strong))
    )
    assert list(technology_rows(record)) == [
        {
            "domain": "acme.com",
            "technology": "Shopify",
            "slug": "shopify",
            "category": "ecommerce_platform",
            "state": "present",
            "confidence": 0.95,
            "version": "2.0",
            "edition": None,
            "pricing": "paid",
            "first_seen": None,
            "last_seen": None,
            "started_after": None,
            "ended_by": None,
            "source": "header",
            "evidence_url": "https://acme.com/cart",
            "rule_id": "shopify#3",
            "scanned_at": LAST_NIGHT,
            "scope": "site",
        }
    ]


def test_implied_technology_names_what_implies_it():
    implied = replace(detection("wordpress"), implied_by="woocommerce", evidence=())
    (row,) = technology_rows(site("acme.com", implied))
    assert (row["source"], row["rule_id"], row["evidence_url"]) == ("implied", "woocommerce", None)
