"""Our engine against the reference engine, both with the reference's rules: every difference by its cause.

    python -m bench.agreement CORPUS --rules DIR [--step N]

Every cause was tried on the page (bench/causes.py). What no cause explains is listed, and is a mistake until
shown otherwise.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench import reference as reading
from bench.causes import UNEXPLAINED, Comparison, Difference, Theirs
from bench.corpus import reference, rows
from cli.pages import from_json_line, observe_given
from fingerprints.detector import Detector
from fingerprints.model import Observation


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, required=True, help="the rule set the reference was run with")
    parser.add_argument("--step", type=int, default=1, help="take every Nth page only")
    arguments = parser.parse_args()
    comparison = Comparison(
        Detector.load([arguments.rules], ours=False), reading.patterns_of(arguments.rules)
    )
    counts: Counter[tuple[str, str]] = Counter()
    unexplained: Counter[Difference] = Counter()
    pages = agreed = 0
    for theirs, page in compared(arguments.corpus, arguments.step):
        ours = {d.name: d for d in comparison.detector.detect([page])}
        found = list(comparison.differences(theirs, ours, page))
        pages += 1
        agreed += len(theirs.keys() & ours.keys())
        counts.update((difference.side, difference.cause) for difference in found)
        unexplained.update(difference for difference in found if difference.cause == UNEXPLAINED)
    print(f"{pages} pages, {agreed} technologies on which both engines agree")
    for (side, cause), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{count:>7}  {side}: {cause}")
    print(f"{sum(unexplained.values()):>7}  differences without a cause")
    for difference, count in unexplained.most_common():
        print(f"  {count:>4}  {difference.side}: {difference.name} ({difference.detail})")


def compared(corpus: Path, step: int) -> Iterator[tuple[Theirs, Observation]]:
    """What the reference found on each page by name, and the page."""
    known = reference(corpus)
    for row in islice(rows(corpus, "pages"), 0, None, step):
        if row["id"] in known:
            yield known[row["id"]], observe_given(from_json_line(json.dumps(row), 0))[0]


if __name__ == "__main__":
    main()
