"""Saved queries that tell only what changed: sites that are new, dropped, or in another tier.

A site whose answer is not known now (a failed scan, a finding too old to count) stays as it was last
told: not knowing is no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fingerprints.model import InputError
from icp.model import Tier
from store.conditions import Condition, any_of
from store.database import Store
from store.queries import Question
from store.selection import Column, in_domain_order, score_columns


class Change(StrEnum):
    NEW = "new"
    DROPPED = "dropped"
    TIER_CHANGED = "tier_changed"


@dataclass(frozen=True, slots=True)
class Watch:
    """One saved query."""

    id: int
    name: str
    query: str
    icp: str
    """The profile whose tiers it watches; empty when nothing was scored yet."""
    added_at: str
    told_at: str
    """When its changes were last told, or else added_at."""
    sites: int
    """How many it has told of that have not been dropped since."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One site that matches a watch now, or did when it was last told."""

    site_id: int
    domain: str
    match: str
    """`yes`, `no` or `unknown`."""
    is_listed: bool
    """Whether the watch has told of it."""
    tier_before: str
    tier_now: str
    """Empty when not scored."""
    score: int | None
    platform: str
    outcome: str
    scanned_at: str

    @property
    def change(self) -> Change | None:
        """What there is to tell; a first tier, and a tier U, are no change of tier."""
        if not self.is_listed:
            return Change.NEW if self.match == "yes" else None
        if self.match == "no":
            return Change.DROPPED
        return Change.TIER_CHANGED if self.tier_before and self.tier != self.tier_before else None

    @property
    def tier(self) -> str:
        """The tier that is known: the one before, where too little is known now."""
        return self.tier_now if self.tier_now not in ("", Tier.U) else self.tier_before or self.tier_now

    @property
    def is_kept(self) -> bool:
        return self.match == "yes" or (self.is_listed and self.match == "unknown")


def add_watch(store: Store, name: str, query: str, question: Question, now: str) -> int:
    """Save a query with its present answer; how many sites that has. Raises InputError for a taken name."""
    with store.writing() as connection:
        if connection.execute("SELECT 1 FROM watch WHERE name = ?", (name,)).fetchone():
            raise InputError(f"a watch {name!r} exists; remove it first: technograph watch remove {name}")
        values = (name, query, question.icp, now, now)
        connection.execute(
            "INSERT INTO watch (name, query, icp, added_at, told_at) VALUES (?, ?, ?, ?, ?)", values
        )
    watch = watch_named(store, name)
    matching = list(standings(store, watch, question))
    remember(store, watch, question, matching, now)
    return len(matching)


def remove_watch(store: Store, name: str) -> None:
    """Forget a saved query. Raises InputError when there is none of this name."""
    watch = watch_named(store, name)
    with store.writing() as connection:
        connection.execute("DELETE FROM watched_site WHERE watch_id = ?", (watch.id,))
        connection.execute("DELETE FROM watch WHERE id = ?", (watch.id,))


def watches(store: Store) -> list[Watch]:
    """Every saved query, by name."""
    return [Watch(**row) for row in store.ask(_WATCHES)]


def watch_named(store: Store, name: str) -> Watch:
    """The saved query. Raises InputError that names those there are."""
    saved = {watch.name: watch for watch in watches(store)}
    if name not in saved:
        there = f"there are {', '.join(saved)}" if saved else "add one: technograph watch add NAME QUERY"
        raise InputError(f"no watch {name!r}; {there}")
    return saved[name]


def standings(store: Store, watch: Watch, question: Question) -> Iterator[Standing]:
    """The sites that match now and those told of, in domain order."""
    known = question.truth
    told_of = Condition("site.id IN (SELECT site_id FROM watched_site WHERE watch_id = ?)", (watch.id,))
    told_tier = "SELECT tier FROM watched_site WHERE watch_id = ? AND site_id = site.id"
    columns = [
        Column("id", "site.id"),
        Column("domain", "site.domain"),
        Column(
            "match",
            f"CASE WHEN {known.true.sql} THEN 'yes' WHEN {known.false.sql} THEN 'no' ELSE 'unknown' END",
            (*known.true.parameters, *known.false.parameters),
        ),
        Column("told_tier", f"({told_tier})", (watch.id,)),
        *score_columns(question.icp),
        *(Column(name, f"site.{name}") for name in ("platform", "outcome", "scanned_at")),
    ]
    rows = store.ask(*in_domain_order(any_of([known.true, told_of]), columns, None))
    return (_standing(row) for row in rows)


def remember(store: Store, watch: Watch, question: Question, told: Iterable[Standing], now: str) -> None:
    """Note what was told, so that only later changes are told next time."""
    kept = [(watch.id, site.site_id, site.tier) for site in told if site.is_kept]
    with store.writing() as connection:
        connection.execute("DELETE FROM watched_site WHERE watch_id = ?", (watch.id,))
        connection.executemany("INSERT INTO watched_site (watch_id, site_id, tier) VALUES (?, ?, ?)", kept)
        connection.execute(
            "UPDATE watch SET told_at = ?, icp = ? WHERE id = ?", (now, question.icp, watch.id)
        )


def _standing(row: dict[str, Any]) -> Standing:
    return Standing(
        site_id=row["id"],
        domain=row["domain"],
        match=row["match"],
        is_listed=row["told_tier"] is not None,
        tier_before=row["told_tier"] or "",
        tier_now=row["tier"] or "",
        score=row["score"],
        platform=row["platform"],
        outcome=row["outcome"],
        scanned_at=row["scanned_at"],
    )


_WATCHES = """
SELECT id, name, query, icp, added_at, told_at,
       (SELECT count(*) FROM watched_site WHERE watch_id = watch.id) AS sites
FROM watch ORDER BY name
"""
