"""How many requests each site got, robots.txt, redirects and retries included."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scrapy import signals

from crawler.signals import site_closed

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class RequestCount:
    """Scrapy extension: counts `requests/all`, `requests/sites` and `requests/most_of_a_site`.

    Requests carry their site's domain as `download_slot`; a tag container's is a slot of its own.
    """

    def __init__(self, crawler: Crawler) -> None:
        assert crawler.stats is not None
        self._stats = crawler.stats
        self._of_site: Counter[str] = Counter()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RequestCount:
        extension = cls(crawler)
        crawler.signals.connect(extension.sent, signal=signals.request_reached_downloader)
        crawler.signals.connect(extension.site_closed, signal=site_closed)
        return extension

    def sent(self, request: Request) -> None:
        slot = str(request.meta.get("download_slot", ""))
        if slot.startswith("container "):
            self._stats.inc_value("requests/containers")
        else:
            self._of_site[slot] += 1

    def site_closed(self, domain: str) -> None:
        requests = self._of_site.pop(domain, 0)
        self._stats.inc_value("requests/sites")
        self._stats.inc_value("requests/all", requests)
        self._stats.max_value("requests/most_of_a_site", requests)
