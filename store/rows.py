"""A record as rows and back: pure, exact in both directions. Lists are stored as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

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

Row = tuple[Any, ...]

RECORD_COLUMNS = (
    "outcome", "detail", "input_id", "url", "redirected_to", "http_status", "containers_found",
    "containers_parsed", "dns_ok", "rendered", "flags", "coverage", "attrs", "scanned_at", "address",
    "took_ms", "requests", "ruleset", "tool_version",
)  # fmt: skip
PAGE_COLUMNS = ("url", "kind", "outcome", "status", "body_bytes", "flags")
DETECTION_COLUMNS = ("state", "confidence", "version", "accounts", "implied_by", "scope")
DESCRIPTION_COLUMNS = ("name", "category", "categories", "pricing")
EVIDENCE_COLUMNS = (
    "signal", "channel", "strength", "page_url", "excerpt", "version", "account", "place", "kind",
)  # fmt: skip
ASSESSMENT_COLUMNS = ("state", "reason", "confidence")


@lru_cache(maxsize=4096)  # a few lists come back in nearly every row
def to_text(names: tuple[str, ...]) -> str:
    return json.dumps(names, separators=(",", ":"))


@lru_cache(maxsize=4096)  # likewise
def to_tuple(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()


def storable(row: Iterable[Any]) -> Row:
    """The row with lone surrogates replaced: strangers' text may hold them, SQLite's UTF-8 cannot."""
    return tuple(
        [
            value.encode("utf-8", "replace").decode()
            if isinstance(value, str) and not value.isascii()
            else value
            for value in row
        ]
    )


def record_row(record: Record) -> Row:
    """The record's own values, in the order of RECORD_COLUMNS."""
    return storable(
        (
            record.outcome.value,
            record.detail,
            record.id,
            record.url,
            record.redirected_to,
            record.http_status,
            to_text(record.containers_found),
            to_text(record.containers_parsed),
            record.dns_ok,
            record.rendered,
            to_text(record.flags),
            record.coverage,
            json.dumps(dict(record.attrs), separators=(",", ":")),
            record.scanned_at,
            record.address,
            record.took_ms,
            record.requests,
            record.ruleset,
            record.tool_version,
        )
    )


def page_row(page: Page) -> Row:
    return storable(
        (page.url, page.kind.value, page.outcome.value, page.status, page.body_bytes, to_text(page.flags))
    )


def description_row(detection: Detection) -> Row:
    return detection.name, detection.category, to_text(detection.categories), detection.pricing


def detection_row(detection: Detection) -> Row:
    return storable(
        (
            detection.state.value,
            detection.confidence,
            detection.version,
            to_text(detection.accounts),
            detection.implied_by,
            detection.scope,
        )
    )


def evidence_row(evidence: Evidence) -> Row:
    return storable(
        (
            evidence.signal,
            evidence.channel,
            evidence.strength,
            evidence.page_url,
            evidence.excerpt,
            evidence.version,
            evidence.account,
            evidence.place,
            evidence.kind,
        )
    )


def assessment_row(assessment: Assessment) -> Row:
    return assessment.state.value, assessment.reason.value, assessment.confidence


def to_record(
    domain: str,
    row: Row,
    pages: Iterable[Page],
    hosts: Iterable[LoadedHost],
    detections: Iterable[Detection],
    assessments: Iterable[Assessment],
) -> Record:
    """The record of a row in the order of RECORD_COLUMNS and what belongs to it."""
    values = dict(zip(RECORD_COLUMNS, row, strict=True))
    return Record(
        domain=domain,
        outcome=Outcome(values["outcome"]),
        detail=values["detail"],
        id=values["input_id"],
        url=values["url"],
        redirected_to=values["redirected_to"],
        http_status=values["http_status"],
        pages=tuple(pages),
        hosts=tuple(hosts),
        detections=tuple(detections),
        assessments=tuple(assessments),
        containers_found=to_tuple(values["containers_found"]),
        containers_parsed=to_tuple(values["containers_parsed"]),
        dns_ok=None if values["dns_ok"] is None else bool(values["dns_ok"]),
        rendered=bool(values["rendered"]),
        flags=to_tuple(values["flags"]),
        coverage=values["coverage"],
        attrs=json.loads(values["attrs"]),
        scanned_at=values["scanned_at"],
        address=values["address"],
        took_ms=values["took_ms"],
        requests=values["requests"],
        ruleset=values["ruleset"],
        tool_version=values["tool_version"],
    )


def to_page(row: Row) -> Page:
    url, kind, outcome, status, body_bytes, flags = row
    return Page(url, PageKind(kind), Outcome(outcome), status, body_bytes, to_tuple(flags))


def to_host(row: Row) -> LoadedHost:
    name, kinds, pages = row
    return LoadedHost(name, tuple(map(ResourceKind, to_tuple(kinds))), tuple(map(PageKind, to_tuple(pages))))


def to_detection(slug: str, description: Row, row: Row, evidence: Iterable[Evidence]) -> Detection:
    name, category, categories, pricing = description
    state, confidence, version, accounts, implied_by, scope = row
    return Detection(
        slug=slug,
        name=name,
        category=category,
        categories=to_tuple(categories),
        state=DetectionState(state),
        confidence=confidence,
        version=version,
        accounts=to_tuple(accounts),
        implied_by=implied_by,
        scope=scope,
        pricing=pricing,
        evidence=tuple(evidence),
    )


def to_evidence(slug: str, row: Row) -> Evidence:
    signal, channel, strength, *rest = row
    return Evidence(slug, signal, channel, strength, *rest)


def to_assessment(category: str, row: Row, checked: str, missing: str) -> Assessment:
    state, reason, confidence = row
    return Assessment(
        category, AssessmentState(state), Reason(reason), confidence, to_tuple(checked), to_tuple(missing)
    )


def with_positions(rows: Iterable[Row]) -> Iterator[Row]:
    """Each row behind its 0-based position, which keeps the order of a record's tuples."""
    for position, row in enumerate(rows):
        yield (position, *row)
