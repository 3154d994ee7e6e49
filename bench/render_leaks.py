"""Does the browser leave anything behind: python -m bench.render_leaks [--pages 500]

Renders one small page of this machine again and again and prints, now and then, the processes below this one,
their memory together and this process's open files. All three must be flat.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

from cli.demo_sites import load_sites
from cli.demo_web import DemoWeb
from pipelines.browser import PAGES_AT_ONCE, Browser, find_chromium
from pipelines.egress import Egress

SITE = "glass-and-linen.example"
EVERY = 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=500)
    arguments = parser.parse_args()
    with DemoWeb([site for site in load_sites() if site.host == SITE]) as web:
        asyncio.run(render(web.port, arguments.pages))


async def render(port: int, pages: int) -> None:
    async def endpoints(host: str, _: int) -> list[tuple[object, int]]:
        if host != SITE:
            raise ValueError(host)
        return [(ip_address("127.0.0.1"), port)]

    egress = Egress(endpoints)
    await egress.start()
    browser = Browser(find_chromium(), egress, user_agent="technograph")
    began_s = monotonic()
    failed = 0
    print(f"{'pages':>6}{'failed':>8}{'browsers':>10}{'processes':>11}{'MB':>8}{'files':>7}{'pages/s':>9}")
    for done in range(0, pages, EVERY):
        waiting = [browser.look(f"http://{SITE}/", ["Shopify.shop"]) for _ in range(EVERY)]
        failed += sum(seen is None for seen in await asyncio.gather(*waiting))
        _report(done + EVERY, failed, browser, began_s)
    await browser.close()
    await egress.close()
    print(f"closed; {PAGES_AT_ONCE} pages at a time")
    _report(pages, failed, browser, began_s)


def _report(done: int, failed: int, browser: Browser, began_s: float) -> None:
    below = _below("self")
    memory_mb = sum(_resident_kb(pid) for pid in below) / 1024
    files = len(list(Path("/proc/self/fd").iterdir()))
    rate = done / (monotonic() - began_s)
    print(
        f"{done:>6}{failed:>8}{browser.started:>10}{len(below):>11}{memory_mb:>8.0f}{files:>7}{rate:>9.2f}",
        flush=True,
    )


def _below(pid: str) -> list[str]:
    """Every process below this one; what ends while it is looked at is left out."""
    found: list[str] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                found += [child, *_below(child)]
    return found


def _resident_kb(pid: str) -> int:
    """Resident memory, without what several processes share counted twice; 0 for one that has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
