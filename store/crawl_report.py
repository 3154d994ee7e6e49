"""What one stored crawl came to, counted by SQL: as little memory for a million records as for one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from store.crawl_events import Event, load_events
from store.database import Store

SAMPLED_SITES = 20_000
"""Sites whose categories are counted, drawn evenly from the crawl: all 77 of a million would take minutes, and
a share of this many is off by less than 0.7 points 19 times in 20."""
MOST_REASONS = 300
MOST_EVENTS = 100
SLOWEST = 20
STEPS_S = (1, 60, 600, 3_600, 86_400)
"""The finest of them that keeps a crawl under MOST_SLOTS is what outcomes are counted by."""
MOST_SLOTS = 4_000
TIME_STEP_MS = 100
MOST_REQUESTS = 15
"""Sites with more requests are counted together."""


@dataclass(frozen=True, slots=True)
class SlowSite:
    domain: str
    took_ms: int
    outcome: str
    reason: str
    pages: int
    requests: int | None


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """One category over the sites that were read."""

    slug: str
    label: str
    states: Mapping[str, int]
    """State to sites."""
    unknown_because: Mapping[str, int]
    """Reason to sites, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Tiers:
    """The crawl's scored sites for one profile."""

    icp: str
    version: int
    scored_at: str
    sites: Mapping[str, int]
    """Tier to sites, by tier."""


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """Everything the page about a crawl says."""

    crawl_id: int
    source: str
    ruleset: str
    tool_version: str
    settings: Mapping[str, str]
    started_at: str
    finished_at: str
    """Empty while the crawl is not finished."""
    outcomes: Mapping[str, int]
    """Outcome to sites, the most frequent first."""
    reasons: Mapping[str, Mapping[str, int]]
    """Outcome to its most frequent reasons with their sites; strangers may have written them."""
    step_s: int
    slots: Mapping[int, Mapping[str, int]]
    """Number of steps since 1970 to outcome to sites, in order; only those in which a site was done."""
    requests: Mapping[int, int]
    """Requests to the number of sites that got as many; MOST_REQUESTS stands for that many and more."""
    sites_counted: int
    """Sites of which requests are known."""
    requests_total: int
    pages_total: int
    bytes_total: int
    times_ms: Mapping[int, int]
    """Percentile (50, 90, 99) to the milliseconds within which that share of the asked sites was done."""
    slowest: tuple[SlowSite, ...]
    categories: tuple[CategoryCount, ...]
    sampled: int
    """Sites that were read and that the categories are counted over."""
    tiers: tuple[Tiers, ...]
    events: tuple[Event, ...]

    @property
    def sites(self) -> int:
        return sum(self.outcomes.values())


def crawl_report(store: Store, crawl_id: int) -> CrawlReport | None:
    """The counts of one crawl; None when the database has no such crawl."""
    crawl = next(store.ask("SELECT * FROM crawl WHERE id = ?", (crawl_id,)), None)
    if crawl is None:
        return None
    step_s, slots = _slots(store, crawl_id)
    requests = {row["requests"]: row["sites"] for row in store.ask(_REQUESTS, (MOST_REQUESTS, crawl_id))}
    sums = next(store.ask(_SUMS, (crawl_id,)))
    pages = next(store.ask(_PAGES, (crawl_id,)))
    sampled, categories = _categories(store, crawl_id)
    return CrawlReport(
        crawl_id=crawl_id,
        source=crawl["source"],
        ruleset=crawl["ruleset"],
        tool_version=crawl["tool_version"],
        settings={name: str(value) for name, value in json.loads(crawl["config"]).items()},
        started_at=crawl["started_at"],
        finished_at=crawl["finished_at"] or "",
        outcomes=store.outcomes(crawl_id),
        reasons=_reasons(store, crawl_id),
        step_s=step_s,
        slots=slots,
        requests=requests,
        sites_counted=sum(requests.values()),
        requests_total=sums["requests"],
        pages_total=pages["pages"],
        bytes_total=pages["bytes"],
        times_ms=_percentiles(store, crawl_id),
        slowest=tuple(SlowSite(**row) for row in store.ask(_SLOWEST, (crawl_id, SLOWEST))),
        categories=categories,
        sampled=sampled,
        tiers=_tiers(store, crawl_id),
        events=tuple(load_events(store, crawl_id, MOST_EVENTS)),
    )


def newest_crawl(store: Store) -> int | None:
    """The crawl that was begun last; None when there is none."""
    row = next(store.ask("SELECT max(id) AS id FROM crawl"))
    return None if row["id"] is None else int(row["id"])


def _slots(store: Store, crawl_id: int) -> tuple[int, dict[int, dict[str, int]]]:
    span = next(store.ask(_SPAN, (crawl_id,)))
    if not span["first"]:
        return STEPS_S[0], {}
    length_s = _seconds(span["last"]) - _seconds(span["first"])
    step_s = next((step for step in STEPS_S if length_s / step < MOST_SLOTS), STEPS_S[-1])
    slots: dict[int, dict[str, int]] = {}
    for row in store.ask(_SLOTS, (step_s, crawl_id)):
        slots.setdefault(row["slot"], {})[row["outcome"]] = row["sites"]
    return step_s, slots


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp())


