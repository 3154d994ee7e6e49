"""How much of what a browser shows a static scan finds, per category, and how sure that figure is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fingerprints.model import AssessmentState, DetectionState, Observability, Record, Taxonomy
from icp.statistics import wilson

ENOUGH_SITES = 5
"""Fewer known users of a category's tools say nothing that could be used, and are left out of the table."""


@dataclass(slots=True)
class Share:
    """Sites that a browser shows to use a category's tools, and those of them found without one."""

    known: int = 0
    found: int = 0
    unknown: int = 0
    """Not found, but assessed unknown: no false absence."""
    missed: dict[str, int] = field(default_factory=dict)
    """Technology to the sites where only the browser showed it."""

    @property
    def absent(self) -> int:
        """Not found and called absent: the mistake that matters."""
        return self.known - self.found - self.unknown

    @property
    def share(self) -> float:
        return self.found / self.known if self.known else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval (Wilson): it stays inside 0..1 and is honest for few sites."""
        return wilson(self.found, self.known)

    @property
    def expected(self) -> float:
        """The share to rely on: (found + 1) / (known + 2). Five of five do not prove that none is missed."""
        return (self.found + 1) / (self.known + 2)


class Comparison:
    """Counts site after site; a site counts once in each category."""

    def __init__(self) -> None:
        self.sites = 0
        self.categories: dict[str, Share] = {}

    def add(self, fetched: Record, shown: Mapping[str, Collection[str]]) -> None:
        """One site: its record without a browser, and category to the technologies that a browser shows.

        A category counts as found when any of its tools is: whether the site lacks such a tool is what is
        asked of it.
        """
        self.sites += 1
        found = present(fetched)
        for category, tools in shown.items():
            share = self.categories.setdefault(category, Share())
            share.known += 1
            if category in found:
                share.found += 1
                continue
            assessment = fetched.assessment(category)
            share.unknown += assessment is not None and assessment.state is AssessmentState.UNKNOWN
            for tool in sorted(tools):
                share.missed[tool] = share.missed.get(tool, 0) + 1

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a category, those with the most sites first."""
        for slug, share in sorted(self.categories.items(), key=lambda item: (-item[1].known, item[0])):
            low, high = share.interval
            yield {
                "category": slug,
                "known": share.known,
                "found": share.found,
                "unknown": share.unknown,
                "absent": share.absent,
                "share": round(share.share, 3),
                "low": round(low, 3),
                "high": round(high, 3),
                "missed": [f"{tool} {count}" for tool, count in sorted(share.missed.items())],
            }

    def table(self, taxonomy: Taxonomy, *, source: str, measured: str) -> dict[str, Any]:
        """The shape of data/reference/detectability.json; categories with too few sites only counted."""
        enough = {slug: s for slug, s in sorted(self.categories.items()) if s.known >= ENOUGH_SITES}
        return {
            "source": source,
            "measured": measured,
            "sites": self.sites,
            "about": "share is (found + 1) / (known + 2), the rule of succession, because few sites prove "
            "little; low and high are the 95% Wilson interval of found / known; classes: all their categories",
            "classes": {kind: _row(s) for kind, s in self._classes(taxonomy) if s.known >= ENOUGH_SITES},
            "categories": {slug: _row(share) for slug, share in enough.items()},
            "too_few": {slug: s.known for slug, s in sorted(self.categories.items()) if slug not in enough},
        }

    def _classes(self, taxonomy: Taxonomy) -> Iterator[tuple[str, Share]]:
        """The categories of each observability class taken together."""
        for kind in Observability:
            members = [
                s for slug, s in self.categories.items() if taxonomy.categories[slug].observability is kind
            ]
            yield kind.value, Share(sum(s.known for s in members), sum(s.found for s in members))


def present(record: Record) -> dict[str, set[str]]:
    """Category to the technologies of the site itself that the record has evidence for."""
    return by_category(
        (d.slug, d.categories)
        for d in record.detections
        if d.state is DetectionState.PRESENT and d.scope == "site" and d.evidence
    )


def by_category(technologies: Iterable[tuple[str, Collection[str]]]) -> dict[str, set[str]]:
    """Pairs of a technology and its categories, turned around."""
    found: dict[str, set[str]] = {}
    for slug, categories in technologies:
        for category in categories:
            found.setdefault(category, set()).add(slug)
    return found


def _row(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {
        "share": round(share.expected, 3),
        "found": share.found,
        "known": share.known,
        "low": round(low, 3),
        "high": round(high, 3),
    }
