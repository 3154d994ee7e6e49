"""Absence: every way in which nothing was found and nothing may be concluded."""

from __future__ import annotations

from typing import Any

import pytest

from fingerprints.assess import Looked, assess, coverage
from fingerprints.detector import Detector
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Category,
    Detection,
    DetectionState,
    Observability,
    Outcome,
    PageKind,
    Reason,
    Taxonomy,
    Technology,
)
from fingerprints.observe import observe
from fingerprints.records import make_record

CATEGORIES = [
    Category("cms", "CMS", Observability.HTML, (PageKind.HOME,)),
    Category("reviews", "Reviews", Observability.MANAGED, (PageKind.HOME, PageKind.PRODUCT)),
    Category("live_chat", "Live chat", Observability.MANAGED, (PageKind.HOME,)),
    Category("helpdesk", "Helpdesk", Observability.DNS, (PageKind.HOME,), dns=True),
    Category("crm_visible", "CRM", Observability.LOGIN),
    Category("consent", "Consent", Observability.HTML, (PageKind.HOME,)),
    Category("tag_manager", "Tag manager", Observability.HTML, (PageKind.HOME,)),
    Category("video", "Video", Observability.HTML, (PageKind.HOME,)),
]
TECHNOLOGIES = [Technology(f"{c.slug}-tool", c.label, c.slug, (c.slug,)) for c in CATEGORIES[:-1]]
TECHNOLOGIES.append(Technology("loader", "Loader", "tag_manager", ("tag_manager",), loads_others=True))
TAXONOMY = Taxonomy(
    {c.slug: c for c in CATEGORIES},
    {t.slug: t for t in TECHNOLOGIES},
    {},
    frozenset(t.category for t in TECHNOLOGIES),
)
HOME = frozenset({PageKind.HOME})
HOME_AND_PRODUCT = HOME | {PageKind.PRODUCT}


def detection(slug: str, state: DetectionState = DetectionState.PRESENT, **more: Any) -> Detection:
    technology = TAXONOMY.technologies[slug]
    return Detection(slug, technology.name, technology.category, technology.categories, state, 0.9, **more)


def state_of(category: str, *detections: Detection, **looked: Any) -> Assessment:
    what = Looked(**{"outcome": Outcome.OK, "pages": HOME, **looked})
    return next(a for a in assess(TAXONOMY, detections, what, detectability={}) if a.category == category)


UNKNOWNS = [
    ("reviews", {}, Reason.SURFACE_NOT_FETCHED, ("product",)),
    ("helpdesk", {}, Reason.SURFACE_NOT_FETCHED, ("dns",)),
    ("helpdesk", {"dns_ok": False}, Reason.SURFACE_NOT_FETCHED, ("dns",)),
    ("crm_visible", {}, Reason.NOT_OBSERVABLE, ()),
    ("video", {}, Reason.NO_RULES, ()),
    (
        "live_chat",
        {"containers_found": ("gtm:GTM-AB12",)},
        Reason.CONTAINER_UNPARSED,
        ("container:GTM-AB12",),
    ),
    (
        "live_chat",
        {"containers_found": ("gtm:GTM-AB12",), "rendered": True},  # its script did not arrive
        Reason.CONTAINER_UNPARSED,
        ("container:GTM-AB12",),
    ),
    ("live_chat", {"flags": frozenset({"shell"})}, Reason.PAGE_INCOMPLETE, ("shell",)),
    ("cms", {"flags": frozenset({"body_cut"})}, Reason.PAGE_INCOMPLETE, ("body_cut",)),
    ("cms", {"flags": frozenset({"budget_spent"})}, Reason.PAGE_INCOMPLETE, ("budget_spent",)),
    ("live_chat", {"flags": frozenset({"consent_gated"})}, Reason.CONSENT_GATED, ()),
    ("cms", {"flags": frozenset({"implausible"})}, Reason.IMPLAUSIBLE, ()),
    ("cms", {"outcome": Outcome.BLOCKED, "pages": frozenset()}, Reason.BLOCKED, ()),
]


