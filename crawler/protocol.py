"""What the parent and its workers say to each other: JSON lines, targets one way and records the other.

Both ends are the same program, so a record travels as bare values in the order of its fields. The JSON form for
others (fingerprints/model/wire.py) names and checks each of a record's thousand values, for five times the CPU.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar

from crawler.items import Target
from fingerprints.model import (
    Assessment,
    AssessmentState,
    Detection,
    DetectionState,
    Evidence,
    LoadedHost,
    Outcome,
    Page,
    PageKind,
    Reason,
    Record,
    ResourceKind,
)

LINE_BYTES = 16 * 1024 * 1024
"""Longest line either side accepts: a target's row or a record with all its evidence."""
_SHAPE = [
    [type_.__name__, *(field.name for field in fields(type_))]
    for type_ in (Record, Page, LoadedHost, Detection, Assessment, Evidence)
]
GREETING = b"ready "
READY = GREETING + b"%08x\n" % zlib.crc32(repr(_SHAPE).encode())
"""The worker's first line: its rules are loaded and it can crawl. It says which fields its records have, since
a worker that is replaced in mid-crawl may be of a newer version than who started the crawl."""
STATS = b"stats "
"""Begins the worker's last line: its counters as JSON."""

E = TypeVar("E", bound=StrEnum)


def target_to_line(target: Target) -> bytes:
    return json.dumps(asdict(target), ensure_ascii=False).encode() + b"\n"


def target_from_line(line: bytes) -> Target:
    """The target of a line; raises TypeError or ValueError for anything else."""
    return Target(**json.loads(line))


def record_to_line(record: Record, counted: Mapping[str, float]) -> bytes:
    """The line of a record and of the counters that have changed since the worker's record before.

    They are in one line so that what is counted and what is recorded cannot differ, whenever the worker dies.
    """
    return _encoder.encode((record, counted)).encode("ascii") + b"\n"


def record_from_line(line: bytes) -> tuple[Record, dict[str, float]]:
    """The record of a line, without the place of its evidence, and the counters.

    Raises ValueError for what `record_to_line` did not write.
    """
    try:
        values, counted = json.loads(line)
        return _record(values), dict(counted)
    except (TypeError, LookupError, AttributeError) as exc:
        raise ValueError(f"not a record: {exc}") from exc


def _values_of(part: object) -> tuple[Any, ...]:
    values: tuple[Any, ...] = _VALUES[type(part)](part)
    return values


_encoder = json.JSONEncoder(check_circular=False, separators=(",", ":"), default=_values_of)
_VALUES: dict[type, attrgetter[Any]] = {
    part: attrgetter(*(field.name for field in fields(part)))
    for part in (Record, Page, LoadedHost, Detection, Assessment)
} | {
    Evidence: attrgetter("signal", "channel", "strength", "page_url", "excerpt", "version", "account", "kind")
}


def _by_value(words: type[E]) -> dict[str, E]:
    """Faster than calling the enum, which counts with some 200 words a record."""
    return {word.value: word for word in words}


_OUTCOMES, _PAGE_KINDS, _RESOURCE_KINDS = _by_value(Outcome), _by_value(PageKind), _by_value(ResourceKind)
_STATES, _REASONS = _by_value(AssessmentState), _by_value(Reason)
_DETECTION_STATES = _by_value(DetectionState)


def _record(values: list[Any]) -> Record:
    given = dict(zip(_RECORD_FIELDS, values, strict=True))
    given["outcome"] = _OUTCOMES[given["outcome"]]
    given["pages"] = tuple(_page(*page) for page in given["pages"])
    given["hosts"] = tuple(_host(*host) for host in given["hosts"])
    given["detections"] = tuple(_detection(*detection) for detection in given["detections"])
    given["assessments"] = tuple(_assessment(*assessment) for assessment in given["assessments"])
    for name in ("containers_found", "containers_parsed", "flags"):
        given[name] = tuple(given[name])
    return Record(**given)


_RECORD_FIELDS = tuple(field.name for field in fields(Record))


def _page(url: str, kind: str, outcome: str, status: int | None, body_bytes: int, flags: list[str]) -> Page:
    return Page(url, _PAGE_KINDS[kind], _OUTCOMES[outcome], status, body_bytes, tuple(flags))


def _host(host: str, kinds: list[str], pages: list[str]) -> LoadedHost:
    return LoadedHost(
        host, tuple(_RESOURCE_KINDS[kind] for kind in kinds), tuple(_PAGE_KINDS[kind] for kind in pages)
    )


def _detection(
    slug: str,
    name: str,
    category: str,
    categories: list[str],
    state: str,
    confidence: float,
    version: str,
    accounts: list[str],
    implied_by: str,
    scope: str,
    pricing: str,
    evidence: list[list[Any]],
) -> Detection:
    return Detection(
        slug,
        name,
        category,
        tuple(categories),
        _DETECTION_STATES[state],
        confidence,
        version,
        tuple(accounts),
        implied_by,
        scope,
        pricing,
        tuple(_evidence(slug, values) for values in evidence),
    )


def _evidence(slug: str, values: list[Any]) -> Evidence:
    signal, channel, strength, page_url, excerpt, version, account, kind = values
    return Evidence(slug, signal, channel, strength, page_url, excerpt, version, account, kind=kind)


def _assessment(
    category: str, state: str, reason: str, confidence: float | None, checked: list[str], missing: list[str]
) -> Assessment:
    return Assessment(category, _STATES[state], _REASONS[reason], confidence, tuple(checked), tuple(missing))
