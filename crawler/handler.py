"""Scrapy's HTTP/1.1 download handler with three limits it has no settings for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.utils.httpobj import urlparse_cached
from twisted.web._newclient import ParseError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

IDLE_CONNECTION_S = 2
"""Long enough for the next page of the same site, short enough that 4,000 sites do not hold 4,000 sockets
(Twisted's own default is 240 s)."""
MAX_HEAD_BYTES = 256 * 1024
"""Of one response's status line and headers. Without it an endless head fills the memory: DOWNLOAD_MAXSIZE
counts the body only."""
MAX_HEADER_LINE_BYTES = 64 * 1024
"""Twisted's default of 16 KiB refuses real pages with a long Content-Security-Policy."""


class CappedHTTPHandler(HTTP11DownloadHandler):
    """Resolves the name first, so that its failure is precise, then downloads as Scrapy does."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.cachedConnectionTimeout = IDLE_CONNECTION_S
        self._pool.retryAutomatically = False  # a retry here would ask twice without the delay between
        self._pool._factory = _CappedFactory
        # Bad certificates are common and no reason not to read a page; one warning each would fill the log.
        logging.getLogger("scrapy.core.downloader.tls").setLevel(logging.ERROR)

    async def download_request(self, request: Request) -> Response:
        from twisted.internet import reactor

        url = urlparse_cached(request)
        resolver: Any = reactor.nameResolver
        await resolver.endpoints(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
        return await super().download_request(request)


class _CappedParser(_LenientHTTPClientParser):
    MAX_LENGTH = MAX_HEADER_LINE_BYTES
    head_bytes = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        self.head_bytes += len(line)
        if self.head_bytes > MAX_HEAD_BYTES:
            raise ParseError(f"response head over {MAX_HEAD_BYTES} bytes", b"")  # type: ignore[no-untyped-call]
        super().lineReceived(line)


class _CappedProtocol(_LenientHTTP11ClientProtocol):
    def request(self, request: Any) -> Any:
        answer = super().request(request)
        # Twisted names its parser class inside request(), so it can only be exchanged afterwards; no byte
        # of the response has been read yet. Scrapy does the same for its own parser.
        self._parser.__class__ = _CappedParser
        return answer


class _CappedFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _CappedProtocol:  # noqa: N802 - Twisted's name
        return _CappedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
