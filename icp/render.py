"""A profile as a page that a sales team can read: Markdown, without slugs where words will do."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from fingerprints.model import Taxonomy
from icp.criteria import Criterion, Item, Profile
from icp.fact_predicates import FactBetween, FactIn, FactTrue
from icp.predicates import (
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
)

REVIEW_DAYS = 90
OVERDUE_DAYS = 180


def review_reminder(profile: Profile, today: datetime.date) -> str:
    """A sentence when the profile has not been reviewed for a while; empty when it has."""
    if profile.reviewed_on is None:
        return "Never reviewed: no reviewed_on date. Review it and write the date into the file."
    days = (today - profile.reviewed_on).days
    if days > OVERDUE_DAYS:
        return f"OVERDUE: last reviewed {days} days ago. Do not build lists on it before `icp review`."
    if days > REVIEW_DAYS:
        return f"Last reviewed {days} days ago: due for `technograph icp review`."
    return ""


def render(profile: Profile, taxonomy: Taxonomy, today: datetime.date) -> str:
    """The page, ending in a newline."""
    words = _Words(taxonomy)
    reviewed = f", reviewed {profile.reviewed_on}" if profile.reviewed_on else ""
    lines = [f"# {profile.name} v{profile.version}", "", f"Status: {profile.status}{reviewed}."]
    if reminder := review_reminder(profile, today):
        lines += ["", f"> {reminder}"]
    must = [c for c in profile.criteria if c.must_have]
    triggers = [c for c in profile.criteria if c.timing]
    fit = [c for c in profile.criteria if not c.must_have and not c.timing]
    lines += _section("Must have", (words.criterion(c) for c in must))
    lines += _section("Good fit", (words.criterion(c) for c in fit))
    lines += _section("Triggers: why now", (words.criterion(c) for c in triggers))
    lines += _section("Counts against", (words.item(p, f" (minus {p.minus:f})") for p in profile.penalties))
    lines += _section("Never pursue", (words.item(d) for d in profile.disqualifiers))
    lines += _section("Notes", (f"**{name.capitalize()}**: {text}" for name, text in profile.notes.items()))
    lines += _section("How the score works", _logic(profile))
    return "\n".join(lines) + "\n"


def _section(title: str, entries: Iterable[str]) -> list[str]:
    listed = [f"- {entry}" for entry in entries]
    return ["", f"## {title}", "", *listed] if listed else []


def _logic(profile: Profile) -> Iterator[str]:
    tiers, gates = profile.tiers, profile.gates
    total = sum(c.points for c in profile.criteria)
    yield f"{total:f} points in all; the score is the share earned of the points that are known, times 100."
    yield f"Tier A from {tiers.a}, B from {tiers.b}, C from {tiers.c}, D below; X is disqualified."
    yield f"With less than {gates.min_coverage:.0%} of the points known there is no score: tier U."
    if any(c.must_have for c in profile.criteria):
        yield f"Without a must-have the score is at most {gates.must_have_cap:f}."
    if any(c.must_have or c.critical for c in profile.criteria):
        yield f"While a must-have or critical criterion is unknown it is at most {gates.unknown_cap:f}."
    yield "What nobody knows neither earns nor costs points; it is listed, with what it would change."


class _Words:
    """Conditions in words."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy

    def criterion(self, criterion: Criterion) -> str:
        critical = ", critical" if criterion.critical else ""
        return self.item(criterion, f" ({criterion.points:f} points{critical})")

    def item(self, item: Item, worth: str = "") -> str:
        why = f": {item.why}" if item.why else ""
        return f"**{item.id}** {self.condition(item.predicate)}{worth}{why}"

    def condition(self, predicate: Predicate) -> str:
        """One clause, as `lacks Product reviews & ratings`."""
        match predicate:
            case TechAny(degrees=degrees):
                return "runs " + _listed((self._graded(slug, degree) for slug, degree in degrees), "or")
            case TechAll(slugs=slugs):
                return "runs " + _listed(map(self._technology, slugs), "and")
            case LacksTech(slugs=slugs):
                return "does not run " + _listed(map(self._technology, slugs), "or")
            case HasCategory(slug=slug):
                return f"has {self._category(slug)}"
            case LacksCategory(slug=slug):
                return f"lacks {self._category(slug)}"
            case CountCategories():
                return self._count(predicate)
            case TechAge(slug=slug, min_days=days):
                return f"has run {self._technology(slug)} for at least {days} days"
            case VersionIs(slug=slug, op=op, value=value):
                return f"runs {self._technology(slug)} in version {op} {value}"
            case Event(category=category, kinds=kinds, within_days=days):
                return f"{self._category(category)} {_listed(kinds, 'or')} within {days} days"
            case FactIn(key=key, values=values):
                return f"{_plain(key)}: {_listed(values, 'or')}"
            case FactBetween(key=key, low=low, high=high):
                return f"{_plain(key)}: {low:,f} to {high:,f}"
            case FactTrue(key=key):
                return f"{_plain(key)}: yes"
            case AnyOf(parts=parts):
                return _listed(map(self.condition, parts), "or")
            case AllOf(parts=parts):
                return _listed(map(self.condition, parts), "and")
            case Not(part=part):
                return f"not: {self.condition(part)}"
        raise TypeError(f"no words for {predicate!r}")

    def _count(self, predicate: CountCategories) -> str:
        named = ", ".join(map(self._category, predicate.of))
        if predicate.at_most == 0:
            return f"has none of: {named}"
        if predicate.at_most is not None:
            return f"has at most {predicate.at_most} of: {named}"
        graded = ", partly for fewer" if predicate.graded else ""
        return f"has at least {predicate.at_least} of: {named}{graded}"

    def _graded(self, slug: str, degree: object) -> str:
        name = self._technology(slug)
        return name if degree == 1 else f"{name} (counts {degree})"

    def _technology(self, slug: str) -> str:
        technology = self._taxonomy.technologies.get(slug)
        return technology.name if technology else slug

    def _category(self, slug: str) -> str:
        category = self._taxonomy.categories.get(slug)
        return category.label if category else slug


def _listed(words: Iterable[str], last: str) -> str:
    """Words as a list in a sentence.

    >>> _listed(["a", "b", "c"], "or")
    'a, b or c'
    """
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _plain(key: str) -> str:
    return key.replace("_", " ")
