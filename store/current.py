"""Which of a domain's records speaks for it now, and what it is built on."""

from __future__ import annotations

from fingerprints.model import Detection, DetectionState, Outcome, Record

ANSWERS = frozenset(
    {Outcome.OK, Outcome.PARTIAL, Outcome.PARKED, Outcome.REDIRECTED_OFFSITE, Outcome.SUPPRESSED}
)
"""Outcomes that say what the domain is. After any other the scan failed and nothing new is known."""

PLATFORM_CATEGORIES = (
    "ecommerce_platform",
    "ecommerce_platform_regional",
    "site_builder",
    "cms",
    "headless_storefront",
)
"""Categories a site's platform is taken from, the most telling first: the shop before the CMS under it."""


def supersedes(outcome: str, scanned_at: str, old_outcome: str, old_scanned_at: str) -> bool:
    """Whether a record takes over from the domain's current one: a failure never hides an answer.

    >>> supersedes("timeout", "2026-11-02T00:00:00Z", "ok", "2026-10-01T00:00:00Z")
    False
    """
    return (outcome in ANSWERS, scanned_at) >= (old_outcome in ANSWERS, old_scanned_at)


def platform_of(record: Record) -> Detection | None:
    """The technology the site is built on, None when none is known.

    Embedded media speak for another site's platform, and an implied technology is less specific than
    the one that implies it.
    """
    candidates = [
        detection
        for detection in record.detections
        if detection.category in PLATFORM_CATEGORIES
        and detection.state is DetectionState.PRESENT
        and detection.scope == "site"
    ]
    return min(candidates, key=_platform_order, default=None)


def _platform_order(detection: Detection) -> tuple[int, bool, float, str]:
    rank = PLATFORM_CATEGORIES.index(detection.category)
    return rank, detection.implied_by != "", -detection.confidence, detection.slug
