"""The names a query may use, and the nearest one when a name is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from fingerprints.model import Observability, Taxonomy
from fingerprints.model.spelling import nearest


@dataclass(frozen=True, slots=True)
class TechnologyName:
    """A technology as queries need it."""

    slug: str
    category: str
    """The primary one."""
    excludes_others: bool = False
    """Whether a site normally has one tool of this category, so that another one answers for this."""


@dataclass(frozen=True, slots=True)
class Names:
    """Technologies by slug, alias or written name in lower case; categories by slug."""

    technologies: Mapping[str, TechnologyName] = field(default_factory=dict)
    categories: Collection[str] = ()

    def __or__(self, other: Names) -> Names:
        """Both; where they disagree, the other's."""
        return Names({**self.technologies, **other.technologies}, {*self.categories, *other.categories})

    def technology(self, name: str) -> TechnologyName | None:
        written = name.lower()
        return self.technologies.get(written) or self.technologies.get(_hyphened(written))

    def category(self, name: str) -> str | None:
        slug = _hyphened(name.lower()).replace("-", "_")
        return slug if slug in self.categories else None

    def nearest_technology(self, name: str) -> str | None:
        """The current slug of the nearest name, None when nothing is near."""
        near = nearest(_hyphened(name.lower()), self.technologies)
        return self.technologies[near].slug if near else None

    def nearest_category(self, name: str) -> str | None:
        return nearest(_hyphened(name.lower()).replace("-", "_"), self.categories)


def names_of(taxonomy: Taxonomy) -> Names:
    """The names of a rule set."""
    known = {
        slug: TechnologyName(slug, technology.category, _excludes_others(taxonomy, technology.category))
        for slug, technology in taxonomy.technologies.items()
    }
    written = {taxonomy.technologies[slug].name.lower(): name for slug, name in known.items()}
    aliases = {alias: known[slug] for alias, slug in taxonomy.aliases.items() if slug in known}
    return Names({**written, **aliases, **known}, set(taxonomy.categories))


def _excludes_others(taxonomy: Taxonomy, slug: str) -> bool:
    category = taxonomy.categories.get(slug)
    return category is not None and category.exclusive and category.observability is not Observability.LOGIN


def _hyphened(name: str) -> str:
    """`Google Analytics` and `google_analytics` as `google-analytics`."""
    return "-".join(name.replace("_", " ").replace("-", " ").split())
