"""Our rules on real pages beside the reference engine's results: python -m bench.accuracy CORPUS

For the technologies both sides know (data/reference/wappalyzer-names.toml): how often they agree, what only
the reference finds, what only we find; by category and by technology. Differences that were read and judged
stand in bench/adjudicated.toml, each with its reason, and are counted apart.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench.corpus import reference, rows
from cli.pages import from_json_line, observe_given
from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from fingerprints.model import DetectionState

HERE = Path(__file__).parent


@dataclass
class Tally:
    """What one technology or category came to."""

    agree: int = 0
    only_reference: int = 0
    only_ours: int = 0
    reference_wrong: int = 0
    """Of only_reference, judged not to be there."""
    unproven: int = 0
    """Of only_reference, judged possible, though nothing on the page shows it."""
    ours_wrong: int = 0
    """Of only_ours, judged not to be there."""
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def recall(self) -> float:
        """Of the reference's results that a page bears out, the share we have too."""
        correct = self.agree + self.only_reference - self.reference_wrong - self.unproven
        return self.agree / correct if correct else 1.0

    @property
    def recall_at_worst(self) -> float:
        """The same, when everything unproven is taken to be right."""
        correct = self.agree + self.only_reference - self.reference_wrong
        return self.agree / correct if correct else 1.0

    @property
    def precision(self) -> float:
        reported = self.agree + self.only_ours
        return (reported - self.ours_wrong) / reported if reported else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, help="folder with pages.jsonl.xz and reference.jsonl.xz")
    parser.add_argument("--technology", help="list the pages of every difference of this technology")
    parser.add_argument("--worst", type=int, default=40, help="differences to list")
    arguments = parser.parse_args()
    tallies, pages, unmapped = compare(arguments.corpus)
    detector = Detector.default()
    if arguments.technology:
        for side, examples in tallies[arguments.technology].examples.items():
            print(side, *examples, sep="\n  ")
        return
    print(
        f"{pages} pages; {unmapped} reference results are of technologies we have no rule for and are left out"
    )
    by_category: dict[str, Tally] = defaultdict(Tally)
    for slug, tally in tallies.items():
        _add(by_category[detector.rules[slug].technology.category], tally)
    _table("category", by_category)
    _table(
        "technology",
        dict(
            sorted(
                tallies.items(), key=lambda i: -(i[1].only_reference - i[1].reference_wrong - i[1].unproven)
            )[: arguments.worst]
        ),
    )
    total = Tally()
    for tally in tallies.values():
        _add(total, tally)
    print(
        f"\nof the reference's results that the pages bear out we find {total.recall:.1%}, "
        f"or {total.recall_at_worst:.1%} when the unproven count as right; "
        f"of ours, {total.precision:.1%} are not judged wrong"
    )
    print(
        f"agree {total.agree}, only reference {total.only_reference} ({total.reference_wrong} judged wrong, "
        f"{total.unproven} unproven), "
        f"only ours {total.only_ours} ({total.ours_wrong} judged wrong)"
    )


def compare(corpus: Path) -> tuple[dict[str, Tally], int, int]:
    """Tallies by our slug, pages compared, and reference results without a rule of ours."""
    detector = Detector.default()
    names = tomllib.loads(data_file("reference/wappalyzer-names.toml").read_text("utf-8"))["names"]
    slugs_of = defaultdict(set)
    for slug, theirs in names.items():
        for name in theirs if slug in detector.rules else ():
            slugs_of[name].add(slug)
    judged = Judgements.load()
    found_there = reference(corpus)
    tallies: dict[str, Tally] = defaultdict(Tally)
    pages = unmapped = 0
    for row in rows(corpus, "pages"):
        if row["id"] not in found_there:
            continue
        pages += 1
        ours = _ours(detector, row)
        theirs = found_there[row["id"]]
        unmapped += sum(name not in slugs_of for name in theirs)
        _compare_page(row["id"], ours, theirs, slugs_of, names, judged, tallies)
    return tallies, pages, unmapped


def _ours(detector: Detector, row: dict[str, object]) -> dict[str, str]:
    import json

    given = from_json_line(json.dumps({**row, "requests": []}), 0)
    observation, _, _ = observe_given(given)
    return {
        d.slug: (d.evidence[0].excerpt if d.evidence else f"implied by {d.implied_by}")
        for d in detector.detect([observation])
        if d.state is DetectionState.PRESENT
    }


def _compare_page(
    page: str,
    ours: dict[str, str],
    theirs: Iterable[str],
    slugs_of: dict[str, set[str]],
    names: dict[str, list[str]],
    judged: Judgements,
    tallies: dict[str, Tally],
) -> None:
    theirs = set(theirs)
    agreed, missed = set(), set()
    for name in theirs & slugs_of.keys():
        found = slugs_of[name] & ours.keys()
        agreed |= {min(found)} if found else set()
        missed |= set() if found else {min(slugs_of[name])}
    for slug in agreed:
        tallies[slug].agree += 1
    for slug in missed - agreed:  # two of their names may be one technology here
        tallies[slug].only_reference += 1
        tallies[slug].reference_wrong += judged.reference_wrong(slug, page)
        tallies[slug].unproven += judged.unproven(slug, page)
        tallies[slug].examples["only reference"].append(page)
    for slug, excerpt in ours.items():
        if slug in names and not theirs & set(names[slug]):
            tallies[slug].only_ours += 1
            tallies[slug].ours_wrong += judged.ours_wrong(slug, page)
            tallies[slug].examples["only ours"].append(f"{page}  {excerpt}")


@dataclass(frozen=True)
class Judgements:
    """Differences that were read: (side, slug) to the pages judged wrong, `*` for all of them."""

    wrong: dict[tuple[str, str], set[str]]

    @classmethod
    def load(cls, path: Path = HERE / "adjudicated.toml") -> Judgements:
        wrong: dict[tuple[str, str], set[str]] = defaultdict(set)
        for item in tomllib.loads(path.read_text("utf-8")).get("difference", ()):
            wrong[item["wrong"], item["technology"]].update(item["pages"])
        return cls(wrong)

    def reference_wrong(self, slug: str, page: str) -> bool:
        return bool({page, "*"} & self.wrong.get(("reference", slug), set()))

    def unproven(self, slug: str, page: str) -> bool:
        return bool({page, "*"} & self.wrong.get(("unproven", slug), set()))

    def ours_wrong(self, slug: str, page: str) -> bool:
        return bool({page, "*"} & self.wrong.get(("ours", slug), set()))


def _add(total: Tally, part: Tally) -> None:
    for name in ("agree", "only_reference", "only_ours", "reference_wrong", "unproven", "ours_wrong"):
        setattr(total, name, getattr(total, name) + getattr(part, name))


def _table(what: str, tallies: dict[str, Tally]) -> None:
    print(
        f"\n{what:<34}{'agree':>7}{'only ref':>10}{'(wrong)':>9}{'(open)':>8}"
        f"{'only ours':>11}{'(wrong)':>9}{'found':>8}"
    )
    for name, t in tallies.items():
        print(
            f"{name:<34}{t.agree:>7}{t.only_reference:>10}{t.reference_wrong:>9}{t.unproven:>8}"
            f"{t.only_ours:>11}{t.ours_wrong:>9}{t.recall:>8.0%}"
        )


if __name__ == "__main__":
    main()
