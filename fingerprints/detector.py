"""The rule set, ready to use: load once, detect on any number of pages."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fingerprints.match import match, match_markup
from fingerprints.model import Detection, Evidence, Observation, Taxonomy
from fingerprints.plan import Plan
from fingerprints.resolve import resolve
from fingerprints.rules import Rule


@dataclass(frozen=True, slots=True)
class Matched:
    """What one site's pages gave: evidence by page, and whether matching was cut short."""

    evidence: tuple[Evidence, ...]
    flags: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """Rules, their compiled plan and the names they use."""

    rules: Mapping[str, Rule]
    plan: Plan
    taxonomy: Taxonomy
    ruleset: str
    """Version and hash of the rules, as `2026.11.1+3f9c2a7b`."""
    problems: tuple[str, ...] = ()
    """One line for each rule or pattern that could not be used; everything else works."""
    coverage: tuple[str, ...] = ()
    """One line for each rule set in the Wappalyzer format, on what of it works here."""

    @classmethod
    def default(cls) -> Detector:
        """The detector with the rules of this package; loaded once a process, from a cache when it can."""
        return _default()

    @classmethod
    def load(cls, rules: Sequence[str | Path] = (), *, ours: bool = True) -> Detector:
        """A detector with other rule sets beside ours, or instead of ours.

        Rules that cannot be used are listed in `problems`. Raises InputError for a path that does not
        exist or holds no rules at all.
        """
        from fingerprints.loading import load_detector

        return load_detector([Path(path) for path in rules], ours=ours)

    def match(self, observations: Iterable[Observation]) -> Matched:
        """Evidence from all pages of one site, before combination."""
        evidence: list[Evidence] = []
        flags: set[str] = set()
        for observation in observations:
            found, page_flags = match(self.plan, observation)
            evidence.extend(found)
            flags |= page_flags
        return Matched(tuple(evidence), frozenset(flags))

    def without_markup(self, observation: Observation) -> Observation:
        """The page with what its markup shows as evidence in place of body, styles and tree.

        Matching it gives what the page itself would. It takes a fifth of the memory, so a program that
        collects a site's pages before it detects keeps these.
        """
        evidence, flags = match_markup(self.plan, observation)
        return dataclasses.replace(
            observation,
            evidence=tuple(evidence),
            flags=observation.flags | flags,
            body=b"",
            styles=(),
            tree=None,
            links=(),
        )

    def detect(self, observations: Iterable[Observation]) -> tuple[Detection, ...]:
        """The technologies of one site, sorted by slug, each with its evidence."""
        return resolve(self.match(observations).evidence, self.rules)


@functools.lru_cache(maxsize=1)
def _default() -> Detector:
    return Detector.load()