@pytest.mark.parametrize(("category", "looked", "reason", "missing"), UNKNOWNS)
def test_doubt_is_unknown_with_its_reason(
    category: str, looked: dict[str, Any], reason: Reason, missing: tuple[str, ...]
) -> None:
    result = state_of(category, **looked)
    assert (result.state, result.reason, result.missing) == (AssessmentState.UNKNOWN, reason, missing)
    assert result.confidence is None


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.is_assessable])
def test_failed_scan_is_never_an_absence(outcome: Outcome) -> None:
    results = assess(TAXONOMY, [], Looked(outcome), detectability={})
    assert {a.state for a in results} == {AssessmentState.UNKNOWN}


@pytest.mark.parametrize(
    ("category", "looked"),
    [
        ("cms", {}),
        ("reviews", {"pages": HOME_AND_PRODUCT}),
        ("live_chat", {"containers_found": ("gtm:GTM-AB12",), "containers_parsed": ("gtm:GTM-AB12",)}),
        ("live_chat", {"flags": frozenset({"shell"}), "rendered": True}),
        ("helpdesk", {"dns_ok": True}),
    ],
)
def test_absent_when_everything_that_could_show_it_was_read(category: str, looked: dict[str, Any]) -> None:
    result = state_of(category, **looked)
    assert (result.state, result.reason) == (AssessmentState.ABSENT, Reason.SURFACES_CLEAR)


def test_weak_hit_forbids_absence() -> None:
    assert state_of("cms", detection("cms-tool", DetectionState.WEAK)).reason is Reason.WEAK_ONLY


def test_embed_is_no_presence_and_forbids_absence() -> None:
    assert state_of("cms", detection("cms-tool", scope="embed")).reason is Reason.WEAK_ONLY


def test_loader_without_a_readable_container_leaves_managed_categories_unknown() -> None:
    assert state_of("live_chat", detection("loader")).reason is Reason.CONTAINER_UNPARSED
    assert state_of("cms", detection("loader")).state is AssessmentState.ABSENT


def test_browser_has_run_the_loader_unless_tags_wait_for_consent() -> None:
    assert state_of("live_chat", detection("loader"), rendered=True).state is AssessmentState.ABSENT
    gated = state_of("live_chat", detection("loader"), detection("consent-tool"), rendered=True)
    assert (gated.reason, gated.missing) == (Reason.CONTAINER_UNPARSED, ("loader",))


def test_presence_stands_even_where_absence_could_not() -> None:
    result = state_of("crm_visible", detection("crm_visible-tool"))
    assert (result.state, result.reason, result.confidence) == (AssessmentState.PRESENT, Reason.DETECTED, 0.9)


def test_confidence_of_an_absence_never_exceeds_what_was_measured() -> None:
    looked = Looked(Outcome.OK, HOME, dns_ok=True)
    measured = {
        a.category: a.confidence for a in assess(TAXONOMY, [], looked, {"cms": 0.62, "helpdesk": 0.95})
    }
    assert (measured["cms"], measured["helpdesk"]) == (0.62, 0.7)


def test_absence_says_what_was_checked() -> None:
    looked = {
        "pages": HOME_AND_PRODUCT,
        "containers_found": ("gtm:GTM-A1B2",),
        "containers_parsed": ("gtm:GTM-A1B2",),
        "dns_ok": True,
    }
    assert state_of("reviews", **looked).checked == ("home", "product", "container:GTM-A1B2", "dns")


def test_coverage_counts_what_can_be_assessed_at_all() -> None:
    results = assess(TAXONOMY, [], Looked(Outcome.OK, HOME), {})
    # cms, live_chat, consent and tag_manager of six; the login category and the one without rules do not count.
    assert coverage(TAXONOMY, results) == 0.667


@pytest.mark.parametrize(("linked", "is_about"), [(40, True), (12, False)])
def test_page_that_links_to_dozens_of_vendors_is_about_them(linked: int, is_about: bool) -> None:
    detector = Detector.default()
    websites = {
        t.vendor or slug: t.website for slug, t in detector.taxonomy.technologies.items() if t.website
    }
    links = "".join(f'<a href="{websites[vendor]}">x</a>' for vendor in sorted(websites)[:linked])
    page = observe(f"<h1>The best tools</h1>{links}", url="https://compare.example/")
    record = make_record(detector, domain="compare.example", outcome=Outcome.OK, observations=[page])
    assert ("implausible" in record.flags) is is_about
    cms = record.assessment("cms")
    assert cms is not None
    assert (cms.reason is Reason.IMPLAUSIBLE) is is_about
