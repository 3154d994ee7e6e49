"""A Scrapy extension for one test: the worker that comes to killer.test dies as by a segmentation fault."""

from __future__ import annotations

import os
import signal

from scrapy import Request, signals
from scrapy.crawler import Crawler


class DiesAtOneSite:
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
