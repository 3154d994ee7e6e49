"""Detection inside somebody else's Scrapy project: their items gain a `technologies` field.

    SPIDER_MIDDLEWARES = {"pipelines.foreign.PageMemory": 10}
    ITEM_PIPELINES = {"pipelines.foreign.TechnologiesPipeline": 300}

docs/scrapy.md says more.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from itemadapter import ItemAdapter, is_item
from scrapy import signals
from scrapy.exceptions import NotConfigured

from fingerprints.detector import Detector
from fingerprints.model import Outcome, Record
from fingerprints.model.wire import to_json
from fingerprints.observe import observe
from pipelines.detect import detector_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

FIELD = "technologies"


class PageMemory:
    """Spider middleware: remembers which page an item was made from until its pipelines are through.

    Its number must be low (nearest the engine), so that it sees items as the pipelines will.
    """

    def __init__(self) -> None:
        self._pages: dict[int, tuple[Any, Response]] = {}
        """By the item's id; the item itself is kept so that the id stays its own."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PageMemory:
        memory = cls()
        for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
            crawler.signals.connect(memory.forget, signal=signal)
        return memory

    async def process_spider_output(self, response: Response, result: Any) -> AsyncIterator[Any]:
        async for output in result:
            if is_item(output):
                self._pages[id(output)] = (output, response)
            yield output

    def page_of(self, item: Any) -> Response | None:
        """The response an item came from; None for start items and for items replaced on the way."""
        kept = self._pages.get(id(item))
        return kept[1] if kept is not None else None

    def forget(self, item: Any) -> None:
        self._pages.pop(id(item), None)


class TechnologiesPipeline:
    """Adds the technologies of the item's page, in the form `technograph detect` prints them."""

    def __init__(self, crawler: Crawler, detector: Detector) -> None:
        self._crawler = crawler
        self._detector = detector
        self._memory: PageMemory | None = None
        self._last: tuple[Response, list[Any]] | None = None
        self._has_warned = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TechnologiesPipeline:
        if "pipelines.foreign.PageMemory" not in crawler.settings.getdict("SPIDER_MIDDLEWARES"):
            raise NotConfigured('SPIDER_MIDDLEWARES lacks {"pipelines.foreign.PageMemory": 10}.')
        return cls(crawler, detector_of(crawler.settings))

    def open_spider(self) -> None:
        self._memory = self._crawler.get_spider_middleware(PageMemory)

    def process_item(self, item: Any) -> Any:
        response = self._memory.page_of(item) if self._memory is not None else None
        if response is None:
            return item
        try:
            ItemAdapter(item)[FIELD] = self._technologies(response)
        except KeyError:
            self._warn(item)
        return item

    def _technologies(self, response: Response) -> list[Any]:
        """Detected once for all items of one page, which come one after the other."""
        if self._last is None or self._last[0] is not response:
            self._last = (response, technologies_on(response, self._detector))
        return self._last[1]

    def _warn(self, item: Any) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s has no field %r; add it to see what each page runs", type(item).__name__, FIELD
            )


def technologies_on(response: Response, detector: Detector) -> list[Any]:
    """What one response shows, as JSON objects sorted by slug."""
    observation = observe(
        response.body,
        url=response.url,
        status=response.status,
        headers={
            name.decode("latin-1"): [value.decode("utf-8", errors="replace") for value in values]
            for name, values in response.headers.items()
        },
    )
    record = Record(domain=response.url, outcome=Outcome.OK, detections=detector.detect([observation]))
    technologies: list[Any] = to_json(record)["technologies"]
    return technologies
