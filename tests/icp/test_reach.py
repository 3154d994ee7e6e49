"""Where more effort on a site could change its tier, and where it could not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fingerprints.model import Assessment, AssessmentState, Outcome, Reason, Record
from icp.profile import load_profile
from icp.reach import could_change_tier, deciding_categories
from tests.store.records import site, taxonomy

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROFILE = """
icp: test
version: 1
status: hypothesis
reviewed_on: 2026-11-01
criteria:
  - {id: T1, layer: technographic, points: 60, must_have: true, tech_any: [shopify], why: platform}
  - {id: T2, layer: technographic, points: 38, lacks_category: reviews, why: need}
  - {id: T3, layer: technographic, points: 2, has_category: web_analytics, why: bonus}
"""


def unknown(category: str, reason: Reason = Reason.CONTAINER_UNPARSED) -> Assessment:
    return Assessment(category, AssessmentState.UNKNOWN, reason)


def shop(*open_questions: Assessment, absent_in: tuple[str, ...] = ()) -> Record:
    known = site("acme.com", "shopify", absent_in=absent_in)
    kept = [a for a in known.assessments if a.category not in {q.category for q in open_questions}]
    return replace(known, assessments=(*kept, *open_questions), scanned_at="2026-11-22T00:00:00Z")


@pytest.mark.parametrize(
    ("record", "deciding"),
    [
        (shop(absent_in=("reviews", "web_analytics")), set()),
        (shop(unknown("reviews"), absent_in=("web_analytics",)), {"reviews"}),
        (shop(unknown("web_analytics"), absent_in=("reviews",)), set()),
        (shop(unknown("reviews", Reason.SURFACE_NOT_FETCHED), absent_in=("web_analytics",)), set()),
        (shop(unknown("email_marketing"), unknown("reviews"), absent_in=("web_analytics",)), {"reviews"}),
        (replace(shop(), outcome=Outcome.BLOCKED, detections=(), assessments=()), set()),
    ],
    ids=[
        "nothing is open",
        "the tier hangs on it",
        "too few points",
        "not to be settled so",
        "not asked about",
        "never read",
    ],
)
def test_effort_is_worth_it_only_where_the_tier_can_move(
    tmp_path: Path, record: Record, deciding: set[str]
) -> None:
    path = tmp_path / "test.yaml"
    path.write_text(PROFILE)
    profile = load_profile(path, taxonomy())
    settles = lambda a: a.reason is Reason.CONTAINER_UNPARSED  # noqa: E731
    context = {"taxonomy": taxonomy(), "now": NOW}
    assert deciding_categories(record, profile, settles, **context) == deciding
    assert could_change_tier(record, profile, settles, **context) is bool(deciding)
