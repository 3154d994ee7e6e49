"""Measures data/reference/detectability.json: python -m bench.detectability CORPUS [--write]

For pages that come with a browser's request log: in how many of those where the log shows a tool of a
category does the static scan of the body find one? Same rules on both sides. The sample is small and old
(the counts say how small), and a log shows no tool that asks for nothing of its own; the table says so.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from bench.logs import logged_pages
from cli.comparison import Comparison
from fingerprints.detector import Detector

TABLE = Path(__file__).parent.parent / "data" / "reference" / "detectability.json"
SOURCE = (
    "{sites} public pages (HAR and WARC files) with body and request log; static scan of the body against "
    "the requests, same rules; one page a site, categories with at least 5 users; python -m bench.detectability"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, help="folder with pages.jsonl.xz and containers.jsonl.xz")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    arguments = parser.parse_args()
    compared = Comparison()
    for page in logged_pages(arguments.corpus, Detector.default()):
        compared.add(page.record, page.shown)
    print(
        f"{'category':<24}{'shown':>7}{'found':>7}{'unknown':>9}{'absent':>8}{'share':>7}   95%            missed"
    )
    for row in compared.rows():
        print(
            f"{row['category']:<24}{row['known']:>7}{row['found']:>7}{row['unknown']:>9}{row['absent']:>8}"
            f"{row['share']:>7.0%}   {row['low']:>4.0%} - {row['high']:<4.0%}   {', '.join(row['missed'])}"
        )
    if arguments.write:
        table = compared.table(
            Detector.default().taxonomy,
            source=SOURCE.format(sites=compared.sites),
            measured=datetime.now(UTC).date().isoformat(),
        )
        TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {TABLE}: {len(table['categories'])} categories")


if __name__ == "__main__":
    main()
