"""SELECT statements over sites: what is shown of each, which are taken, and along which index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from store.conditions import CATEGORY_ID, TECHNOLOGY_ID, Condition, profile_id, truth
from store.freshness import Freshness
from store.names import TechnologyName
from store.query import Category, Leaf, Node, ScoreIs, Technology, TierIs, Unknown, Version, leaves

Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Column:
    """One shown value: its name, its SQL over the row `site`, and the parameters of that."""

    name: str
    sql: str
    parameters: tuple[str | float, ...] = ()


def in_domain_order(condition: Condition, columns: Sequence[Column], limit: int | None) -> Statement:
    """The sites of a condition by domain: all of them are found before the first is handed out."""
    source, parameters = _source(condition)
    return _statement(columns, source, condition, parameters, "site.domain", -1 if limit is None else limit)


def in_stored_order(condition: Condition, columns: Sequence[Column], after: int, limit: int) -> Statement:
    """The sites of a condition behind the id `after`: a walk that ends at the limit."""
    source, parameters = _source(condition, after)
    key = "walked.site_id" if condition.walk else "site.id"
    return _statement(columns, source, condition, parameters, key, limit)


def asked_columns(query: Node, freshness: Freshness, icp: str) -> list[Column]:
    """The state of everything a query names, each once, in its order.

    A technology gives `shopify`; a category gives `reviews` and `reviews_reason`, for an absence
    without its reason is half an answer; a tier or a score gives both.
    """
    columns = [column for leaf in leaves(query) for column in _columns(leaf, freshness, icp)]
    return list({column.name: column for column in columns}.values())


def score_columns(icp: str) -> list[Column]:
    """Tier and score of the profile, NULL where there is none."""
    return [_scored("tier", icp), _scored("score", icp)]


def _source(condition: Condition, after: int | None = None) -> Statement:
    """FROM and its parameters; CROSS JOIN keeps SQLite from turning the walk around."""
    behind = () if after is None else (after,)
    if condition.walk is None:
        return ("site" if after is None else "(SELECT * FROM site WHERE id > ?) AS site"), behind
    walk = condition.walk.sql + ("" if after is None else " AND site_id > ?")
    joined = f"({walk}) AS walked CROSS JOIN site ON site.id = walked.site_id"
    return joined, (*condition.walk.parameters, *behind)


def _statement(
    columns: Sequence[Column],
    source: str,
    condition: Condition,
    parameters: tuple[Any, ...],
    key: str,
    limit: int,
) -> Statement:
    # A slug may come from a database somebody else has made.
    shown = ", ".join(f'{column.sql} AS "{column.name.replace(chr(34), "")}"' for column in columns)
    return (
        f"SELECT {shown} FROM {source} WHERE {condition.sql} ORDER BY {key} LIMIT ?",
        (*(p for column in columns for p in column.parameters), *parameters, *condition.parameters, limit),
    )


def _columns(leaf: Leaf, freshness: Freshness, icp: str) -> list[Column]:
    match leaf:
        case Technology(name):
            return [_technology_state(name, freshness)]
        case Version(name):
            return [_technology_state(name, freshness), _version(name)]
        case Category(slug) | Unknown(slug):
            return [_category_state(slug, freshness), _category_reason(slug, freshness)]
        case TierIs() | ScoreIs():
            return score_columns(icp)
        case _:
            return []


def _technology_state(name: TechnologyName, freshness: Freshness) -> Column:
    known = truth(Technology(name), freshness)
    return Column(
        name.slug,
        f"CASE WHEN {known.true.sql} THEN 'present' WHEN {known.false.sql} THEN 'absent'"
        f" WHEN {_DETECTED.format('state')} = 'weak' THEN 'weak' ELSE 'unknown' END",
        (*known.true.parameters, *known.false.parameters, name.slug),
    )


def _version(name: TechnologyName) -> Column:
    return Column(f"{name.slug}_version", _DETECTED.format("version"), (name.slug,))


def _category_state(slug: str, freshness: Freshness) -> Column:
    known = truth(Category(slug), freshness)
    return Column(
        slug,
        f"CASE WHEN {known.true.sql} THEN 'present' WHEN {known.false.sql} THEN 'absent' ELSE 'unknown' END",
        (*known.true.parameters, *known.false.parameters),
    )


def _category_reason(slug: str, freshness: Freshness) -> Column:
    """The stored reason, or `stale` where an old answer no longer counts."""
    unknown = truth(Category(slug), freshness).unknown
    assessed = f"assessment WHERE record_id = site.record_id AND category_id = {CATEGORY_ID}"
    return Column(
        f"{slug}_reason",
        f"CASE WHEN {unknown.sql} AND (SELECT state FROM {assessed}) <> 'unknown' THEN 'stale'"
        f" ELSE (SELECT reason FROM {assessed}) END",
        (*unknown.parameters, slug, slug),
    )


def _scored(column: str, icp: str) -> Column:
    profile = profile_id(icp)
    return Column(
        column,
        f"(SELECT {column} FROM score WHERE site_id = site.id AND icp_id = {profile.sql})",
        profile.parameters,
    )


_DETECTED = f"(SELECT {{}} FROM site_technology WHERE site_id = site.id AND technology_id = {TECHNOLOGY_ID})"
