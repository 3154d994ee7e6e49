"""One crawling process: targets come in as JSON lines, records go out as lines of crawler/protocol.py.

`python -m crawler.worker SETTINGS [PARENT]` where SETTINGS is a JSON object of Scrapy settings and PARENT the
process id it must not outlive. It works until its input ends, and can be run by hand:

    echo '{"domain": "acme.com", "url": "https://acme.com/"}' | python -m crawler.worker '{}'
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings

from crawler.garbage import spare_what_is_loaded
from crawler.items import SiteItem, Target
from crawler.protocol import LINE_BYTES, READY, STATS, record_to_line, target_from_line
from crawler.settings import ITEM_PIPELINES

JSON_PIPELINE = "pipelines.store.StorePipeline"
"""The pipeline that makes a record the JSON object of Scrapy's feeds, which the parent has no use for."""


async def targets_from(fd: int) -> AsyncIterator[Target]:
    """The targets on a pipe, each as soon as its line is complete."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    while line := await reader.readline():
        yield target_from_line(line)


def run(
    overrides: Mapping[str, Any],
    feed: AsyncIterator[Target],
    on_item: Callable[[Any, dict[str, float]], None],
    on_ready: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Crawl what the feed gives and hand over what the pipelines return; counters when all is done.

    Beside each item go the counters that have changed since the one before.

    Once a process: it starts Twisted's reactor, which cannot be started again.
    """
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.update(dict(overrides), priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler("site")

    told: dict[str, float] = {}

    def scraped(item: Any) -> None:
        counted = _counters(crawler)
        changed = dict(counted.items() - told.items())
        told.update(changed)
        on_item(item, changed)

    def opened() -> None:
        # Only now, behind the extensions: what they count for an item must be told along with it.
        crawler.signals.connect(scraped, signal=signals.item_scraped)
        spare_what_is_loaded()
        on_ready()

    crawler.signals.connect(opened, signal=signals.spider_opened)
    process.crawl(crawler, feed=feed)
    process.start(install_signal_handlers=False)
    return _counters(crawler)


def _counters(crawler: Crawler) -> dict[str, float]:
    counted = crawler.stats.get_stats() if crawler.stats else {}
    return {name: value for name, value in counted.items() if isinstance(value, (int, float))}


def write_all(fd: int, line: bytes) -> None:
    """Write the whole line, waiting while the reader is busy; ends this process when nobody reads any more."""
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except BrokenPipeError:
        os._exit(1)  # an exception would only be logged by Scrapy, and the crawl would go on for nobody


def main() -> None:
    # Ctrl-C reaches every process of the terminal; the parent decides what it means for the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(sys.argv) > 2:
        _die_with_parent(int(sys.argv[2]))
    # Records have the real standard output to themselves; a stray print must not end up between them.
    out_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _allow_many_sockets()
    given = json.loads(sys.argv[1])
    pipelines = dict(given.get("ITEM_PIPELINES", ITEM_PIPELINES))
    pipelines.pop(JSON_PIPELINE, None)

    def send(item: SiteItem, counted: dict[str, float]) -> None:
        try:
            assert item.record is not None, "the detect pipeline has run"
            line = record_to_line(item.record, counted)
        except Exception:  # noqa: BLE001 - Scrapy would only log it, and the site would never be done
            traceback.print_exc()
            os._exit(1)
        write_all(out_fd, line)

    stats = run(
        {**given, "ITEM_PIPELINES": pipelines},
        targets_from(sys.stdin.fileno()),
        on_item=send,
        on_ready=lambda: write_all(out_fd, READY),
    )
    write_all(out_fd, STATS + json.dumps(stats).encode() + b"\n")


def _die_with_parent(parent: int) -> None:
    """Ask Linux to end this process with its parent. Elsewhere the closed pipe does, at the next record."""
    pr_set_pdeathsig = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:  # it died while this process was starting
        sys.exit(1)


def _allow_many_sockets() -> None:
    """Raise the limit on open files as far as permitted: the usual 1,024 may be fewer than sites at once."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
