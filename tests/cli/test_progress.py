from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from cli.progress import Progress
from crawler.targets import TargetReport
from fingerprints.model import Outcome


def recorder(outcomes: dict[Outcome, int], *, before: int = 0, technologies: int = 0) -> Any:
    return SimpleNamespace(
        outcomes=Counter(outcomes),
        done=sum(outcomes.values()),
        technologies=technologies,
        crawl=SimpleNamespace(done=before),
    )


@pytest.mark.parametrize(
    ("outcomes", "before", "total", "expected"),
    [
        (
            {Outcome.OK: 40, Outcome.BLOCKED: 10},
            0,
            1000,
            "50 of 1,000 done | 5.0/s | 3 min left | ok 40, blocked 10 | 7 technologies",
        ),
        ({Outcome.OK: 50}, 950, 1000, "1,000 of 1,000 done | 5.0/s | ok 50 | 7 technologies"),
        ({Outcome.OK: 50}, 0, None, "50 done | 5.0/s | ok 50 | 7 technologies"),
        ({}, 0, 10, "0 of 10 done | 0.0/s | 7 technologies"),
    ],
)
def test_line_says_how_far_and_how_fast(
    outcomes: dict[Outcome, int], before: int, total: int | None, expected: str
) -> None:
    report = TargetReport(duplicates=3, rejected=2)
    counted = recorder(outcomes, before=before, technologies=7)
    progress = Progress(counted, report, lines=total and total + 5, quiet=True)
    began_s = progress._samples[0][0]
    assert progress.line(began_s + 10) == expected


def test_speed_is_that_of_the_last_half_minute() -> None:
    counted = recorder({})
    progress = Progress(counted, TargetReport(), lines=None, quiet=True)
    began_s = progress._samples[0][0]
    for second in range(0, 120, 5):
        counted.done = min(second, 60) * 10
        line = progress.line(began_s + second)
    assert "| 0.0/s |" in line
