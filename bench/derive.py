"""Whether derivation finds what is there and nothing else: planted traits over many seeds.

    python bench/derive.py [seeds]

Each world has 60 categories of 10 technologies and 60 best and 60 worst accounts. Two categories are more
common among the best, one is rarer, and in one more a single technology is; all else is equal. Of what is
not there, up to 30% could not be read. Printed: planted traits found, and the false discovery rate.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime

from fingerprints.model import (
    Assessment,
    AssessmentState,
    Category,
    Detection,
    DetectionState,
    Observability,
    Outcome,
    Reason,
    Record,
    Taxonomy,
    Technology,
)
from icp.derive import derive

NOW = datetime(2026, 10, 2, tzinfo=UTC)
CATEGORIES = [f"category_{i:02}" for i in range(60)]
PER_CATEGORY = 10
ACCOUNTS = 60

MORE = {"category_00": (0.75, 0.3), "category_01": (0.6, 0.2)}
LESS = {"category_02": (0.2, 0.65)}
SINGLE = "category_03"
"""Here the first technology alone is planted; its nine neighbours are as common in both classes."""
SINGLE_RATES = (0.6, 0.1)
NEIGHBOURS_RATE = 0.3

PLANTED_CATEGORIES = {*MORE, *LESS, SINGLE}


def make_taxonomy() -> Taxonomy:
    technologies = {
        slug: Technology(slug, slug, category, (category,))
        for category in CATEGORIES
        for slug in members(category)
    }
    return Taxonomy({c: Category(c, c, Observability.MANAGED) for c in CATEGORIES}, technologies, {})


def members(category: str) -> list[str]:
    return [f"{category.replace('_', '-')}-tool-{i}" for i in range(PER_CATEGORY)]


def make_world(seed: int) -> tuple[list[Record], list[Record]]:
    rng = random.Random(seed)
    rates = {category: rng.uniform(0.05, 0.8) for category in CATEGORIES}
    unread = {category: rng.uniform(0, 0.3) for category in CATEGORIES}
    best, worst = (
        [_record(f"{side}{i}.com", side, rates, unread, rng) for i in range(ACCOUNTS)] for side in (0, 1)
    )
    return best, worst


def _record(
    domain: str, side: int, rates: dict[str, float], unread: dict[str, float], rng: random.Random
) -> Record:
    detections: list[Detection] = []
    assessments = []
    for category in CATEGORIES:
        tools = _tools(category, side, rates[category], rng)
        detections += [
            Detection(slug, slug, category, (category,), DetectionState.PRESENT, 0.9)
            for slug in sorted(tools)
        ]
        if tools:
            assessments.append(Assessment(category, AssessmentState.PRESENT, Reason.DETECTED))
        elif rng.random() < unread[category]:
            assessments.append(Assessment(category, AssessmentState.UNKNOWN, Reason.CONTAINER_UNPARSED))
        else:
            assessments.append(Assessment(category, AssessmentState.ABSENT, Reason.SURFACES_CLEAR))
    return Record(domain, Outcome.OK, detections=tuple(detections), assessments=tuple(assessments))


def _tools(category: str, side: int, rate: float, rng: random.Random) -> set[str]:
    first, *neighbours = members(category)
    if category == SINGLE:
        found = {first} if rng.random() < SINGLE_RATES[side] else set()
        return found | ({rng.choice(neighbours)} if rng.random() < NEIGHBOURS_RATE else set())
    rate = {**MORE, **LESS}.get(category, (rate, rate))[side]
    return {rng.choice([first, *neighbours])} if rng.random() < rate else set()


def is_planted(category: str, slug: str) -> bool:
    """Whether the trait really differs: in SINGLE only the category and its first technology do."""
    if category == SINGLE:
        return slug in (SINGLE, members(SINGLE)[0])
    return category in PLANTED_CATEGORIES


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    taxonomy = make_taxonomy()
    rates, found, selected_total = [], 0, 0
    start = time.perf_counter()
    for seed in range(seeds):
        best, worst = make_world(seed)
        selected = derive(best, worst, taxonomy=taxonomy, now=NOW).selected
        false = sum(not is_planted(trait.category, trait.slug) for trait in selected)
        rates.append(false / max(1, len(selected)))
        found += len({trait.category for trait in selected} & PLANTED_CATEGORIES)
        selected_total += len(selected)
    print(
        f"{seeds} seeds, {ACCOUNTS} best and {ACCOUNTS} worst accounts, {time.perf_counter() - start:.0f} s"
    )
    print(f"planted traits found: {found / (seeds * len(PLANTED_CATEGORIES)):.1%}")
    print(f"selected per world:   {selected_total / seeds:.1f}")
    print(f"false discovery rate: {sum(rates) / seeds:.1%} (at most 10% wanted)")


if __name__ == "__main__":
    main()
