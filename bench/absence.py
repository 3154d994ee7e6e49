"""How often "missing" is wrong: python -m bench.absence CORPUS

On pages with a browser's request log: the categories the static scan calls absent although the log shows such
a tool, and those it calls unknown, beside the usual reading of a scan, "not detected = missing".
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.logs import LoggedPage, logged_pages
from fingerprints.detector import Detector
from fingerprints.model import AssessmentState, Observability, Reason
from icp.statistics import wilson


@dataclass
class Tally:
    """One category, or all of them."""

    absent: int = 0
    false_absent: int = 0
    """Of `absent`, those where the log shows a tool."""
    unknown: int = 0
    unknown_shown: int = 0
    undetected: int = 0
    """Absent and unknown together: what would be called missing without assessment."""
    false_missing: int = 0
    examples: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, help="folder with pages.jsonl.xz and containers.jsonl.xz")
    arguments = parser.parse_args()
    detector = Detector.default()
    tallies: dict[str, Tally] = {}
    reasons: Counter[Reason] = Counter()
    pages = 0
    for page in logged_pages(arguments.corpus, detector):
        pages += 1
        add(page, tallies, reasons, detector)
    print(f"{pages} pages with body and request log\n")
    print(
        f"{'category':<24}{'absent':>8}{'false':>7}{'unknown':>9}{'of it shown':>13}{'undetected':>12}{'false':>7}"
    )
    for slug, t in sorted(tallies.items()):
        if t.false_missing:
            print(
                f"{slug:<24}{t.absent:>8}{t.false_absent:>7}{t.unknown:>9}{t.unknown_shown:>13}"
                f"{t.undetected:>12}{t.false_missing:>7}   {'; '.join(t.examples)}"
            )
    total = sum_of(list(tallies.values()))
    print("(categories without a false one are left out)\n")
    print_rate("assessed: absent, and the log shows one", total.false_absent, total.absent)
    print_rate('usual: "not detected = missing"', total.false_missing, total.undetected)
    print_rate("unknown, of all that is not detected", total.unknown, total.undetected)
    print("unknown because: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))


def add(page: LoggedPage, tallies: dict[str, Tally], reasons: Counter[Reason], detector: Detector) -> None:
    """Count one page in every category that can be assessed at all."""
    for assessment in page.record.assessments:
        slug = assessment.category
        category = detector.taxonomy.categories[slug]
        if category.observability is Observability.LOGIN or assessment.reason is Reason.NO_RULES:
            continue
        tally = tallies.setdefault(slug, Tally())
        is_shown = bool(page.shown.get(slug))
        if assessment.state is AssessmentState.PRESENT:
            continue
        tally.undetected += 1
        tally.false_missing += is_shown
        if assessment.state is AssessmentState.ABSENT:
            tally.absent += 1
            tally.false_absent += is_shown
            if is_shown:
                tally.examples.append(f"{page.id}: {', '.join(sorted(page.shown[slug]))}")
        else:
            tally.unknown += 1
            tally.unknown_shown += is_shown
            reasons[assessment.reason] += 1


def sum_of(tallies: list[Tally]) -> Tally:
    names = ("absent", "false_absent", "unknown", "unknown_shown", "undetected", "false_missing")
    return Tally(**{name: sum(getattr(t, name) for t in tallies) for name in names})


def print_rate(what: str, part: int, whole: int) -> None:
    low, high = wilson(part, whole)
    print(
        f"{what:<42}{part:>5} of {whole:<6}{part / whole if whole else 0:>7.1%}   95% {low:.1%} - {high:.1%}"
    )


if __name__ == "__main__":
    main()
