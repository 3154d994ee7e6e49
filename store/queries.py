"""The questions asked of the database, one function each; commands and the web page call the same ones."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fingerprints.model import Record
from store.conditions import EVERY_SITE, Truth, any_of, truth
from store.database import BATCH, Store
from store.freshness import Freshness
from store.names import Names, TechnologyName
from store.query import Node
from store.selection import Column, asked_columns, in_domain_order, in_stored_order

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A query with everything that decides its answer."""

    query: Node
    freshness: Freshness
    icp: str = ""
    """The profile that tiers and scores are of; empty: the one last used."""

    @property
    def truth(self) -> Truth:
        return truth(self.query, self.freshness, self.icp)

    @property
    def columns(self) -> list[Column]:
        """What a list of sites shows: the state of everything the query names, between the usual columns."""
        asked = asked_columns(self.query, self.freshness, self.icp)
        return [*_column("domain", "platform"), *asked, *_column("outcome", "scanned_at")]


@dataclass(frozen=True, slots=True)
class Answers:
    """How many sites match, and for how many nobody knows."""

    match: int
    unknown: int
    unread: int
    """Those unknown because the site could not be read at all."""

    def listed(self, include_unknown: bool) -> int:
        return self.match + self.unknown if include_unknown else self.match


def known_names(store: Store) -> Names:
    """Every technology and category the database has a name for."""
    technologies = {
        row["slug"]: TechnologyName(row["slug"], row["category"] or "", bool(row["excludes_others"]))
        for row in store.ask(_TECHNOLOGIES)
    }
    written = {row["name"].lower(): technologies[row["slug"]] for row in store.ask(_TECHNOLOGIES)}
    aliases = {row["alias"]: technologies[row["slug"]] for row in store.ask(_ALIASES)}
    categories = {row["slug"] for row in store.ask("SELECT slug FROM category")}
    return Names({**written, **aliases, **technologies}, categories)


def find(
    store: Store, question: Question, *, limit: int | None = None, include_unknown: bool = False
) -> Iterator[Row]:
    """Sites that match, in domain order, with the state of everything the query names.

    With `include_unknown` also those that may match; a first column `match` tells them apart.
    """
    known = question.truth
    if not include_unknown:
        yield from store.ask(*in_domain_order(known.true, question.columns, limit))
        return
    match = Column("match", f"iif({known.true.sql}, 'yes', 'unknown')", known.true.parameters)
    possible = any_of([known.true, known.unknown])
    yield from store.ask(*in_domain_order(possible, [match, *question.columns], limit))


def find_page(store: Store, question: Question, *, after: int = 0, limit: int = 100) -> list[Row]:
    """Matching sites in stored order, behind the site with the id `after`; each row has its `id`.

    The walk stops at the limit, so a page costs the same wherever it is and however many match.
    """
    columns = [*_column("id"), *question.columns]
    return list(store.ask(*in_stored_order(question.truth.true, columns, after, limit)))


def count_answers(store: Store, question: Question) -> Answers:
    """How many sites match and how many may: one look at every site."""
    known = question.truth
    # Materialized, or SQLite would work out the condition again for each of the three counts.
    sql = f"""
    WITH answer AS MATERIALIZED (
        SELECT CASE WHEN {known.true.sql} THEN 1 WHEN {known.false.sql} THEN 0 END AS holds, outcome FROM site
    )
    SELECT count(*) FILTER (WHERE holds) AS match,
           count(*) FILTER (WHERE holds IS NULL) AS unknown,
           count(*) FILTER (WHERE holds IS NULL AND outcome NOT IN ('ok', 'partial')) AS unread
    FROM answer
    """
    return Answers(**next(store.ask(sql, (*known.true.parameters, *known.false.parameters))))


def matching_records(store: Store, question: Question | None) -> Iterator[Record]:
    """The records of the sites that match, or of all sites, in domain order."""
    if question is None:
        yield from store.records()
        return
    found = store.ask(*in_domain_order(question.truth.true, _column("record_id"), None))
    while batch := [row["record_id"] for row in islice(found, BATCH)]:
        yield from store.load(batch)


def input_columns(store: Store, question: Question | None) -> list[str]:
    """The columns the input lists of these sites had beside the domain, in the order they first appear."""
    condition = question.truth.true if question else EVERY_SITE
    sql, parameters = in_domain_order(condition, _column("record_id"), None)
    sql = f"""
    SELECT input.key FROM ({sql}) AS found
    JOIN record ON record.id = found.record_id, json_each(record.attrs) AS input
    GROUP BY input.key ORDER BY min(record.id), min(input.id)
    """
    return [row["key"] for row in store.ask(sql, parameters)]


def history(store: Store, domain: str) -> list[Row]:
    """Every record of the domain, the newest first: crawl, scanned_at, outcome, detail, is_current."""
    return list(store.ask(_HISTORY, (domain,)))


def similar_domains(store: Store, domain: str) -> list[str]:
    """Up to three stored domains that look like this one and start like it, the nearest first."""
    start = domain[:_SAME_START]
    nearby = [row["domain"] for row in store.ask(_SIMILAR, (start, f"{start}\U0010ffff"))]
    return difflib.get_close_matches(domain, nearby)


