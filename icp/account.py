"""One account as it may be judged at a given time: what is there, what is not, and what nobody knows.

Every answer is a Finding with a clause for a person. Unknown is an answer: a failed or stale scan, a
surface that was not read, or a category that nobody can see from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fingerprints.model import (
    Assessment,
    AssessmentState,
    Detection,
    DetectionState,
    InputError,
    Observability,
    PageKind,
    Reason,
    Record,
    Taxonomy,
)

PRESENCE_DAYS = 90
"""How long a presence may be used: tools are rarely removed within a quarter."""
ABSENCE_DAYS = 45
"""How long an absence may be used: a new tool turns it wrong at once."""

PRESENT, ABSENT, UNKNOWN = AssessmentState.PRESENT, AssessmentState.ABSENT, AssessmentState.UNKNOWN

_WHY_UNKNOWN = {
    Reason.SCAN_FAILED: "the scan failed",
    Reason.BLOCKED: "the site blocked the scan",
    Reason.SURFACE_NOT_FETCHED: "a page it shows on was not read",
    Reason.CONTAINER_UNPARSED: "a tag container could not be read",
    Reason.CONSENT_GATED: "held back until consent",
    Reason.WEAK_ONLY: "only weak signs",
    Reason.NOT_OBSERVABLE: "cannot be seen from outside",
    Reason.PAGE_INCOMPLETE: "the page was incomplete",
    Reason.IMPLAUSIBLE: "the page names too many tools to be believed",
    Reason.NO_RULES: "no rule can detect it yet",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one technology or category, and why."""

    state: AssessmentState
    reason: str
    detections: tuple[Detection, ...] = ()
    """What speaks for a presence; for an unknown technology, the weak detection if there is one."""


class Account:
    """A record and its facts, seen at one time. Raises InputError when the record's time is not a time."""

    def __init__(
        self, record: Record, facts: Mapping[str, str] | None, taxonomy: Taxonomy, now: datetime
    ) -> None:
        self.record = record
        self.facts = facts
        self._taxonomy = taxonomy
        # A platform that only embeds or links speak for is somebody else's shop.
        self._detections = {d.slug: d for d in record.detections if d.scope != "embed"}
        self._users: dict[str, list[Detection]] = {}
        for detection in self._detections.values():
            if detection.state is DetectionState.PRESENT:
                for category in detection.categories:
                    self._users.setdefault(category, []).append(detection)
        self._categories: dict[str, Finding] = {}
        self._assessments = {a.category: a for a in record.assessments}
        age = _age(record, now)
        self.holds_presence = age <= timedelta(days=PRESENCE_DAYS)
        self.holds_absence = age <= timedelta(days=ABSENCE_DAYS)
        self._stale = f"the scan is {age.days} days old"

    def technology(self, slug: str) -> Finding:
        """Whether the site runs the technology; what is not detected follows its category's assessment."""
        detection = self._detections.get(slug)
        if detection is None:
            return self._undetected(slug)
        if not self.holds_presence:
            return Finding(UNKNOWN, f"{detection.name}: {self._stale}", (detection,))
        if detection.state is DetectionState.WEAK:
            return Finding(UNKNOWN, f"{detection.name} only weak ({detection.confidence:.2f})", (detection,))
        return Finding(PRESENT, f"{detection.name} {detection.confidence:.2f}", (detection,))

    def version(self, slug: str) -> str:
        """The detected version; empty when not known."""
        detection = self._detections.get(slug)
        return detection.version if detection else ""

    def category(self, slug: str) -> Finding:
        """Whether the site runs anything of the category."""
        found = self._categories.get(slug)
        if found is None:
            found = self._categories[slug] = self._judge_category(slug)
        return found

    def fact(self, key: str) -> str | None:
        """The account's value of a fact; None when its source has none."""
        value = (self.facts or {}).get(key, "").strip()
        return value or None

    def _judge_category(self, slug: str) -> Finding:
        users = tuple(self._users.get(slug, ()))
        assessment = self._assessments.get(slug)
        if assessment is None and users:
            assessment = Assessment(slug, PRESENT, Reason.DETECTED)
        if assessment is None:
            return Finding(UNKNOWN, f"{slug} unknown: {self._unassessed()}")
        if assessment.state is PRESENT:
            if not self.holds_presence:
                return Finding(UNKNOWN, f"{slug} unknown: {self._stale}", users)
            return Finding(PRESENT, f"{slug} present" + _named(users), users)
        if assessment.state is ABSENT:
            if not self.holds_absence:
                return Finding(UNKNOWN, f"{slug} unknown: {self._stale}, absence holds {ABSENCE_DAYS}")
            return Finding(ABSENT, f"{slug} absent" + _checked(assessment))
        return Finding(UNKNOWN, f"{slug} unknown: {self._why_unknown(assessment)}")

    def _undetected(self, slug: str) -> Finding:
        technology = self._taxonomy.technologies[slug]
        found = self.category(technology.category)
        if found.state is UNKNOWN:
            return Finding(UNKNOWN, found.reason)
        if found.state is ABSENT:
            return Finding(ABSENT, found.reason)
        others = _named(found.detections).removeprefix(": ") or "another tool"
        category = self._taxonomy.categories.get(technology.category)
        if category and category.observability is Observability.LOGIN:
            return Finding(UNKNOWN, f"{technology.name} unknown: {category.slug} cannot be seen from outside")
        if not self.holds_absence:  # that this one is lacking is an absence too
            return Finding(UNKNOWN, f"{technology.name} unknown: {self._stale}, absence holds {ABSENCE_DAYS}")
        return Finding(ABSENT, f"{technology.category} is {others}")

    def _unassessed(self) -> str:
        outcome = self.record.outcome
        return "not assessed" if outcome.is_assessable else f"the scan ended {outcome.value}"

    def _why_unknown(self, assessment: Assessment) -> str:
        why = _WHY_UNKNOWN.get(assessment.reason, assessment.reason.value)
        return f"{why} ({', '.join(assessment.missing)})" if assessment.missing else why


def _age(record: Record, now: datetime) -> timedelta:
    """Time since the scan; nothing for a record without a time, which somebody has just made by hand."""
    if not record.scanned_at:
        return timedelta()
    try:
        scanned_at = datetime.fromisoformat(record.scanned_at)
    except ValueError as exc:
        raise InputError(
            f"{record.domain}: scanned_at {record.scanned_at!r} is not an ISO 8601 time"
        ) from exc
    return now - (scanned_at if scanned_at.tzinfo else scanned_at.replace(tzinfo=UTC))


def _named(users: tuple[Detection, ...]) -> str:
    return ": " + ", ".join(sorted(d.name for d in users)) if users else ""


_PAGE_KINDS = frozenset(kind.value for kind in PageKind)


def _checked(assessment: Assessment) -> str:
    """What an absence rests on, as `: home, product read; GTM-AB12 parsed`."""
    pages = [item for item in assessment.checked if item in _PAGE_KINDS]
    containers = [item.partition(":")[2] for item in assessment.checked if item.startswith("container:")]
    others = [
        item for item in assessment.checked if item not in _PAGE_KINDS and not item.startswith("container:")
    ]
    parts = [f"{', '.join(pages)} read"] if pages else []
    parts += [f"{', '.join(containers)} parsed"] if containers else []
    return ": " + "; ".join(parts + others) if parts or others else ""
