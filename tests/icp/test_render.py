from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from icp.parse import PREDICATES
from icp.profile import load_profile
from icp.render import render, review_reminder
from icp.schema import icp_schema
from tests.icp.world import DTC_REVIEWS, taxonomy

TAXONOMY = taxonomy()
PROFILE = load_profile(DTC_REVIEWS, TAXONOMY)
REVIEWED = date(2026, 9, 30)


def test_page_names_must_haves_filters_triggers_and_logic():
    page = render(PROFILE, TAXONOMY, REVIEWED)

    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# dtc-reviews v3",
        "## Must have",
        "## Good fit",
        "## Triggers: why now",
        "## Counts against",
        "## Never pursue",
        "## Notes",
        "## How the score works",
    ]
    assert (
        "- **T1** runs Shopify Plus, Adobe Commerce, Salesforce Commerce Cloud, BigCommerce (counts 0.8) "
        "or Shopify (counts 0.6) (20 points): enterprise e-commerce platform we extend"
    ) in page.splitlines()
    assert "- **F3** revenue usd: 10,000,000 to 200,000,000 (4 points)" in page.splitlines()
    assert "- **Committee**: Head of Ecommerce; CRM lead" in page.splitlines()


@pytest.mark.parametrize(
    ("days", "reminder"),
    [
        (90, ""),
        (91, "Last reviewed 91 days ago: due for `technograph icp review`."),
        (181, "OVERDUE: last reviewed 181 days ago. Do not build lists on it before `icp review`."),
    ],
)
def test_review_is_asked_for_after_90_days_and_loudly_after_180(days, reminder):
    today = REVIEWED + timedelta(days=days)

    assert review_reminder(PROFILE, today) == reminder
    assert (f"> {reminder}" in render(PROFILE, TAXONOMY, today)) == bool(reminder)


def test_profile_without_a_review_date_says_so():
    undated = replace(PROFILE, reviewed_on=None)

    assert review_reminder(undated, REVIEWED).startswith("Never reviewed")


def test_schema_knows_every_predicate_and_name():
    schema = icp_schema(TAXONOMY)

    predicates = {
        name.removeprefix("predicate_") for name in schema["$defs"] if name.startswith("predicate_")
    }
    assert predicates == set(PREDICATES)
    assert "sendinblue" in schema["$defs"]["technology"]["enum"]
    assert "reviews" in schema["$defs"]["category"]["enum"]
    assert set(schema["properties"]["criteria"]["items"]["properties"]) >= set(PREDICATES)
