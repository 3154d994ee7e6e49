"""Does a profile tell good accounts from bad ones? Best, worst and universe against its tiers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fingerprints.model import Record
from icp.criteria import Profile
from icp.model import Score, Tier
from icp.statistics import auc, wilson

BAND = (0.70, 0.85)
"""70 to 85% of the best customers should score as high fit: above it the profile is too broad, below it
it is misaligned. Inclusive."""

ScoreWith = Callable[[Record, Profile], Score]


@dataclass(frozen=True, slots=True)
class Group:
    """One list of accounts and how it scored."""

    name: str
    listed: int
    tiers: Mapping[Tier, int]
    high: int

    @property
    def scored(self) -> int:
        """Accounts with a verdict: with a record, and not in tier U."""
        return sum(self.tiers.values()) - self.tiers[Tier.U]

    @property
    def unscored(self) -> int:
        return self.listed - self.scored

    @property
    def rate(self) -> float | None:
        """Share of high fit among the scored; None when none is scored."""
        return self.high / self.scored if self.scored else None


@dataclass(frozen=True, slots=True)
class Work:
    """What one criterion, penalty or disqualifier adds: the figures of the profile without it."""

    id: str
    best_met: int
    best_known: int
    worst_met: int
    worst_known: int
    best_rate_without: float | None
    worst_rate_without: float | None
    auc_change: float | None
    """AUC with it minus AUC without it: below zero it does harm."""

    @property
    def is_known(self) -> bool:
        """Whether it could be judged for any account."""
        return bool(self.best_known or self.worst_known)


@dataclass(frozen=True, slots=True)
class Backtest:
    best: Group
    worst: Group
    universe: Group | None
    auc: float | None
    works: tuple[Work, ...]

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 95% interval of the best list's rate."""
        return wilson(self.best.high, self.best.scored)

    @property
    def verdict(self) -> str:
        """Where the best list's rate lies, and whether the sample is large enough to say so."""
        rate, (low, high) = self.best.rate, self.interval
        if rate is None:
            return "nothing to judge: no best account has a score"
        floor, ceiling = BAND
        if rate < floor:
            text, is_certain = f"below {100 * floor:.0f}: misaligned", high < floor
        elif rate > ceiling:
            text, is_certain = f"above {100 * ceiling:.0f}: too broad", low > ceiling
        else:
            text, is_certain = (
                f"inside {100 * floor:.0f}-{100 * ceiling:.0f}",
                floor <= low and high <= ceiling,
            )
        return text if is_certain else f"{text.partition(':')[0]} but inconclusive"

    @property
    def lift(self) -> float | None:
        """How much more often a best account is high fit than any account."""
        if self.universe is None or not self.universe.rate or self.best.rate is None:
            return None
        return self.best.rate / self.universe.rate

    @property
    def precision(self) -> float | None:
        """Share of best accounts among the high fits of both lists."""
        high = self.best.high + self.worst.high
        return self.best.high / high if high else None


def backtest(
    profile: Profile,
    best: Sequence[Record],
    worst: Sequence[Record],
    *,
    listed: tuple[int, int],
    score: ScoreWith,
    universe: Iterable[Record] | None = None,
    high: Collection[Tier] = (Tier.A, Tier.B),
) -> Backtest:
    """Score the lists; `listed` is how many accounts each of them names, with or without a record."""
    best_scores = [score(record, profile) for record in best]
    worst_scores = [score(record, profile) for record in worst]
    whole = _auc(best_scores, worst_scores)
    works = []
    for name in [item.id for item in profile.items]:
        without = _without(profile, name)
        if not without.criteria:
            continue
        left = [score(record, without) for record in best]
        right = [score(record, without) for record in worst]
        works.append(_work(name, best_scores, worst_scores, left, right, whole, high))
    everyone = None
    if universe is not None:
        scores = [score(record, profile) for record in universe]
        everyone = _group("universe", len(scores), scores, high)
    return Backtest(
        _group("best", listed[0], best_scores, high),
        _group("worst", listed[1], worst_scores, high),
        everyone,
        whole,
        tuple(sorted(works, key=lambda work: -(work.auc_change or 0))),
    )


def _group(name: str, listed: int, scores: Sequence[Score], high: Collection[Tier]) -> Group:
    tiers = {tier: sum(score.tier is tier for score in scores) for tier in Tier}
    return Group(name, listed, tiers, sum(tiers[tier] for tier in high))


def _without(profile: Profile, name: str) -> Profile:
    return replace(
        profile,
        criteria=tuple(item for item in profile.criteria if item.id != name),
        penalties=tuple(item for item in profile.penalties if item.id != name),
        disqualifiers=tuple(item for item in profile.disqualifiers if item.id != name),
    )


def _work(
    name: str,
    best: Sequence[Score],
    worst: Sequence[Score],
    best_without: Sequence[Score],
    worst_without: Sequence[Score],
    whole: float | None,
    high: Collection[Tier],
) -> Work:
    reduced = _auc(best_without, worst_without)
    best_met, best_known = met_counts(best, name)
    worst_met, worst_known = met_counts(worst, name)
    return Work(
        name,
        best_met,
        best_known,
        worst_met,
        worst_known,
        _group("best", len(best), best_without, high).rate,
        _group("worst", len(worst), worst_without, high).rate,
        None if whole is None or reduced is None else whole - reduced,
    )


def met_counts(scores: Iterable[Score], name: str) -> tuple[int, int]:
    """How many accounts meet a line at least partly, and for how many that is known."""
    degrees = [line.degree for score in scores for line in score.lines if line.id == name]
    known = [degree for degree in degrees if degree is not None]
    return sum(degree > 0 for degree in known), len(known)


def _auc(best: Sequence[Score], worst: Sequence[Score]) -> float | None:
    return auc(*([s.score for s in scores if s.score is not None] for scores in (best, worst)))
