"""One record and its facts against one profile: a score, a line for every criterion, what would change it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fingerprints.model import Record, Taxonomy
from fingerprints.model.times import timestamp
from icp.account import Account
from icp.criteria import Criterion, Disqualifier, Penalty, Profile
from icp.model import Flip, Result, Score, ScoreLine, Tier
from icp.total import Degrees, Sums, add_up, conclude, timing_of
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
    sums = add_up(profile, judged.degrees)
    value, tier = judged.conclude(sums)
    timing = timing_of(judged.degrees)
    low, high = sums.interval
    return Score(
        domain=record.domain,
        icp=profile.name,
        icp_version=profile.version,
        icp_status=profile.status,
        score=value,
        tier=tier,
        raw=None if sums.raw is None else float(sums.raw),
        raw_low=float(low),
        raw_high=float(high),
        coverage=float(sums.coverage),
        timing=None if timing is None else float(timing),
        qualified_now=tier in (Tier.A, Tier.B) and bool(timing) and not sums.is_provisional,
        provisional=sums.is_provisional,
        disqualified_by=tuple(d.id for d, verdict in judged.disqualifiers if verdict.degree == 1),
        review=tuple(d.id for d, verdict in judged.disqualifiers if verdict.degree is None),
        caps=tuple(map(str, sums.caps)),
        basis=tuple(layer for layer in profile.layers() if layer in basis),
        lines=tuple(judged.lines()),
        flips=tuple(_flips(judged, sums, tier)),
        scored_at=timestamp(now),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Every verdict on one account, in the profile's order."""

    profile: Profile
    criteria: tuple[tuple[Criterion, Verdict], ...]
    penalties: tuple[tuple[Penalty, Verdict], ...]
    disqualifiers: tuple[tuple[Disqualifier, Verdict], ...]

    @property
    def degrees(self) -> Degrees:
        return [(criterion, verdict.degree) for criterion, verdict in self.criteria]

    def conclude(self, sums: Sums, also_met: Penalty | None = None) -> tuple[int | None, Tier]:
        """Score and tier, as it is or if one more penalty were met."""
        minus = sum((p.minus for p, v in self.penalties if v.degree == 1 or p is also_met), Decimal(0))
        is_disqualified = any(verdict.degree == 1 for _, verdict in self.disqualifiers)
        return conclude(self.profile, sums, minus=minus, is_disqualified=is_disqualified)

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


def _flips(judged: _Judged, sums: Sums, current: Tier) -> Iterator[Flip]:
    """Unknown criteria and penalties whose resolution changes the tier, then what all of them could make.

    An unknown disqualifier would always change it; those are in `Score.review`.
    """
    if current is Tier.X:
        return
    tiers = set()
    for flip in _single_flips(judged, sums):
        if flip.tier is not current:
            tiers.add(flip.tier)
            yield flip
    unknown = [(criterion, verdict) for criterion, verdict in judged.criteria if verdict.degree is None]
    if len(unknown) > 1:
        every = "both" if len(unknown) == 2 else "all"
        best = _all_resolved(judged, sums, [(criterion, verdict.high) for criterion, verdict in unknown])
        yield Flip("", f"{every} met", *best)
        worst = _all_resolved(judged, sums, [(criterion, verdict.low) for criterion, verdict in unknown])
        if worst[1] not in (current, *tiers):
            yield Flip("", f"{every} not met", *worst)


def _single_flips(judged: _Judged, sums: Sums) -> Iterator[Flip]:
    """Each unknown resolved by itself, for better and for worse."""
    for criterion, verdict in judged.criteria:
        if verdict.degree is None:
            for assumed, degree in ((verdict.if_high, verdict.high), (verdict.if_low, verdict.low)):
                resolved = sums.resolved(judged.profile, criterion, degree)
                yield Flip(criterion.id, assumed, *judged.conclude(resolved))
    for penalty, verdict in judged.penalties:
        if verdict.degree is None:
            yield Flip(penalty.id, verdict.if_high, *judged.conclude(sums, also_met=penalty))


def _all_resolved(
    judged: _Judged, sums: Sums, assumed: Sequence[tuple[Criterion, Decimal]]
) -> tuple[int | None, Tier]:
    for criterion, degree in assumed:
        sums = sums.resolved(judged.profile, criterion, degree)
    return judged.conclude(sums)
