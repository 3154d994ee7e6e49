"""The crawl as one function: targets in, records out. Where records go is the caller's business."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crawler.items import Target
from crawler.workers import Sink, Workers

PAGES = 4
"""Of a site, the home page included, unless the caller says otherwise."""
PAGE_CHOICE = "pipelines.choice.PageChoice"
RENDERED_AT_ONCE = 32
RENDERING_S = 30.0
"""Of one site in the worst case: two pages at the browser's time-out, two pages at a time, and some."""


@dataclass(frozen=True, slots=True)
class CrawlSettings:
    """What a caller may choose; the other settings and all reasons are in crawler/settings.py."""

    pages: int | Literal["auto"] = PAGES
    """The most that are read of a site; `auto`: PAGES, and only those that can change the tier in `icp`."""
    workers: int = 0
    """Processes; 0 for one a core."""
    concurrency: int = 256
    """Sites open at once in each process."""
    per_address: int = 16
    """Requests at a time to one IP address, over all processes (but one of each); 0 for no limit."""
    delay_s: float = 1.0
    target_timeout_s: float = 60.0
    page_timeout_s: float = 15.0
    user_agent: str = ""
    """Empty for the default."""
    contact: str = ""
    """URL or address that the User-Agent names."""
    rules: tuple[str, ...] = ()
    """Folders or files of rules to load beside ours."""
    rules_only: bool = False
    """Those instead of ours."""
    dns: bool = True
    containers: bool = True
    """Fetch the tag containers that pages name."""
    render: str = "never"
    """`never`, `always`, or `auto` for sites where a browser can change the tier in `icp`."""
    icp: str = ""
    """An ICP file, for the two `auto`."""
    allow_private: bool = False
    resolve_all_to: str = ""
    name_servers: tuple[str, ...] = ()
    log_path: Path | None = None
    """Where workers log; standard error when None."""

    def worker_count(self) -> int:
        return (
            self.workers or len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )

    def per_address_and_process(self) -> int:
        """Each process's share of `per_address`, rounded down, at least 1."""
        return max(self.per_address // self.worker_count(), 1) if self.per_address else 0

    def sites_at_once(self) -> int:
        """Of one process: no more than a browser can keep up with, when every site waits for it."""
        return min(self.concurrency, RENDERED_AT_ONCE) if self.render == "always" else self.concurrency

    def rendering_s(self) -> float:
        """What a site may wait for the browser while the others that were handed out have their turn."""
        return 0.0 if self.render == "never" else RENDERING_S * self.sites_at_once()

    def fingerprint(self) -> str:
        """The same for settings that give the same records: what resuming a crawl must agree on."""
        rules = self.rules if len(self.rules) > 1 else "".join(self.rules)
        kept: tuple[object, ...] = (self.pages, rules, self.allow_private, self.resolve_all_to)
        looked = (self.dns, self.containers, self.render, self.icp)
        if looked != (True, True, "never", ""):  # else as it always was: unfinished crawls go on
            kept += looked
        if self.rules_only:
            kept += ("rules only",)
        return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]

    def scrapy_settings(self) -> dict[str, Any]:
        """What differs from crawler/settings.py; values are JSON."""
        overrides: dict[str, Any] = {
            "TECHNOGRAPH_PAGES": PAGES if self.pages == "auto" else self.pages,
            "TECHNOGRAPH_PAGE_CHOICE": PAGE_CHOICE if self.pages == "auto" else "",
            "TECHNOGRAPH_TARGET_TIMEOUT": self.target_timeout_s,
            "DOWNLOAD_TIMEOUT": self.page_timeout_s,
            "TECHNOGRAPH_RULES": list(self.rules),
            "TECHNOGRAPH_RULES_ONLY": self.rules_only,
            "TECHNOGRAPH_DNS": self.dns,
            "TECHNOGRAPH_CONTAINERS": self.containers,
            "TECHNOGRAPH_RENDER": self.render,
            "TECHNOGRAPH_ICP": str(Path(self.icp).resolve()) if self.icp else "",
            "TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES": self.allow_private,
            "TECHNOGRAPH_RESOLVE_ALL_TO": self.resolve_all_to,
            "TECHNOGRAPH_NAME_SERVERS": list(self.name_servers),
            "CONCURRENT_REQUESTS": self.sites_at_once(),
            "TECHNOGRAPH_REQUESTS_PER_ADDRESS": self.per_address_and_process(),
            "DOWNLOAD_DELAY": self.delay_s,
            "LOG_LEVEL": "WARNING",
        }
        if self.user_agent or self.contact:
            overrides["USER_AGENT"] = user_agent(self.user_agent, self.contact)
        return overrides


def user_agent(name: str, contact: str) -> str:
    """The User-Agent with its contact, as `technograph (+https://acme.com/bot)`."""
    return f"{name or 'technograph'} (+{contact})" if contact else name


class Control:
    """Stops a running crawl, from a signal handler or another thread."""

    def __init__(self) -> None:
        self.is_stopping = False
        self.is_killed = False
        self.stats: Counter[str] = Counter()
        """Counts of all workers together (`requests/all`, `render/sites`), when the crawl has returned."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._workers: Workers | None = None

    def stop(self) -> None:
        """Begin no further site; the crawl returns when those under way are done."""
        self.is_stopping = True
        if self._loop is not None and self._workers is not None:
            self._loop.call_soon_threadsafe(self._workers.stop)

    def kill(self) -> None:
        """Drop the sites under way, too; they have no record and are crawled again on resume."""
        self.is_stopping = self.is_killed = True
        if self._loop is not None and self._workers is not None:
            self._loop.call_soon_threadsafe(self._workers.kill)

    def attach(self, loop: asyncio.AbstractEventLoop, workers: Workers) -> None:
        self._loop, self._workers = loop, workers
        if self.is_stopping:
            self.stop()

    def detach(self) -> None:
        self._loop = self._workers = None


def crawl(
    targets: Iterable[Target],
    sink: Sink,
    settings: CrawlSettings,
    *,
    control: Control | None = None,
) -> bool:
    """Crawl every target and pass the records to `sink`: exactly one a target, in the order they are done.

    The sink gets all that have come since it last returned, and runs in a thread of its own.
    Returns False when it was stopped before the last target. The targets are read as they are needed.
    Raises WorkerError when no crawling process can run, and whatever `sink` or `targets` raise.
    """
    control = control or Control()
    asyncio.run(_crawl(targets, sink, settings, control))
    return not control.is_stopping


async def _crawl(targets: Iterable[Target], sink: Sink, settings: CrawlSettings, control: Control) -> None:
    workers = Workers(
        count=settings.worker_count(),
        concurrency=settings.sites_at_once(),
        scrapy_settings=settings.scrapy_settings(),
        log_path=settings.log_path,
        stuck_after_s=2 * settings.target_timeout_s + 60 + settings.rendering_s(),
    )
    control.attach(asyncio.get_running_loop(), workers)
    try:
        await workers.run(iter(targets), sink)
    finally:
        control.stats.update(workers.stats())
        control.detach()
