"""The matching engine beside a plain `re` loop and, where they are installed, beside its peers.

    python -m bench.engine CORPUS --rules DIR [--pages 300] [--peers]

CORPUS holds pages.jsonl.xz (bench/README.md). DIR is a rule set in the Wappalyzer JSON format, for example
a checkout of webappanalyzer's `src` folder; without it that part is skipped. All figures are CPU time of one
process; trust the ratios, which come from the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lxml import etree

from bench import naive
from bench.corpus import rows
from cli.pages import GivenPage, from_json_line
from fingerprints.detector import Detector
from fingerprints.match import match
from fingerprints.model import Detection, Observation
from fingerprints.observe import observe
from fingerprints.resolve import resolve


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, help="a rule set in the Wappalyzer format")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--naive-pages", type=int, default=40, help="pages for the plain loop, which is slow")
    arguments = parser.parse_args()
    pages = sample(arguments.corpus, arguments.pages)
    size = sum(len(page.html) for page in pages) / len(pages)
    print(f"{len(pages)} pages, {size / 1000:.0f} KB on average")
    own_rules(pages)
    hostile()
    start_up()
    if arguments.rules is None:
        print("\nno --rules DIR: the comparison with a plain loop needs a rule set in the Wappalyzer format")
        return
    against_naive(pages[: arguments.naive_pages], arguments.rules)
    print(f"\nthe {arguments.rules} rules on {len(pages)} pages")
    stages(pages, Detector.load([arguments.rules], ours=False))


def sample(corpus: Path, count: int) -> list[GivenPage]:
    """Pages spread evenly over the corpus."""
    lines = [row for row in rows(corpus, "pages") if row.get("html")]
    step = max(1, len(lines) // count)
    return [from_json_line(json.dumps({**row, "requests": []}), 0) for row in lines[::step][:count]]


def cpu_ms(action: Callable[[], object], count: int, passes: int = 3) -> float:
    """Milliseconds of CPU per item, the best of some passes."""
    best = float("inf")
    for _ in range(passes):
        started = time.process_time()
        action()
        best = min(best, time.process_time() - started)
    return best / count * 1000


def observed(pages: Sequence[GivenPage]) -> list[Observation]:
    return [observe(p.html, url=p.url, headers=p.headers, cookies=p.cookies, status=p.status) for p in pages]


def own_rules(pages: Sequence[GivenPage]) -> None:
    detector = Detector.default()
    print(f"\nour {len(detector.rules)} rules, ms CPU a page")
    stages(pages, detector)


def stages(pages: Sequence[GivenPage], detector: Detector) -> None:
    """Parse, observe and match apart, warm."""
    bodies = [p.html.encode() if isinstance(p.html, str) else p.html for p in pages]
    observations = observed(pages)
    evidence = [match(detector.plan, page)[0] for page in observations]
    parse = cpu_ms(lambda: [_parse(body) for body in bodies], len(pages))
    observe_ms = cpu_ms(lambda: observed(pages), len(pages))
    match_ms = cpu_ms(lambda: [match(detector.plan, page) for page in observations], len(pages))
    resolve_ms = cpu_ms(lambda: [resolve(found, detector.rules) for found in evidence], len(pages))
    total = observe_ms + match_ms + resolve_ms
    print(
        f"  parse {parse:.2f}  observe (with parse) {observe_ms:.2f}  match {match_ms:.2f}  resolve {resolve_ms:.2f}"
    )
    print(
        f"  total {total:.2f} ms = {total / parse:.1f} times the bare lxml parse; "
        f"{sum(map(len, evidence)) / len(pages):.1f} signals a page"
    )


def _parse(body: bytes) -> object:
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, collect_ids=False, remove_comments=True)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None


def against_naive(pages: Sequence[GivenPage], rules: Path) -> None:
    detector = Detector.load([rules], ours=False)
    observations = observed(pages)
    for page in observations:
        match(detector.plan, page)  # compile what these pages need, as a running crawl has
    engine = cpu_ms(lambda: [match(detector.plan, page) for page in observations], len(pages), passes=1)
    list(naive.match(detector.rules.values(), observations[0]))
    slow: list[tuple[Detection, ...]] = []
    plain = cpu_ms(
        lambda: slow.extend(
            resolve(naive.match(detector.rules.values(), page), detector.rules) for page in observations
        ),
        len(pages),
        passes=1,
    )
    fast = [detector.detect([page]) for page in observations]
    differing = [
        (page.id, sorted(_facts(a) ^ _facts(b)))
        for page, a, b in zip(pages, fast, slow, strict=True)
        if _facts(a) != _facts(b)
    ]
    print(f"\n{rules}: {len(detector.rules)} technologies on {len(pages)} pages, one pass")
    print(f"  plain `re` loop {plain:.1f} ms a page, engine {engine:.2f} ms: {plain / engine:.0f} times")
    print(f"  pages with any difference in technologies or versions: {len(differing)}")
    for page_id, difference in differing[:10]:
        print(f"    {page_id} {difference[:6]}")


def _facts(detections: Sequence[Detection]) -> set[tuple[str, str]]:
    return {(d.slug, d.version) for d in detections}


def hostile() -> None:
    from tests.fingerprints.test_engine import HOSTILE

    detector = Detector.default()
    print("\nhostile pages of 500 KB, ms CPU")
    for name, page in HOSTILE.items():
        took = cpu_ms(
            lambda page=page: detector.detect([observe(page[:500_000], url="https://www.example.com/")]), 1
        )  # type: ignore[misc]
        print(f"  {name:<12} {took:.1f}")


def start_up() -> None:
    """A fresh process, its rules in the cache: seconds to a ready detector, and its memory."""
    Detector.default()
    code = (
        "import time; t = time.perf_counter(); from fingerprints.detector import Detector; "
        "d = Detector.default(); u = time.perf_counter() - t; "
        "peak = next(l for l in open('/proc/self/status') if l.startswith('VmHWM')); "
        "print(f'{u:.3f} {int(peak.split()[1]) / 1024:.0f}')"
    )
    seconds, megabytes = min(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    )
    print(f"\nstart-up from the cache: {seconds} s, {megabytes} MB resident")


if __name__ == "__main__":
    main()
