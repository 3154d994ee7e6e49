"""The pauses between requests to one site: the only place that touches Scrapy's download slots.

Every request of a site carries the site's domain as its `download_slot`, so `www.` and the bare domain
share one pace. Scrapy 2.19 has no public way to change a running slot; throttling scopes are planned
(scrapy#6931), and this module is what they would replace.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler


class Pace:
    """Slows one site down, or lets its next request go at once."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def at_least(self, domain: str, delay_s: float) -> None:
        """Keep at least this many seconds between the site's requests from now on."""
        slot = self._slot(domain)
        if slot is not None:
            slot.delay = max(slot.delay, delay_s)

    def wait(self, domain: str, wait_s: float) -> None:
        """Keep still for this long from now on, and between all further requests, too."""
        slot = self._slot(domain)
        if slot is not None:
            slot.delay = max(slot.delay, wait_s)
            slot.lastseen = monotonic()

    def sent(self, domain: str) -> None:
        """The site's request goes out now, whatever it waited for: the next pause begins here."""
        slot = self._slot(domain)
        if slot is not None:
            slot.lastseen = monotonic()

    def at_once(self, domain: str) -> None:
        """Let the site's next request go without a pause: it belongs to the page already asked for."""
        slot = self._slot(domain)
        if slot is not None:
            slot.lastseen = 0

    def forget(self, domain: str) -> None:
        """Free the site's slot; Scrapy itself keeps an idle one for a minute, 1.4 KB each."""
        slots = self._crawler.engine.downloader.slots
        slot = slots.get(domain)
        if slot is not None and not slot.active:
            slots.pop(domain).close()

    def _slot(self, domain: str) -> Slot | None:
        return self._crawler.engine.downloader.slots.get(domain)
