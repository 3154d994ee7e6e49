"""One term of a query, `key:value`, into a typed leaf; unknown names get the nearest one proposed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fingerprints.model import InputError, Outcome
from fingerprints.model.spelling import nearest
from icp.model import Tier
from store.current import PLATFORM_CATEGORIES
from store.names import Names, TechnologyName
from store.query import (
    Category,
    Domain,
    Leaf,
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


class QueryError(InputError):
    """Raised when a query cannot be read: names the column, what is wrong there and what would do."""

    def __init__(self, column: int, what: str) -> None:
        super().__init__(f"query, column {column}: {what}")


@dataclass(frozen=True, slots=True)
class Value:
    """What stands behind the colon, and where; column 1 is the query's first character."""

    text: str
    column: int

    def error(self, what: str) -> QueryError:
        return QueryError(self.column, what)

    def split(self) -> list[Value]:
        """The parts between commas, each with its own column."""
        return [Value(part[0], self.column + part.start()) for part in re.finditer(r"[^,\s][^,]*", self.text)]


def read_term(key: str, op: str, value: Value, names: Names) -> Node:
    """The leaf a term stands for; `tech:a,b` is either of the two."""
    if key == "score":
        return _score(op, value)
    if op not in (":", "="):
        raise value.error(f"{key}: takes ':', not {op!r}")
    terms = tuple(TERMS[key](part, names) for part in value.split())
    if len(terms) == 1:
        return terms[0]
    if not terms:
        raise value.error(f"{key}: needs a value")
    if key in _ONE_AT_A_TIME:
        raise value.error(f"{key}: takes one category; write {key}:... AND {key}:..., or OR")
    return Or(terms)


def technology(value: Value, names: Names) -> TechnologyName:
    """The technology of this slug, alias or written name."""
    found = names.technology(value.text)
    if found:
        return found
    if category := names.category(value.text):
        raise value.error(
            f"{value.text!r} is a category, not a technology; write category:{category} or lacks:{category}"
        )
    near = names.nearest_technology(value.text)
    hint = f"did you mean {near!r}?" if near else "`technograph rules list` shows them all"
    raise value.error(f"unknown technology {value.text!r}; {hint}")


def category(value: Value, names: Names) -> str:
    """The slug of this category; hyphens and spaces stand for underscores."""
    found = names.category(value.text)
    if found:
        return found
    if other := names.technology(value.text):
        raise value.error(
            f"{value.text!r} is a technology, not a category; its category is {other.category!r}"
        )
    near = names.nearest_category(value.text)
    hint = f"did you mean {near!r}?" if near else f"it is one of {', '.join(sorted(names.categories))}"
    raise value.error(f"unknown category {value.text!r}; {hint}")


def _technology(value: Value, names: Names) -> Leaf:
    return Technology(technology(value, names))


def _category(value: Value, names: Names) -> Leaf:
    return Category(category(value, names))


def _lacks(value: Value, names: Names) -> Node:
    return Not(Category(category(value, names)))


def _unknown(value: Value, names: Names) -> Leaf:
    return Unknown(category(value, names))


def _platform(value: Value, names: Names) -> Leaf:
    name = technology(value, names)
    if name.category not in PLATFORM_CATEGORIES:
        raise value.error(f"{name.slug!r} is not a platform; write tech:{name.slug}")
    return Platform(name)


def _version(value: Value, names: Names) -> Leaf:
    match = re.fullmatch(r"(.+?)(>=|<=|[<>=])(\d[\w.+-]*)", value.text)
    if match is None:
        raise value.error("version: takes a technology and a version, as version:wordpress<6")
    return Version(technology(Value(match[1], value.column), names), match[2], match[3])


def _outcome(value: Value, _: Names) -> Leaf:
    return OutcomeIs(Outcome(_choice(value, value.text.lower(), "outcome", [*Outcome])))


def _tier(value: Value, _: Names) -> Leaf:
    return TierIs(Tier(_choice(value, value.text.upper(), "tier", [*Tier])))


def _domain(value: Value, _: Names) -> Leaf:
    return Domain(value.text.lower())


def _score(op: str, value: Value) -> Leaf:
    try:
        return ScoreIs("=" if op == ":" else op, float(value.text))
    except ValueError:
        raise value.error(f"score takes a number from 0 to 100, not {value.text!r}") from None


def _choice(value: Value, written: str, what: str, allowed: list[Outcome] | list[Tier]) -> str:
    choices = [item.value for item in allowed]
    if written in choices:
        return written
    near = nearest(written, choices)
    hint = f"did you mean {near!r}?" if near else f"it is one of {', '.join(choices)}"
    raise value.error(f"unknown {what} {value.text!r}; {hint}")


TERMS: dict[str, Callable[[Value, Names], Node]] = {
    "tech": _technology,
    "category": _category,
    "lacks": _lacks,
    "unknown": _unknown,
    "platform": _platform,
    "version": _version,
    "outcome": _outcome,
    "tier": _tier,
    "domain": _domain,
}

KEYS = (*TERMS, "score")

_ONE_AT_A_TIME = ("lacks", "unknown")
"""A comma means OR, but "lacks reviews, chat" reads as lacking both: the writer must say which."""
