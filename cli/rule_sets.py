"""What somebody should know about the rule sets that a command has loaded beside ours."""

from __future__ import annotations

from cli.output import note
from fingerprints.detector import Detector

MAX_PROBLEMS = 5


def note_rule_sets(detector: Detector) -> None:
    """On stderr: what of each other rule set works here, and the first rules and patterns that do not."""
    for line in detector.coverage:
        note(f"technograph: rules: {line}")
    for problem in detector.problems[:MAX_PROBLEMS]:
        note(f"technograph: left out: {problem}")
    more = len(detector.problems) - MAX_PROBLEMS
    if more > 0:
        note(
            f"technograph: left out {more} more; `technograph rules check` lists files of ours, "
            "`technograph rules import DIR --skipped` patterns of others"
        )
