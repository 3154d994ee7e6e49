"""The statistics of deriving and testing profiles: small counts, so exact tests and cautious estimates."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

ONE_SIDED_90 = 1.28
"""Normal quantile: the lower bound of an effect holds with 90%."""
TWO_SIDED_95 = 1.96


@dataclass(frozen=True, slots=True)
class Counts:
    """How many accounts of two classes have a trait. Accounts for which nobody knows stand apart."""

    best_with: int
    best_without: int
    worst_with: int
    worst_without: int
    best_unknown: int = 0
    worst_unknown: int = 0

    @property
    def best(self) -> int:
        """Best accounts for which it is known."""
        return self.best_with + self.best_without

    @property
    def worst(self) -> int:
        return self.worst_with + self.worst_without

    @property
    def support(self) -> int:
        """Accounts on the rarer side of the trait: with less, no table can show anything."""
        return min(self.best_with + self.worst_with, self.best_without + self.worst_without)

    def inverted(self) -> Counts:
        """The counts of the opposite trait."""
        return Counts(
            self.best_without,
            self.best_with,
            self.worst_without,
            self.worst_with,
            self.best_unknown,
            self.worst_unknown,
        )


def fisher_p(counts: Counts) -> float:
    """Two-sided p of Fisher's exact test: the tables at most as likely as this one, given its margins.

    >>> round(fisher_p(Counts(14, 6, 4, 16)), 4), round(fisher_p(Counts(8, 4, 2, 10)), 3)
    (0.0036, 0.036)
    """
    n, k, draws = counts.best + counts.worst, counts.best_with + counts.worst_with, counts.best
    base = _log_choose(n, draws)

    def probability(x: int) -> float:
        return math.exp(_log_choose(k, x) + _log_choose(n - k, draws - x) - base)

    observed = probability(counts.best_with)
    possible = range(max(0, draws - (n - k)), min(k, draws) + 1)
    # The tolerance keeps tables of equal probability equal after rounding.
    return min(1.0, math.fsum(p for x in possible if (p := probability(x)) <= observed * (1 + 1e-9)))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The q of each p: the false discovery rate at which it is just accepted.

    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    [0.03, 0.04, 0.04]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    q_values = [1.0] * len(p_values)
    lowest = 1.0
    for rank, i in zip(range(len(order), 0, -1), order, strict=True):
        lowest = min(lowest, p_values[i] * len(p_values) / rank)
        q_values[i] = lowest
    return q_values


@dataclass(frozen=True, slots=True)
class Effect:
    """Log-odds of best against worst, with Laplace's correction, and what it is at least and at most."""

    value: float
    lower: float
    upper: float
    """One-sided 90% bounds."""


def log_odds(counts: Counts) -> Effect:
    """How much more the best have the trait.

    Chosen over two tempting alternatives: normal shrinkage ranks 12/12 v 0/12 below 14/20 v 4/20, a
    pooled beta prior ranks 1/12 v 0/12 above it.

    >>> effect = log_odds(Counts(14, 6, 4, 16))
    >>> round(effect.value, 2), round(effect.lower, 2)
    (1.99, 1.11)
    """
    best = math.log((counts.best_with + 1) / (counts.best_without + 1))
    worst = math.log((counts.worst_with + 1) / (counts.worst_without + 1))
    cells = (counts.best_with, counts.best_without, counts.worst_with, counts.worst_without)
    margin = ONE_SIDED_90 * math.sqrt(math.fsum(1 / (cell + 1) for cell in cells))
    return Effect(best - worst, best - worst - margin, best - worst + margin)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95% interval of a share; (0, 1) when there is nothing to go by.

    >>> [round(100 * bound) for bound in wilson(15, 20)]
    [53, 89]
    """
    if n == 0:
        return 0.0, 1.0
    z2 = TWO_SIDED_95**2
    centre = (hits + z2 / 2) / (n + z2)
    margin = TWO_SIDED_95 * math.sqrt(hits * (n - hits) / n + z2 / 4) / (n + z2)
    return max(0.0, centre - margin), min(1.0, centre + margin)


def auc(best: Sequence[float], worst: Sequence[float]) -> float | None:
    """Chance that a best account scores above a worst one, ties counting half; None without both.

    >>> auc([80, 60], [60, 10])
    0.875
    """
    if not best or not worst:
        return None
    ordered = sorted(worst)
    wins = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in best)
    return wins / (2 * len(best) * len(worst))


def phi(left: Sequence[bool | None], right: Sequence[bool | None]) -> float:
    """Correlation of two traits over the accounts where both are known; 0 when one never varies."""
    pairs = [(x, y) for x, y in zip(left, right, strict=True) if x is not None and y is not None]
    n = len(pairs)
    x1, y1 = sum(x for x, _ in pairs), sum(y for _, y in pairs)
    spread = x1 * (n - x1) * y1 * (n - y1)
    both = sum(x and y for x, y in pairs)
    return (n * both - x1 * y1) / math.sqrt(spread) if spread else 0.0
