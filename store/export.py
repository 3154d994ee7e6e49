"""Rows for other programs: accounts, one wide row each, and technologies, one row each use.

Columns that need more than one crawl (`first_seen`, `last_change`, ...) are there and empty, so that
whoever imports the file need not change anything when they are filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from fingerprints.model import Detection, Evidence, Record, Taxonomy
from icp import export_accounts
from icp.model import Score, Tier
from icp.summary import summarize
from store.current import platform_of

Row = dict[str, Any]

HISTORY_COLUMNS = ("spend_band", "last_change", "last_change_at")

SCORE_COLUMNS = (
    "icp", "icp_version", "score", "tier", "score_coverage", "raw_low", "raw_high", "timing",
    "qualified_now", "disqualified_by", "top_reasons", "unknown_criteria", "scored_at",
)  # fmt: skip
"""Empty for an account that was never scored."""

TECHNOLOGY_COLUMNS = (
    "domain", "technology", "slug", "category", "state", "confidence", "version", "edition",
    "pricing", "first_seen", "last_seen", "started_after", "ended_by", "source", "evidence_url",
    "rule_id", "scanned_at", "scope",
)  # fmt: skip


def account_columns(input_columns: Sequence[str]) -> list[str]:
    """The input's own columns, then ours; one of ours whose name is taken gets the prefix `tg_`."""
    return [*input_columns, *export_accounts.with_input_columns(input_columns).values(), *HISTORY_COLUMNS]


def account_row(
    record: Record, score: Score | None, input_columns: Sequence[str], *, taxonomy: Taxonomy, now: datetime
) -> Row:
    """One account, by the names `account_columns` gives; findings too old to count are unknown."""
    summary = summarize(record, taxonomy, now)
    platform = platform_of(record) if summary.technologies else None
    ours = export_accounts.account_row(record, summary, score or _NO_SCORE, platform)
    if score is None:
        ours |= dict.fromkeys(SCORE_COLUMNS)
    names = export_accounts.with_input_columns(input_columns)
    given = {column: record.attrs.get(column) for column in input_columns}
    return given | {names[column]: value for column, value in ours.items()} | dict.fromkeys(HISTORY_COLUMNS)


def technology_rows(record: Record) -> Iterator[Row]:
    """One row for each technology of the record, with the strongest evidence for it."""
    for detection in record.detections:
        evidence = max(detection.evidence, key=lambda item: item.strength, default=None)
        values = _technology(detection, evidence) | {"domain": record.domain, "scanned_at": record.scanned_at}
        yield {column: values.get(column) for column in TECHNOLOGY_COLUMNS}


def _technology(detection: Detection, evidence: Evidence | None) -> Row:
    return {
        "technology": detection.name,
        "slug": detection.slug,
        "category": detection.category,
        "state": detection.state.value,
        "confidence": detection.confidence,
        "version": detection.version or None,
        "pricing": detection.pricing,
        "scope": detection.scope,
        "source": evidence.channel if evidence else "implied",
        "evidence_url": evidence.page_url if evidence else None,
        "rule_id": evidence.signal if evidence else detection.implied_by,
    }


_NO_SCORE = Score(
    domain="",
    icp="",
    icp_version=0,
    score=None,
    tier=Tier.U,
    raw=None,
    raw_low=0.0,
    raw_high=0.0,
    coverage=0.0,
    timing=None,
    qualified_now=False,
    provisional=False,
)
