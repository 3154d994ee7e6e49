"""A small taxonomy and records for scoring tests: categories are absent unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from fingerprints.detector import Detector
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Category,
    Detection,
    DetectionState,
    Evidence,
    Observability,
    Outcome,
    PageKind,
    Reason,
    Record,
    Taxonomy,
    Technology,
)

NOW = datetime(2026, 10, 2, 8, 0, tzinfo=UTC)
SCANNED_AT = "2026-10-01T02:14:07Z"
DTC_REVIEWS = Path(__file__).parents[2] / "data" / "icp" / "dtc-reviews.yaml"

TECHNOLOGIES = {
    "ecommerce_platform": [
        ("shopify", "Shopify"),
        ("shopify-plus", "Shopify Plus"),
        ("adobe-commerce", "Adobe Commerce"),
        ("salesforce-commerce-cloud", "Salesforce Commerce Cloud"),
        ("bigcommerce", "BigCommerce"),
        ("woocommerce", "WooCommerce"),
        ("wix-stores", "Wix Stores"),
        ("squarespace-commerce", "Squarespace Commerce"),
        ("big-cartel", "Big Cartel"),
        ("ecwid", "Ecwid"),
    ],
    "reviews": [
        ("judge-me", "Judge.me"),
        ("bazaarvoice", "Bazaarvoice"),
        ("powerreviews", "PowerReviews"),
        ("yotpo-reviews", "Yotpo Reviews"),
    ],
    "ugc_shoppable_video": [("pixlee", "Pixlee")],
    "ads_pixels": [("meta-pixel", "Meta Pixel")],
    "web_analytics": [("google-analytics-4", "Google Analytics 4")],
    "tag_manager": [("google-tag-manager", "Google Tag Manager")],
    "email_marketing": [("klaviyo", "Klaviyo"), ("brevo", "Brevo"), ("bronto", "Bronto")],
    "session_replay": [("hotjar", "Hotjar")],
    "ab_testing": [("optimizely", "Optimizely")],
    "ad_monetization": [("adsense", "AdSense")],
    "crm_visible": [("hubspot-crm", "HubSpot CRM"), ("salesforce", "Salesforce")],
}

MATURITY = ("ads_pixels", "web_analytics", "tag_manager", "email_marketing", "session_replay", "ab_testing")


def taxonomy() -> Taxonomy:
    technologies = {
        slug: Technology(slug, name, category, (category,), status="sunset" if slug == "bronto" else "active")
        for category, members in TECHNOLOGIES.items()
        for slug, name in members
    }
    categories = {
        slug: Category(slug, slug, Observability.LOGIN if slug == "crm_visible" else Observability.MANAGED)
        for slug in TECHNOLOGIES
    }
    return Taxonomy(categories, technologies, {"sendinblue": "brevo"})


def use_small_taxonomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands know the technologies above instead of the whole rule set."""
    monkeypatch.setattr(Detector, "default", classmethod(lambda cls: SimpleNamespace(taxonomy=taxonomy())))


def detection(slug: str, confidence: float = 0.95, **changes: object) -> Detection:
    technology = taxonomy().technologies[slug]
    state = DetectionState.PRESENT if confidence >= 0.7 else DetectionState.WEAK
    evidence = Evidence(slug, f"{slug}#1", "script", 0.95, "https://acme.com/", f"cdn.{slug}.example/x.js")
    values = {"evidence": (evidence,)} | changes
    return Detection(
        slug, technology.name, technology.category, technology.categories, state, confidence, **values
    )


def record(
    *techs: str | Detection,
    unknown: Collection[str] | Mapping[str, Reason] = (),
    domain: str = "acme.com",
    outcome: Outcome = Outcome.OK,
    scanned_at: str = SCANNED_AT,
) -> Record:
    """A site with these technologies; categories named unknown are so, all others are absent."""
    detections = tuple(tech if isinstance(tech, Detection) else detection(tech) for tech in techs)
    reasons = unknown if isinstance(unknown, Mapping) else dict.fromkeys(unknown, Reason.SURFACE_NOT_FETCHED)
    present = {
        c for d in detections for c in d.categories if d.state is DetectionState.PRESENT and d.scope == "site"
    }
    assessments = []
    for slug in TECHNOLOGIES:
        if slug in present:
            assessments.append(Assessment(slug, AssessmentState.PRESENT, Reason.DETECTED, 0.95))
        elif slug in reasons:
            missing = ("product",) if reasons[slug] is Reason.SURFACE_NOT_FETCHED else ()
            assessments.append(Assessment(slug, AssessmentState.UNKNOWN, reasons[slug], missing=missing))
        else:
            checked = (PageKind.HOME, PageKind.PRODUCT, "container:GTM-AB12")
            assessments.append(Assessment(slug, AssessmentState.ABSENT, Reason.SURFACES_CLEAR, 0.9, checked))
    return Record(
        domain,
        outcome,
        url=f"https://{domain}/",
        detections=detections,
        assessments=tuple(assessments),
        scanned_at=scanned_at,
    )


def blocked(domain: str = "acme.com") -> Record:
    return record(unknown=dict.fromkeys(TECHNOLOGIES, Reason.BLOCKED), domain=domain, outcome=Outcome.BLOCKED)


MATURE = ("meta-pixel", "google-analytics-4", "google-tag-manager", "klaviyo", "hotjar")
"""Technologies in five of the six maturity categories."""
