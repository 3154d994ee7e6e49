"""What the best customers' sites have in common that the worst ones' do not: a proposal, never a verdict.

Categories are tested first, technologies only inside categories that pass, so that a few thousand
technologies do not drown the few that matter. Unknown is left out of every table and counted beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from fingerprints.model import AssessmentState, Record, Taxonomy
from icp.account import Account
from icp.statistics import Counts, benjamini_hochberg, fisher_p, log_odds, phi
from icp.traits import Derivation, Trait

MAX_Q = 0.10
"""False discovery rate that is accepted, at the level of categories and of technologies."""
MIN_SUPPORT = 5
"""Accounts that must have a trait, and lack it: with fewer, no table of this size says anything."""
DUPLICATE_PHI = 0.8
"""Correlation from which two traits are proposed as one."""
SMALL_CLASS = 10
"""With fewer accounts in a class nothing found is more than a hypothesis."""
POINTS_PER_EFFECT = 8
"""Points for each unit of log-odds that the effect is at least: 14/20 against 4/20 gives 9."""
UNKNOWN_GAP = 0.3
"""Difference between the classes' unknown shares from which the unknown may be the finding."""

Column = tuple[bool | None, ...]
"""One trait over all accounts, best first: there, not there, or None when unknown."""

OPPOSITE = {"has_category": "lacks_category", "tech_any": "lacks_tech"}


def derive(
    best: Sequence[Record],
    worst: Sequence[Record],
    *,
    taxonomy: Taxonomy,
    now: datetime,
    universe: Iterable[Record] = (),
    ours: Collection[str] = (),
) -> Derivation:
    """The traits that tell best from worst, tested, with proposed points.

    `ours` names technologies that we install ourselves: they follow from a sale rather than predict it,
    and so does their category, so both are left out.
    """
    sample = _Sample(best, worst, taxonomy, now)
    leaked = {category for slug in ours for category in taxonomy.technologies[slug].categories}
    categories = _tested(sample, "has_category", sorted(set(taxonomy.categories) - leaked), taxonomy)
    passed = {trait.slug for trait in categories if _passes(trait)}
    technologies = sorted(slug for slug, tech in taxonomy.technologies.items() if tech.category in passed)
    members = _tested(sample, "tech_any", technologies, taxonomy)
    traits = _selected(sample, [*categories, *members])
    thresholds = {True: _threshold(categories), False: _threshold(members)}
    traits = [
        _with_stability(trait, thresholds[trait.is_category]) if trait.selected else trait for trait in traits
    ]
    traits = _with_universe(traits, universe, taxonomy, now)
    traits.sort(key=lambda t: (not t.selected, -t.lower, t.name))
    return Derivation(
        len(best),
        len(worst),
        len(categories) + len(members),
        tuple(traits),
        tuple(_warnings(traits, ours)),
    )


class _Sample:
    """Both classes as columns of states."""

    def __init__(
        self, best: Sequence[Record], worst: Sequence[Record], taxonomy: Taxonomy, now: datetime
    ) -> None:
        self._accounts = [Account(record, None, taxonomy, now) for record in (*best, *worst)]
        self._best = len(best)

    def column(self, predicate: str, slug: str) -> Column:
        return tuple(_state(account, predicate, slug) for account in self._accounts)

    def counts(self, column: Column) -> Counts:
        best, worst = column[: self._best], column[self._best :]
        return Counts(
            best.count(True),
            best.count(False),
            worst.count(True),
            worst.count(False),
            best.count(None),
            worst.count(None),
        )


def _state(account: Account, predicate: str, slug: str) -> bool | None:
    found = account.category(slug) if predicate.endswith("category") else account.technology(slug)
    if found.state is AssessmentState.UNKNOWN:
        return None
    return (found.state is AssessmentState.PRESENT) != predicate.startswith("lacks")


