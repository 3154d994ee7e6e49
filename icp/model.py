"""The words of scoring: a criterion's result line and an account's score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    MET = "met"
    PARTLY = "partly"
    """A known degree between 0 and 1."""
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


class Tier(StrEnum):
    A = "A"
    B = "B"
    C = "C"
    D = "D"
    U = "U"
    """Too little known to score; exported with an empty score."""
    X = "X"
    """Disqualified."""


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One criterion, penalty or disqualifier of the profile, judged for one account."""

    id: str
    section: str
    """`criteria`, `penalties` or `disqualifiers`."""
    layer: str
    """`technographic`, `firmographic` or `behavioural`; empty outside criteria."""
    result: Result
    degree: float | None
    """0..1; None when unknown."""
    points_max: float
    points_earned: float
    """degree times points_max, minus for a met penalty; 0 when unknown."""
    reason: str
    """One clause for a person, as `reviews absent: home, product read; GTM-AB12 parsed`."""
    evidence: tuple[str, ...] = ()
    """Signal and page of each piece of evidence, as `shopify#1 @ https://acme.com/ script`."""


@dataclass(frozen=True, slots=True)
class Flip:
    """What resolving one unknown would do to the tier."""

    id: str
    assumed: str
    score: int | None
    tier: Tier


@dataclass(frozen=True, slots=True)
class Score:
    """One account against one profile; reproducible from its lines alone."""

    domain: str
    icp: str
    icp_version: int
    score: int | None
    """0..100; None in tier U."""
    tier: Tier
    raw: float | None
    raw_low: float
    raw_high: float
    """Unknown counted as nothing and in full, before penalties and caps; 0..100."""
    coverage: float
    timing: float | None
    """0..1: share of the known timing points that are met; None when none is known."""
    qualified_now: bool
    provisional: bool
    disqualified_by: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    """Disqualifiers that are unknown: worth a look, without effect on the score."""
    caps: tuple[str, ...] = ()
    """Which caps applied, as `T1 must_have not met: 39`."""
    basis: tuple[str, ...] = ()
    """Layers this run had data for."""
    lines: tuple[ScoreLine, ...] = ()
    flips: tuple[Flip, ...] = ()
    scored_at: str = ""
    icp_status: str = ""
    """`hypothesis` or `validated`."""
