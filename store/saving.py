"""Records into rows of one open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from fingerprints.model import Detection, LoadedHost, Record
from store.current import platform_of, supersedes
from store.rows import (
    ASSESSMENT_COLUMNS,
    DESCRIPTION_COLUMNS,
    DETECTION_COLUMNS,
    EVIDENCE_COLUMNS,
    PAGE_COLUMNS,
    RECORD_COLUMNS,
    assessment_row,
    description_row,
    detection_row,
    evidence_row,
    page_row,
    record_row,
    storable,
    to_text,
    with_positions,
)


class Ids:
    """Ids of categories, technologies, their descriptions and uses of hosts, given out on first sight.

    Remembered between records, so it must be told when a transaction is rolled back (`forget`).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, ...], int] = {}

    def forget(self) -> None:
        self._known.clear()

    def category(self, slug: str) -> int:
        return self._id("category", ("slug",), (slug,))

    def technology(self, detection: Detection) -> int:
        known = self._known.get(("technology", detection.slug))
        return self._add_technology(detection) if known is None else known

    def description(self, detection: Detection) -> int:
        key = (str(self.technology(detection)), *description_row(detection))
        return self._id("technology_description", ("technology_id", *DESCRIPTION_COLUMNS), key)

    def host_use(self, host: LoadedHost) -> int:
        return self._id("host_use", ("kinds", "pages"), (to_text(host.kinds), to_text(host.pages)))

    def _add_technology(self, detection: Detection) -> int:
        """A technology the taxonomy in the database does not have yet gets what the detection says."""
        added = self._connection.execute(
            "INSERT OR IGNORE INTO technology (slug, name, pricing) VALUES (?, ?, ?)",
            (detection.slug, detection.name, detection.pricing),
        ).rowcount
        technology_id = self._id("technology", ("slug",), (detection.slug,))
        if added:
            self._connection.executemany(
                "INSERT INTO technology_category VALUES (?, ?, ?)",
                [
                    (technology_id, self.category(slug), slug == detection.category)
                    for slug in dict.fromkeys((detection.category, *detection.categories))
                ],
            )
        return technology_id

    def _id(self, table: str, columns: Sequence[str], key: tuple[str, ...]) -> int:
        known = self._known.get((table, *key))
        if known is not None:
            return known
        wanted = " AND ".join(f"{column} = ?" for column in columns)
        find = f"SELECT id FROM {table} WHERE {wanted}"
        row = self._connection.execute(find, key).fetchone()
        if row is None:
            self._connection.execute(_insert(table, columns), key)
            row = self._connection.execute(find, key).fetchone()
        self._known[(table, *key)] = int(row[0])
        return int(row[0])


def save_record(connection: sqlite3.Connection, ids: Ids, crawl_id: int, record: Record) -> bool:
    """Store the record and everything under it; False when this crawl already has one for the domain."""
    connection.execute("INSERT OR IGNORE INTO site (domain) VALUES (?)", (record.domain,))
    site = connection.execute(
        "SELECT id, record_id, outcome, scanned_at FROM site WHERE domain = ?", (record.domain,)
    ).fetchone()
    site_id, current_id, outcome, scanned_at = site
    inserted = connection.execute(_INSERT_RECORD, (crawl_id, site_id, *record_row(record)))
    if inserted.rowcount == 0:
        return False
    record_id = inserted.lastrowid
    assert record_id is not None
    _save_pages(connection, record_id, record)
    _save_hosts(connection, ids, record_id, record)
    _save_detections(connection, ids, record_id, record)
    _save_assessments(connection, ids, record_id, record)
    if current_id is None or supersedes(record.outcome, record.scanned_at, outcome, scanned_at):
        _make_current(connection, site_id, current_id, record_id, record)
    return True


def _save_pages(connection: sqlite3.Connection, record_id: int, record: Record) -> None:
    rows = with_positions(page_row(page) for page in record.pages)
    connection.executemany(_INSERT_PAGE, [(record_id, *row) for row in rows])


