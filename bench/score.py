"""How fast stored records are scored, with every explanation: records per second and peak memory.

    python bench/score.py [records]

The records are made up from a seed: 12 technologies and 40 assessed categories each, a tenth of them
unknown, scored against the worked e-commerce profile with firmographic and behavioural facts.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Detection,
    DetectionState,
    Evidence,
    Outcome,
    Reason,
    Record,
    Taxonomy,
)
from icp.batch import score_all
from icp.explain import explain_text
from icp.facts import Facts
from icp.profile import load_profile

NOW = datetime(2026, 10, 2, tzinfo=UTC)
ASSESSED = 40
STACK = 12
BATCH = 1_000


def make_records(count: int, taxonomy: Taxonomy, seed: int = 1) -> Iterator[Record]:
    rng = random.Random(seed)
    slugs = sorted(taxonomy.technologies)
    categories = sorted(taxonomy.categories)
    named = [c for c in categories if c in WANTED]
    for i in range(count):
        detections = tuple(_detection(taxonomy, slug) for slug in rng.sample(slugs, min(STACK, len(slugs))))
        present = {detection.category for detection in detections}
        assessed = named + rng.sample(categories, ASSESSED - len(named))
        yield Record(
            f"site{i}.com",
            Outcome.OK,
            url=f"https://site{i}.com/",
            detections=detections,
            assessments=tuple(_assessment(c, c in present, rng) for c in dict.fromkeys(assessed)),
            scanned_at="2026-10-01T00:00:00Z",
        )


WANTED = frozenset(
    {
        "ab_testing",
        "ad_monetization",
        "ads_pixels",
        "ecommerce_platform",
        "email_marketing",
        "reviews",
        "session_replay",
        "tag_manager",
        "ugc_shoppable_video",
        "web_analytics",
    }
)
"""Categories the profile asks for; always assessed."""


def _detection(taxonomy: Taxonomy, slug: str) -> Detection:
    technology = taxonomy.technologies[slug]
    evidence = Evidence(slug, f"{slug}#1", "host", 0.95, "https://site/", f"cdn.{slug}.com/x.js")
    return Detection(
        slug, technology.name, technology.category, technology.categories, DetectionState.PRESENT, 0.95,
        evidence=(evidence, evidence),
    )  # fmt: skip


def _assessment(category: str, is_present: bool, rng: random.Random) -> Assessment:
    if is_present:
        return Assessment(category, AssessmentState.PRESENT, Reason.DETECTED, 0.95)
    if rng.random() < 0.1:
        return Assessment(category, AssessmentState.UNKNOWN, Reason.CONTAINER_UNPARSED)
    return Assessment(category, AssessmentState.ABSENT, Reason.SURFACES_CLEAR, 0.9, ("home", "product"))


def make_facts(count: int) -> Facts:
    values = {
        "industry": "online retail",
        "employees": "200",
        "region": "western-europe",
        "trigger": "funding",
    }
    return Facts(frozenset(values), {f"site{i}.com": values for i in range(0, count, 2)}, (), 0)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    taxonomy = Detector.default().taxonomy
    profile = load_profile(data_file("icp/dtc-reviews.yaml"), taxonomy)
    facts = make_facts(count)
    score_s = explain_s = 0.0
    tiers: Counter[str] = Counter()
    records = make_records(count, taxonomy)
    while batch := list(islice(records, BATCH)):
        start = time.process_time()
        scored = list(score_all(batch, [profile], facts=facts, taxonomy=taxonomy, now=NOW))
        score_s += time.process_time() - start
        start = time.process_time()
        for account in scored:
            explain_text(account.scores[0], account.record)
        explain_s += time.process_time() - start
        tiers.update(account.scores[0].tier.value for account in scored)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count:,} records, tiers {dict(sorted(tiers.items()))}")
    print(f"score with lines and flips: {count / score_s:,.0f} records/s of processor time, one core")
    print(f"and each explained as text: {count / (score_s + explain_s):,.0f} records/s")
    print(f"peak memory: {peak_mb:,.0f} MB (rules and facts included)")


if __name__ == "__main__":
    main()
