"""The real crawl command over a bench web on this machine: speed, CPU a domain and where it goes, memory.

    python -m bench.crawl [--hosts 1000 10000] [--corpus DIR] [--samples]

Each size is crawled twice by `technograph crawl`: `lean` reads home pages only and asks no DNS, `default`
is what a user gets without options. Beside them in the same run: stock Scrapy merely downloading the home
pages of the same list, and WhatWeb on a few of them. CPU is user and system time of all processes of the
crawl; the server's is apart. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.web import Addresses, BenchWeb
from bench.web_answers import domain_of, kind_of
from tests.processes import children

LOOK_EVERY_S = 0.25
WHATWEB_SITES = 100
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
KINDS = {
    "lean": ("--pages", "1", "--no-dns"),
    "default": (),
}


@dataclass(slots=True)
class Run:
    """What one crawl took."""

    hosts: int
    seconds: float = 0.0
    cpu_s: float = 0.0
    """Of all its processes."""
    worker_cpu_s: dict[int, float] = field(default_factory=dict)
    worker_mb: dict[int, float] = field(default_factory=dict)
    """Peak resident memory by process."""
    pages: int = 0
    db_bytes: int = 0
    steady: float = 0.0
    """Domains a second between the first and the last tenth: without start-up and the last time-outs."""
    outcomes: dict[str, int] = field(default_factory=dict)
    web_cpu_s: float = 0.0
    requests: int = 0

    def line(self, name: str) -> str:
        workers, ms = sum(self.worker_cpu_s.values()), 1000 / self.hosts
        return (
            f"{name:<8} {self.hosts:>7,} {self.seconds:>7.1f} {self.hosts / self.seconds:>6.0f} {self.steady:>6.0f}"
            f" {self.cpu_s * ms:>7.2f} {workers * ms:>7.2f} {(self.cpu_s - workers) * ms:>7.2f}"
            f" {self.cpu_s * 1000 / max(self.pages, 1):>8.2f} {self.requests / self.hosts:>6.2f}"
            f" {self.web_cpu_s * ms:>7.2f} {max(self.worker_mb.values()):>7.0f}"
            f" {self.db_bytes / self.hosts / 1000:>7.1f}"
        )


HEADINGS = (
    f"{'crawl':<8} {'domains':>7} {'s':>7} {'dom/s':>6} {'steady':>6} {'CPU ms':>7} {'workers':>7} {'writer':>7}"
    f" {'ms/page':>8} {'req/d':>6} {'server':>7} {'peak MB':>7} {'KB/dom':>7}"
)


def main() -> None:
    arguments = _arguments()
    warm_up()
    with tempfile.TemporaryDirectory(prefix="bench-crawl-") as name:
        folder = Path(name)
        print(HEADINGS)
        runs: dict[str, list[Run]] = {kind: [] for kind in arguments.kinds}
        for hosts in arguments.hosts:
            for kind in arguments.kinds:
                run = crawl(folder, hosts, kind, arguments)
                runs[kind].append(run)
                print(run.line(kind), flush=True)
        for kind, done in runs.items():
            print(f"\n{kind}: " + ", ".join(f"{k} {n}" for k, n in done[-1].outcomes.items()))
            growth(kind, done)
        if arguments.samples:
            where(folder / "samples", runs[arguments.kinds[-1]][-1])
        beside(folder, min(arguments.hosts[-1], arguments.beside), arguments.corpus)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, nargs="+", default=[1_000], help="sizes of the lists, ascending")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--workers", type=int, default=0, help="as of the crawl command")
    parser.add_argument("--concurrency", type=int, default=256, help="as of the crawl command")
    parser.add_argument("--corpus", type=Path, help="serve real pages of this folder (bench/README.md)")
    parser.add_argument("--samples", action="store_true", help="tell where the CPU of the last crawl went")
    parser.add_argument(
        "--beside", type=int, default=2_000, help="hosts for stock Scrapy; 0: skip all others"
    )
    return parser.parse_args()


def warm_up() -> None:
    """Have the rules in their cache: compiling them is the work of one crawl after an update."""
    subprocess.run(
        [sys.executable, "-c", "from fingerprints.detector import Detector; Detector.default()"], check=True
    )


def crawl(folder: Path, hosts: int, kind: str, arguments: argparse.Namespace) -> Run:
    """One crawl of a fresh list into a fresh database."""
    listed, db = folder / f"{hosts}.txt", folder / f"{kind}-{hosts}.db"
    listed.write_text("".join(f"{domain_of(n)}\n" for n in range(hosts)))
    run = Run(hosts)
    with BenchWeb(arguments.corpus) as web:
        command = [
            *(sys.executable, "-m", "cli.main", "crawl", str(listed), "--db", str(db), "--quiet"),
            *("--allow-private", "--resolve-all-to", web.at.resolve_all_to),
            *("--name-server", f"127.0.0.1:{web.at.dns}"),
            *("--workers", str(arguments.workers), "--concurrency", str(arguments.concurrency)),
            *("--contact", "https://bench.test/", *KINDS[kind]),
        ]
        watch(run, command, _environment(folder / "samples") if arguments.samples else None)
    run.web_cpu_s, run.requests = web.told["cpu_s"], int(web.told["answers"])
    _read_results(run, db)
    return run


def watch(run: Run, command: Sequence[str], environment: dict[str, str] | None) -> None:
    """Run the command to its end and note what its processes took."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment)
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        for worker in children(process.pid, "crawler.worker"):
            _look_at(worker, run)
        time.sleep(LOOK_EVERY_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the crawl failed with exit code {process.returncode}; see the messages above")
    run.seconds = time.monotonic() - started
    run.cpu_s = used.ru_utime + used.ru_stime


def _look_at(worker: int, run: Run) -> None:
    try:
        fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{worker}/status").read_text()
    except OSError:
        return  # ended while we looked
    if "VmHWM:" in status:
        run.worker_cpu_s[worker] = (int(fields[11]) + int(fields[12])) * TICK_S
        run.worker_mb[worker] = int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _read_results(run: Run, db: Path) -> None:
    run.db_bytes = db.stat().st_size
    connection = sqlite3.connect(db)
    rows = connection.execute(
        "SELECT outcome, count(*) FROM record GROUP BY outcome ORDER BY 2 DESC"
    ).fetchall()
    run.outcomes = dict(rows)
    if sum(run.outcomes.values()) != run.hosts:
        sys.exit(f"{db}: {sum(run.outcomes.values())} records for {run.hosts} targets")
    run.pages = connection.execute("SELECT count(*) FROM page WHERE outcome = 'ok'").fetchone()[0]
    tenth = run.hosts // 10
    times = connection.execute(
        "SELECT unixepoch(scanned_at) FROM record ORDER BY scanned_at LIMIT ? OFFSET ?", (run.hosts, 0)
    ).fetchall()
    run.steady = 8 * tenth / max(times[9 * tenth][0] - times[tenth][0], 1)
    connection.close()


def growth(kind: str, runs: Sequence[Run]) -> None:
    """What ten times the targets cost, of the smallest and the largest list."""
    if len(runs) < 2:
        return
    small, large = runs[0], runs[-1]
    more = large.hosts - small.hosts
    kept = (
        (max(large.worker_mb.values()) - max(small.worker_mb.values()))
        * 2**20
        / (more / len(large.worker_mb))
    )
    print(
        f"{kind}: {large.hosts / small.hosts:.0f} times the targets: {large.cpu_s / small.cpu_s:.1f} times the CPU, "
        f"{large.seconds / small.seconds:.1f} times as long; {kept:,.0f} bytes of memory a domain of a worker"
    )


# -- where the time goes ---------------------------------------------------------------------------------


STAGES = (
    ("pipelines/detect.py:detector_for", "start-up"),
    ("weakref", "garbage collection"),
    ("pipelines/dns.py", "dns"),
    ("pipelines/containers.py", "containers"),
    ("fingerprints/observe.py", "observe"),
    ("fingerprints/match.py", "match"),
    ("fingerprints/resolve.py", "resolve"),
    ("fingerprints/assess.py", "assess"),
    ("fingerprints/records.py", "record"),
    ("crawler/walls.py", "walls"),
    ("crawler/pages.py", "inner pages"),
    ("crawler/certificates.py", "certificates"),
    ("crawler/decompress.py", "gunzip"),
    ("crawler/robots.py:_rules_in", "robots"),
    ("crawler/cookies.py", "cookies"),
    ("crawler/protocol.py", "record to json"),
    ("ssl.py", "tls"),
    ("crawler/handler.py", "http"),
    ("crawler/connections.py", "http"),
    ("crawler/resolver.py", "resolver"),
    ("crawler/visit.py", "visit"),
    ("crawler/spiders", "spider"),
    ("scrapy/statscollectors.py", "scrapy: stats"),
    ("scrapy/signalmanager.py", "scrapy: signals"),
    ("scrapy/core/downloader", "scrapy: downloader"),
    ("scrapy/core/scraper.py", "scrapy: scraper"),
    ("scrapy/", "scrapy: engine"),
    ("twisted/", "twisted"),
)
"""The first part of a path that occurs in a stack above the event loop, in this order, names its stage."""


def _environment(folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    paths = [str(Path(__file__).with_name("sampler")), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "BENCH_SAMPLES": str(folder)}


def where(folder: Path, run: Run) -> None:
    """CPU by stage of the crawl, and the functions that took most."""
    stages, functions = Counter[str](), Counter[str]()
    for path in folder.iterdir():
        for stack, microseconds in json.loads(path.read_text()).items():
            stages[_stage(stack)] += microseconds
            functions[stack.rpartition(";")[2]] += microseconds
    ms = 1 / 1000 / run.hosts
    print(f"\nwhere {sum(stages.values()) * ms:.2f} ms CPU of the workers go, a domain")
    for stage, microseconds in stages.most_common():
        print(f"  {microseconds * ms:6.2f}  {stage}")
    print("the functions that took most themselves")
    for function, microseconds in functions.most_common(40):
        print(f"  {microseconds * ms:6.2f}  {function.partition('site-packages/')[2] or function}")


def _stage(stack: str) -> str:
    _, loop, above = stack.partition("asyncioreactor.py:AsyncioSelectorReactor.run")
    if not loop:
        return "start-up"
    return next((stage for part, stage in STAGES if part in above), "event loop")


# -- others on the same web --------------------------------------------------------------------------------


def beside(folder: Path, hosts: int, corpus: Path | None) -> None:
    """Stock Scrapy on the same list and WhatWeb on a few of its sites."""
    if not hosts:
        return
    listed = folder / "beside.txt"
    listed.write_text("".join(f"{domain_of(n)}\n" for n in range(hosts)))
    with BenchWeb(corpus) as web:
        stock_scrapy(listed, hosts, web.at)
        whatweb(hosts, web.at)


def stock_scrapy(listed: Path, hosts: int, at: Addresses) -> None:
    command = [sys.executable, "-m", "bench.stock", str(listed), at.resolve_all_to]
    started = time.monotonic()
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    seconds = time.monotonic() - started
    print(
        f"\nstock Scrapy, home pages downloaded and dropped, no robots.txt: {hosts:,} domains in {seconds:.1f} s, "
        f"{told['cpu_s'] / hosts * 1000:.2f} ms CPU a domain, {told['requests']:,} requests, "
        f"{told['pages']:,} pages, {told['cpu_s'] / max(told['pages'], 1) * 1000:.2f} ms a page"
    )


def whatweb(hosts: int, at: Addresses) -> None:
    program = shutil.which("whatweb")
    if program is None:
        print("WhatWeb: not installed, skipped (Debian package `whatweb`)")
        return
    numbers = [n for n in range(hosts) if kind_of(n) == "site"][:WHATWEB_SITES]
    urls = [f"https://127.0.0.1:{at.https}/~{n}/" for n in numbers]
    started = time.monotonic()
    process = subprocess.Popen([program, "--quiet", "--no-errors", "--log-json=/dev/null", *urls])
    _, _, used = os.wait4(process.pid, 0)
    seconds, cpu_s = time.monotonic() - started, used.ru_utime + used.ru_stime
    print(
        f"WhatWeb, home pages: {len(urls)} sites in {seconds:.1f} s, {cpu_s / len(urls) * 1000:.0f} ms CPU a site"
    )


if __name__ == "__main__":
    main()
