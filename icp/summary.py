"""What an export says about a site besides its score: stack and categories, as far as they still hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fingerprints.model import AssessmentState, Detection, DetectionState, Record, Taxonomy
from icp.account import Account

NAME_COLUMNS = ("name", "company", "company name", "company_name", "account name", "account_name")
"""Input columns that hold the company's name, lower case."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One site at one time; what is stale has moved to unknown."""

    name: str
    """The company's name in the input; empty when the input has none."""
    technologies: tuple[Detection, ...]
    """Present ones, the most certain first; empty when the scan failed or is stale."""
    present: tuple[str, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]
    """Categories by state, sorted."""

    @property
    def is_known(self) -> bool:
        """Whether the scan says anything at all; if not, an export must not touch what the CRM has."""
        return bool(self.technologies or self.present or self.absent)


def summarize(record: Record, taxonomy: Taxonomy, now: datetime) -> Summary:
    """The record as exports show it."""
    account = Account(record, None, taxonomy, now)
    states: dict[AssessmentState, list[str]] = {state: [] for state in AssessmentState}
    for assessment in record.assessments:
        states[account.category(assessment.category).state].append(assessment.category)
    found = [
        d
        for d in record.detections
        if d.state is DetectionState.PRESENT and d.scope == "site" and account.holds_presence
    ]
    return Summary(
        name=_name(record.attrs),
        technologies=tuple(sorted(found, key=lambda d: (-d.confidence, d.slug))),
        present=tuple(sorted(states[AssessmentState.PRESENT])),
        absent=tuple(sorted(states[AssessmentState.ABSENT])),
        unknown=tuple(sorted(states[AssessmentState.UNKNOWN])),
    )


def _name(attrs: Mapping[str, str]) -> str:
    by_header = {header.strip().lower(): value for header, value in attrs.items()}
    return next((by_header[name].strip() for name in NAME_COLUMNS if by_header.get(name, "").strip()), "")
