"""From the predicate keys of an ICP file to typed predicates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from fingerprints.model import Observability, Taxonomy
from fingerprints.model.spelling import did_you_mean
from icp.fact_predicates import FactBetween, FactIn, FactTrue
from icp.predicates import (
    VERSION_OPS,
    AllOf,
    AnyOf,
    CountCategories,
    Event,
    HasCategory,
    LacksCategory,
    LacksTech,
    Not,
    Predicate,
    TechAge,
    TechAll,
    TechAny,
    VersionIs,
    compare_versions,
)
from icp.reader import Value

EVENT_KINDS = ("added", "removed", "switched", "consolidated", "overlap", "version_changed")

MAX_DEPTH = 20
"""Deepest nesting of any, all and not: far beyond what a person can read."""

_NEVER: Predicate = AnyOf(())
"""Stands in for a predicate that could not be read; the file is refused anyway."""


@dataclass(frozen=True, slots=True)
class Names:
    """Resolves the technologies and categories a file names, and says what is wrong with them."""

    taxonomy: Taxonomy
    _ids: dict[str, str] = field(default_factory=dict)

    def claim(self, name: str, value: Value) -> None:
        """Take an id; ids name score lines, so they are unique over all sections."""
        if name in self._ids:
            value.fail(f"id {name!r} is taken by {self._ids[name]}; choose another")
        self._ids.setdefault(name, value.key.removesuffix(".id"))

    def technology(self, value: Value, name: str | None = None) -> str:
        """The current slug of the technology the value, or the given key, names."""
        slug = value.text() if name is None else name
        current = self.taxonomy.resolve(slug)
        if current is None:
            if slug or name is not None:
                value.fail(f"unknown technology {slug!r}{self._hint(slug)}")
            return slug
        if current != slug:
            value.warn(f"technology {slug!r} is now {current!r}; using that, please rename it here")
        elif self.taxonomy.technologies[current].status == "sunset":
            value.warn(f"technology {slug!r} is no longer offered; does it still tell customers apart?")
        return current

    def category(self, value: Value) -> str:
        slug = value.text()
        if slug and slug not in self.taxonomy.categories:
            other = "; it is a technology, use tech_any or lacks_tech" if self.taxonomy.resolve(slug) else ""
            value.fail(f"unknown category {slug!r}{other or did_you_mean(slug, self.taxonomy.categories)}")
        return slug

    def _hint(self, slug: str) -> str:
        if slug in self.taxonomy.categories:
            return "; it is a category, use has_category or lacks_category"
        known = [*self.taxonomy.technologies, *self.taxonomy.aliases]
        return did_you_mean(slug, known) or "; `technograph rules find` lists them"


@dataclass(frozen=True, slots=True)
class _Context:
    names: Names
    graded: bool
    """Whether degrees between 0 and 1 mean anything here: only criteria earn a part of their points."""
    depth: int = 0

    def deeper(self) -> _Context:
        return _Context(self.names, self.graded, self.depth + 1)


def parse_condition(item: Value, table: Mapping[str, Value], names: Names, *, graded: bool) -> Predicate:
    """The one predicate among an entry's keys; none or several is a mistake."""
    return _single(item, table, _Context(names, graded))


def _single(item: Value, table: Mapping[str, Value], context: _Context) -> Predicate:
    keys = [key for key in table if key in PREDICATES]
    if context.depth > MAX_DEPTH:
        item.fail(f"nested deeper than {MAX_DEPTH} levels; split the criterion")
    elif len(keys) > 1:
        item.fail(
            f"has {' and '.join(keys)}; keep one of them, or put them into a list under `all:` or `any:`"
        )
    elif keys:
        return PREDICATES[keys[0]](table[keys[0]], context)
    elif item.is_table:
        item.fail(f"has no condition; add one of {', '.join(PREDICATES)}")
    return _NEVER


def _nested(item: Value, context: _Context) -> Predicate:
    return _single(item, item.table(tuple(PREDICATES)), context.deeper())


def _distinct(values: Collection[Value], read: Callable[[Value], str]) -> tuple[str, ...]:
    found: list[str] = []
    for value in values:
        name = read(value)
        if name in found:
            value.fail(f"{name!r} is listed twice; remove one")
        found.append(name)
    return tuple(found)


def _one_or_many(value: Value) -> list[Value]:
    return value.entries() if value.is_list or value.is_table else [value]


def _tech_any(value: Value, context: _Context) -> Predicate:
    if not value.is_table:
        slugs = _distinct(_one_or_many(value), context.names.technology)
        return TechAny(tuple((slug, Decimal(1)) for slug in slugs))
    if not context.graded:
        value.fail("degrees mean nothing in a penalty or disqualifier; write a list of technologies")
    degrees = {}
    for name, degree in value.pairs().items():
        slug = context.names.technology(degree, name)
        if slug in degrees:
            degree.fail(f"{slug!r} is listed twice; remove one")
        degrees[slug] = degree.number(low="0.01", high="1")
    if not degrees:
        value.fail("names no technology; add at least one")
    return TechAny(tuple(degrees.items()))


