"""One record and its facts against one profile: a score, a line for every criterion, what would change it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from fingerprints.model import Record, Taxonomy
from icp.account import Account
from icp.criteria import Criterion, Disqualifier, Penalty, Profile
from icp.model import Flip, Result, Score, ScoreLine, Tier
from icp.total import Known, Total, add_up, timing_of
from icp.verdict import Verdict


def score_record(
    record: Record,
    profile: Profile,
    *,
    facts: Mapping[str, str] | None,
    basis: Collection[str],
    taxonomy: Taxonomy,
    now: datetime,
) -> Score:
    """The account's score with its lines.

    `basis` lists the layers this run has data for; criteria of other layers take no part at all, while
    a missing value within a supplied layer is unknown. `now` decides what is stale.
    """
    account = Account(record, facts, taxonomy, now)
    judged = _Judged(
        profile,
        tuple((c, c.predicate.judge(account)) for c in profile.criteria if c.layer in basis),
        tuple((p, p.predicate.judge(account)) for p in profile.penalties),
        tuple((d, d.predicate.judge(account)) for d in profile.disqualifiers),
    )
    total = judged.total()
    timing = timing_of(judged.degrees())
    return Score(
        domain=record.domain,
        icp=profile.name,
        icp_version=profile.version,
        icp_status=profile.status,
        score=total.score,
        tier=total.tier,
        raw=None if total.raw is None else float(total.raw),
        raw_low=float(total.low),
        raw_high=float(total.high),
        coverage=float(total.coverage),
        timing=None if timing is None else float(timing),
        qualified_now=total.tier in (Tier.A, Tier.B) and bool(timing) and not total.provisional,
        provisional=total.provisional,
        disqualified_by=tuple(d.id for d, verdict in judged.disqualifiers if verdict.degree == 1),
        review=tuple(d.id for d, verdict in judged.disqualifiers if verdict.degree is None),
        caps=total.caps,
        basis=tuple(layer for layer in profile.layers() if layer in basis),
        lines=tuple(judged.lines()),
        flips=tuple(_flips(judged, total)),
        scored_at=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Every verdict on one account, in the profile's order."""

    profile: Profile
    criteria: tuple[tuple[Criterion, Verdict], ...]
    penalties: tuple[tuple[Penalty, Verdict], ...]
    disqualifiers: tuple[tuple[Disqualifier, Verdict], ...]

    def degrees(self, assumed: Mapping[str, Decimal] | None = None) -> list[Known]:
        given = assumed or {}
        return [(c, given.get(c.id, verdict.degree)) for c, verdict in self.criteria]

    def total(self, assumed: Mapping[str, Decimal] | None = None) -> Total:
        """The total, with unknown criteria and penalties at the assumed degrees, by id."""
        given = assumed or {}
        minus = sum((p.minus for p, v in self.penalties if given.get(p.id, v.degree) == 1), Decimal(0))
        is_disqualified = any(verdict.degree == 1 for _, verdict in self.disqualifiers)
        return add_up(self.profile, self.degrees(given), minus=minus, is_disqualified=is_disqualified)

    def lines(self) -> Iterator[ScoreLine]:
        for criterion, verdict in self.criteria:
            earned = criterion.points * (verdict.degree or 0)
            yield _line(criterion.id, "criteria", criterion.layer, verdict, criterion.points, earned)
        for penalty, verdict in self.penalties:
            earned = -penalty.minus if verdict.degree == 1 else Decimal(0)
            yield _line(penalty.id, "penalties", "", verdict, penalty.minus, earned)
        for disqualifier, verdict in self.disqualifiers:
            yield _line(disqualifier.id, "disqualifiers", "", verdict, Decimal(0), Decimal(0))


def _line(
    name: str, section: str, layer: str, verdict: Verdict, points: Decimal, earned: Decimal
) -> ScoreLine:
    return ScoreLine(
        id=name,
        section=section,
        layer=layer,
        result=_result(verdict.degree),
        degree=None if verdict.degree is None else float(verdict.degree),
        points_max=float(points),
        points_earned=float(earned),
        reason=verdict.reason,
        evidence=verdict.evidence,
    )


def _result(degree: Decimal | None) -> Result:
    if degree is None:
        return Result.UNKNOWN
    return Result.MET if degree == 1 else Result.PARTLY if degree else Result.NOT_MET


def _flips(judged: _Judged, current: Total) -> Iterator[Flip]:
    """Unknown criteria and penalties whose resolution changes the tier, then what all of them could make.

    An unknown disqualifier would always change it; those are in `Score.review`.
    """
    unknown = [(c.id, v) for c, v in judged.criteria if v.degree is None]
    if current.tier is Tier.X:
        return
    tiers = set()
    for name, verdict in unknown + [(p.id, v) for p, v in judged.penalties if v.degree is None]:
        for assumed, degree in ((verdict.if_high, verdict.high), (verdict.if_low, verdict.low)):
            total = judged.total({name: degree})
            if total.tier is not current.tier:
                tiers.add(total.tier)
                yield Flip(name, assumed, total.score, total.tier)
    if len(unknown) > 1:
        yield from _all_resolved(judged, current, unknown, tiers)


def _all_resolved(
    judged: _Judged, current: Total, unknown: Sequence[tuple[str, Verdict]], tiers: Collection[Tier]
) -> Iterator[Flip]:
    """The best that all unknowns together can make, and the worst where no single one shows that tier."""
    every = "both" if len(unknown) == 2 else "all"
    best = judged.total({name: verdict.high for name, verdict in unknown})
    yield Flip("", f"{every} met", best.score, best.tier)
    worst = judged.total({name: verdict.low for name, verdict in unknown})
    if worst.tier not in (current.tier, *tiers):
        yield Flip("", f"{every} not met", worst.score, worst.tier)