def _reasons(store: Store, crawl_id: int) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in store.ask(_REASONS, (crawl_id, MOST_REASONS)):
        found.setdefault(row["outcome"], {})[row["detail"]] = row["sites"]
    return found


def _percentiles(store: Store, crawl_id: int) -> dict[int, int]:
    """Read off a histogram of TIME_STEP_MS, so up to that much too long."""
    steps = list(store.ask(_TIMES, (TIME_STEP_MS, crawl_id)))
    total = sum(row["sites"] for row in steps)
    reached = list(accumulate(row["sites"] for row in steps))
    return {
        percent: next(
            (row["step"] + 1) * TIME_STEP_MS
            for row, done in zip(steps, reached, strict=True)
            if done >= percent / 100 * total
        )
        for percent in (50, 90, 99)
        if total
    }


def _categories(store: Store, crawl_id: int) -> tuple[int, tuple[CategoryCount, ...]]:
    """How many sites were looked at, and their categories, those with the most unknowns first."""
    read = next(store.ask(_READ, (crawl_id,)))["sites"]
    every = max(-(-read // SAMPLED_SITES), 1)
    labels: dict[str, str] = {}
    states: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for row in store.ask(_CATEGORIES, (crawl_id, every)):
        slug = row["slug"]
        labels[slug] = row["label"] or slug
        states.setdefault(slug, Counter())[row["state"]] += row["sites"]
        if row["state"] == "unknown":
            reasons.setdefault(slug, Counter())[row["reason"]] += row["sites"]
    counted = [
        CategoryCount(slug, labels[slug], states[slug], dict(reasons.get(slug, Counter()).most_common()))
        for slug in states
    ]
    counted.sort(key=lambda category: (-category.states.get("unknown", 0), category.slug))
    return max((sum(category.states.values()) for category in counted), default=0), tuple(counted)


def _tiers(store: Store, crawl_id: int) -> tuple[Tiers, ...]:
    found: dict[tuple[str, int, str], dict[str, int]] = {}
    for row in store.ask(_TIERS, (crawl_id,)):
        profile = (row["slug"], row["version"], row["scored_at"])
        found.setdefault(profile, {})[row["tier"]] = row["sites"]
    return tuple(Tiers(*profile, sites) for profile, sites in found.items())


_SPAN = "SELECT min(scanned_at) AS first, max(scanned_at) AS last FROM record WHERE crawl_id = ? AND scanned_at <> ''"
_SLOTS = """
SELECT CAST(strftime('%s', scanned_at) AS INTEGER) / ? AS slot, outcome, count(*) AS sites
FROM record WHERE crawl_id = ? AND scanned_at <> '' GROUP BY slot, outcome ORDER BY slot, outcome
"""
_REASONS = """
SELECT outcome, detail, count(*) AS sites FROM record WHERE crawl_id = ? AND detail <> ''
GROUP BY outcome, detail ORDER BY sites DESC, outcome, detail LIMIT ?
"""
_REQUESTS = """
SELECT min(requests, ?) AS requests, count(*) AS sites FROM record
WHERE crawl_id = ? AND requests IS NOT NULL GROUP BY 1 ORDER BY 1
"""
_SUMS = "SELECT coalesce(sum(requests), 0) AS requests FROM record WHERE crawl_id = ?"
_PAGES = """
SELECT count(*) AS pages, coalesce(sum(body_bytes), 0) AS bytes
FROM record JOIN page ON page.record_id = record.id WHERE record.crawl_id = ?
"""
_TIMES = """
SELECT took_ms / ? AS step, count(*) AS sites FROM record
WHERE crawl_id = ? AND took_ms IS NOT NULL GROUP BY step ORDER BY step
"""
_SLOWEST = """
SELECT site.domain, slow.took_ms, slow.outcome, slow.detail AS reason, slow.requests,
       (SELECT count(*) FROM page WHERE page.record_id = slow.id) AS pages
FROM (
    SELECT id, site_id, took_ms, outcome, detail, requests FROM record
    WHERE crawl_id = ? AND took_ms IS NOT NULL ORDER BY took_ms DESC, id LIMIT ?
) AS slow JOIN site ON site.id = slow.site_id ORDER BY slow.took_ms DESC, slow.id
"""
_READ = "SELECT count(*) AS sites FROM record WHERE crawl_id = ? AND outcome IN ('ok', 'partial')"
_CATEGORIES = """
SELECT category.slug, category.label, counted.state, counted.reason, counted.sites FROM (
    SELECT assessment.category_id, assessment.state, assessment.reason, count(*) AS sites
    FROM record JOIN assessment ON assessment.record_id = record.id
    WHERE record.crawl_id = ? AND record.outcome IN ('ok', 'partial') AND record.id % ? = 0
    GROUP BY 1, 2, 3
) AS counted JOIN category ON category.id = counted.category_id ORDER BY category.slug
"""
_TIERS = """
SELECT icp.slug, icp.version, icp.scored_at, score.tier, count(*) AS sites
FROM score JOIN icp ON icp.id = score.icp_id JOIN record ON record.id = score.record_id
WHERE record.crawl_id = ? GROUP BY icp.id, score.tier ORDER BY icp.scored_at DESC, icp.id, score.tier
"""
