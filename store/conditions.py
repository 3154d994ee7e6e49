"""What a query means in SQL, in three values.

A site matches only where the query is known to be true. So each term becomes two conditions: one for
known true and one for known false; where neither holds, the answer is unknown. Knowing that something
is *not* there takes an assessment: NOT tech:x and lacks:x never rest on a missing row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from store.freshness import Freshness
from store.names import TechnologyName
from store.query import (
    And,
    Category,
    Domain,
    Node,
    Not,
    Or,
    OutcomeIs,
    Platform,
    ScoreIs,
    Technology,
    TierIs,
    Unknown,
    Version,
)


@dataclass(frozen=True, slots=True)
class Walk:
    """A key range with every site a condition can be true for, in order of `site_id`."""

    sql: str
    parameters: tuple[str | float, ...]
    rank: int
    """Lower is usually shorter."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the row `site` of SQL, with its parameters in order."""

    sql: str
    parameters: tuple[str | float, ...] = ()
    walk: Walk | None = None
    """Where to look for sites it is true for; None when that can be any."""


@dataclass(frozen=True, slots=True)
class Truth:
    """When a query is known to be true, and when it is known to be false."""

    true: Condition
    false: Condition

    @property
    def unknown(self) -> Condition:
        return all_of([_negated(self.true), _negated(self.false)])


def truth(node: Node, freshness: Freshness, icp: str = "") -> Truth:
    """What the query means. Tiers and scores are of the profile `icp`, or else of the one last used."""
    match node:
        case Not(term):
            inner = truth(term, freshness, icp)
            return Truth(true=inner.false, false=inner.true)
        case And(terms):
            parts = [truth(term, freshness, icp) for term in terms]
            return Truth(all_of([part.true for part in parts]), any_of([part.false for part in parts]))
        case Or(terms):
            parts = [truth(term, freshness, icp) for term in terms]
            return Truth(any_of([part.true for part in parts]), all_of([part.false for part in parts]))
        case Technology(name):
            return _technology(name, freshness)
        case Category(slug):
            return Truth(_present(slug, freshness), _absent(slug, freshness))
        case Unknown(slug):
            known = any_of([_present(slug, freshness), _absent(slug, freshness)])
            return Truth(_negated(known), known)
        case Platform(name):
            return _platform(name, freshness)
        case Version(name, op, value):
            return _version(name, op, value, freshness)
        case OutcomeIs(outcome):
            return _decided(Condition("site.outcome = ?", (outcome.value,)))
        case Domain(pattern):
            return _decided(_domain(pattern))
        case TierIs(tier):
            return _tier(tier.value, icp)
        case ScoreIs(op, value):
            return Truth(_scored(icp, f"score {op} ?", value), _scored(icp, f"NOT score {op} ?", value))


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Every one of them, so that any part's walk will do: the shortest."""
    walks = [condition.walk for condition in conditions if condition.walk]
    shortest = min(walks, key=lambda walk: walk.rank, default=None)
    return Condition(_joined(" AND ", conditions), _parameters(conditions), shortest)


def any_of(conditions: Sequence[Condition]) -> Condition:
    return Condition(_joined(" OR ", conditions), _parameters(conditions))


def _technology(name: TechnologyName, freshness: Freshness) -> Truth:
    """Present, or known not to be there: its category is absent, or another tool is the one it has.

    A weak or embedded sign, and another tool where sites often have several, leave it unknown.
    """
    found = "site_technology.state = 'present' AND site_technology.scope = 'site'"
    true = Condition(
        f"({_has_technology(found)} AND site.scanned_at >= ?)",
        (name.slug, freshness.present_since),
        Walk(f"SELECT site_id FROM site_technology WHERE technology_id = {TECHNOLOGY_ID}", (name.slug,), 1),
    )
    reasons = [_absent(name.category, freshness)]
    if name.excludes_others:
        since = max(freshness.present_since, freshness.absent_since)
        reasons.append(_present(name.category, Freshness(since, since)))
    no_sign = Condition(f"NOT {_has_technology('TRUE')}", (name.slug,))
    return Truth(true, all_of([no_sign, any_of(reasons)]))


