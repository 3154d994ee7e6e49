"""What to do with an inbound lead, from its score: call, look, keep warm, or let go."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from icp.batch import TOP_REASONS, top_reasons
from icp.explain import flip_text
from icp.model import Result, Score, ScoreLine, Tier


class Route(StrEnum):
    """The most welcoming one first."""

    SDR = "sdr"
    """Tier A or B, and nothing that matters is open."""
    REVIEW = "review"
    """A person has to look: tier U, or A or B while a must-have or a disqualifier is unknown."""
    NURTURE = "nurture"
    """Tier C."""
    REJECT = "reject"
    """Tier D or X."""


def route_of(score: Score) -> Route:
    """The route of one account under one profile.

    A disqualifier that is unknown matters in tiers A and B only: the others never reach a salesperson.
    """
    match score.tier:
        case Tier.A | Tier.B:
            return Route.REVIEW if score.provisional or score.review else Route.SDR
        case Tier.U:
            return Route.REVIEW
        case Tier.C:
            return Route.NURTURE
        case _:
            return Route.REJECT


def decisive(scores: Sequence[Score]) -> Score:
    """Of scores under several profiles, the one with the most welcoming route; of those, the highest."""
    routes = list(Route)
    return min(scores, key=lambda score: (routes.index(route_of(score)), -(score.score or 0)))


def why_routed(score: Score) -> list[str]:
    """What decided the route, a clause each, the weightiest first."""
    if score.disqualified_by:
        return _reasons(score, "disqualifiers", Result.MET)
    if score.tier is Tier.U:
        unknown = _reasons(score, "criteria", Result.UNKNOWN)[:TOP_REASONS]
        return [f"only {score.coverage:.0%} of the points are known", *unknown]
    match route_of(score):
        case Route.SDR:
            return top_reasons(score)
        case Route.REVIEW:
            flips = [f"if {flip_text(flip)}" for flip in score.flips[:TOP_REASONS]]
            return [*score.caps, *_reasons(score, "disqualifiers", Result.UNKNOWN), *flips]
        case _:
            return [*score.caps, *_lost(score)[:TOP_REASONS]]


def _reasons(score: Score, section: str, result: Result) -> list[str]:
    lines = [line for line in score.lines if line.section == section and line.result is result]
    return [_clause(line) for line in sorted(lines, key=lambda line: -line.points_max)]


def _lost(score: Score) -> list[str]:
    """The criteria and penalties that cost the most points."""
    costs = [(_cost(line), line) for line in score.lines if line.result is not Result.UNKNOWN]
    costs.sort(key=lambda pair: -pair[0])
    return [_clause(line) for cost, line in costs if cost > 0]


def _cost(line: ScoreLine) -> float:
    if line.section == "penalties":
        return -line.points_earned
    return line.points_max - line.points_earned if line.section == "criteria" else 0.0


def _clause(line: ScoreLine) -> str:
    return f"{line.id} {line.reason}"
