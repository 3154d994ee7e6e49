"""How long a finding counts. Older ones are unknown, with the reason `stale`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from fingerprints.model import Assessment, AssessmentState, Reason
from fingerprints.model.times import timestamp
from icp.account import ABSENCE_DAYS, PRESENCE_DAYS


@dataclass(frozen=True, slots=True)
class Freshness:
    """Since when findings count, as records write times; empty: always."""

    present_since: str = ""
    absent_since: str = ""

    @classmethod
    def at(cls, now: datetime) -> Self:
        """Presence holds PRESENCE_DAYS and absence ABSENCE_DAYS before `now`, which is in UTC."""
        return cls(_days_before(now, PRESENCE_DAYS), _days_before(now, ABSENCE_DAYS))

    def judge(self, assessment: Assessment, scanned_at: str) -> Assessment:
        """The assessment as it counts now: a stale one is unknown."""
        since = self.absent_since if assessment.state is AssessmentState.ABSENT else self.present_since
        if assessment.state is AssessmentState.UNKNOWN or scanned_at >= since:
            return assessment
        return replace(
            assessment,
            state=AssessmentState.UNKNOWN,
            reason=Reason.STALE,
            confidence=None,
            missing=("rescan",),
        )


def _days_before(now: datetime, days: int) -> str:
    return timestamp(now - timedelta(days=days))
