"""Tag containers that a site's pages name: fetched once each, their contents added to the pages."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.http.request import NO_CALLBACK

from crawler.items import SiteItem
from fingerprints.containers import Contents, container_url, parse_container, with_containers

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

KEPT = 1_000
"""Containers remembered for later sites; agencies put one container on hundreds of them."""
DEPTH = 2
"""Containers that containers load are read too, and theirs no more: real ones nest once."""
MOST_OF_A_SITE = 6
TIMEOUT_S = 10


class ContainersPipeline:
    """Adds to each page what its containers would load. A container that cannot be read stays unparsed."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._known: OrderedDict[str, asyncio.Task[Contents | None]] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ContainersPipeline:
        if not crawler.settings.getbool("TECHNOGRAPH_CONTAINERS", True):
            raise NotConfigured  # a message would be a warning in every worker
        return cls(crawler)

    async def process_item(self, item: SiteItem) -> SiteItem:
        contents: dict[str, Contents] = {}
        for _ in range(DEPTH):
            named = {name for page in item.observations for name in page.containers}
            wanted = sorted(named - contents.keys())[: MOST_OF_A_SITE - len(contents)]
            found = await asyncio.gather(*(self._contents(name) for name in wanted))
            new = {name: held for name, held in zip(wanted, found, strict=True) if held is not None}
            if not new:
                break
            contents |= new
            item.observations = tuple(with_containers(page, contents) for page in item.observations)
        return item

    def _contents(self, name: str) -> asyncio.Task[Contents | None]:
        """The one fetch of a container, shared by every site that names it while it is remembered."""
        task = self._known.pop(name, None) or asyncio.ensure_future(self._fetch(name))
        self._known[name] = task
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return task

    async def _fetch(self, name: str) -> Contents | None:
        url = container_url(name)
        if url is None:
            return None
        held = await self._read(name, url)
        if held is None:
            # The answer of a wall or an error page; plain http is for webs of our own without TLS.
            held = await self._read(name, url.replace("https://", "http://", 1))
        self._crawler.stats.inc_value(f"containers/{'read' if held else 'unread'}")
        return held

    async def _read(self, name: str, url: str) -> Contents | None:
        meta = {
            "download_slot": f"container {name}",
            "cookiejar": "containers",
            "download_timeout": TIMEOUT_S,
            "dont_obey_robotstxt": True,  # the site's own visitors load this file from the same address
        }
        request = Request(url, callback=NO_CALLBACK, meta=meta, dont_filter=True)
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception as exc:  # noqa: BLE001 - whatever went wrong, the container was not read
            logger.debug("container %s: %s", name, exc)
            return None
        if response.status != 200:
            return None
        return parse_container(name, response.body.decode("utf-8", "replace"))
