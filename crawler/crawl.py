"""The crawl as one function: targets in, records out. Where records go is the caller's business."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.items import Target
from crawler.workers import Workers
from fingerprints.model import Record


@dataclass(frozen=True, slots=True)
class CrawlSettings:
    """What a caller may choose; the other settings and all reasons are in crawler/settings.py."""

    pages: int = 4
    workers: int = 0
    """Processes; 0 for one a core."""
    concurrency: int = 256
    """Sites open at once in each process."""
    delay_s: float = 1.0
    target_timeout_s: float = 60.0
    page_timeout_s: float = 15.0
    user_agent: str = ""
    """Empty for the default."""
    contact: str = ""
    """URL or address that the User-Agent names."""
    rules: str = ""
    """A folder of rules to load beside ours."""
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

    def fingerprint(self) -> str:
        """The same for settings that give the same records: what resuming a crawl must agree on."""
        kept = (self.pages, self.rules, self.allow_private, self.resolve_all_to)
        return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]

    def scrapy_settings(self) -> dict[str, Any]:
        """What differs from crawler/settings.py; values are JSON."""
        overrides: dict[str, Any] = {
            "TECHNOGRAPH_PAGES": self.pages,
            "TECHNOGRAPH_TARGET_TIMEOUT": self.target_timeout_s,
            "DOWNLOAD_TIMEOUT": self.page_timeout_s,
            "TECHNOGRAPH_RULES": self.rules,
            "TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES": self.allow_private,
            "TECHNOGRAPH_RESOLVE_ALL_TO": self.resolve_all_to,
            "TECHNOGRAPH_NAME_SERVERS": list(self.name_servers),
            "CONCURRENT_REQUESTS": self.concurrency,
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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._workers: Workers | None = None

    def stop(self) -> None:
        """Begin no further site; the crawl returns when those under way are done."""
        self.is_stopping = True
        if self._loop is not None and self._workers is not None:
            self._loop.call_soon_threadsafe(self._workers.stop)

    def kill(self) -> None:
        """Drop the sites under way, too; they have no record and are crawled again on resume."""
        self.is_stopping = True
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
    sink: Callable[[Record], None],
    settings: CrawlSettings,
    *,
    control: Control | None = None,
) -> bool:
    """Crawl every target and pass its record to `sink`, exactly one a target, in the order they are done.

    Returns False when it was stopped before the last target. The targets are read as they are needed.
    Raises WorkerError when no crawling process can run, and whatever `sink` or `targets` raise.
    """
    control = control or Control()
    asyncio.run(_crawl(targets, sink, settings, control))
    return not control.is_stopping


async def _crawl(
    targets: Iterable[Target], sink: Callable[[Record], None], settings: CrawlSettings, control: Control
) -> None:
    workers = Workers(
        count=settings.worker_count(),
        concurrency=settings.concurrency,
        scrapy_settings=settings.scrapy_settings(),
        log_path=settings.log_path,
        stuck_after_s=2 * settings.target_timeout_s + 60,
    )
    control.attach(asyncio.get_running_loop(), workers)
    try:
        await workers.run(iter(targets), sink)
    finally:
        control.detach()