def _tech_all(value: Value, context: _Context) -> Predicate:
    return TechAll(_distinct(value.entries(), context.names.technology))


def _lacks_tech(value: Value, context: _Context) -> Predicate:
    return LacksTech(_distinct(_one_or_many(value), context.names.technology))


def _has_category(value: Value, context: _Context) -> Predicate:
    return HasCategory(context.names.category(value))


def _lacks_category(value: Value, context: _Context) -> Predicate:
    slug = context.names.category(value)
    category = context.names.taxonomy.categories.get(slug)
    if category and category.observability is Observability.LOGIN:
        value.warn(f"{slug!r} cannot be seen from outside, so it is never absent and this is never met")
    return LacksCategory(slug)


def _count_categories(value: Value, context: _Context) -> Predicate:
    table = value.table(("of", "at_least", "at_most", "graded"), required=("of",))
    of = _distinct(table["of"].entries(), context.names.category) if "of" in table else ()
    if ("at_least" in table) == ("at_most" in table):
        value.fail("give exactly one of at_least and at_most")
        return _NEVER
    graded = "graded" in table and table["graded"].boolean()
    if graded and ("at_most" in table or not context.graded):
        table["graded"].fail("only at_least in a criterion can be graded; remove it")
    most = max(len(of), 1)
    if "at_least" in table:
        return CountCategories(of, at_least=table["at_least"].integer(low=1, high=most), graded=graded)
    return CountCategories(of, at_most=table["at_most"].integer(low=0, high=most - 1))


def _tech_age(value: Value, context: _Context) -> Predicate:
    table = value.table(("slug", "min_days"), required=("slug", "min_days"))
    if len(table) < 2:
        return _NEVER
    return TechAge(context.names.technology(table["slug"]), table["min_days"].integer(low=1, high=36_500))


def _event(value: Value, context: _Context) -> Predicate:
    table = value.table(("category", "kind", "within_days"), required=("category", "kind", "within_days"))
    if len(table) < 3:
        return _NEVER
    kinds = _distinct(_one_or_many(table["kind"]), lambda item: item.choice(EVENT_KINDS))
    return Event(
        context.names.category(table["category"]), kinds, table["within_days"].integer(low=1, high=3_650)
    )


def _version(value: Value, context: _Context) -> Predicate:
    table = value.table(("slug", "op", "value"), required=("slug", "op", "value"))
    if len(table) < 3:
        return _NEVER
    wanted = table["value"].text()
    if wanted and compare_versions(wanted, "0") is None:
        table["value"].fail(f"{wanted!r} is not a version; write numbers with dots, as '2.4'")
    return VersionIs(context.names.technology(table["slug"]), table["op"].choice(tuple(VERSION_OPS)), wanted)


def _fact(value: Value) -> tuple[str, Value] | None:
    """The one fact key of `fact_in` or `fact_between`, with what it is compared to."""
    pairs = value.pairs()
    if len(pairs) == 1:
        return next(iter(pairs.items()))
    if value.is_table:
        value.fail(f"names {len(pairs)} facts; give one here, and combine several with `all:` or `any:`")
    return None


def _fact_in(value: Value, context: _Context) -> Predicate:
    fact = _fact(value)
    if fact is None:
        return _NEVER
    return FactIn(fact[0], _distinct(_one_or_many(fact[1]), Value.text))


def _fact_between(value: Value, context: _Context) -> Predicate:
    fact = _fact(value)
    bounds = fact[1].entries() if fact else []
    if fact is None or len(bounds) != 2:
        if bounds:
            value.fail(f"wants two bounds, not {len(bounds)}; write [50, 500]")
        return _NEVER
    low, high = bounds[0].number(), bounds[1].number()
    if low > high:
        value.fail(f"the lower bound {low} is above the upper bound {high}; swap them")
    return FactBetween(fact[0], low, high)


def _fact_true(value: Value, context: _Context) -> Predicate:
    return FactTrue(value.text())


def _any(value: Value, context: _Context) -> Predicate:
    return AnyOf(tuple(_nested(item, context) for item in value.entries()))


def _all(value: Value, context: _Context) -> Predicate:
    return AllOf(tuple(_nested(item, context) for item in value.entries()))


def _not(value: Value, context: _Context) -> Predicate:
    return Not(_nested(value, context))


PREDICATES: dict[str, Callable[[Value, _Context], Predicate]] = {
    "tech_any": _tech_any,
    "tech_all": _tech_all,
    "lacks_tech": _lacks_tech,
    "has_category": _has_category,
    "lacks_category": _lacks_category,
    "count_categories": _count_categories,
    "tech_age": _tech_age,
    "event": _event,
    "version": _version,
    "fact_in": _fact_in,
    "fact_between": _fact_between,
    "fact_true": _fact_true,
    "any": _any,
    "all": _all,
    "not": _not,
}
"""Every predicate an ICP file may use, with how its value is read (docs/icp.md)."""
