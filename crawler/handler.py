"""Scrapy's HTTP/1.1 download handler with the limits it has no settings for."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
    _ScrapyAgent,
)
from scrapy.exceptions import DownloadTimeoutError
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import TimeoutError as NoConnectionError
from twisted.web._newclient import ParseError

from crawler.deadline import META_KEY, Deadline
from crawler.neighbours import Neighbours
from crawler.outcomes import ConnectTimeoutError

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
    """Resolves the name, waits for its turn at the address, then downloads as Scrapy does."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.cachedConnectionTimeout = IDLE_CONNECTION_S
        self._pool.retryAutomatically = False  # a retry here would ask twice without the delay between
        self._pool._factory = _CappedFactory
        settings = crawler.settings
        self._connect_timeout_s = settings.getfloat("TECHNOGRAPH_CONNECT_TIMEOUT")
        # A web of our own has one address and nobody else on it.
        is_mapped = bool(settings.get("TECHNOGRAPH_RESOLVE_ALL_TO"))
        self._neighbours = Neighbours(0 if is_mapped else settings.getint("TECHNOGRAPH_REQUESTS_PER_ADDRESS"))
        # Bad certificates are common and no reason not to read a page; one warning each would fill the log.
        logging.getLogger("scrapy.core.downloader.tls").setLevel(logging.ERROR)

    async def download_request(self, request: Request) -> Response:
        from twisted.internet import reactor

        url = urlparse_cached(request)
        resolver: Any = reactor.nameResolver
        port = url.port or (443 if url.scheme == "https" else 80)
        (address, _), *_ = await resolver.endpoints(url.hostname or "", port)
        deadline: Deadline | None = request.meta.get(META_KEY)
        is_new = deadline is not None and not deadline.has_begun
        async with self._neighbours.turn(address, is_new=is_new):
            if deadline is not None:
                _keep_to(deadline, request)
            return await self._download(request)

    async def _download(self, request: Request) -> Response:
        agent = _QuickAgent(
            contextFactory=self._contextFactory,
            pool=self._pool,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
        )
        agent.connect_timeout_s = self._connect_timeout_s
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(agent.download_request(request))
        except DownloadTimeoutError as exc:
            if isinstance(exc.__cause__, NoConnectionError):
                raise ConnectTimeoutError(f"no connection within {self._connect_timeout_s:g} s") from exc
            raise


def _keep_to(deadline: Deadline, request: Request) -> None:
    now_s = monotonic()
    deadline.begin(now_s)
    request.meta["download_timeout"] = deadline.allowed_s(request.meta["download_timeout"], now_s)


class _QuickAgent(_ScrapyAgent):
    """Gives up on a connection sooner than on an answer."""

    connect_timeout_s: float

    def _get_agent(self, request: Request, timeout: float) -> Any:
        return super()._get_agent(request, min(timeout, self.connect_timeout_s))


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
