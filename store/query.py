"""A query of `find` as a tree of typed terms. store/parser.py reads it, store/conditions.py answers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fingerprints.model import Outcome
from icp.model import Tier
from store.names import TechnologyName


@dataclass(frozen=True, slots=True)
class Technology:
    """`tech:shopify`: the technology is present."""

    name: TechnologyName


@dataclass(frozen=True, slots=True)
class Category:
    """`category:reviews`: something of the category is present. `lacks:` is Not of this."""

    slug: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """`unknown:reviews`: nobody knows whether the site has anything of the category."""

    category: str


@dataclass(frozen=True, slots=True)
class Platform:
    """`platform:shopify`: the site is built on the technology."""

    name: TechnologyName


@dataclass(frozen=True, slots=True)
class Version:
    """`version:wordpress<6`: the technology is present in such a version."""

    name: TechnologyName
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class OutcomeIs:
    """`outcome:blocked`"""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TierIs:
    """`tier:A`"""

    tier: Tier


@dataclass(frozen=True, slots=True)
class ScoreIs:
    """`score>=60`"""

    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Domain:
    """`domain:acme.com`, or with wildcards `domain:*.de`."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Not:
    term: Node


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Node, ...]


Leaf = Technology | Category | Unknown | Platform | Version | OutcomeIs | TierIs | ScoreIs | Domain
Node = Leaf | Not | And | Or


def leaves(node: Node) -> Iterator[Leaf]:
    """The terms of a query, in the order they were written."""
    match node:
        case Not(term):
            yield from leaves(term)
        case And(terms) | Or(terms):
            for term in terms:
                yield from leaves(term)
        case _:
            yield node
