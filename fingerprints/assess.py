"""Detections and what was looked at, into one assessment per category: absence is decided only here.

The rules are conservative in one direction. A category is absent only when everything that could have
shown such a tool was looked at and showed nothing; whatever is in doubt is unknown, with the reason and
with what would settle it.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fingerprints.containers import LOADER_KINDS
from fingerprints.datafiles import data_file
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Category,
    Detection,
    DetectionState,
    InputError,
    Observability,
    Outcome,
    PageKind,
    Reason,
    Taxonomy,
)
from fingerprints.pixels import LISTENING_CATEGORIES

IMPLAUSIBLE_FROM = 60
"""More third-party technologies than any real site loads: the page is about them, or tests detectors."""

DNS_ABSENCE_CAP = 0.7
"""Seen through DNS and links only, an absence is weaker (records and scoring, class D)."""

DEFAULT_DETECTABILITY = {Observability.HTML: 0.9, Observability.MANAGED: 0.75, Observability.DNS: 0.7}
"""Most confidence of an absence in a category with too few known users, or none, to have been measured."""

TABLE_VARIABLE = "TECHNOGRAPH_DETECTABILITY"
"""Names a table of your own (`technograph audit --write`); what it measured goes before ours."""

INCOMPLETE_FLAGS = frozenset(
    {
        "body_cut",
        "tree_cut",
        "scripts_cut",
        "resources_cut",
        "budget_spent",
        "dataloss",
        "shell",
        "tls_wrong_host",
    }
)
"""Marks of a page that was not seen whole: it can show a tool, it cannot show that there is none."""

CONSENT = "consent"
"""Category of the tools that hold others back until a visitor agrees, which our browser never does."""

_UNREAD_OUTCOMES = {Outcome.BLOCKED: Reason.BLOCKED}


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at on one site."""

    outcome: Outcome
    pages: frozenset[PageKind] = frozenset()
    """Kinds of the pages that were read."""
    flags: frozenset[str] = frozenset()
    containers_found: tuple[str, ...] = ()
    containers_parsed: tuple[str, ...] = ()
    dns_ok: bool | None = None
    rendered: bool = False
    merged_scripts: tuple[str, ...] = ()
    """Scripts of the site into which an optimiser merged others; nobody read them."""
    sandboxed_pixels: tuple[str, ...] = ()
    """Pixels whose code runs out of sight, in a browser too."""
    hints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Technology to hosts of its vendor that the pages expect and load nothing from."""

    @property
    def unparsed(self) -> tuple[str, ...]:
        return tuple(c for c in self.containers_found if c not in self.containers_parsed)


def assess(
    taxonomy: Taxonomy,
    detections: Sequence[Detection],
    looked: Looked,
    detectability: Mapping[str, float] | None = None,
) -> tuple[Assessment, ...]:
    """One assessment per category of the taxonomy, in its order.

    `detectability` is the share (0..1) of known users that a static scan finds, by category and by class
    (`H`, `M`, `D`); it caps the confidence of an absence. By default what was measured.
    """
    shares = measured_detectability() if detectability is None else detectability
    checked = _checked(looked)
    loaders = _unread_loaders(taxonomy, detections, looked)
    hints = _hints_by_category(taxonomy, detections, looked)
    by_category: dict[str, list[Detection]] = {}
    for detection in detections:
        for slug in detection.categories:
            by_category.setdefault(slug, []).append(detection)
    return tuple(
        _assess_one(
            category,
            by_category.get(category.slug, ()),
            looked,
            checked,
            loaders,
            hints.get(category.slug, ()),
            category.slug in taxonomy.covered,
            shares,
        )
        for category in taxonomy.categories.values()
    )


def coverage(taxonomy: Taxonomy, assessments: Iterable[Assessment]) -> float:
    """Share (0..1) of the categories that can be assessed at all whose state is known."""
    considered = [
        a
        for a in assessments
        if a.reason is not Reason.NO_RULES
        and taxonomy.categories[a.category].observability is not Observability.LOGIN
    ]
    known = sum(a.state is not AssessmentState.UNKNOWN for a in considered)
    return round(known / len(considered), 3) if considered else 0.0


def is_implausible(detections: Sequence[Detection]) -> bool:
    """Whether so much was found that the page cannot be an ordinary site's."""
    third_party = [d for d in detections if any(e.channel in ("host", "url") for e in d.evidence)]
    return len(third_party) > IMPLAUSIBLE_FROM


@functools.lru_cache(maxsize=1)
def measured_detectability() -> dict[str, float]:
    """Measured share by category and by class: ours, and over it a table of the user's own.

    Raises InputError for a file that is no such table.
    """
    shares = _read_table(data_file("reference/detectability.json"))
    own = os.environ.get(TABLE_VARIABLE)
    return shares | _read_table(Path(own)) if own else shares


def _read_table(path: Path) -> dict[str, float]:
    try:
        table = json.loads(path.read_text("utf-8"))
        shares = {
            key: float(row["share"]) for part in ("classes", "categories") for key, row in table[part].items()
        }
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(
            f"{path}: no detectability table; `technograph audit --write FILE` makes one"
        ) from exc
    wrong = sorted(key for key, share in shares.items() if not 0 <= share <= 1)
    if wrong:
        raise InputError(f"{path}: {wrong[0]}: share {shares[wrong[0]]} is not between 0 and 1")
    return shares


