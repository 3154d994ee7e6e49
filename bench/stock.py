"""Stock Scrapy over a list of hosts: default settings, one plain request a host, nothing done with the page.

    python -m bench.stock LIST RESOLVE_ALL_TO

Two settings are not Scrapy's: the resolver, which leads every name to the bench web, and the time-out, which
by default lets a silent host hold one of the sixteen connections for three times three minutes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess


class Plain(scrapy.Spider):
    name = "plain"
    domains: list[str]

    async def start(self) -> AsyncIterator[Any]:
        for domain in self.domains:
            yield scrapy.Request(f"https://{domain}/")

    def parse(self, response: Any) -> None:
        pass


def main() -> None:
    settings = {
        "TWISTED_DNS_RESOLVER": "crawler.resolver.PublicResolver",
        "TECHNOGRAPH_RESOLVE_ALL_TO": sys.argv[2],
        "DOWNLOAD_TIMEOUT": 15,
        "LOG_LEVEL": "CRITICAL",
    }
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(Plain)
    process.crawl(crawler, domains=Path(sys.argv[1]).read_text().split())
    started = time.process_time()
    process.start()
    counted = crawler.stats.get_stats() if crawler.stats else {}
    told = {
        "cpu_s": time.process_time() - started,
        "requests": counted.get("downloader/request_count", 0),
        "pages": counted.get("downloader/response_status_count/200", 0),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
