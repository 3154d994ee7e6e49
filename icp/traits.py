"""A trait that may tell good accounts from bad ones, with the counts it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from icp.statistics import Counts


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing that sites have or lack, with how it tells the two classes apart."""

    predicate: str
    """The ICP predicate it would become: has_category, lacks_category, tech_any or lacks_tech."""
    slug: str
    category: str
    counts: Counts
    p: float
    q: float
    effect: float
    lower: float
    """The effect, and what it is at least with 90%: in log-odds."""
    points: int
    stability: float | None = None
    """Share of leave-one-out runs in which it passes again; only of selected traits."""
    universe: float | None = None
    """Share of the universe that has it, where known; None without a universe."""
    same_as: str = ""
    """The selected trait it cannot be told apart from."""
    selected: bool = False

    @property
    def name(self) -> str:
        return f"{self.predicate} {self.slug}"

    @property
    def is_category(self) -> bool:
        return self.predicate.endswith("category")

    @property
    def is_lack(self) -> bool:
        return self.predicate.startswith("lacks")


@dataclass(frozen=True, slots=True)
class Derivation:
    best: int
    worst: int
    """Accounts with a record."""
    tested: int
    traits: tuple[Trait, ...]
    """Selected ones first, then by lower bound."""
    warnings: tuple[str, ...]

    @property
    def selected(self) -> tuple[Trait, ...]:
        return tuple(trait for trait in self.traits if trait.selected)