def _assess_one(
    category: Category,
    detections: Sequence[Detection],
    looked: Looked,
    checked: tuple[str, ...],
    loaders: Sequence[str],
    hints: Sequence[str],
    has_rules: bool,
    shares: Mapping[str, float],
) -> Assessment:
    def unknown(reason: Reason, *missing: str) -> Assessment:
        return Assessment(category.slug, AssessmentState.UNKNOWN, reason, None, checked, missing)

    if "implausible" in looked.flags:
        return unknown(Reason.IMPLAUSIBLE)
    present = [d for d in detections if d.state is DetectionState.PRESENT and d.scope == "site"]
    if present:
        confidence = max(d.confidence for d in present)
        return Assessment(category.slug, AssessmentState.PRESENT, Reason.DETECTED, confidence, checked)
    if not looked.outcome.is_assessable:
        return unknown(_UNREAD_OUTCOMES.get(looked.outcome, Reason.SCAN_FAILED))
    if category.observability is Observability.LOGIN:
        return unknown(Reason.NOT_OBSERVABLE)
    if not has_rules:
        return unknown(Reason.NO_RULES)
    if detections or hints:
        return unknown(Reason.WEAK_ONLY, *hints)
    if "consent_gated" in looked.flags:
        return unknown(Reason.CONSENT_GATED)
    incomplete = sorted(INCOMPLETE_FLAGS & looked.flags)
    if incomplete and not (incomplete == ["shell"] and looked.rendered):
        return unknown(Reason.PAGE_INCOMPLETE, *incomplete)
    missing = _missing_surfaces(category, looked)
    if missing:
        return unknown(Reason.SURFACE_NOT_FETCHED, *missing)
    if category.observability is Observability.MANAGED and loaders:
        return unknown(Reason.CONTAINER_UNPARSED, *loaders)
    confidence = _absence_confidence(category, shares)
    return Assessment(category.slug, AssessmentState.ABSENT, Reason.SURFACES_CLEAR, confidence, checked)


def _absence_confidence(category: Category, shares: Mapping[str, float]) -> float:
    """The share measured for the category, else a cautious default, no higher than its whole class was measured."""
    kind = category.observability
    share = shares.get(category.slug)
    if share is None:
        share = min(DEFAULT_DETECTABILITY[kind], shares.get(kind.value, 1.0))
    return min(share, DNS_ABSENCE_CAP) if kind is Observability.DNS else share


def _missing_surfaces(category: Category, looked: Looked) -> tuple[str, ...]:
    """What would have to be fetched; a category seen on ordinary pages is content with any page.

    A page of no known kind stands for no other: the login page a category asks for is `other`, but so is a story.
    """
    if category.observability is Observability.HTML:
        missing = [] if looked.pages else [PageKind.HOME.value]
    else:
        read = looked.pages - {PageKind.OTHER}
        missing = [kind.value for kind in category.pages if kind not in read]
    if category.dns and looked.dns_ok is not True:
        missing.append("dns")
    return tuple(missing)


def _unread_loaders(taxonomy: Taxonomy, detections: Sequence[Detection], looked: Looked) -> tuple[str, ...]:
    """Containers named but not read, and what brings in tools without any container that could be read.

    A browser has run such loaders, but not what a consent manager holds back from them.
    """
    loaders = [f"container:{container.partition(':')[2]}" for container in looked.unparsed]
    if _has_run(detections, looked):
        return tuple(loaders)
    kinds_found = {container.partition(":")[0] for container in looked.containers_found}
    for slug in sorted({detection.slug for detection in detections} | looked.hints.keys()):
        technology = taxonomy.technologies.get(slug)
        if technology and technology.loads_others and LOADER_KINDS.get(slug) not in kinds_found:
            loaders.append(slug)
    return (*loaders, *looked.merged_scripts)


def _has_run(detections: Sequence[Detection], looked: Looked) -> bool:
    """Whether a browser ran everything; while a consent manager waits for an answer, nobody knows."""
    return looked.rendered and not any(d.category == CONSENT for d in detections)


def _hints_by_category(
    taxonomy: Taxonomy, detections: Sequence[Detection], looked: Looked
) -> dict[str, tuple[str, ...]]:
    """What hints at an unseen tool of each category; a browser would have asked an expected host."""
    found = {category: set(looked.sandboxed_pixels) for category in LISTENING_CATEGORIES}
    for slug, hosts in () if _has_run(detections, looked) else looked.hints.items():
        for category in taxonomy.technologies[slug].categories:
            found.setdefault(category, set()).update(hosts)
    return {category: tuple(sorted(names)) for category, names in found.items()}


def _checked(looked: Looked) -> tuple[str, ...]:
    """The surfaces that were looked at, as shown beside an absence."""
    checked = [kind.value for kind in PageKind if kind in looked.pages]
    checked += [f"container:{container.partition(':')[2]}" for container in looked.containers_parsed]
    if looked.dns_ok:
        checked.append("dns")
    if looked.rendered:
        checked.append("rendered")
    return tuple(checked)
