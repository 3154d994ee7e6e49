"""How many requests each site got, robots.txt, redirects and retries included."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from scrapy import signals

from crawler.items import SiteItem
from crawler.signals import site_closed

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class RequestCount:
    """Scrapy extension: counts `requests/all`, `requests/sites` and `requests/most_of_a_site`.

    A site counts when its item has come through the pipelines: one that is lost before is crawled again.
    Requests carry their site's domain as `download_slot`; a tag container's is a slot of its own.
    """

    def __init__(self, crawler: Crawler) -> None:
        assert crawler.stats is not None
        self._stats = crawler.stats
        self._of_site: Counter[str] = Counter()
        self._of_closed: dict[str, int] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RequestCount:
        extension = cls(crawler)
        crawler.signals.connect(extension.sent, signal=signals.request_reached_downloader)
        crawler.signals.connect(extension.site_closed, signal=site_closed)
        crawler.signals.connect(extension.scraped, signal=signals.item_scraped)
        return extension

    def of_site(self, domain: str) -> int:
        """Requests sent so far to a site that is not closed yet."""
        return self._of_site[domain]

    def sent(self, request: Request) -> None:
        slot = str(request.meta.get("download_slot", ""))
        if slot.startswith("container "):
            self._stats.inc_value("requests/containers")
        else:
            self._of_site[slot] += 1

    def site_closed(self, domain: str) -> None:
        self._of_closed[domain] = self._of_site.pop(domain, 0)

    def scraped(self, item: Any) -> None:
        # The store pipeline, which is not always there, makes the item a record's JSON object.
        domain = item.target.domain if isinstance(item, SiteItem) else item["domain"]
        requests = self._of_closed.pop(domain, None)
        if requests is None:
            return  # suppressed: never asked for anything
        self._stats.inc_value("requests/sites")
        self._stats.inc_value("requests/all", requests)
        self._stats.max_value("requests/most_of_a_site", requests)
