"""The conditions an ICP is made of: each judges an account as a degree from 0 to 1, or as unknown.

Three values in the sense of Kleene: an unknown part makes the whole unknown only where its resolution
could still matter. Nothing unknown is ever counted as lacking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from icp.account import ABSENT, PRESENT, UNKNOWN, Account, Finding
from icp.verdict import NO, YES, Verdict, evidence_of, exactly, joined, negated


class Predicate(Protocol):
    def judge(self, account: Account) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class TechAny:
    """The best known degree among the listed technologies."""

    degrees: tuple[tuple[str, Decimal], ...]

    def judge(self, account: Account) -> Verdict:
        best: tuple[Decimal, Finding] | None = None
        unknown: list[tuple[str, Decimal, Finding]] = []
        absent: Finding | None = None
        for slug, degree in self.degrees:
            found = account.technology(slug)
            if found.state is PRESENT and (best is None or degree > best[0]):
                best = degree, found
            elif found.state is UNKNOWN:
                unknown.append((slug, degree, found))
            elif found.state is ABSENT:
                absent = found
        if best:
            degree, found = best
            suffix = "" if degree == YES else f" (degree {degree.normalize():f})"
            return Verdict(degree, found.reason + suffix, evidence_of(found.detections))
        if unknown:
            return _unknown_technology(unknown)
        assert absent is not None
        return Verdict(NO, _none_of([slug for slug, _ in self.degrees]) + f"; {absent.reason}")


def _unknown_technology(unknown: list[tuple[str, Decimal, Finding]]) -> Verdict:
    """Unknown because of a weak sign if there is one: that is what a person can confirm or refute."""
    weak = [entry for entry in unknown if entry[2].detections]
    slug, degree, found = max(weak or unknown, key=lambda entry: entry[1])
    if not weak:
        return Verdict(None, found.reason, high=degree)
    return Verdict(
        None, found.reason, evidence_of(found.detections), NO, degree, f"{slug} refuted", f"{slug} confirmed"
    )


@dataclass(frozen=True, slots=True)
class TechAll:
    slugs: tuple[str, ...]

    def judge(self, account: Account) -> Verdict:
        return AllOf(tuple(TechAny(((slug, YES),)) for slug in self.slugs)).judge(account)


@dataclass(frozen=True, slots=True)
class LacksTech:
    """None of the listed technologies is there."""

    slugs: tuple[str, ...]

    def judge(self, account: Account) -> Verdict:
        verdict = TechAny(tuple((slug, YES) for slug in self.slugs)).judge(account)
        return negated(verdict)


@dataclass(frozen=True, slots=True)
class HasCategory:
    slug: str

    def judge(self, account: Account) -> Verdict:
        found = account.category(self.slug)
        degree = {PRESENT: YES, ABSENT: NO, UNKNOWN: None}[found.state]
        present, absent = f"{self.slug} present", f"{self.slug} absent"
        return Verdict(degree, found.reason, evidence_of(found.detections), if_low=absent, if_high=present)


@dataclass(frozen=True, slots=True)
class LacksCategory:
    slug: str

    def judge(self, account: Account) -> Verdict:
        return negated(HasCategory(self.slug).judge(account))


@dataclass(frozen=True, slots=True)
class CountCategories:
    """At least or at most so many of the categories are present."""

    of: tuple[str, ...]
    at_least: int | None = None
    at_most: int | None = None
    graded: bool = False

    def judge(self, account: Account) -> Verdict:
        states = {slug: account.category(slug).state for slug in self.of}
        present = [slug for slug, state in states.items() if state is PRESENT]
        unknown = [slug for slug, state in states.items() if state is UNKNOWN]
        low, high = len(present), len(present) + len(unknown)
        reason = f"{low} of {len(self.of)} categories" + (f": {', '.join(present)}" if present else "")
        reason += f"; unknown: {', '.join(unknown)}" if unknown else ""
        if self.at_most is not None:
            return _decided(
                high <= self.at_most, low > self.at_most, f"{reason}; wants at most {self.at_most}"
            )
        assert self.at_least is not None
        partial = Decimal(low) / self.at_least if self.graded and low < self.at_least else NO
        wanted = reason if low >= self.at_least else f"{reason}; wants {self.at_least}"
        return _decided(low >= self.at_least, high < self.at_least, wanted, partial)


def _decided(is_met: bool, is_failed: bool, reason: str, partial: Decimal = NO) -> Verdict:
    if is_met:
        return Verdict(YES, reason)
    return Verdict(partial if is_failed else None, reason, low=partial)


@dataclass(frozen=True, slots=True)
class VersionIs:
    """The technology is there in a version that compares so with the value."""

    slug: str
    op: str
    value: str

    def judge(self, account: Account) -> Verdict:
        found = account.technology(self.slug)
        if found.state is ABSENT:
            return Verdict(NO, found.reason)
        if found.state is UNKNOWN:
            return Verdict(None, found.reason)
        version = account.version(self.slug)
        order = compare_versions(version, self.value)
        if order is None:
            return Verdict(
                None, f"{found.reason}, version {version or 'not shown'}", evidence_of(found.detections)
            )
        reason = f"{found.reason}, version {version}, wants {self.op} {self.value}"
        return Verdict(YES if order in VERSION_OPS[self.op] else NO, reason, evidence_of(found.detections))


VERSION_OPS = {"<": (-1,), "<=": (-1, 0), "==": (0,), "!=": (-1, 1), ">=": (0, 1), ">": (1,)}


def compare_versions(left: str, right: str) -> int | None:
    """-1, 0 or 1 by the numbers in front; None when either is no version. Missing numbers count as 0.

    >>> compare_versions("2.4.6-p3", "2.4"), compare_versions("2", "2.0"), compare_versions("latest", "2")
    (1, 0, None)
    """
    numbers = [re.match(r"v?(\d{1,9}(?:\.\d{1,9}){0,7})", text) for text in (left, right)]
    if None in numbers:
        return None
    a, b = ([int(part) for part in match[1].split(".")] for match in numbers if match)
    width = max(len(a), len(b))
    a, b = a + [0] * (width - len(a)), b + [0] * (width - len(b))
    return (a > b) - (a < b)


NO_HISTORY = "no history yet"


@dataclass(frozen=True, slots=True)
class TechAge:
    """The technology has been there for at least so many days."""

    slug: str
    min_days: int

    def judge(self, account: Account) -> Verdict:
        found = account.technology(self.slug)
        if found.state is ABSENT:
            return Verdict(NO, found.reason)
        return Verdict(None, f"{found.reason}; {NO_HISTORY}" if found.state is PRESENT else found.reason)


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one of the kinds was seen in the category within so many days."""

    category: str
    kinds: tuple[str, ...]
    within_days: int

    def judge(self, account: Account) -> Verdict:
        return Verdict(
            None, f"{self.category} {'/'.join(self.kinds)} within {self.within_days} days: {NO_HISTORY}"
        )


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Predicate, ...]

    def judge(self, account: Account) -> Verdict:
        verdicts = [part.judge(account) for part in self.parts]
        known = [v for v in verdicts if v.degree is not None]
        unknown = [v for v in verdicts if v.degree is None]
        best = max(known, key=_degree, default=None)
        if best and (best.degree == YES or not unknown):
            return best if best.degree != NO else joined(known, NO)
        bounds = [v if v.degree is None else exactly(v.degree) for v in verdicts]
        return joined(verdicts, None, max(v.low for v in bounds), max(v.high for v in bounds))


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Predicate, ...]

    def judge(self, account: Account) -> Verdict:
        verdicts = [part.judge(account) for part in self.parts]
        known = [v for v in verdicts if v.degree is not None]
        worst = min(known, key=_degree, default=None)
        if worst and worst.degree == NO:
            return worst
        if worst and len(known) == len(verdicts):
            return joined(verdicts, worst.degree)
        bounds = [v if v.degree is None else exactly(v.degree) for v in verdicts]
        return joined(verdicts, None, min(v.low for v in bounds), min(v.high for v in bounds))


