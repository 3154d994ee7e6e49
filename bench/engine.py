"""The matching engine beside a plain `re` loop and, where they are installed, beside its peers.

    python -m bench.engine CORPUS --rules DIR [--pages 300] [--peers [FOLDER]]

CORPUS holds pages.jsonl.xz (bench/README.md). DIR is a rule set in the Wappalyzer JSON format, for example
a checkout of webappanalyzer's `src` folder; without it the comparisons are skipped. The plain loop takes
about half a second a page. All figures are CPU time of one process; trust the ratios, which come from the
same run.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from bench import naive, peers
from bench.corpus import rows
from cli.pages import GivenPage, from_json_line
from crawler.garbage import spare_what_is_loaded
from fingerprints.detector import Detector
from fingerprints.match import match
from fingerprints.model import Detection, Observation
from fingerprints.observe import observe
from fingerprints.resolve import resolve

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, help="a rule set in the Wappalyzer format")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument(
        "--peers",
        nargs="?",
        type=Path,
        const=Path(tempfile.gettempdir()) / "technograph-peers",
        metavar="FOLDER",
        help="also run other detectors (bench/peers.py), which are installed in this folder; default: %(const)s",
    )
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
    detector = Detector.load([arguments.rules], ours=False)
    print(f"\n{arguments.rules}: {len(detector.rules)} technologies, ms CPU a page")
    stages(pages, detector)
    against_naive(pages, detector)
    if arguments.peers is not None:
        peers.compare(pages, detector, arguments.peers)


def sample(corpus: Path, count: int) -> list[GivenPage]:
    """Pages spread evenly over the corpus."""
    lines = [row for row in rows(corpus, "pages") if row.get("html")]
    step = max(1, len(lines) // count)
    return [_as_received(row) for row in lines[::step][:count]]


def _as_received(row: dict[str, Any]) -> GivenPage:
    """The page with its body in bytes, as a server sends it."""
    body = base64.b64encode(row["html"].encode()).decode()
    return from_json_line(json.dumps({**row, "requests": [], "html": "", "html_base64": body}), 0)


def cpu_ms(action: Callable[[], object], count: int, passes: int = 3) -> float:
    """Milliseconds of CPU per item, the best of some passes."""
    best = float("inf")
    for _ in range(passes):
        started = time.process_time()
        action()
        best = min(best, time.process_time() - started)
    return best / count * 1000


def observed(page: GivenPage) -> Observation:
    return observe(page.html, url=page.url, headers=page.headers, cookies=page.cookies, status=page.status)


def own_rules(pages: Sequence[GivenPage]) -> None:
    detector = Detector.default()
    print(f"\nour {len(detector.rules)} rules, ms CPU a page")
    stages(pages, detector)


def stages(pages: Sequence[GivenPage], detector: Detector, passes: int = 3) -> None:
    """Parse, observe, match and resolve apart, warm, page by page as in a crawl: no page is kept."""
    spare_what_is_loaded()
    bodies = [p.html.encode() if isinstance(p.html, str) else p.html for p in pages]
    parse = cpu_ms(lambda: [_parse(body) for body in bodies], len(pages))
    runs = [_stages_once(pages, detector) for _ in range(passes)]
    signals = runs[0][1]
    observe_ms, match_ms, resolve_ms = (1000 * min(run[0][n] for run in runs) / len(pages) for n in range(3))
    total = observe_ms + match_ms + resolve_ms
    print(
        f"  parse {parse:.2f}  observe (with parse) {observe_ms:.2f}  match {match_ms:.2f}  resolve {resolve_ms:.2f}"
    )
    print(
        f"  total {total:.2f} ms = {total / parse:.1f} times the bare lxml parse; "
        f"{signals / len(pages):.1f} signals a page"
    )


def _stages_once(pages: Sequence[GivenPage], detector: Detector) -> tuple[list[float], int]:
    """CPU seconds of observing, matching and resolving all pages, and the signals that fired."""
    seconds, signals = [0.0, 0.0, 0.0], 0
    for page in pages:
        started = time.process_time()
        observation = observed(page)
        read = time.process_time()
        found, _ = match(detector.plan, observation)
        matched = time.process_time()
        resolve(found, detector.rules)
        for stage, took in enumerate((read - started, matched - read, time.process_time() - matched)):
            seconds[stage] += took
        signals += len(found)
    return seconds, signals


def _parse(body: bytes) -> object:
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, collect_ids=False, remove_comments=True)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None


def against_naive(pages: Sequence[GivenPage], detector: Detector) -> None:
    """Matching alone, over the same observations, one pass each; then what both found, resolved."""
    rules = detector.rules.values()
    for page in pages:
        match(detector.plan, observed(page))  # compile what these pages need, as a running crawl has
    naive.match(rules, observed(pages[0]))  # compile everything
    fast = [timed(match, detector.plan, observed(page)) for page in pages]
    slow = [timed(naive.match, rules, observed(page)) for page in pages]
    report_speed([ms for _, ms in fast], [ms for _, ms in slow])
    differing = 0
    for given, (found, _), (expected, _) in zip(pages, fast, slow, strict=True):
        ours, plain = (_facts(resolve(items, detector.rules)) for items in (found[0], expected))
        if ours != plain:
            differing += 1
            print(f"    {given.id}: engine only {sorted(ours - plain)}, loop only {sorted(plain - ours)}")
    print(f"  pages with any difference in technologies or versions: {differing}")


def timed(search: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    """The result of a call and its CPU time in milliseconds."""
    started = time.process_time()
    result = search(*arguments)
    return result, (time.process_time() - started) * 1000


def report_speed(fast: Sequence[float], slow: Sequence[float]) -> None:
    ratios = [b / a for a, b in zip(fast, slow, strict=True)]
    print(
        f"\nbeside a plain `re` loop over the same {len(fast)} observations, one pass: "
        f"loop {statistics.fmean(slow):.1f} ms a page, engine {statistics.fmean(fast):.2f} ms: "
        f"{sum(slow) / sum(fast):.0f} times (median of the pages' ratios {statistics.median(ratios):.0f})"
    )


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


START = """
import time
wall, cpu = time.perf_counter(), time.process_time()
from fingerprints import Detector
detector = Detector.default()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
first = time.process_time()
from fingerprints.observe import observe
page = "<script src='https://js.example.net/a.js'></script><a href='https://www.example.org/'>" * 50
detector.detect([observe(page, url="https://www.example.com/")])
first = time.process_time() - first
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(wall, cpu, first, int(peak.split()[1]) / 1024)
"""


def start_up() -> None:
    """A fresh process, its rules in the cache: to a ready detector, to its first page, and its memory."""
    Detector.default()
    runs = [subprocess.run([sys.executable, "-c", START], capture_output=True, check=True) for _ in range(7)]
    figures = [tuple(map(float, run.stdout.split())) for run in runs]
    wall, cpu, first, megabytes = map(min, zip(*figures, strict=True))
    print(
        f"\nstart-up from the cache, the best of {len(runs)} processes: {wall:.3f} s ({cpu:.3f} s CPU), "
        f"{megabytes:.0f} MB resident; its first page costs {first * 1000:.0f} ms CPU more than later ones"
    )


if __name__ == "__main__":
    main()
