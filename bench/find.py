"""How fast records are stored and found again, and how many bytes each takes.

    python bench/find.py [records]

The records are made up from a seed: about 12 technologies with two pieces of evidence each, some used
by a third of the sites and most by very few, and every category assessed. `page` is the first 100
matches, `all` the whole list by domain, `count` one look at every site for those nobody knows about.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from fingerprints.detector import Detector
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Detection,
    DetectionState,
    Evidence,
    Outcome,
    Page,
    PageKind,
    Reason,
    Record,
    Taxonomy,
)
from store.database import Store
from store.freshness import Freshness
from store.names import names_of
from store.parser import parse
from store.queries import Question, count_answers, find, find_page

NOW = datetime(2026, 11, 22, tzinfo=UTC)
STACK = 12
SAVED_TOGETHER = 50

QUERIES = (
    "tech:shopify AND lacks:reviews",
    "tech:klaviyo NOT category:live_chat",
    "platform:shopify category:email_marketing lacks:reviews lacks:loyalty_referral",
    "lacks:reviews lacks:live_chat",
    "unknown:reviews",
)


def make_records(count: int, taxonomy: Taxonomy, seed: int = 1) -> Iterator[Record]:
    rng = random.Random(seed)
    slugs = sorted(taxonomy.technologies)
    rng.shuffle(slugs)
    slugs.sort(key=lambda slug: slug not in ("shopify", "klaviyo"))
    weights = [1 / rank**0.8 for rank in range(1, len(slugs) + 1)]
    for number in range(count):
        url = f"https://www.{rng.randrange(10**9)}-site{number}.com/"
        stack = sorted(set(rng.choices(slugs, weights, k=STACK)))
        detections = tuple(_detection(taxonomy, slug, url) for slug in stack)
        used = {detection.category for detection in detections}
        yield Record(
            url[12:-1],
            Outcome.OK,
            url=url,
            http_status=200,
            pages=(Page(url, PageKind.HOME, Outcome.OK, 200, 180_000),),
            detections=detections,
            assessments=tuple(_assessment(slug, slug in used, rng) for slug in taxonomy.categories),
            coverage=0.6,
            scanned_at="2026-11-21T02:00:00Z",
        )


def _detection(taxonomy: Taxonomy, slug: str, url: str) -> Detection:
    technology = taxonomy.technologies[slug]
    excerpt = f"https://cdn.{slug}.example/assets/loader.js?site={url}"
    evidence = tuple(Evidence(slug, f"{slug}#{n}", "host", 0.8, url, excerpt, kind="script") for n in (1, 2))
    return Detection(
        slug, technology.name, technology.category, technology.categories, DetectionState.PRESENT, 0.96,
        evidence=evidence,
    )  # fmt: skip


def _assessment(category: str, is_present: bool, rng: random.Random) -> Assessment:
    if is_present:
        return Assessment(category, AssessmentState.PRESENT, Reason.DETECTED, 0.96, ("home",))
    if rng.random() < 0.4:
        return Assessment(
            category, AssessmentState.UNKNOWN, Reason.SURFACE_NOT_FETCHED, None, ("home",), ("product",)
        )
    return Assessment(category, AssessmentState.ABSENT, Reason.SURFACES_CLEAR, 0.8, ("home", "product"))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    taxonomy = Detector.default().taxonomy
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "bench.db") as store:
        store.sync_taxonomy(taxonomy)
        print(f"save: {count / _fill(store, count, taxonomy):,.0f} records/s")
        print(f"size: {store.path.stat().st_size / count:,.0f} bytes/record")
        taken_s, records = _timed(lambda: sum(1 for _ in store.records()))
        print(f"load: {records / taken_s:,.0f} records/s\n")
        print(f"{'matches':>8} {'page ms':>8} {'all ms':>8} {'count ms':>8}")
        for query in QUERIES:
            _ask(store, query, Question(parse(query, names_of(taxonomy)), Freshness.at(NOW)))


def _fill(store: Store, count: int, taxonomy: Taxonomy) -> float:
    """Seconds the store took for a crawl of so many records."""
    crawl = store.begin_crawl(
        source="bench", settings_hash="", ruleset="", tool_version="", config={}, started_at=""
    )
    taken_s = 0.0
    records = make_records(count, taxonomy)
    for _ in range(0, count, SAVED_TOGETHER):
        batch = list(islice(records, SAVED_TOGETHER))
        taken_s += _timed(lambda batch=batch: store.save(crawl.id, batch))[0]
    store.finish_crawl(crawl.id, "")
    return taken_s


def _ask(store: Store, query: str, question: Question) -> None:
    page_s, _ = _timed(lambda: find_page(store, question, limit=100))
    all_s, matches = _timed(lambda: sum(1 for _ in find(store, question)))
    count_s, _ = _timed(lambda: count_answers(store, question))
    print(f"{matches:8,} {page_s * 1000:8.1f} {all_s * 1000:8.1f} {count_s * 1000:8.1f}  {query}")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
