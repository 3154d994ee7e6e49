"""Our engine against the reference engine, both with the reference's rules: every difference by its cause.

python -m bench.agreement CORPUS --rules DIR [--step N]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from bench.corpus import reference, rows
from cli.pages import from_json_line, observe_given
from fingerprints.detector import Detector
from fingerprints.model import Detection, Observation, ResourceKind

AGREE = "agree"
UNCLASSIFIED = "not classified"
FETCHED = frozenset({"scripts:ext", "scriptSrc:loaded"})
"""Places only the reference saw: scripts it loaded and what they loaded in turn."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, required=True, help="the rule set the reference was run with")
    parser.add_argument("--step", type=int, default=1, help="take every Nth page only")
    arguments = parser.parse_args()
    detector = Detector.load([arguments.rules], ours=False)
    known = reference(arguments.corpus)
    counts: Counter[str] = Counter()
    open_cases: Counter[tuple[str, str, str]] = Counter()
    for theirs, ours, page in compared(arguments.corpus, detector, known, arguments.step):
        for name, side, cause in differences(theirs, ours, page):
            counts[cause if side == "" else f"{side}: {cause}"] += 1
            if cause == UNCLASSIFIED:
                seen = theirs[name]["seen_in"] if name in theirs else [e.signal for e in ours[name].evidence]
                open_cases[side, name, ", ".join(seen)] += 1
    for cause, count in counts.most_common():
        print(f"{count:>7}  {cause}")
    for (side, name, seen), count in open_cases.most_common():
        print(f"  {count:>4}  {side}: {name} ({seen})")


def compared(
    corpus: Path, detector: Detector, known: Mapping[str, dict[str, Any]], step: int
) -> Iterator[tuple[dict[str, Any], dict[str, Detection], Observation]]:
    """What each engine found on a page, by name, and the page."""
    for row in islice(rows(corpus, "pages"), 0, None, step):
        if row["id"] in known:
            page = observe_given(from_json_line(json.dumps(row), 0))[0]
            yield known[row["id"]], {d.name: d for d in detector.detect([page])}, page


def differences(
    theirs: Mapping[str, Any], ours: Mapping[str, Detection], page: Observation
) -> Iterator[tuple[str, str, str]]:
    """Name, side and cause of every technology that either engine found."""
    direct = {name for name in theirs.keys() - ours.keys() if theirs[name]["seen_in"] != ["implied"]}
    extra = {name for name in ours.keys() - theirs.keys() if ours[name].evidence}
    for name in sorted(theirs.keys() | ours.keys()):
        if name in theirs and name in ours:
            yield name, "", AGREE
        elif name in theirs:
            yield name, "only the reference", cause_theirs(theirs[name]["seen_in"], direct)
        else:
            yield name, "only ours", cause_ours(ours[name], extra, page)


def cause_theirs(seen_in: Collection[str], direct: Collection[str]) -> str:
    if FETCHED.issuperset(seen_in):
        return "a script that the reference fetched"
    if set(seen_in) == {"implied"} and direct:
        return "implied by a technology only the reference found"
    return UNCLASSIFIED


def cause_ours(found: Detection, extra: Collection[str], page: Observation) -> str:
    if not found.evidence:
        return "implied by a technology only we found" if extra else UNCLASSIFIED
    kinds = {item.kind for item in found.evidence if item.channel == "url"}
    if kinds == {ResourceKind.SCRIPT} and any(is_held_back(page, e.place) for e in found.evidence):
        return "a lazy or consent-held script, which we read (our choice)"
    if any(item.channel == "selector" for item in found.evidence):
        return "a selector pattern on any of several elements, not only the first (our choice)"
    return UNCLASSIFIED


def is_held_back(page: Observation, place: str) -> bool:
    """Whether the URL of a piece of evidence is in no script's own `src`."""
    if page.root is None:
        return False
    url = place.removeprefix("url:")
    return not any(url.endswith(src.strip()) for src in page.root.xpath("//script/@src") if src.strip())


if __name__ == "__main__":
    main()