def _tested(sample: _Sample, predicate: str, slugs: Sequence[str], taxonomy: Taxonomy) -> list[Trait]:
    """One trait for each slug with enough support, in the direction that favours the best."""
    supported = [
        (slug, counts)
        for slug in slugs
        if (counts := sample.counts(sample.column(predicate, slug))).support >= MIN_SUPPORT
    ]
    p_values = [fisher_p(counts) for _, counts in supported]
    q_values = benjamini_hochberg(p_values)
    traits = []
    for (slug, counts), p, q in zip(supported, p_values, q_values, strict=True):
        favours_absence = log_odds(counts).value < 0
        oriented = counts.inverted() if favours_absence else counts
        effect = log_odds(oriented)
        category = slug if predicate == "has_category" else taxonomy.technologies[slug].category
        traits.append(
            Trait(
                OPPOSITE[predicate] if favours_absence else predicate,
                slug,
                category,
                oriented,
                p,
                q,
                effect.value,
                effect.lower,
                round(POINTS_PER_EFFECT * max(0.0, effect.lower)),
            )
        )
    return traits


def _passes(trait: Trait) -> bool:
    return trait.q <= MAX_Q and trait.points > 0


def _threshold(traits: Sequence[Trait]) -> float:
    """The p up to which a trait of this family is accepted, as Benjamini and Hochberg put it."""
    return MAX_Q * sum(trait.q <= MAX_Q for trait in traits) / len(traits) if traits else 0.0


def _selected(sample: _Sample, traits: Sequence[Trait]) -> list[Trait]:
    """The traits, those that pass marked; of traits that go together only the strongest is selected."""
    kept: list[tuple[Trait, Column]] = []
    found = []
    for trait in sorted(traits, key=lambda t: (-t.lower, not t.is_category, t.slug)):
        if not _passes(trait):
            found.append(trait)
            continue
        column = sample.column(trait.predicate, trait.slug)
        twin = next((other for other, theirs in kept if _are_one(trait, column, other, theirs)), None)
        if twin:
            found.append(replace(trait, same_as=twin.name))
        else:
            kept.append((trait, column))
            found.append(replace(trait, selected=True))
    return found


def _are_one(left: Trait, left_column: Column, right: Trait, right_column: Column) -> bool:
    """Whether two traits would count one thing twice: one implies the other, or they go together.

    A technology implies its category, and lacking the category implies lacking the technology.
    """
    if (
        left.category == right.category
        and left.is_lack == right.is_lack
        and left.is_category != right.is_category
    ):
        return True
    return phi(left_column, right_column) > DUPLICATE_PHI


def _with_stability(trait: Trait, threshold: float) -> Trait:
    """Leave each account out once: only the table's four cells differ, so four tests are enough."""
    counts = trait.counts
    cells = ("best_with", "best_without", "worst_with", "worst_without")
    again = counts.best_unknown + counts.worst_unknown
    for cell in cells:
        size = getattr(counts, cell)
        if not size:
            continue
        without = replace(counts, **{cell: size - 1})
        is_stable = fisher_p(without) <= threshold and log_odds(without).lower > 0
        again += size * is_stable
    total = counts.best + counts.worst + counts.best_unknown + counts.worst_unknown
    return replace(trait, stability=again / total)


def _with_universe(
    traits: Sequence[Trait], universe: Iterable[Record], taxonomy: Taxonomy, now: datetime
) -> list[Trait]:
    """The traits, selected ones with the share of the universe that has them, where it is known."""
    chosen = [trait for trait in traits if trait.selected]
    states: dict[str, Counter[bool | None]] = {trait.name: Counter() for trait in chosen}
    for record in universe:
        account = Account(record, None, taxonomy, now)
        for trait in chosen:
            states[trait.name][_state(account, trait.predicate, trait.slug)] += 1
    shares = {
        name: found[True] / known for name, found in states.items() if (known := found[True] + found[False])
    }
    return [replace(trait, universe=shares.get(trait.name)) for trait in traits]


def _warnings(traits: Sequence[Trait], ours: Collection[str]) -> Iterator[str]:
    for trait in traits:
        if not trait.selected:
            continue
        counts = trait.counts
        if counts.best_without == 0 and counts.worst_with == 0:
            yield f"{trait.name}: every best and no worst account; does it come with your own product?"
        gap = _share(counts.best_unknown, counts.best) - _share(counts.worst_unknown, counts.worst)
        if abs(gap) > UNKNOWN_GAP:
            more = "best" if gap > 0 else "worst"
            yield f"{trait.name}: unknown far more often for the {more}; readability may be the finding"
    if not ours:
        yield "what you install yourself follows from a sale; name it with --ours to leave it out"


def _share(unknown: int, known: int) -> float:
    return unknown / (unknown + known) if unknown + known else 0.0
