"""The end of the line: the record goes to a database when one is set, and on as JSON to Scrapy's feeds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from crawler.items import SiteItem
from fingerprints.model import TechnographError
from fingerprints.model.times import timestamp_now
from fingerprints.model.wire import to_json
from pipelines.detect import detector_of
from store.database import Store

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


class StorePipeline:
    """Replaces the item with the record's JSON object; stores it first where `TECHNOGRAPH_DB` names a file.

    `technograph crawl` leaves that setting empty: its workers send records to the one process that writes.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._path: str = crawler.settings.get("TECHNOGRAPH_DB", "")
        self._store: Store | None = None
        self._crawl_id = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        return cls(crawler)

    def open_spider(self) -> None:
        if not self._path:
            return
        detector = detector_of(self._crawler.settings)
        self._store = Store.open(self._path)
        self._store.sync_taxonomy(detector.taxonomy)
        self._crawl_id = self._store.begin_crawl(
            source="scrapy crawl",
            settings_hash="",
            ruleset=detector.ruleset,
            tool_version="",
            config={},
            started_at=timestamp_now(),
            fresh=True,
        ).id

    def process_item(self, item: SiteItem) -> dict[str, Any]:
        assert item.record is not None, "the detect pipeline runs first"
        if self._store is not None:
            try:
                self._store.save(self._crawl_id, [item.record])
            except TechnographError as exc:
                logger.error("%s", exc)
                self._stopping = asyncio.ensure_future(
                    self._crawler.engine.close_spider_async(reason="store_failed")
                )
        return to_json(item.record)

    def close_spider(self) -> None:
        if self._store is not None:
            self._store.finish_crawl(self._crawl_id, timestamp_now())
            self._store.close()
