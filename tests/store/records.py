"""Small, whole records for the tests of the store and of the commands that read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fingerprints.model import (
    Assessment,
    AssessmentState,
    Category,
    Detection,
    DetectionState,
    Evidence,
    Observability,
    Outcome,
    Page,
    PageKind,
    Reason,
    Record,
    Taxonomy,
    Technology,
)
from store.database import Store

NOW = "2026-11-22T06:00:00Z"
LAST_NIGHT = "2026-11-22T02:00:00Z"

TECHNOLOGIES = {
    "shopify": ("Shopify", "ecommerce_platform", "paid"),
    "woocommerce": ("WooCommerce", "ecommerce_platform", "free"),
    "wordpress": ("WordPress", "cms", "free"),
    "judge-me": ("Judge.me", "reviews", "freemium"),
    "yotpo-reviews": ("Yotpo Reviews", "reviews", "paid"),
    "klaviyo": ("Klaviyo", "email_marketing", "freemium"),
    "mailchimp": ("Mailchimp", "email_marketing", "freemium"),
    "google-analytics": ("Google Analytics", "web_analytics", "free"),
}
EXCLUSIVE = {"ecommerce_platform", "reviews", "cms"}


def taxonomy() -> Taxonomy:
    slugs = sorted({category for _, category, _ in TECHNOLOGIES.values()})
    return Taxonomy(
        categories={
            slug: Category(
                slug, slug.replace("_", " ").capitalize(), Observability.HTML, exclusive=slug in EXCLUSIVE
            )
            for slug in slugs
        },
        technologies={
            slug: Technology(slug, name, category, (category,), pricing=pricing)
            for slug, (name, category, pricing) in TECHNOLOGIES.items()
        },
        aliases={"ga4": "google-analytics"},
    )


def evidence(slug: str, page_url: str = "https://acme.com/", excerpt: str = "cdn.example.com") -> Evidence:
    return Evidence(
        technology=slug,
        signal=f"{slug}#1",
        channel="host",
        strength=0.8,
        page_url=page_url,
        excerpt=excerpt,
        place="resource:1",
        kind="script",
    )


def detection(
    slug: str,
    state: str = DetectionState.PRESENT,
    confidence: float = 0.95,
    version: str = "",
    scope: str = "site",
    excerpt: str = "cdn.example.com",
) -> Detection:
    name, category, pricing = TECHNOLOGIES[slug]
    return Detection(
        slug=slug,
        name=name,
        category=category,
        categories=(category,),
        state=DetectionState(state),
        confidence=confidence,
        version=version,
        scope=scope,
        pricing=pricing,
        evidence=(evidence(slug, excerpt=excerpt),),
    )


def present(category: str) -> Assessment:
    return Assessment(category, AssessmentState.PRESENT, Reason.DETECTED, 0.95, ("home",))


def absent(category: str) -> Assessment:
    return Assessment(category, AssessmentState.ABSENT, Reason.SURFACES_CLEAR, 0.9, ("home", "product"))


def unknown(category: str, reason: Reason = Reason.SURFACE_NOT_FETCHED) -> Assessment:
    return Assessment(category, AssessmentState.UNKNOWN, reason, None, ("home",), ("product",))


def site(
    domain: str,
    *technologies: str | Detection,
    absent_in: tuple[str, ...] = (),
    unknown_in: tuple[str, ...] = (),
    scanned_at: str = LAST_NIGHT,
    outcome: Outcome = Outcome.OK,
    attrs: dict[str, str] | None = None,
) -> Record:
    """A record that was read, with these technologies and these categories assessed."""
    detections = tuple(detection(item) if isinstance(item, str) else item for item in technologies)
    used = [d for d in detections if d.state is DetectionState.PRESENT and d.scope == "site"]
    found = dict.fromkeys(d.category for d in used)
    return Record(
        domain=domain,
        id=domain,
        outcome=outcome,
        url=f"https://{domain}/",
        http_status=200,
        pages=(Page(f"https://{domain}/", PageKind.HOME, Outcome.OK, 200, 5120),),
        detections=detections,
        assessments=(*map(present, found), *map(absent, absent_in), *map(unknown, unknown_in)),
        coverage=0.5,
        attrs=attrs or {},
        scanned_at=scanned_at,
        ruleset="2026.11.1+3f9c2a7b",
        tool_version="0.1.0",
    )


def failed(domain: str, outcome: Outcome = Outcome.TIMEOUT, scanned_at: str = LAST_NIGHT) -> Record:
    """A record of a target that could not be read: nothing is known."""
    return Record(
        domain=domain,
        outcome=outcome,
        detail="no answer within 20 s",
        url=f"https://{domain}/",
        assessments=tuple(unknown(slug, Reason.SCAN_FAILED) for slug in ("ecommerce_platform", "reviews")),
        scanned_at=scanned_at,
        ruleset="2026.11.1+3f9c2a7b",
        tool_version="0.1.0",
    )


def filled(path: Path, records: Sequence[Record]) -> Store:
    """A new database with the taxonomy and one finished crawl of these records."""
    store = Store.open(path)
    store.sync_taxonomy(taxonomy())
    crawl = store.begin_crawl(
        source="prospects.csv",
        settings_hash="s1",
        ruleset="2026.11.1+3f9c2a7b",
        tool_version="0.1.0",
        config={},
        started_at="2026-11-22T01:00:00Z",
    )
    store.save(crawl.id, records)
    store.finish_crawl(crawl.id, "2026-11-22T03:00:00Z")
    return store
