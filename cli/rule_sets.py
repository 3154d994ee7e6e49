"""Rule sets of other people on the command line: the options that name them, and what of them works here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from cli.output import note
from fingerprints.detector import Detector

MAX_PROBLEMS = 5

Command = TypeVar("Command", bound=Callable[..., object])


def rule_set_options(command: Command) -> Command:
    """Adds --rules and --rules-only, as `rules` and `rules_only`."""
    command = click.option("--rules-only", is_flag=True, help="Use the given rule sets instead of ours.")(
        command
    )
    return click.option(
        "--rules", multiple=True, metavar="DIR|FILE", help="Another rule set beside ours; repeatable."
    )(command)


def load_rules(rules: tuple[str, ...], *, only: bool) -> Detector:
    """The detector the options ask for; on stderr, what does not work here of the sets they name."""
    detector = Detector.load(rules, ours=not only) if rules or only else Detector.default()
    _note_rule_sets(detector)
    return detector


def _note_rule_sets(detector: Detector) -> None:
    for line in detector.coverage:
        note(f"technograph: rules: {line}")
    for problem in detector.problems[:MAX_PROBLEMS]:
        note(f"technograph: left out: {problem}")
    more = len(detector.problems) - MAX_PROBLEMS
    if more > 0:
        note(
            f"technograph: left out {more} more; `technograph rules check PATH` lists all of a file or folder"
        )
