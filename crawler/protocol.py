"""What the parent and its workers say to each other: JSON lines, targets one way and records the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from crawler.items import Target
from fingerprints.model import Record
from fingerprints.model.wire import from_json

LINE_BYTES = 16 * 1024 * 1024
"""Longest line either side accepts: a target's row or a record with all its evidence."""
READY = b"ready\n"
"""The worker's first line: its rules are loaded and it can crawl."""
STATS = b"stats "
"""Begins the worker's last line: its counters as JSON."""
COUNTED = "counted"
"""Beside a record's own fields: the counters that have changed since the worker's record before. In one line
with it, so that what is counted and what is recorded cannot differ, whenever the worker dies."""


def target_to_line(target: Target) -> bytes:
    return json.dumps(asdict(target), ensure_ascii=False).encode() + b"\n"


def target_from_line(line: bytes) -> Target:
    """The target of a line; raises TypeError or ValueError for anything else."""
    return Target(**json.loads(line))


def record_to_line(record: Mapping[str, Any], counted: Mapping[str, float]) -> bytes:
    """The line of a record's JSON object and of the counters that have changed."""
    return json.dumps({**record, COUNTED: counted}, ensure_ascii=False).encode() + b"\n"


def record_from_line(line: bytes) -> tuple[Record, dict[str, float]]:
    """The record of a line, and the counters; raises ValueError or RecordFormatError for anything else."""
    data = json.loads(line)
    return from_json(data), data.get(COUNTED, {})
