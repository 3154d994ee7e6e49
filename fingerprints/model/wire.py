"""The JSON form of a record: what `detect` prints, workers send, feeds export and `score -` reads.

One object a line, keys sorted by meaning rather than name, nulls explicit. `from_json(to_json(r)) == r`
but for `Evidence.place`, which only detection needs. Fields are only ever added within one SCHEMA_VERSION.
"""

from __future__ import annotations

from typing import Any

from fingerprints.model import (
    SCHEMA_VERSION,
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
from fingerprints.model.fields import Fields, RecordFormatError

__all__ = ["Json", "RecordFormatError", "from_json", "to_json"]

Json = dict[str, Any]


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
            "address": record.address,
            "took_ms": record.took_ms,
            "requests": record.requests,
            "http_status": record.http_status,
            "redirected_to": record.redirected_to,
            "coverage": record.coverage,
            "pages": [_page_to_json(page) for page in record.pages],
            "hosts": {
                item.host: {"kinds": list(item.kinds), "pages": list(item.pages)} for item in record.hosts
            },
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


def from_json(data: object) -> Record:
    """The record a JSON object stands for.

    Fields a hand-written line leaves out get their empty default; only `outcome` and one of
    `domain`, `id` and `url` are needed. Raises RecordFormatError, with the field, for anything that
    is missing or of a wrong type.
    """
    fields = Fields.of(data, "")
    if fields.number("schema_version", SCHEMA_VERSION) > SCHEMA_VERSION:
        raise RecordFormatError(
            f"record schema {fields.data['schema_version']} is newer than this technograph reads "
            f"({SCHEMA_VERSION}); update technograph"
        )
    scan = fields.object("scan")
    containers = scan.object("tag_containers")
    domain = fields.text("domain") or fields.text("id") or fields.text("url")
    if not domain:
        raise RecordFormatError("one of domain, id and url is needed")
    return Record(
        domain=domain,
        outcome=fields.choice("outcome", Outcome),
        detail=fields.text("detail"),
        id=fields.text("id"),
        url=fields.text("url"),
        redirected_to=scan.text("redirected_to"),
        http_status=scan.whole("http_status"),
        pages=tuple(_page_from_json(page) for page in scan.objects("pages")),
        hosts=tuple(
            _host_from_json(host, Fields.of(item, "scan.hosts."))
            for host, item in scan.object("hosts").data.items()
        ),
        detections=tuple(_detection_from_json(item) for item in fields.objects("technologies")),
        assessments=tuple(
            _assessment_from_json(slug, Fields.of(item, "categories."))
            for slug, item in fields.object("categories").data.items()
        ),
        containers_found=containers.texts("found"),
        containers_parsed=containers.texts("parsed"),
        dns_ok=scan.flag("dns_ok"),
        rendered=bool(scan.flag("rendered")),
        flags=scan.texts("flags"),
        coverage=scan.number("coverage", 0.0),
        attrs=fields.text_mapping("attrs"),
        scanned_at=scan.time("scanned_at"),
        address=scan.text("address"),
        took_ms=scan.whole("took_ms"),
        requests=scan.whole("requests"),
        ruleset=scan.text("ruleset"),
        tool_version=scan.text("tool_version"),
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


def _page_from_json(fields: Fields) -> Page:
    return Page(
        url=fields.text("url"),
        kind=fields.choice("kind", PageKind),
        outcome=fields.choice("outcome", Outcome),
        status=fields.whole("status"),
        body_bytes=fields.whole("body_bytes") or 0,
        flags=fields.texts("flags"),
    )


def _host_from_json(host: str, fields: Fields) -> LoadedHost:
    return LoadedHost(host, fields.choices("kinds", ResourceKind), fields.choices("pages", PageKind))


def _assessment_from_json(category: str, fields: Fields) -> Assessment:
    return Assessment(
        category=category,
        state=fields.choice("state", AssessmentState),
        reason=fields.choice("reason", Reason),
        confidence=None if fields.data.get("confidence") is None else fields.number("confidence"),
        checked=fields.texts("checked"),
        missing=fields.texts("missing"),
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


def _detection_from_json(fields: Fields) -> Detection:
    slug, category = fields.required_text("slug"), fields.required_text("category")
    return Detection(
        slug=slug,
        name=fields.text("name") or slug,
        category=category,
        categories=fields.texts("categories") or (category,),
        state=fields.choice("state", DetectionState),
        confidence=fields.number("confidence"),
        version=fields.text("version"),
        accounts=fields.texts("accounts"),
        implied_by=fields.text("implied_by"),
        scope=fields.text("scope") or "site",
        pricing=fields.text("pricing") or "unknown",
        evidence=tuple(_evidence_from_json(slug, item) for item in fields.objects("evidence")),
    )


def _evidence_from_json(technology: str, fields: Fields) -> Evidence:
    return Evidence(
        technology=technology,
        signal=fields.required_text("signal"),
        channel=fields.required_text("channel"),
        strength=fields.number("strength"),
        page_url=fields.text("url"),
        excerpt=fields.text("excerpt"),
        version=fields.text("version"),
        account=fields.text("account"),
        kind=fields.text("kind"),
    )