def crawls(store: Store) -> list[Row]:
    """Every crawl, the newest first: how many records it has, how many were read, and outcome to sites."""
    return [row | {"outcomes": _most_first(row["outcomes"])} for row in store.ask(_CRAWLS)]


def category_usage(store: Store, freshness: Freshness) -> list[Row]:
    """Each category that was assessed anywhere: on how many sites it is present, absent, unknown.

    `present_pct` is of the sites where it is known: what could not be seen says nothing either way.
    """
    sites = next(store.ask("SELECT count(*) AS n FROM site"))["n"]
    rows = store.ask(_CATEGORY_USAGE, (freshness.present_since, freshness.absent_since))
    return [_category_row(row, sites) for row in rows if row["present"] or row["absent"]]


def technology_usage(
    store: Store, category: str, freshness: Freshness, *, by_platform: bool = False
) -> list[Row]:
    """Each technology of a category: its sites, its share of the assessed ones and of the category's users.

    With `by_platform` counted apart for each platform; the empty one holds sites whose platform is not known.
    """
    group = "site.platform" if by_platform else "''"
    since = (freshness.present_since, freshness.absent_since)
    totals = {row["platform"]: row for row in store.ask(_ASSESSED.format(group=group), (*since, category))}
    users = store.ask(_USERS.format(group=group), (category, freshness.present_since))
    return [_usage_row(row, totals[row["platform"]]) for row in users if row["platform"] in totals]


def _most_first(counts: str) -> dict[str, int]:
    return dict(sorted(json.loads(counts).items(), key=lambda item: (-item[1], item[0])))


def _category_row(row: Row, sites: int) -> Row:
    assessed = row["present"] + row["absent"]
    unknown = {"unknown": sites - assessed, "present_pct": _percent(row["present"], assessed)}
    return row | unknown


def _usage_row(row: Row, totals: Row) -> Row:
    assessed = totals["present"] + totals["absent"]
    return row | {
        "usage_pct": _percent(row["sites"], assessed),
        "share_pct": _percent(row["sites"], totals["present"]),
        "assessed": assessed,
    }


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _column(*names: str) -> list[Column]:
    return [Column(name, f"site.{name}") for name in names]


_TECHNOLOGIES = """
SELECT technology.slug, technology.name, category.slug AS category,
       category.is_exclusive AND category.observability <> 'L' AS excludes_others
FROM technology
LEFT JOIN technology_category AS membership
    ON membership.technology_id = technology.id AND membership.is_primary
LEFT JOIN category ON category.id = membership.category_id
ORDER BY technology.slug
"""
_ALIASES = """
SELECT technology_alias.alias, technology.slug
FROM technology_alias JOIN technology ON technology.id = technology_alias.technology_id
"""
_HISTORY = """
SELECT record.crawl_id AS crawl, record.scanned_at, record.outcome, record.detail,
       record.id = site.record_id AS is_current
FROM site JOIN record ON record.site_id = site.id
WHERE site.domain = ? ORDER BY record.scanned_at DESC, record.id DESC
"""
_SAME_START = 3
_SIMILAR = "SELECT domain FROM site WHERE domain >= ? AND domain < ? ORDER BY domain LIMIT 2000"
_CRAWLS = """
SELECT crawl.id AS crawl, crawl.started_at, crawl.finished_at, crawl.source,
       coalesce(sum(counted.sites), 0) AS records,
       coalesce(sum(counted.sites) FILTER (WHERE counted.outcome IN ('ok', 'partial')), 0) AS "read",
       json_group_object(counted.outcome, counted.sites) FILTER (WHERE counted.sites) AS outcomes,
       crawl.ruleset, crawl.tool_version
FROM crawl LEFT JOIN (
    SELECT crawl_id, outcome, count(*) AS sites FROM record GROUP BY crawl_id, outcome
) AS counted ON counted.crawl_id = crawl.id
GROUP BY crawl.id ORDER BY crawl.id DESC
"""
_CATEGORY_USAGE = """
SELECT category.slug AS category, category.label,
       count(*) FILTER (WHERE known.state = 'present' AND site.scanned_at >= ?) AS present,
       count(*) FILTER (WHERE known.state = 'absent' AND site.scanned_at >= ?) AS absent
FROM category
JOIN site_category AS known ON known.category_id = category.id
JOIN site ON site.id = known.site_id
GROUP BY category.id ORDER BY category.slug
"""
_ASSESSED = """
SELECT {group} AS platform,
       count(*) FILTER (WHERE known.state = 'present' AND site.scanned_at >= ?) AS present,
       count(*) FILTER (WHERE known.state = 'absent' AND site.scanned_at >= ?) AS absent
FROM category
JOIN site_category AS known ON known.category_id = category.id
JOIN site ON site.id = known.site_id
WHERE category.slug = ? GROUP BY 1
"""
_USERS = """
SELECT {group} AS platform, technology.slug AS technology, technology.name, count(*) AS sites
FROM category
JOIN technology_category AS membership ON membership.category_id = category.id
JOIN technology ON technology.id = membership.technology_id
JOIN site_technology AS used
    ON used.technology_id = technology.id AND used.state = 'present' AND used.scope = 'site'
JOIN site ON site.id = used.site_id
WHERE category.slug = ? AND site.scanned_at >= ?
GROUP BY 1, technology.id ORDER BY 1, sites DESC, technology.slug
"""