@dataclass(frozen=True, slots=True)
class Not:
    part: Predicate

    def judge(self, account: Account) -> Verdict:
        return negated(self.part.judge(account))


def leaves(predicate: Predicate) -> Iterator[Predicate]:
    """The predicate's parts that have no parts of their own."""
    if isinstance(predicate, AnyOf | AllOf):
        for part in predicate.parts:
            yield from leaves(part)
    elif isinstance(predicate, Not):
        yield from leaves(predicate.part)
    else:
        yield predicate


def asked_about(predicate: Predicate) -> frozenset[str]:
    """Slugs of the technologies and categories on which the predicate's answer depends."""
    asked: set[str] = set()
    for leaf in leaves(predicate):
        match leaf:
            case TechAny(degrees=degrees):
                asked.update(slug for slug, _ in degrees)
            case TechAll(slugs=slugs) | LacksTech(slugs=slugs) | CountCategories(of=slugs):
                asked.update(slugs)
            case (
                HasCategory(slug=slug) | LacksCategory(slug=slug) | VersionIs(slug=slug) | TechAge(slug=slug)
            ):
                asked.add(slug)
            case Event(category=slug):
                asked.add(slug)
    return frozenset(asked)


def _degree(verdict: Verdict) -> Decimal:
    assert verdict.degree is not None
    return verdict.degree


def _none_of(slugs: list[str]) -> str:
    shown = ", ".join(slugs[:5]) + (f" and {len(slugs) - 5} more" if len(slugs) > 5 else "")
    return f"none of {shown}" if len(slugs) > 1 else f"no {shown}"
