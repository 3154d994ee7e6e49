"""The JSON form of a record: what `detect` prints, workers send, feeds export and `score -` reads.

One object a line, keys sorted by meaning rather than name, nulls explicit. `from_json(to_json(r)) == r`
for every record. Fields are only ever added within one SCHEMA_VERSION.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fingerprints.model import (
    SCHEMA_VERSION,
    Assessment,
    AssessmentState,
    Detection,
    DetectionState,
    Evidence,
    InputError,
    Outcome,
    Page,
    PageKind,
    Reason,
    Record,
)

Json = dict[str, Any]


class RecordFormatError(InputError):
    """Raised when a JSON object is not a record: names the field and what was expected."""


def to_json(record: Record) -> Json:
    """The record as a JSON object; `categories` is keyed by category slug."""
    by_category: dict[str, list[str]] = {}
    for detection in record.detections:
        for category in detection.categories:
            by_category.setdefault(category, []).append(detection.slug)
    return {
        "schema_version": SCHEMA_VERSION,
        "id": record.id,
        "domain": record.domain,
        "url": record.url,
        "outcome": record.outcome.value,
        "detail": record.detail,
        "scan": {
            "scanned_at": record.scanned_at,
            "http_status": record.http_status,
            "redirected_to": record.redirected_to,
            "coverage": record.coverage,
            "pages": [_page_to_json(page) for page in record.pages],
            "tag_containers": {
                "found": list(record.containers_found),
                "parsed": list(record.containers_parsed),
            },
            "dns_ok": record.dns_ok,
            "rendered": record.rendered,
            "flags": list(record.flags),
            "ruleset": record.ruleset,
            "tool_version": record.tool_version,
        },
        "technologies": [_detection_to_json(detection) for detection in record.detections],
        "categories": {
            assessment.category: {
                "state": assessment.state.value,
                "reason": assessment.reason.value,
                "confidence": assessment.confidence,
                "technologies": by_category.get(assessment.category, []),
                "checked": list(assessment.checked),
                "missing": list(assessment.missing),
            }
            for assessment in record.assessments
        },
        "attrs": dict(record.attrs),
    }


def from_json(data: Mapping[str, Any]) -> Record:
    """The record a JSON object stands for.

    Fields a hand-written line leaves out get their empty default; only `outcome` and one of
    `domain`, `id` and `url` are needed. Raises RecordFormatError for anything else that is wrong.
    """
    try:
        return _from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordFormatError(f"not a technograph record: {type(exc).__name__}: {exc}") from exc


def _from_json(data: Mapping[str, Any]) -> Record:
    if data.get("schema_version", SCHEMA_VERSION) > SCHEMA_VERSION:
        raise RecordFormatError(
            f"record schema {data['schema_version']} is newer than this technograph reads "
            f"({SCHEMA_VERSION}); update technograph"
        )
    scan = data.get("scan", {})
    containers = scan.get("tag_containers", {})
    identity = data.get("domain") or data.get("id") or data.get("url")
    if not identity:
        raise RecordFormatError("one of domain, id and url is needed")
    return Record(
        domain=str(data.get("domain") or identity),
        outcome=Outcome(data["outcome"]),
        detail=data.get("detail", ""),
        id=str(data.get("id") or ""),
        url=data.get("url") or "",
        redirected_to=scan.get("redirected_to", ""),
        http_status=scan.get("http_status"),
        pages=tuple(_page_from_json(page) for page in scan.get("pages", ())),
        detections=tuple(_detection_from_json(item) for item in data.get("technologies", ())),
        assessments=tuple(
            Assessment(
                category=slug,
                state=AssessmentState(item["state"]),
                reason=Reason(item["reason"]),
                confidence=item.get("confidence"),
                checked=tuple(item.get("checked", ())),
                missing=tuple(item.get("missing", ())),
            )
            for slug, item in data.get("categories", {}).items()
        ),
        containers_found=tuple(containers.get("found", ())),
        containers_parsed=tuple(containers.get("parsed", ())),
        dns_ok=scan.get("dns_ok"),
        rendered=bool(scan.get("rendered", False)),
        flags=tuple(scan.get("flags", ())),
        coverage=float(scan.get("coverage", 0.0)),
        attrs=dict(data.get("attrs", {})),
        scanned_at=scan.get("scanned_at", ""),
        ruleset=scan.get("ruleset", ""),
        tool_version=scan.get("tool_version", ""),
    )


def _page_to_json(page: Page) -> Json:
    return {
        "url": page.url,
        "kind": page.kind.value,
        "outcome": page.outcome.value,
        "status": page.status,
        "body_bytes": page.body_bytes,
        "flags": list(page.flags),
    }


def _page_from_json(data: Mapping[str, Any]) -> Page:
    return Page(
        url=data["url"],
        kind=PageKind(data["kind"]),
        outcome=Outcome(data["outcome"]),
        status=data.get("status"),
        body_bytes=data.get("body_bytes", 0),
        flags=tuple(data.get("flags", ())),
    )


def _detection_to_json(detection: Detection) -> Json:
    return {
        "slug": detection.slug,
        "name": detection.name,
        "category": detection.category,
        "categories": list(detection.categories),
        "state": detection.state.value,
        "confidence": detection.confidence,
        "version": detection.version or None,
        "accounts": list(detection.accounts),
        "implied_by": detection.implied_by or None,
        "scope": detection.scope,
        "pricing": detection.pricing,
        "evidence": [
            {
                "signal": item.signal,
                "channel": item.channel,
                "url": item.page_url,
                "kind": item.kind or None,
                "excerpt": item.excerpt,
                "strength": item.strength,
                "version": item.version or None,
                "account": item.account or None,
            }
            for item in detection.evidence
        ],
    }


def _detection_from_json(data: Mapping[str, Any]) -> Detection:
    slug = data["slug"]
    return Detection(
        slug=slug,
        name=data.get("name", slug),
        category=data["category"],
        categories=tuple(data.get("categories") or (data["category"],)),
        state=DetectionState(data["state"]),
        confidence=float(data["confidence"]),
        version=data.get("version") or "",
        accounts=tuple(data.get("accounts", ())),
        implied_by=data.get("implied_by") or "",
        scope=data.get("scope", "site"),
        pricing=data.get("pricing", "unknown"),
        evidence=tuple(
            Evidence(
                technology=slug,
                signal=item["signal"],
                channel=item["channel"],
                strength=float(item["strength"]),
                page_url=item.get("url") or "",
                excerpt=item.get("excerpt", ""),
                version=item.get("version") or "",
                account=item.get("account") or "",
                kind=item.get("kind") or "",
            )
            for item in data.get("evidence", ())
        ),
    )
