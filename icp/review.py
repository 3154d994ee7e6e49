"""A profile against the outcomes of a quarter: what to keep, drop and add, and what an edit would move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from icp.backtest import met_counts
from icp.criteria import Profile
from icp.model import Score, Tier
from icp.predicates import CountCategories, HasCategory, LacksCategory, LacksTech, TechAll, TechAny, leaves
from icp.statistics import Counts, Effect, fisher_p, log_odds
from icp.traits import Derivation, Trait

GOOD = frozenset({"won"})
BAD = frozenset({"lost", "stalled", "churned"})
OPEN = frozenset({"pipeline", "trial"})
"""Not decided yet: counted, and left out."""

MIN_ACCOUNTS = 20
"""Known accounts from which a criterion without any effect may be dropped."""

NO_EFFECT_P = 0.5
"""Above it, a difference this large or larger is more likely than not by chance alone."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do with one criterion."""

    id: str
    advice: str
    """`keep`, `drop` or `wait`."""
    why: str
    counts: Counts
    lift: float | None
    """Share met among the won over share met among the lost; None when the latter is zero."""
    p: float
    effect: Effect


@dataclass(frozen=True, slots=True)
class Migration:
    """How many accounts move from which tier to which when the profile changes."""

    moves: Counter[tuple[Tier, Tier]]
    old_high: int
    new_high: int

    @property
    def accounts(self) -> int:
        return self.moves.total()

    @property
    def old_breadth(self) -> float:
        """Share of all accounts in tier A or B."""
        return self.old_high / self.accounts if self.accounts else 0.0

    @property
    def new_breadth(self) -> float:
        return self.new_high / self.accounts if self.accounts else 0.0


def advise(profile: Profile, won: Sequence[Score], lost: Sequence[Score]) -> list[Advice]:
    """Advice for every criterion, in the profile's order."""
    return [_advice(criterion.id, won, lost) for criterion in profile.criteria]


def _advice(name: str, won: Sequence[Score], lost: Sequence[Score]) -> Advice:
    won_met, won_known = met_counts(won, name)
    lost_met, lost_known = met_counts(lost, name)
    counts = Counts(
        won_met,
        won_known - won_met,
        lost_met,
        lost_known - lost_met,
        len(won) - won_known,
        len(lost) - lost_known,
    )
    effect, p = log_odds(counts), fisher_p(counts)
    advice, why = _decide(counts, effect, p)
    lift = None
    if won_known and lost_met:
        lift = (won_met / won_known) / (lost_met / lost_known)
    return Advice(name, advice, why, counts, lift, p, effect)


def _decide(counts: Counts, effect: Effect, p: float) -> tuple[str, str]:
    known = counts.best + counts.worst
    if not known:
        return "wait", "never known; bring the data or take the criterion out"
    if effect.lower > 0:
        return "keep", "met more often by the won"
    if effect.upper < 0:
        return "drop", "met more often by the lost"
    if known < MIN_ACCOUNTS:
        return "wait", f"only {known} known accounts"
    if effect.value <= 0 or p > NO_EFFECT_P:
        return "drop", "does not tell won from lost"
    return "wait", "leans the right way, but the counts could be chance"


def additions(derivation: Derivation, profile: Profile) -> list[Trait]:
    """Selected traits that no condition of the profile looks at yet."""
    asked: set[str] = set()
    for predicate in profile.predicates:
        for leaf in leaves(predicate):
            if isinstance(leaf, TechAny):
                asked |= {slug for slug, _ in leaf.degrees}
            elif isinstance(leaf, TechAll | LacksTech):
                asked |= set(leaf.slugs)
            elif isinstance(leaf, HasCategory | LacksCategory):
                asked.add(leaf.slug)
            elif isinstance(leaf, CountCategories):
                asked |= set(leaf.of)
    return [trait for trait in derivation.selected if trait.slug not in asked]


def migrate(pairs: Iterable[tuple[Score, Score]]) -> Migration:
    """The moves of accounts scored with the old and the new profile."""
    moves = Counter((old.tier, new.tier) for old, new in pairs)
    high = (Tier.A, Tier.B)
    return Migration(
        moves,
        sum(n for (old, _), n in moves.items() if old in high),
        sum(n for (_, new), n in moves.items() if new in high),
    )