def _platform(name: TechnologyName, freshness: Freshness) -> Truth:
    technology = _technology(name, freshness)
    other = "(site.platform NOT IN (?, '') AND site.scanned_at >= ?)"
    return Truth(
        all_of([Condition("site.platform = ?", (name.slug,)), technology.true]),
        any_of([Condition(other, (name.slug, freshness.present_since)), technology.false]),
    )


def _version(name: TechnologyName, op: str, value: str, freshness: Freshness) -> Truth:
    """`=` means the version or one under it, as 6 and 6.4; a version that is not shown is unknown."""
    present = _technology(name, freshness)
    test = f"compare_versions(site_technology.version, ?) {op} 0"
    if op == "=":
        test = "is_version(site_technology.version, ?)"
    matches = Condition(_has_technology(test), (name.slug, value))
    fails = Condition(_has_technology(f"NOT {test}"), (name.slug, value))
    return Truth(all_of([present.true, matches]), any_of([present.false, all_of([present.true, fails])]))


def _present(category: str, freshness: Freshness) -> Condition:
    return _category(category, "present", freshness.present_since)


def _absent(category: str, freshness: Freshness) -> Condition:
    return _category(category, "absent", freshness.absent_since)


def _category(category: str, state: str, since: str) -> Condition:
    return Condition(
        "(EXISTS (SELECT 1 FROM site_category WHERE site_category.site_id = site.id"
        f" AND site_category.state = '{state}' AND site_category.category_id = {CATEGORY_ID})"
        " AND site.scanned_at >= ?)",
        (category, since),
        Walk(
            f"SELECT site_id FROM site_category WHERE category_id = {CATEGORY_ID} AND state = '{state}'",
            (category,),
            2,
        ),
    )


def profile_id(icp: str) -> Condition:
    """SQL for the id of the profile; without a name, of the one last used."""
    if icp:
        return Condition("(SELECT id FROM icp WHERE slug = ?)", (icp,))
    return Condition("(SELECT id FROM icp ORDER BY scored_at DESC, id DESC LIMIT 1)")


def _tier(tier: str, icp: str) -> Truth:
    """Tier U says that too little is known: such a site is in no other tier, nor known not to be."""
    true = _scored(icp, "tier = ?", tier)
    assert true.walk is not None
    in_tier = Walk(f"{true.walk.sql} AND tier = ?", true.parameters, 0)
    return Truth(replace(true, walk=in_tier), _scored(icp, "tier NOT IN (?, 'U')", tier))


def _scored(icp: str, test: str, value: str | float) -> Condition:
    """The site has a score for the profile, and it passes; a score that is null passes no test."""
    profile = profile_id(icp)
    scores = f"score WHERE icp_id = {profile.sql}"
    return Condition(
        f"EXISTS (SELECT 1 FROM {scores} AND site_id = site.id AND {test})",
        (*profile.parameters, value),
        Walk(f"SELECT site_id FROM {scores}", profile.parameters, 3),
    )


def _domain(pattern: str) -> Condition:
    if "*" in pattern or "?" in pattern:
        return Condition("site.domain GLOB ?", (pattern.replace("[", "[[]"),))
    walk = Walk("SELECT id AS site_id FROM site WHERE domain = ?", (pattern,), 0)
    return Condition("site.domain = ?", (pattern,), walk)


def _decided(condition: Condition) -> Truth:
    return Truth(condition, _negated(condition))


def _negated(condition: Condition) -> Condition:
    return Condition(f"NOT {condition.sql}", condition.parameters)


def _has_technology(test: str) -> str:
    return (
        "EXISTS (SELECT 1 FROM site_technology WHERE site_technology.site_id = site.id"
        f" AND site_technology.technology_id = {TECHNOLOGY_ID} AND {test})"
    )


def _joined(operator: str, conditions: Sequence[Condition]) -> str:
    return f"({operator.join(condition.sql for condition in conditions)})"


def _parameters(conditions: Sequence[Condition]) -> tuple[str | float, ...]:
    return tuple(value for condition in conditions for value in condition.parameters)


TECHNOLOGY_ID = "(SELECT id FROM technology WHERE slug = ?)"
CATEGORY_ID = "(SELECT id FROM category WHERE slug = ?)"

EVERY_SITE = Condition("TRUE")
