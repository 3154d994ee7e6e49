"""The spider: a target in, one SiteItem out, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import scrapy
from scrapy import signals
from scrapy.exceptions import CloseSpider, DontCloseSpider
from scrapy.utils.misc import build_from_crawler, load_object

from crawler.answer import answer_of
from crawler.deadline import META_KEY
from crawler.items import SiteItem, Target
from crawler.outcomes import causes
from crawler.pace import Pace
from crawler.requests import RequestCount
from crawler.signals import site_closed
from crawler.targets import TargetReport, read_targets
from crawler.visit import Ask, ChooseKinds, Condense, Limits, Visit
from fingerprints.model import InputError, Outcome
from fingerprints.model.times import timestamp_now

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure


class SiteSpider(scrapy.Spider):
    """Reads the home page of each target and a few more pages, politely.

    `scrapy crawl site -a targets=FILE [-a column=NAME]`. A program passes `feed`, an async iterator of
    targets, instead of a file. Yields exactly one SiteItem a target.
    """

    name = "site"

    def __init__(
        self,
        targets: str = "",
        column: str = "",
        feed: AsyncIterator[Target] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._path = targets
        self._column = column
        self._feed = feed
        self._report = TargetReport()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        settings = crawler.settings
        spider._allow_private = settings.getbool("TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES")
        spider._limits = Limits(
            pages=max(settings.getint("TECHNOGRAPH_PAGES"), 1),
            target_timeout_s=settings.getfloat("TECHNOGRAPH_TARGET_TIMEOUT"),
            page_timeout_s=settings.getfloat("DOWNLOAD_TIMEOUT"),
            delay_s=settings.getfloat("DOWNLOAD_DELAY"),
            max_wait_s=settings.getfloat("TECHNOGRAPH_MAX_CRAWL_DELAY"),
            any_port=spider._allow_private,
        )
        choice = settings.get("TECHNOGRAPH_PAGE_CHOICE")
        spider._choose = build_from_crawler(load_object(choice), crawler) if choice else None
        condense = settings.get("TECHNOGRAPH_CONDENSE")
        spider._condense = build_from_crawler(load_object(condense), crawler) if condense else None
        spider._room = asyncio.Semaphore(settings.getint("CONCURRENT_REQUESTS"))
        spider._pace = Pace(crawler)
        spider._open = set()
        spider._late = []
        crawler.signals.connect(spider.close_the_forgotten, signal=signals.spider_idle)
        return spider

    _allow_private: bool
    _limits: Limits
    _choose: ChooseKinds | None
    """What picks inner pages by what they could change; None to read all there is room for."""
    _condense: Condense | None
    """What makes a page small once it is read; None to keep pages whole until their site is done."""
    _room: asyncio.Semaphore
    """One permit a site under way: Scrapy would otherwise schedule the whole list at once."""
    _pace: Pace
    _open: set[Visit]
    _late: list[asyncio.Future[None]]

    async def start(self) -> AsyncIterator[Any]:
        async for target in self._feed or self._from_file():
            if target.suppressed:
                yield SiteItem(
                    target, Outcome.SUPPRESSED, detail="on the suppression list", scanned_at=timestamp_now()
                )
                continue
            await self._room.acquire()
            visit = Visit(target, self._limits, monotonic(), self._choose, self._condense)
            self._open.add(visit)
            yield self._advance(visit, visit.begin)

    async def _from_file(self) -> AsyncIterator[Target]:
        if not self._path:
            raise CloseSpider("no targets: pass -a targets=FILE")
        try:
            for target in read_targets(
                self._path,
                column=self._column or None,
                allow_private=self._allow_private,
                report=self._report,
            ):
                yield target
        except InputError as exc:
            self.logger.error("%s", exc)
            raise CloseSpider("unreadable targets") from exc

    def parse(self, response: Response, visit: Visit) -> scrapy.Request | SiteItem:
        return self._advance(visit, lambda now_s: visit.answered(answer_of(response), now_s))

    def failed(self, failure: Failure) -> scrapy.Request | SiteItem:
        visit: Visit = failure.request.cb_kwargs["visit"]  # type: ignore[attr-defined]
        assert failure.value is not None
        error = failure.value
        following = self._advance(visit, lambda now_s: visit.failed(error, now_s))
        for cause in causes(error):
            # The frames of fifty calls refer to the error and it to them: without it they go at once.
            cause.__traceback__ = None
        return following

    def _advance(self, visit: Visit, decide: Callable[[float], Ask | None]) -> scrapy.Request | SiteItem:
        """The visit's next request, or its item. A bug of ours costs one site, not the crawl."""
        try:
            ask = decide(monotonic())
            if ask is not None:
                return self._request(visit, ask)
        except Exception as exc:
            self.logger.exception("internal error at %s", visit.target.domain)
            visit.broken(exc)
        return self._close(visit)

    def _request(self, visit: Visit, ask: Ask) -> scrapy.Request:
        domain = visit.target.domain
        request = scrapy.Request(
            ask.url,
            callback=self.parse,
            errback=self.failed,
            cb_kwargs={"visit": visit},
            meta={
                "download_slot": domain,
                "cookiejar": domain,
                "download_timeout": ask.timeout_s,
                META_KEY: visit.deadline,
            },
            priority=1,  # before new sites: what is begun is finished first
            dont_filter=True,
        )
        if ask.wait_s:
            self._pace.wait(domain, ask.wait_s)
        elif ask.at_once:
            self._pace.at_once(domain)
        return request

    def close_the_forgotten(self) -> None:
        """Give a record to visits that are open although nothing is going on: some component lost them."""
        forgotten = list(self._open)
        for visit in forgotten:
            visit.broken(RuntimeError("a request was lost inside the crawler"))
            sent = self.crawler.engine.scraper.start_itemproc_async(self._close(visit), response=None)
            self._late.append(asyncio.ensure_future(sent))
        if forgotten:
            raise DontCloseSpider

    def _close(self, visit: Visit) -> SiteItem:
        self._open.discard(visit)
        count = self.crawler.get_extension(RequestCount)
        requests = count.of_site(visit.target.domain) if count else None
        self.crawler.signals.send_catch_log(site_closed, domain=visit.target.domain)
        self._pace.forget(visit.target.domain)
        self._room.release()
        item = visit.item(timestamp_now())
        item.took_ms, item.requests = visit.took_ms(monotonic()), requests
        if visit.spared:
            self.crawler.stats.inc_value("pages/spared", visit.spared)
            self.crawler.stats.inc_value("pages/sites_spared", int(len(item.pages) == 1))
        self.crawler.stats.inc_value(f"technograph/outcome/{item.outcome}")
        return item
