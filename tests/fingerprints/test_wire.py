"""Records as JSON: exactly there and back, and wrong types named by field."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fingerprints.model import Evidence, LoadedHost, Outcome, Page, PageKind, ResourceKind
from fingerprints.model.wire import RecordFormatError, from_json, to_json
from tests.store.records import detection, failed, site

WHOLE = replace(
    site("acme.com", "shopify", detection("klaviyo", state="weak", confidence=0.5), absent_in=("reviews",)),
    pages=(Page("https://acme.com/", PageKind.HOME, Outcome.OK, 200, 1234, ("body_cut",)),),
    hosts=(LoadedHost("cdn.widget.example", (ResourceKind.SCRIPT,), (PageKind.HOME, PageKind.PRODUCT)),),
    containers_found=("gtm:GTM-AB12",),
    dns_ok=False,
    flags=("shell",),
    coverage=0.5,
    address="203.0.113.7",
    took_ms=812,
    requests=6,
    attrs={"Company": "Acme"},
)


def without_places(record):
    """Where on the page evidence was found does not leave the process."""
    kept = [
        replace(d, evidence=tuple(replace(item, place="") for item in d.evidence)) for d in record.detections
    ]
    return replace(record, detections=tuple(kept))


@pytest.mark.parametrize("record", [WHOLE, failed("dead.com")], ids=["whole", "failed"])
def test_record_comes_back_from_json(record):
    assert from_json(json.loads(json.dumps(to_json(record)))) == without_places(record)


def test_hand_written_line_needs_an_outcome_and_a_name():
    record = from_json({"url": "https://acme.com/", "outcome": "ok", "detail": None})
    assert (record.domain, record.detail, record.attrs) == ("https://acme.com/", "", {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domain": 5}, "domain: expected text, not 5"),
        ({"domain": "", "id": None}, "one of domain, id and url is needed"),
        ({"outcome": None}, f"outcome: expected one of {', '.join(Outcome)}, which is missing"),
        ({"scan": []}, "scan: expected an object, not []"),
        ({"scan": {"http_status": "200"}}, "scan.http_status: expected a whole number, not '200'"),
        ({"scan": {"dns_ok": 1}}, "scan.dns_ok: expected true, false or null, not 1"),
        ({"scan": {"coverage": True}}, "scan.coverage: expected a number, not True"),
        ({"scan": {"coverage": float("nan")}}, "scan.coverage: expected a number, not nan"),
        ({"scan": {"flags": "shell"}}, "scan.flags: expected a list, not 'shell'"),
        ({"scan": {"pages": [7]}}, "scan.pages: expected an object, not 7"),
        ({"scan": {"scanned_at": "today"}}, "scan.scanned_at: expected an ISO 8601 time, not 'today'"),
        (
            {"scan": {"hosts": {"cdn.widget.example": {"kinds": ["magic"]}}}},
            f"scan.hosts.kinds: expected some of {', '.join(ResourceKind)}, not ['magic']",
        ),
        ({"technologies": [{"category": "cms"}]}, "technologies.slug: expected text, which is missing"),
        (
            {"technologies": [{"slug": "a", "category": "cms", "state": "present"}]},
            "technologies.confidence: expected a number, which is missing",
        ),
        (
            {
                "technologies": [
                    {"slug": "a", "category": "c", "state": "weak", "confidence": 1, "evidence": [{}]}
                ]
            },
            "technologies.evidence.signal: expected text, which is missing",
        ),
        (
            {"categories": {"cms": {"state": "absent", "reason": "surfaces_clear", "checked": [1]}}},
            "categories.checked: expected a list of texts, not [1]",
        ),
        ({"categories": {"cms": "absent"}}, "categories: expected an object, not 'absent'"),
        ({"attrs": {"a": None}}, "attrs: expected texts, not {'a': None}"),
        ({"schema_version": "1"}, "schema_version: expected a number, not '1'"),
    ],
)
def test_wrong_value_is_named_by_its_field(change, message):
    with pytest.raises(RecordFormatError) as caught:
        from_json({"domain": "acme.com", "outcome": "ok", **change})
    assert str(caught.value) == message


def test_evidence_keeps_everything_a_person_can_check():
    item = Evidence("shopify", "shopify#1", "host", 0.8, "https://a.com/", "cdn", "2", "acc", kind="script")
    record = replace(WHOLE, detections=(replace(WHOLE.detections[0], evidence=(item,)),))
    assert from_json(to_json(record)).detections[0].evidence == (item,)
