"""What workers send: the whole record comes back, whatever strangers wrote into it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crawler.protocol import record_from_line, record_to_line
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Detection,
    DetectionState,
    Evidence,
    LoadedHost,
    Outcome,
    Page,
    PageKind,
    Reason,
    Record,
    ResourceKind,
)

EVIDENCE = Evidence(
    technology="hubspot",
    signal="hubspot#1",
    channel="host",
    strength=0.95,
    page_url="https://acme.com/",
    excerpt="js.hs-scripts.com/123.js",
    version="2.1",
    account="123",
    place="url:https://js.hs-scripts.com/123.js",
    kind="script",
)
DETECTION = Detection(
    slug="hubspot",
    name="HubSpot",
    category="crm",
    categories=("crm", "forms"),
    state=DetectionState.PRESENT,
    confidence=0.95,
    version="2.1",
    accounts=("123",),
    implied_by="hubspot-forms",
    scope="embed",
    pricing="freemium",
    evidence=(EVIDENCE,),
)
RECORD = Record(
    domain="acme.com",
    outcome=Outcome.OK,
    detail="a\nline break, \u2028, \U0001f600 and half of one: \ud83d",
    id="17",
    url="https://acme.com/",
    redirected_to="https://acme.de/",
    http_status=200,
    pages=(Page("https://acme.com/", PageKind.HOME, Outcome.OK, 200, 1234, ("shell",)),),
    hosts=(LoadedHost("cdn.x", (ResourceKind.IMG, ResourceKind.SCRIPT), (PageKind.HOME, PageKind.CART)),),
    detections=(DETECTION,),
    assessments=(
        Assessment("crm", AssessmentState.PRESENT, Reason.DETECTED, 0.95, ("home",)),
        Assessment(
            "live_chat", AssessmentState.UNKNOWN, Reason.SURFACE_NOT_FETCHED, None, ("home",), ("cart",)
        ),
    ),
    containers_found=("gtm:GTM-ABC123",),
    containers_parsed=("gtm:GTM-ABC123",),
    dns_ok=True,
    rendered=True,
    flags=("shell",),
    coverage=0.5,
    attrs={"owner": "Zo\u00eb"},
    scanned_at="2026-11-22T07:15:00Z",
    address="192.0.2.1",
    took_ms=1200,
    requests=3,
    ruleset="2026.11.1+3f9c2a7b",
    tool_version="1.0",
)


@pytest.mark.parametrize("record", [RECORD, Record("acme.com", Outcome.TIMEOUT)], ids=["full", "bare"])
def test_record_arrives_as_it_was_sent_but_for_the_place_of_its_evidence(record: Record) -> None:
    line = record_to_line(record, {"requests/all": 3})
    assert line.index(b"\n") == len(line) - 1
    without_place = tuple(
        replace(d, evidence=tuple(replace(e, place="") for e in d.evidence)) for d in record.detections
    )
    assert record_from_line(line) == (replace(record, detections=without_place), {"requests/all": 3})


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[1, 2]\n",
        b"[[], {}]\n",
        b'["acme.com", {}]\n',
        record_to_line(RECORD, {})[:-40] + b"\n",
    ],
)
def test_what_is_no_record_is_told(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        record_from_line(line)
