"""Downloads that are cut short, keeping what came: too long, too slow, or not a page at all."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import StopDownload

from crawler.robots import is_robots_txt

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Headers

_PAGE_TYPES = ("text/", "html", "xml", "json", "javascript")
"""Parts of a Content-Type whose body may matter: pages, the JSON that walls answer with, tag containers."""


def is_worth_reading(content_type: str) -> bool:
    """Whether a body of this type can tell anything; an unstated type may be anything.

    >>> is_worth_reading("text/html; charset=utf-8"), is_worth_reading(""), is_worth_reading("image/png")
    (True, True, False)
    """
    lowered = content_type.lower()
    return not lowered or any(part in lowered for part in _PAGE_TYPES)


@dataclass(slots=True)
class _Download:
    started_s: float
    body_bytes: int = 0


class BodyLimits:
    """Scrapy extension: the response still reaches its callback, with the flag `download_stopped`."""

    def __init__(self, *, max_body_bytes: int, max_robots_bytes: int, slow_after_s: float) -> None:
        self._max_body_bytes = max_body_bytes
        self._max_robots_bytes = max_robots_bytes
        self._slow_after_s = slow_after_s
        self._open: dict[Request, _Download] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BodyLimits:
        settings = crawler.settings
        limits = cls(
            max_body_bytes=settings.getint("TECHNOGRAPH_MAX_BODY_BYTES"),
            max_robots_bytes=settings.getint("TECHNOGRAPH_MAX_ROBOTS_BYTES"),
            slow_after_s=settings.getfloat("DOWNLOAD_TIMEOUT") * 2 / 3,
        )
        crawler.signals.connect(limits.headers_received, signal=signals.headers_received)
        crawler.signals.connect(limits.bytes_received, signal=signals.bytes_received)
        crawler.signals.connect(limits.left_downloader, signal=signals.request_left_downloader)
        return limits

    def headers_received(self, headers: Headers, request: Request) -> None:
        content_type = (headers.get("Content-Type") or b"").decode("latin-1")
        if not is_robots_txt(request.url) and not is_worth_reading(content_type):
            raise StopDownload(fail=False)
        self._open[request] = _Download(monotonic())

    def bytes_received(self, data: bytes, request: Request) -> None:
        download = self._open.get(request)
        if download is None:
            return
        download.body_bytes += len(data)
        limit = self._max_robots_bytes if is_robots_txt(request.url) else self._max_body_bytes
        is_slow = monotonic() - download.started_s > self._slow_after_s
        if download.body_bytes >= limit or is_slow:
            raise StopDownload(fail=False)

    def left_downloader(self, request: Request) -> None:
        self._open.pop(request, None)
