"""One crawling process: targets come in as JSON lines, records go out as JSON lines.

`python -m crawler.worker SETTINGS` where SETTINGS is a JSON object of Scrapy settings. It works until its
input ends, and can be run by hand:

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
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from crawler.items import Target

LINE_BYTES = 16 * 1024 * 1024
"""Longest line either side accepts: a target's row or a record with all its evidence."""


def target_to_line(target: Target) -> bytes:
    return json.dumps(asdict(target), ensure_ascii=False).encode() + b"\n"


def target_from_line(line: bytes) -> Target:
    return Target(**json.loads(line))


async def targets_from(fd: int) -> AsyncIterator[Target]:
    """The targets on a pipe, each as soon as its line is complete."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    while line := await reader.readline():
        yield target_from_line(line)


def run(overrides: Mapping[str, Any], *, in_fd: int, out_fd: int) -> None:
    """Crawl what comes in until the input ends; returns when the last record is out."""
    settings = Settings()
    settings.setmodule("crawler.settings")
    settings.update(dict(overrides), priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler("site")

    def send(item: Mapping[str, Any]) -> None:
        line = memoryview(json.dumps(item, ensure_ascii=False).encode() + b"\n")
        while line:
            line = line[os.write(out_fd, line) :]

    crawler.signals.connect(send, signal=signals.item_scraped)
    process.crawl(crawler, feed=targets_from(in_fd))
    process.start(install_signal_handlers=False)


def main() -> None:
    # Ctrl-C reaches every process of the terminal; the parent decides what it means for the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    # Records have the real standard output to themselves; a stray print must not end up between them.
    out_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    run(json.loads(sys.argv[1]), in_fd=sys.stdin.fileno(), out_fd=out_fd)


def _die_with_parent() -> None:
    """Ask Linux to end this process with its parent. Elsewhere the closed pipe does, at the next record."""
    pr_set_pdeathsig = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
