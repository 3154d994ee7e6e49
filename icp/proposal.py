"""A derivation as an ICP file to be read, argued about and tested; it never touches an existing one."""

from __future__ import annotations

import datetime

from icp.derive import SMALL_CLASS
from icp.traits import Derivation, Trait


def proposal(derivation: Derivation, name: str, today: datetime.date) -> str:
    """YAML text of a new profile with one criterion for each selected trait."""
    lines = [
        f"# Proposed by `technograph icp derive` on {today}, from {sample_size(derivation)}.",
        "# A hypothesis: read every line, take out what follows from a sale, then try it on other accounts",
        "# with `technograph icp test`.",
        "",
        f"icp: {name}",
        "version: 1",
        "status: hypothesis",
        f"reviewed_on: {today}",
        "criteria:",
    ]
    for number, trait in enumerate(derivation.selected, start=1):
        lines += _criterion(number, trait)
    return "\n".join(lines) + "\n"


def sample_size(derivation: Derivation) -> str:
    """As `18 best and 15 worst accounts`, with a warning where that is few."""
    text = f"{derivation.best} best and {derivation.worst} worst accounts"
    if min(derivation.best, derivation.worst) < SMALL_CLASS:
        text += f", fewer than {SMALL_CLASS} on a side"
    return text


def _criterion(number: int, trait: Trait) -> list[str]:
    counts = trait.counts
    why = (
        f"best {counts.best_with}/{counts.best}, worst {counts.worst_with}/{counts.worst}, "
        f"q {trait.q:.3f}, unknown {counts.best_unknown}+{counts.worst_unknown}"
    )
    slug = f"[{trait.slug}]" if trait.predicate.endswith(("any", "tech")) else trait.slug
    return [
        f"  - id: T{number}",
        "    layer: technographic",
        f"    points: {trait.points}",
        f'    why: "{why}"',
        f"    {trait.predicate}: {slug}",
    ]
