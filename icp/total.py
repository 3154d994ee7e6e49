"""The arithmetic of a score: degrees in, score and tier out (docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from icp.criteria import Criterion, Profile
from icp.model import Tier

_EXACT = Decimal("1e-9")
"""Thirds have no end in decimal; rounding here keeps the order of criteria out of the last digit."""

Known = tuple[Criterion, Decimal | None]
"""A criterion and its degree; None when unknown."""


@dataclass(frozen=True, slots=True)
class Total:
    score: int | None
    tier: Tier
    raw: Decimal | None
    """0..100; None when nothing is known."""
    low: Decimal
    high: Decimal
    coverage: Decimal
    caps: tuple[str, ...]
    provisional: bool


def add_up(profile: Profile, degrees: Sequence[Known], *, minus: Decimal, is_disqualified: bool) -> Total:
    """The total of the active criteria; `minus` is the sum of the penalties that are met."""
    earned = known = active = Decimal(0)
    for criterion, degree in degrees:
        active += criterion.points
        if degree is not None:
            known += criterion.points
            earned += criterion.points * degree
    raw = _percent(earned, known) if known else None
    coverage = known / active if active else Decimal(0)
    caps, provisional = _caps(profile, degrees)
    score: int | None
    if is_disqualified:
        score, tier = 0, Tier.X
    elif raw is None or coverage < profile.gates.min_coverage:
        score, tier = None, Tier.U
    else:
        score = _rounded(min([max(Decimal(0), raw - minus), *(cap for cap, _ in caps)]))
        tier = profile.tiers.of(score)
    return Total(
        score=score,
        tier=tier,
        raw=raw,
        low=_percent(earned, active) if active else Decimal(0),
        high=_percent(earned + active - known, active) if active else Decimal(100),
        coverage=coverage,
        caps=tuple(text for _, text in caps),
        provisional=provisional,
    )


def timing_of(degrees: Iterable[Known]) -> Decimal | None:
    """Share of the known timing points that are met; None when none is known."""
    timed = [(c.points, degree) for c, degree in degrees if c.timing and degree is not None]
    points = sum((points for points, _ in timed), Decimal(0))
    return sum((points * degree for points, degree in timed), Decimal(0)) / points if points else None


def _caps(profile: Profile, degrees: Sequence[Known]) -> tuple[list[tuple[Decimal, str]], bool]:
    """Every cap that applies, with its text, and whether one is there because something is unknown."""
    gates = profile.gates
    caps = []
    provisional = False
    for criterion, degree in degrees:
        role = "must_have" if criterion.must_have else "critical" if criterion.critical else ""
        if role and degree is None:
            provisional = True
            caps.append(
                (gates.unknown_cap, f"{criterion.id} {role} unknown: {gates.unknown_cap} (provisional)")
            )
        elif criterion.must_have and degree == 0:
            caps.append((gates.must_have_cap, f"{criterion.id} must_have not met: {gates.must_have_cap}"))
    return caps, provisional


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return (100 * part / whole).quantize(_EXACT)


def _rounded(number: Decimal) -> int:
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))
