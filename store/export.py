"""Rows for other programs: accounts, one wide row each, and technologies, one row each use.

Columns that need more than one crawl (`first_seen`, `last_change`, ...) are there and empty, so that
whoever imports the file need not change anything when they are filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fingerprints.model import Assessment, AssessmentState, Detection, DetectionState, Evidence, Record
from icp.model import Result, Score
from store.current import platform_of
from store.freshness import Freshness

Row = dict[str, Any]

ACCOUNT_COLUMNS = (
    "domain", "name", "external_id", "outcome", "scanned_at", "coverage", "platform",
    "platform_confidence", "technologies", "categories_present", "categories_absent",
    "categories_unknown", "tech_count", "paid_tech_count", "spend_band", "last_change",
    "last_change_at", "icp", "icp_version", "score", "tier", "raw_low", "raw_high", "timing",
    "qualified_now", "disqualified_by", "top_reasons", "unknown_criteria", "scored_at",
    "ruleset_version",
)  # fmt: skip

TECHNOLOGY_COLUMNS = (
    "domain", "technology", "slug", "category", "state", "confidence", "version", "edition",
    "pricing", "first_seen", "last_seen", "started_after", "ended_by", "source", "evidence_url",
    "rule_id", "scanned_at", "scope",
)  # fmt: skip

TOP_REASONS = 3

_NAME_COLUMNS = ("name", "company", "company name", "account name")
"""Input columns taken for the account's name, in lower case, the first one found."""

_PAID = ("paid", "enterprise")


def account_columns(input_columns: Sequence[str]) -> list[str]:
    """The input's own columns, then ours; one of ours whose name is taken gets the prefix `tg_`."""
    taken = {column.lower() for column in input_columns}
    return [*input_columns, *(_free_name(column, taken) for column in ACCOUNT_COLUMNS)]


def account_row(
    record: Record, score: Score | None, freshness: Freshness, input_columns: Sequence[str]
) -> Row:
    """One account, by the names `account_columns` gives; findings too old to count are unknown."""
    taken = {column.lower() for column in input_columns}
    ours = _account(record, freshness) | (_scored(score) if score else {})
    named = {_free_name(column, taken): ours.get(column) for column in ACCOUNT_COLUMNS}
    return {column: record.attrs.get(column) for column in input_columns} | named


def technology_rows(record: Record) -> Iterator[Row]:
    """One row for each technology of the record, with the strongest evidence for it."""
    for detection in record.detections:
        evidence = max(detection.evidence, key=lambda item: item.strength, default=None)
        values = _technology(detection, evidence) | {"domain": record.domain, "scanned_at": record.scanned_at}
        yield {column: values.get(column) for column in TECHNOLOGY_COLUMNS}


def _account(record: Record, freshness: Freshness) -> Row:
    is_fresh = freshness.knows_presence(record)
    platform = platform_of(record) if is_fresh else None
    in_use = [d for d in record.detections if _is_used(d)] if is_fresh else []
    assessments = [freshness.judge(item, record.scanned_at) for item in record.assessments]
    return {
        "domain": record.domain,
        "name": _name(record.attrs),
        "external_id": record.id if record.id != record.domain else None,
        "outcome": record.outcome.value,
        "scanned_at": record.scanned_at,
        "coverage": record.coverage,
        "platform": platform.slug if platform else None,
        "platform_confidence": platform.confidence if platform else None,
        "technologies": sorted(d.slug for d in in_use),
        "categories_present": _in_state(assessments, AssessmentState.PRESENT),
        "categories_absent": _in_state(assessments, AssessmentState.ABSENT),
        "categories_unknown": _in_state(assessments, AssessmentState.UNKNOWN),
        "tech_count": len(in_use),
        "paid_tech_count": sum(d.pricing in _PAID for d in in_use),
        "ruleset_version": record.ruleset,
    }


def _scored(score: Score) -> Row:
    met = [line for line in score.lines if line.section == "criteria" and line.points_earned > 0]
    best = sorted(met, key=lambda line: (-line.points_earned, line.id))[:TOP_REASONS]
    return {
        "icp": score.icp,
        "icp_version": score.icp_version,
        "score": score.score,
        "tier": score.tier.value,
        "raw_low": score.raw_low,
        "raw_high": score.raw_high,
        "timing": score.timing,
        "qualified_now": score.qualified_now,
        "disqualified_by": list(score.disqualified_by),
        "top_reasons": [f"{line.id} {line.reason}" for line in best],
        "unknown_criteria": [
            line.id for line in score.lines if line.section == "criteria" and line.result is Result.UNKNOWN
        ],
        "scored_at": score.scored_at,
    }


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


def _is_used(detection: Detection) -> bool:
    """Whether the site itself runs it: weak signs and embedded media are not enough."""
    return detection.state is DetectionState.PRESENT and detection.scope == "site"


def _in_state(assessments: Iterable[Assessment], state: AssessmentState) -> list[str]:
    return sorted(item.category for item in assessments if item.state is state)


def _name(attrs: Mapping[str, str]) -> str | None:
    by_lower_case = {column.lower(): value for column, value in attrs.items()}
    return next((by_lower_case[column] for column in _NAME_COLUMNS if by_lower_case.get(column)), None)


def _free_name(column: str, taken: set[str]) -> str:
    return f"tg_{column}" if column in taken else column
