"""A record as text for a person: what was found, what is lacking, and what each of that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

from fingerprints.model import Assessment, AssessmentState, Detection, DetectionState, Evidence, Record
from fingerprints.model.cells import clean
from store.current import platform_of
from store.freshness import Freshness

ABSENT, UNKNOWN = AssessmentState.ABSENT, AssessmentState.UNKNOWN

WIDTH = 110
"""Characters a list of categories may take on a line."""


def record_text(record: Record, history: Sequence[Mapping[str, Any]], freshness: Freshness) -> str:
    """Everything about one domain on a page; `history` as `queries.history` gives it."""
    assessments = [freshness.judge(item, record.scanned_at) for item in record.assessments]
    lines = [*_headline(record), ""]
    lines += _aligned([_technology_cells(detection) for detection in record.detections])
    lines += ["", *_states(assessments), *_history(history)]
    return "\n".join(lines)


def detection_text(detection: Detection) -> str:
    """One technology down to each signal that fired: where, how strong, and what it saw."""
    lines = [
        f"{_shown(detection.name)} ({detection.slug})  {detection.state.value} {detection.confidence:.2f}"
        + (f"  version {_shown(detection.version)}" if detection.version else "")
        + f"  {', '.join(detection.categories)}"
    ]
    lines += [f"  {remark}" for remark in _remarks(detection)]
    for evidence in detection.evidence:
        lines += [f"  {_evidence(evidence)}", f"      {_shown(evidence.excerpt)}"]
    return "\n".join(lines)


def assessment_text(assessment: Assessment, users: Iterable[Detection]) -> str:
    """One category: its state and reason, what was looked at, and what would settle an unknown."""
    confidence = "" if assessment.confidence is None else f" {assessment.confidence:.2f}"
    lines = [f"{assessment.category}  {assessment.state.value}{confidence} ({assessment.reason.value})"]
    names = [f"{_shown(d.name)} {d.confidence:.2f} {d.state.value}" for d in users]
    lines += [f"  found: {', '.join(names)}"] if names else []
    lines += [f"  checked: {_listed(assessment.checked) or 'nothing'}"]
    lines += [f"  would settle it: {_listed(assessment.missing)}"] if assessment.missing else []
    return "\n".join(lines)


def explanation(record: Record, freshness: Freshness) -> str:
    """Every detection with its evidence, then every category that is absent or could still be settled."""
    assessments = [freshness.judge(item, record.scanned_at) for item in record.assessments]
    parts = [detection_text(detection) for detection in record.detections]
    parts += [
        assessment_text(item, ())
        for item in assessments
        if item.state is ABSENT or (item.state is UNKNOWN and item.missing)
    ]
    return "\n\n".join(["\n".join(_headline(record)), *parts])


def _headline(record: Record) -> Iterator[str]:
    platform = platform_of(record)
    yield f"{record.domain}  {record.outcome.value}  {record.scanned_at}  {_shown(record.url)}"
    if record.detail:
        yield f"  {_shown(record.detail)}"
    if record.redirected_to:
        yield f"  redirected to {_shown(record.redirected_to)}"
    yield f"  platform: {f'{_shown(platform.name)} {platform.confidence:.2f}' if platform else 'not known'}"
    pages = ", ".join(f"{page.kind.value} {page.outcome.value}" for page in record.pages)
    yield f"  pages: {pages or 'none'}; categories known: {record.coverage:.0%}; rules {record.ruleset}"
    for container in record.containers_found:
        state = "read" if container in record.containers_parsed else "not read"
        yield f"  tag container {_shown(container)}: {state}"
    for column, value in record.attrs.items():
        yield f"  {_shown(column)}: {_shown(value)}"


def _technology_cells(detection: Detection) -> tuple[str, ...]:
    return (
        f"  {_shown(detection.name)}",
        detection.category,
        detection.state.value
        if detection.scope == "site"
        else f"{detection.state.value} ({detection.scope})",
        f"{detection.confidence:.2f}",
        _shown(detection.version),
        _shown(", ".join(detection.accounts)),
    )


def _states(assessments: Sequence[Assessment]) -> Iterator[str]:
    """The absent and the unknown categories, gathered by what that rests on."""
    for state, word in ((ABSENT, "lacks"), (UNKNOWN, "unknown")):
        gathered: dict[str, list[str]] = {}
        for item in assessments:
            if item.state is state:
                basis = _listed(item.checked) if state is ABSENT else ""
                why = f"{item.reason.value}{basis and f'; checked {basis}'}"
                gathered.setdefault(why, []).append(item.category)
        for why, categories in sorted(gathered.items()):
            yield fill(
                f"{word} ({why}): {', '.join(categories)}",
                WIDTH,
                initial_indent="  ",
                subsequent_indent="    ",
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_shown, names))


def _history(history: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(history) > 1:
        yield ""
        for row in history:
            mark = "  (current)" if row["is_current"] else ""
            yield f"  crawl {row['crawl']}  {row['scanned_at']}  {row['outcome']}{mark}"


def _shown(text: str) -> str:
    """Strangers' text on one line, so that it cannot pass for a line of ours."""
    return " ".join(clean(text).split())


def _remarks(detection: Detection) -> Iterator[str]:
    if detection.implied_by:
        yield f"implied by {detection.implied_by}, without evidence of its own"
    if detection.scope != "site":
        yield "only embedded media or links speak for it: it may be another site's"
    if detection.state is DetectionState.WEAK:
        yield "weak: too little to call it present, too much to call it absent"
    if detection.accounts:
        yield f"account {_shown(', '.join(detection.accounts))}"


def _evidence(evidence: Evidence) -> str:
    kind = f" {evidence.kind}" if evidence.kind else ""
    return (
        f"{evidence.signal}  {evidence.channel}{kind}  {evidence.strength:.2f}  {_shown(evidence.page_url)}"
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
