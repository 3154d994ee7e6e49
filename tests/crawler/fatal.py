"""Scrapy components for single tests: what happens when the crawl itself breaks."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.items import SiteItem


class LosesOneSite:
    """A spider middleware that swallows what the spider yields for shop.test."""

    async def process_spider_output(self, response: Response, result: Any) -> AsyncIterator[Any]:
        async for output in result:
            if "shop.test" not in response.url:
                yield output


class DiesAtOneSite:
    """An extension: the process that comes to killer.test dies as by a segmentation fault."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DiesAtOneSite:
        extension = cls()
        crawler.signals.connect(
            extension.request_reached_downloader, signal=signals.request_reached_downloader
        )
        return extension

    def request_reached_downloader(self, request: Request) -> None:
        if "killer.test" in request.url:
            os.kill(os.getpid(), signal.SIGKILL)


class SpoilsTwoRecords:
    """A pipeline behind all others: what it makes of two sites cannot be read, or not even be sent."""

    def process_item(self, item: SiteItem) -> SiteItem:
        if item.target.domain == "shop.test":
            item.record = {}  # type: ignore[assignment]
        if item.target.domain == "store.test":
            item.record = None
        return item
