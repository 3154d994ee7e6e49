"""Rows into records: a handful of queries for a whole batch, not for each record."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence

from fingerprints.model import Assessment, Detection, Evidence, LoadedHost, Page, Record
from store.rows import (
    ASSESSMENT_COLUMNS,
    DESCRIPTION_COLUMNS,
    DETECTION_COLUMNS,
    EVIDENCE_COLUMNS,
    PAGE_COLUMNS,
    RECORD_COLUMNS,
    to_assessment,
    to_detection,
    to_evidence,
    to_host,
    to_page,
    to_record,
)


def load_records(connection: sqlite3.Connection, record_ids: Sequence[int]) -> list[Record]:
    """The records with these ids, in this order. Raises KeyError for an id that does not exist."""
    wanted = json.dumps(list(record_ids))
    pages = _pages(connection, wanted)
    hosts = _hosts(connection, wanted)
    detections = _detections(connection, wanted)
    assessments = _assessments(connection, wanted)
    records = {
        record_id: to_record(
            domain,
            tuple(row),
            pages[record_id],
            hosts[record_id],
            detections[record_id],
            assessments[record_id],
        )
        for record_id, domain, *row in connection.execute(_RECORDS, (wanted,))
    }
    return [records[record_id] for record_id in record_ids]


def _pages(connection: sqlite3.Connection, wanted: str) -> dict[int, list[Page]]:
    found: dict[int, list[Page]] = defaultdict(list)
    for record_id, *row in connection.execute(_PAGES, (wanted,)):
        found[record_id].append(to_page(tuple(row)))
    return found


def _hosts(connection: sqlite3.Connection, wanted: str) -> dict[int, list[LoadedHost]]:
    found: dict[int, list[LoadedHost]] = defaultdict(list)
    for record_id, *row in connection.execute(_HOSTS, (wanted,)):
        found[record_id].append(to_host(tuple(row)))
    return found


def _detections(connection: sqlite3.Connection, wanted: str) -> dict[int, list[Detection]]:
    evidence: dict[tuple[int, str], list[Evidence]] = defaultdict(list)
    for record_id, slug, *row in connection.execute(_EVIDENCE, (wanted,)):
        evidence[record_id, slug].append(to_evidence(slug, tuple(row)))
    found: dict[int, list[Detection]] = defaultdict(list)
    described = len(DESCRIPTION_COLUMNS)
    for record_id, slug, *row in connection.execute(_DETECTIONS, (wanted,)):
        found[record_id].append(
            to_detection(slug, tuple(row[:described]), tuple(row[described:]), evidence[record_id, slug])
        )
    return found


def _assessments(connection: sqlite3.Connection, wanted: str) -> dict[int, list[Assessment]]:
    found: dict[int, list[Assessment]] = defaultdict(list)
    for record_id, category, checked, missing, *row in connection.execute(_ASSESSMENTS, (wanted,)):
        found[record_id].append(to_assessment(category, tuple(row), checked, missing))
    return found


def _columns(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


_WANTED = "(SELECT value FROM json_each(?))"
_RECORDS = f"""
SELECT record.id, site.domain, {_columns("record", RECORD_COLUMNS)}
FROM record JOIN site ON site.id = record.site_id WHERE record.id IN {_WANTED}
"""
_PAGES = f"""
SELECT record_id, {_columns("page", PAGE_COLUMNS)}
FROM page WHERE record_id IN {_WANTED} ORDER BY record_id, position
"""
_HOSTS = f"""
SELECT loaded.record_id, host.name, host_use.kinds, host_use.pages
FROM record_host AS loaded
JOIN host ON host.id = loaded.host_id
JOIN host_use ON host_use.id = loaded.use_id
WHERE loaded.record_id IN {_WANTED} ORDER BY loaded.record_id, host.name
"""
_DETECTIONS = f"""
SELECT detection.record_id, technology.slug, {_columns("described", DESCRIPTION_COLUMNS)},
       {_columns("detection", DETECTION_COLUMNS)}
FROM detection
JOIN technology ON technology.id = detection.technology_id
JOIN technology_description AS described ON described.id = detection.description_id
WHERE detection.record_id IN {_WANTED} ORDER BY detection.record_id, detection.position
"""
_EVIDENCE = f"""
SELECT evidence.record_id, technology.slug, {_columns("evidence", EVIDENCE_COLUMNS)}
FROM evidence JOIN technology ON technology.id = evidence.technology_id
WHERE evidence.record_id IN {_WANTED}
ORDER BY evidence.record_id, evidence.technology_id, evidence.position
"""
_ASSESSMENTS = f"""
SELECT assessment.record_id, category.slug, checked.names, missing.names,
       {_columns("assessment", ASSESSMENT_COLUMNS)}
FROM assessment
JOIN category ON category.id = assessment.category_id
JOIN surfaces AS checked ON checked.record_id = assessment.record_id AND checked.number = assessment.checked
JOIN surfaces AS missing ON missing.record_id = assessment.record_id AND missing.number = assessment.missing
WHERE assessment.record_id IN {_WANTED} ORDER BY assessment.record_id, assessment.position
"""
