"""Whether finding out more about a site could change its tier: what decides where effort is spent."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from fingerprints.model import Assessment, AssessmentState, DetectionState, Reason, Record, Taxonomy
from icp.criteria import Profile, supplied_layers
from icp.model import Result, Score, Tier
from icp.predicates import asked_about
from icp.score import score_record

Settles = Callable[[Assessment], bool]
"""Whether the effort in question can turn an unknown into an answer."""


def could_change_tier(
    record: Record,
    profile: Profile,
    settles: Settles,
    *,
    taxonomy: Taxonomy,
    now: datetime,
) -> bool:
    """Whether the tier may move once the unknown assessments that `settles` accepts are known."""
    return bool(_deciding(record, profile, settles, taxonomy=taxonomy, now=now))


def deciding_categories(
    record: Record,
    profile: Profile,
    settles: Settles,
    *,
    taxonomy: Taxonomy,
    now: datetime,
) -> frozenset[str]:
    """The unknown categories that `settles` accepts and on whose answer the tier may hang; often none."""
    deciding = _deciding(record, profile, settles, taxonomy=taxonomy, now=now)
    asked = {slug for item in profile.items if item.id in deciding for slug in asked_about(item.predicate)}
    technologies = (taxonomy.technologies[slug] for slug in asked if slug in taxonomy.technologies)
    asked |= {technology.category for technology in technologies}
    return _open(record, settles) & asked


def _deciding(
    record: Record,
    profile: Profile,
    settles: Settles,
    *,
    taxonomy: Taxonomy,
    now: datetime,
) -> frozenset[str]:
    """Ids of the profile's unknown items whose answer may move the tier.

    The record is scored as it is, and as if nothing and something were there in the open categories: what
    becomes known then is what could be found out, one way or the other. Several unknowns that only
    together move the tier all decide.
    """

    def scored(imagined: Record) -> Score:
        return score_record(imagined, profile, facts=None, basis=basis, taxonomy=taxonomy, now=now)

    basis = supplied_layers(profile, ())

    score = scored(record)
    categories = _open(record, settles)
    if not categories or score.tier is Tier.X:
        return frozenset()
    if_nothing = scored(_imagined(record, categories, AssessmentState.ABSENT))
    if_something = scored(_imagined(record, categories, AssessmentState.PRESENT))
    settled = _unknown(score) - (_unknown(if_nothing) & _unknown(if_something))
    flips = [flip for flip in score.flips if flip.tier is not score.tier]
    if if_nothing.tier is not score.tier or (len(settled) > 1 and any(not flip.id for flip in flips)):
        return settled
    return settled & {*score.review, *(flip.id for flip in flips)}


def _open(record: Record, settles: Settles) -> frozenset[str]:
    unknown = (a for a in record.assessments if a.state is AssessmentState.UNKNOWN)
    return frozenset(a.category for a in unknown if settles(a))


def _unknown(score: Score) -> frozenset[str]:
    return frozenset(line.id for line in score.lines if line.result is Result.UNKNOWN)


def _imagined(record: Record, categories: Collection[str], state: AssessmentState) -> Record:
    """The record as if the categories were known to be in that state, their weak detections refuted."""
    assessments = tuple(
        replace(a, state=state, reason=Reason.SURFACES_CLEAR) if a.category in categories else a
        for a in record.assessments
    )
    detections = tuple(
        d for d in record.detections if d.category not in categories or d.state is DetectionState.PRESENT
    )
    return replace(record, assessments=assessments, detections=detections)
