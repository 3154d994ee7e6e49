"""The words of an ideal customer profile: criteria, penalties, disqualifiers, tiers and gates."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from icp.fact_predicates import FactBetween, FactIn, FactTrue
from icp.model import Tier
from icp.predicates import Predicate, leaves

LAYERS = ("technographic", "firmographic", "behavioural")
STATUSES = ("hypothesis", "validated")


@dataclass(frozen=True, slots=True)
class Criterion:
    """Something an ideal customer has, with what it is worth."""

    id: str
    layer: str
    points: Decimal
    predicate: Predicate
    must_have: bool = False
    """Not met caps the score at `gates.must_have_cap`, unknown at `gates.unknown_cap`."""
    critical: bool = False
    """Unknown caps the score at `gates.unknown_cap`."""
    timing: bool = False
    """Says when to talk to the account rather than whether: counted in `Score.timing` too."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Penalty:
    """Something that speaks against an account: takes `minus` from the score where it is met."""

    id: str
    minus: Decimal
    predicate: Predicate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Disqualifier:
    """Something that rules an account out where it is met."""

    id: str
    predicate: Predicate
    why: str = ""


Item = Criterion | Penalty | Disqualifier


@dataclass(frozen=True, slots=True)
class Tiers:
    """Inclusive lower bounds on the score; below `c` is tier D."""

    a: int = 80
    b: int = 60
    c: int = 40

    def of(self, score: int) -> Tier:
        if score >= self.a:
            return Tier.A
        if score >= self.b:
            return Tier.B
        return Tier.C if score >= self.c else Tier.D


@dataclass(frozen=True, slots=True)
class Gates:
    min_coverage: Decimal = Decimal("0.5")
    """0..1: share of the points that must be known for a score at all; below it the tier is U."""
    must_have_cap: Decimal = Decimal(39)
    unknown_cap: Decimal = Decimal(79)


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    version: int
    criteria: tuple[Criterion, ...]
    status: str = "hypothesis"
    reviewed_on: datetime.date | None = None
    """None when the file does not say."""
    tiers: Tiers = Tiers()
    gates: Gates = Gates()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Fact key to the CSV column that holds it, where the names differ."""
    penalties: tuple[Penalty, ...] = ()
    disqualifiers: tuple[Disqualifier, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """For people: never scored."""
    sha256: str = ""
    """Of the file's bytes."""
    warnings: tuple[str, ...] = ()
    """What `icp check` should say though the file can be used, as `file:line: key: what`."""

    @property
    def items(self) -> tuple[Item, ...]:
        """The entries of all sections, in the order of score lines."""
        return (*self.criteria, *self.penalties, *self.disqualifiers)

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        return tuple(item.predicate for item in self.items)

    def layers(self) -> tuple[str, ...]:
        """The layers the criteria use, in the order of LAYERS."""
        used = {criterion.layer for criterion in self.criteria}
        return tuple(layer for layer in LAYERS if layer in used)


def fact_keys(predicates: Iterable[Predicate]) -> frozenset[str]:
    """Keys of the facts the predicates ask for."""
    parts = (part for predicate in predicates for part in leaves(predicate))
    return frozenset(part.key for part in parts if isinstance(part, FactIn | FactBetween | FactTrue))


def supplied_layers(profile: Profile, fact_columns: Collection[str]) -> tuple[str, ...]:
    """The layers a run has data for: technographic always, another when a column holds one of its facts."""
    return tuple(
        layer
        for layer in profile.layers()
        if layer == "technographic"
        or fact_keys(c.predicate for c in profile.criteria if c.layer == layer) & set(fact_columns)
    )
