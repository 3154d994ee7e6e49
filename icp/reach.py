"""Whether finding out more about a site could change its tier: what decides where effort is spent."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from fingerprints.model import Assessment, AssessmentState, DetectionState, Reason, Record, Taxonomy
from icp.criteria import Profile
from icp.model import Result, Score, Tier
from icp.score import score_record


def could_change_tier(
    record: Record,
    profile: Profile,
    settles: Callable[[Assessment], bool],
    *,
    basis: Collection[str],
    taxonomy: Taxonomy,
    now: datetime,
) -> bool:
    """Whether the tier may move once the unknown assessments that `settles` accepts are known.

    The record is scored as it is and as if nothing were there in those categories. What becomes known in
    between is what could be found out, one way or the other; more unknowns together count as one.
    """

    def scored(imagined: Record) -> Score:
        return score_record(imagined, profile, facts=None, basis=basis, taxonomy=taxonomy, now=now)

    open_now = frozenset(a.category for a in record.assessments if _is_unknown(a) and settles(a))
    score = scored(record)
    if not open_now or score.tier is Tier.X:
        return False
    if_nothing = scored(_with_nothing_in(record, open_now))
    before = {line.id: line.result for line in score.lines}
    settled = {line.id for line in if_nothing.lines if line.result is not before[line.id]}
    settled = {name for name in settled if before[name] is Result.UNKNOWN}
    return (
        if_nothing.tier is not score.tier
        or not settled.isdisjoint(score.review)
        or any(
            flip.tier is not score.tier and (flip.id in settled or (not flip.id and len(settled) > 1))
            for flip in score.flips
        )
    )


def _is_unknown(assessment: Assessment) -> bool:
    return assessment.state is AssessmentState.UNKNOWN


def _with_nothing_in(record: Record, categories: Collection[str]) -> Record:
    """The record as if the categories were known to be empty, their weak detections refuted."""
    assessments = tuple(
        replace(a, state=AssessmentState.ABSENT, reason=Reason.SURFACES_CLEAR)
        if a.category in categories
        else a
        for a in record.assessments
    )
    detections = tuple(
        d for d in record.detections if d.category not in categories or d.state is DetectionState.PRESENT
    )
    return replace(record, assessments=assessments, detections=detections)
