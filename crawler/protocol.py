"""What the parent and its workers say to each other: JSON lines, targets one way and records the other."""

from __future__ import annotations

import json
from dataclasses import asdict

from crawler.items import Target

LINE_BYTES = 16 * 1024 * 1024
"""Longest line either side accepts: a target's row or a record with all its evidence."""
READY = b"ready\n"
"""The worker's first line: its rules are loaded and it can crawl."""
STATS = b"stats "
"""Begins the worker's last line: its counters as JSON."""


def target_to_line(target: Target) -> bytes:
    return json.dumps(asdict(target), ensure_ascii=False).encode() + b"\n"


def target_from_line(line: bytes) -> Target:
    """The target of a line; raises TypeError or ValueError for anything else."""
    return Target(**json.loads(line))
