"""Moments as records and the database keep them: UTC, to the second, `2026-11-22T07:15:00Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp_now() -> str:
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    """The text of a moment that knows its time zone.

    >>> timestamp(datetime(2026, 11, 22, 7, 15, tzinfo=UTC))
    '2026-11-22T07:15:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
