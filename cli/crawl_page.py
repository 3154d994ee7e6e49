"""The page about one crawl: a single HTML file that loads nothing and runs nothing.

Charts are SVG without text, stretched to the width there is; words and numbers stay HTML, so they are as large
on a phone as on a desk. Whatever comes out of the database is cleaned and escaped on its way in, by the
template environment rather than by whoever writes a line of the template.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cli.progress import duration
from cli.timeline import Column, columns
from fingerprints.model import AssessmentState, Outcome, Reason
from fingerprints.model.cells import clean
from store.crawl_events import STARTS, WARNING
from store.crawl_report import MOST_REQUESTS, CategoryCount, CrawlReport

TEXT_CHARS = 600
TOP_REASONS = 3
FEWEST_COLUMNS = 12
"""A chart of one column is one column, not a wall."""
TIME_LABELS = 5
NEVER_KNOWN = {Reason.NOT_OBSERVABLE, Reason.NO_RULES}
"""Reasons that say nothing about this crawl: no crawl could know."""


@dataclass(frozen=True, slots=True)
class Part:
    """A coloured piece of a bar, in percent of its length."""

    name: str
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table with a share."""

    name: str
    sites: int
    share: float
    """0..1."""
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CategoryRow:
    label: str
    parts: tuple[Part, ...]
    shares: Mapping[str, float]
    reasons: tuple[tuple[str, float], ...]


def crawl_page(report: CrawlReport, made_at: datetime) -> str:
    """The page, as HTML text."""
    starts_s = [_seconds(event.at) for event in report.events if event.kind in STARTS]
    found = columns(report.slots, report.step_s, starts_s)
    running_s = sum(column.length_s for column in found)
    top = nice_ceiling(max((column.per_second for column in found), default=0))
    seen = [name for name in Outcome if report.outcomes.get(name)]
    categories = [_category_row(category) for category in report.categories if not _never_known(category)]
    return (
        _environment()
        .get_template("crawl_report.html")
        .render(
            report=report,
            made_at=made_at,
            columns=found,
            running_s=running_s,
            average=report.sites / running_s if running_s else 0.0,
            top=top,
            width=max(len(found), FEWEST_COLUMNS),
            stacks=[stack({name: column.outcomes.get(name, 0) for name in seen}) for column in found],
            pauses=[(number, column) for number, column in enumerate(found) if column.pause_s],
            labels=time_labels(found),
            outcomes=_outcome_rows(report),
            read=sum(report.outcomes.get(outcome, 0) for outcome in Outcome if outcome.is_assessable),
            requests=_request_rows(report),
            categories=categories,
            never_known=[category.label for category in report.categories if _never_known(category)],
            tiers=[(tiers, _rows(tiers.sites)) for tiers in report.tiers],
            warnings=[event for event in report.events if event.kind == WARNING],
        )
    )


def stack(counts: Mapping[str, int]) -> tuple[Part, ...]:
    """The counts as pieces of one bar, in their order; none where there is nothing to show.

    >>> stack({"ok": 3, "timeout": 0, "blocked": 1})
    (Part(name='ok', start=0.0, length=75.0), Part(name='blocked', start=75.0, length=25.0))
    """
    total, parts, start = sum(counts.values()), [], 0
    for name, count in counts.items():
        if count:
            parts.append(Part(name, 100 * start / total, 100 * count / total))
        start += count
    return tuple(parts)


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5, 10, 20... that is not below the value.

    >>> nice_ceiling(0.3), nice_ceiling(7), nice_ceiling(140)
    (0.5, 10.0, 200.0)
    """
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next((step * size for step in (1, 2, 5) if step * size >= value), 10 * size)


def time_labels(found: Sequence[Column]) -> list[tuple[int, str]]:
    """Column number and time for a few evenly spaced columns; the day where it is the first of its day."""
    every = max(-(-len(found) // TIME_LABELS), 1)
    labels, day = [], ""
    form = "%H:%M:%S" if found and found[0].length_s < 60 else "%H:%M"
    for number in range(0, len(found), every):
        at = datetime.fromtimestamp(found[number].start_s, UTC)
        new_day = f"{at:%d %b }" if f"{at:%d %b}" != day else ""
        labels.append((number, f"{new_day}{at.strftime(form)}"))
        day = f"{at:%d %b}"
    return labels


def _outcome_rows(report: CrawlReport) -> list[Row]:
    rows = _rows(report.outcomes)
    found = {name: list(reasons.items())[:TOP_REASONS] for name, reasons in report.reasons.items()}
    return [Row(row.name, row.sites, row.share, tuple(found.get(row.name, ()))) for row in rows]


def _request_rows(report: CrawlReport) -> list[Row]:
    names = {count: f"{count} or more" if count == MOST_REQUESTS else str(count) for count in report.requests}
    return _rows({names[count]: sites for count, sites in report.requests.items()})


def _rows(counts: Mapping[str, int]) -> list[Row]:
    total = sum(counts.values())
    return [Row(name, sites, sites / total) for name, sites in counts.items()]


def _never_known(category: CategoryCount) -> bool:
    return set(category.states) == {AssessmentState.UNKNOWN} and set(category.unknown_because) <= NEVER_KNOWN


def _category_row(category: CategoryCount) -> CategoryRow:
    total = sum(category.states.values())
    counts = {state.value: category.states.get(state, 0) for state in AssessmentState}
    top = list(category.unknown_because.items())[:TOP_REASONS]
    return CategoryRow(
        category.label,
        stack(counts),
        {state: count / total for state, count in counts.items()},
        tuple((reason, count / total) for reason, count in top),
    )


# -- how values are written --------------------------------------------------------------------------------


def shown(value: Any) -> Any:
    """Text on one line, without control characters, cut; numbers and the template's own markup as they are."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = " ".join(clean(value).split())
    return text if len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS]}…"


def percent(share: float) -> str:
    """A share for people: never 0% for something, never 100% for not quite all.

    >>> percent(0), percent(0.004), percent(0.874), percent(0.9996), percent(1)
    ('0%', '0.4%', '87%', '99.9%', '100%')
    """
    value = 100 * share
    if 0 < value < 1:
        return f"{max(value, 0.1):.1f}%"
    return f"{min(value, 99.9):.1f}%" if 99 < value < 100 else f"{value:.0f}%"


def size(size_bytes: int) -> str:
    """Bytes for people.

    >>> size(900), size(1_536_000), size(2_400_000_000)
    ('900 B', '1.5 MB', '2.4 GB')
    """
    number, units = float(size_bytes), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    while number >= 1000 and (larger := next(units, "")):
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def rate(per_second: float) -> str:
    """A speed for people.

    >>> rate(0.25), rate(12.34), rate(140)
    ('0.25', '12.3', '140')
    """
    return (
        f"{per_second:.2f}"
        if per_second < 10
        else f"{per_second:.1f}"
        if per_second < 100
        else f"{per_second:,.0f}"
    )


def clock(at: str | int | datetime) -> str:
    """A time as people write it, in UTC; an empty text for an empty one."""
    if at == "":
        return ""
    if isinstance(at, int):
        moment = datetime.fromtimestamp(at, UTC)
    else:
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return f"{moment:%d %b %Y %H:%M:%S}"


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cli"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"percent": percent, "size": size, "rate": rate, "clock": clock, "duration": duration}
    environment.filters |= filters | {"count": lambda number: f"{number:,}", "words": _words}
    return environment


def _words(names: Iterable[str]) -> str:
    return ", ".join(names)
