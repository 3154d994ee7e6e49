"""The arithmetic of a score: degrees in, score and tier out (docs/scoring.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from icp.criteria import Criterion, Profile
from icp.model import Tier

_EXACT = Decimal("1e-9")
"""Thirds have no end in decimal; rounding here keeps the order of criteria out of the last digit."""

Degrees = list[tuple[Criterion, Decimal | None]]
"""Criteria with their degrees; None when unknown."""


@dataclass(frozen=True, slots=True)
class Cap:
    """An upper bound that one criterion sets to the score."""

    criterion: str
    limit: Decimal
    why: str
    is_provisional: bool
    """Whether it is there because something is unknown."""

    def __str__(self) -> str:
        return f"{self.criterion} {self.why}: {self.limit}{' (provisional)' if self.is_provisional else ''}"


@dataclass(frozen=True, slots=True)
class Sums:
    """Points of the active criteria, and the caps they set."""

    earned: Decimal
    known: Decimal
    active: Decimal
    caps: tuple[Cap, ...]

    @property
    def raw(self) -> Decimal | None:
        """0..100 of what is known; None when nothing is."""
        return _percent(self.earned, self.known) if self.known else None

    @property
    def interval(self) -> tuple[Decimal, Decimal]:
        """Raw if all that is unknown earned nothing, and everything."""
        if not self.active:
            return Decimal(0), Decimal(100)
        return (
            _percent(self.earned, self.active),
            _percent(self.earned + self.active - self.known, self.active),
        )

    @property
    def coverage(self) -> Decimal:
        return self.known / self.active if self.active else Decimal(0)

    @property
    def is_provisional(self) -> bool:
        return any(cap.is_provisional for cap in self.caps)

    def resolved(self, profile: Profile, criterion: Criterion, degree: Decimal) -> Sums:
        """The sums if an unknown criterion turned out to have this degree."""
        others = tuple(cap for cap in self.caps if cap.criterion != criterion.id)
        return Sums(
            self.earned + criterion.points * degree,
            self.known + criterion.points,
            self.active,
            others + _caps(profile, criterion, degree),
        )


def add_up(profile: Profile, degrees: Degrees) -> Sums:
    """The sums over the active criteria."""
    earned = known = active = Decimal(0)
    caps: tuple[Cap, ...] = ()
    for criterion, degree in degrees:
        active += criterion.points
        if degree is not None:
            known += criterion.points
            earned += criterion.points * degree
        caps += _caps(profile, criterion, degree)
    return Sums(earned, known, active, caps)


def conclude(
    profile: Profile, sums: Sums, *, minus: Decimal, is_disqualified: bool
) -> tuple[int | None, Tier]:
    """Score and tier; `minus` is the sum of the penalties that are met."""
    if is_disqualified:
        return 0, Tier.X
    raw = sums.raw
    if raw is None or sums.coverage < profile.gates.min_coverage:
        return None, Tier.U
    lowest = min([max(Decimal(0), raw - minus), *(cap.limit for cap in sums.caps)])
    score = int(lowest.quantize(Decimal(1), ROUND_HALF_UP))
    return score, profile.tiers.of(score)


def timing_of(degrees: Iterable[tuple[Criterion, Decimal | None]]) -> Decimal | None:
    """Share of the known timing points that are met; None when none is known."""
    timed = [(c.points, degree) for c, degree in degrees if c.timing and degree is not None]
    points = sum((points for points, _ in timed), Decimal(0))
    return sum((points * degree for points, degree in timed), Decimal(0)) / points if points else None


def _caps(profile: Profile, criterion: Criterion, degree: Decimal | None) -> tuple[Cap, ...]:
    if degree is None and (criterion.must_have or criterion.critical):
        role = "must_have" if criterion.must_have else "critical"
        return (Cap(criterion.id, profile.gates.unknown_cap, f"{role} unknown", is_provisional=True),)
    if degree == 0 and criterion.must_have:
        return (Cap(criterion.id, profile.gates.must_have_cap, "must_have not met", is_provisional=False),)
    return ()


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return (100 * part / whole).quantize(_EXACT)
