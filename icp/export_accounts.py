"""The wide account row of plain exports: one row per account, the input's own columns first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fingerprints.model import Detection, Record
from icp.batch import top_reasons, unknown_criteria
from icp.model import Score
from icp.summary import Summary

ACCOUNT_COLUMNS = {
    "domain": "text",
    "name": "text",
    "external_id": "text",
    "scan_status": "text",
    "scanned_at": "text",
    "coverage": "number",
    "platform": "text",
    "platform_confidence": "number",
    "technologies": "list",
    "categories_present": "list",
    "categories_absent": "list",
    "categories_unknown": "list",
    "tech_count": "integer",
    "paid_tech_count": "integer",
    "icp": "text",
    "icp_version": "integer",
    "score": "integer",
    "tier": "text",
    "score_coverage": "number",
    "raw_low": "number",
    "raw_high": "number",
    "timing": "number",
    "qualified_now": "flag",
    "disqualified_by": "list",
    "top_reasons": "list",
    "unknown_criteria": "list",
    "scored_at": "text",
    "ruleset_version": "text",
}
"""Each column with the type of its values.

`coverage` is the scan's share of assessable categories, `score_coverage` the share of known points.
"""


def account_row(record: Record, summary: Summary, score: Score, platform: Detection | None) -> dict[str, Any]:
    """One account by ACCOUNT_COLUMNS; None and empty lists become empty cells."""
    return {
        "domain": record.domain,
        "name": summary.name,
        "external_id": record.id if record.id != record.domain else "",
        "scan_status": record.outcome.value,
        "scanned_at": record.scanned_at,
        "coverage": round(record.coverage, 3),
        "platform": platform.slug if platform else None,
        "platform_confidence": round(platform.confidence, 3) if platform else None,
        "technologies": [d.slug for d in summary.technologies],
        "categories_present": list(summary.present),
        "categories_absent": list(summary.absent),
        "categories_unknown": list(summary.unknown),
        "tech_count": len(summary.technologies) if summary.is_known else None,
        "paid_tech_count": _paid(summary.technologies) if summary.is_known else None,
        "icp": score.icp,
        "icp_version": score.icp_version,
        "score": score.score,
        "tier": score.tier.value,
        "score_coverage": round(score.coverage, 3),
        "raw_low": round(score.raw_low, 2),
        "raw_high": round(score.raw_high, 2),
        "timing": None if score.timing is None else round(score.timing, 3),
        "qualified_now": score.qualified_now,
        "disqualified_by": list(score.disqualified_by),
        "top_reasons": top_reasons(score),
        "unknown_criteria": unknown_criteria(score),
        "scored_at": score.scored_at,
        "ruleset_version": record.ruleset,
    }


def with_input_columns(names: Sequence[str]) -> dict[str, str]:
    """Our column to its header beside the input's columns: a collision gets the prefix `tg_`.

    >>> with_input_columns(["score"])["score"]
    'tg_score'
    """
    taken = {name.casefold() for name in names}
    return {column: f"tg_{column}" if column in taken else column for column in ACCOUNT_COLUMNS}


def _paid(technologies: Sequence[Detection]) -> int:
    return sum(d.pricing in ("paid", "enterprise") for d in technologies)
