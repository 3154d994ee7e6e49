"""Many records against one or several profiles. Profiles are scored apart and never averaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fingerprints.model import Record, Taxonomy
from icp.criteria import Profile, supplied_layers
from icp.facts import Facts
from icp.model import Score, Tier
from icp.score import score_record

TOP_REASONS = 3
"""Reasons named in a row, those that earned the most first; the lines have all of them."""


@dataclass(frozen=True, slots=True)
class Scored:
    record: Record
    scores: tuple[Score, ...]
    """One for each profile, in their order."""

    best: Score | None
    """The highest score; None when every profile disqualifies the account or knows too little."""


def score_all(
    records: Iterable[Record],
    profiles: Sequence[Profile],
    *,
    facts: Facts | None,
    taxonomy: Taxonomy,
    now: datetime,
) -> Iterator[Scored]:
    """Every record with its scores, as they come."""
    columns = facts.keys if facts else frozenset()
    bases = [supplied_layers(profile, columns) for profile in profiles]
    for record in records:
        known = facts.of(record.domain) if facts else None
        scores = tuple(
            score_record(record, profile, facts=known, basis=basis, taxonomy=taxonomy, now=now)
            for profile, basis in zip(profiles, bases, strict=True)
        )
        yield Scored(record, scores, _best(scores))


def _best(scores: Sequence[Score]) -> Score | None:
    ranked = [score for score in scores if score.tier not in (Tier.U, Tier.X)]
    return max(ranked, key=lambda score: score.score or 0, default=None)


def top_reasons(score: Score) -> list[str]:
    """The lines that earned the most, as `T2 reviews absent: home, product read`."""
    earned = [line for line in score.lines if line.points_earned > 0]
    earned.sort(key=lambda line: -line.points_earned)
    # `;` separates the values of a list in one cell.
    return [f"{line.id} {line.reason.replace('; ', ', ').replace(';', ',')}" for line in earned[:TOP_REASONS]]


def unknown_criteria(score: Score) -> list[str]:
    return [line.id for line in score.lines if line.section == "criteria" and line.degree is None]