def _save_hosts(connection: sqlite3.Connection, ids: Ids, record_id: int, record: Record) -> None:
    # Hosts get no place in `ids`: there are as many as there are sites, too many to remember.
    connection.executemany(_KEEP_HOST_NAME, [storable((host.host,)) for host in record.hosts])
    rows = [(record_id, ids.host_use(host), *storable((host.host,))) for host in record.hosts]
    connection.executemany(_INSERT_HOST, rows)


def _save_detections(connection: sqlite3.Connection, ids: Ids, record_id: int, record: Record) -> None:
    detections, evidence = [], []
    for position, detection in enumerate(record.detections):
        key = (record_id, ids.technology(detection))
        detections.append((*key, position, ids.description(detection), *detection_row(detection)))
        evidence += [(*key, *row) for row in with_positions(map(evidence_row, detection.evidence))]
    connection.executemany(_INSERT_DETECTION, detections)
    connection.executemany(_INSERT_EVIDENCE, evidence)


def _save_assessments(connection: sqlite3.Connection, ids: Ids, record_id: int, record: Record) -> None:
    surfaces: dict[tuple[str, ...], int] = {}
    rows = []
    for position, assessment in enumerate(record.assessments):
        checked = surfaces.setdefault(assessment.checked, len(surfaces))
        missing = surfaces.setdefault(assessment.missing, len(surfaces))
        category_id = ids.category(assessment.category)
        rows.append((record_id, category_id, position, checked, missing, *assessment_row(assessment)))
    connection.executemany(
        "INSERT INTO surfaces VALUES (?, ?, ?)",
        [(record_id, number, to_text(names)) for names, number in surfaces.items()],
    )
    connection.executemany(_INSERT_ASSESSMENT, rows)


def _make_current(
    connection: sqlite3.Connection, site_id: int, old_id: int | None, record_id: int, record: Record
) -> None:
    """Let the record speak for its site: its findings replace the old record's in the look-up tables."""
    if old_id is not None:
        connection.execute(_FORGET_TECHNOLOGIES, (site_id, old_id))
        connection.execute(_FORGET_CATEGORIES, (site_id, old_id))
    connection.execute(_KEEP_TECHNOLOGIES, (site_id, record_id))
    connection.execute(_KEEP_CATEGORIES, (site_id, record_id))
    platform = platform_of(record)
    connection.execute(
        "UPDATE site SET record_id = ?, outcome = ?, scanned_at = ?, platform = ? WHERE id = ?",
        (record_id, record.outcome.value, record.scanned_at, platform.slug if platform else "", site_id),
    )


def _insert(table: str, columns: Sequence[str], verb: str = "INSERT") -> str:
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_INSERT_RECORD = _insert("record", ("crawl_id", "site_id", *RECORD_COLUMNS), "INSERT OR IGNORE")
_INSERT_PAGE = _insert("page", ("record_id", "position", *PAGE_COLUMNS))
_KEEP_HOST_NAME = "INSERT OR IGNORE INTO host (name) VALUES (?)"
_INSERT_HOST = "INSERT INTO record_host (record_id, use_id, host_id) SELECT ?, ?, id FROM host WHERE name = ?"
_INSERT_DETECTION = _insert(
    "detection", ("record_id", "technology_id", "position", "description_id", *DETECTION_COLUMNS)
)
_INSERT_EVIDENCE = _insert("evidence", ("record_id", "technology_id", "position", *EVIDENCE_COLUMNS))
_INSERT_ASSESSMENT = _insert(
    "assessment", ("record_id", "category_id", "position", "checked", "missing", *ASSESSMENT_COLUMNS)
)
_FORGET_TECHNOLOGIES = """
DELETE FROM site_technology
WHERE site_id = ? AND technology_id IN (SELECT technology_id FROM detection WHERE record_id = ?)
"""
_FORGET_CATEGORIES = """
DELETE FROM site_category
WHERE (category_id, state, site_id) IN (SELECT category_id, state, ? FROM assessment WHERE record_id = ?)
"""
_KEEP_TECHNOLOGIES = """
INSERT INTO site_technology (technology_id, site_id, state, scope, version)
SELECT technology_id, ?, state, scope, version FROM detection WHERE record_id = ?
"""
_KEEP_CATEGORIES = """
INSERT INTO site_category (category_id, state, site_id)
SELECT category_id, state, ? FROM assessment WHERE record_id = ? AND state <> 'unknown'
"""
