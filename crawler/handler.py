"""The download handler: a request out, one answer in, over connections of our own.

In the place of Scrapy's, for three reasons: it needs a third of the CPU time for a page over https, it
connects to exactly the addresses the resolver has let through, and everything a server sends has a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Headers, HtmlResponse, Response
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import ConnectionLost

from crawler.connections import Connection, Connections, Place
from crawler.deadline import META_KEY, Deadline
from crawler.http1 import Answer
from crawler.limits import BodyLimits
from crawler.neighbours import Neighbours
from crawler.outcomes import ConnectTimeoutError
from crawler.pace import Pace
from crawler.resolver import Endpoint
from crawler.signals import site_closed

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

_PORTS = {"http": 80, "https": 443}


class LeanHTTPHandler(BaseDownloadHandler):
    """HTTP/1.1 without proxies. crawler/outcomes.py knows what it raises."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._timeout_s = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._connect_timeout_s = settings.getfloat("TECHNOGRAPH_CONNECT_TIMEOUT")
        self._limits = BodyLimits.from_settings(settings)
        self._connections = Connections(self._connect_timeout_s)
        crawler.signals.connect(self.site_closed, signal=site_closed)
        self._pace = Pace(crawler)
        # A web of our own has one address and nobody else on it.
        is_mapped = bool(settings.get("TECHNOGRAPH_RESOLVE_ALL_TO"))
        self._neighbours = Neighbours(0 if is_mapped else settings.getint("TECHNOGRAPH_REQUESTS_PER_ADDRESS"))

    async def download_request(self, request: Request) -> Response:
        from twisted.internet import reactor

        url = urlparse_cached(request)
        place = url.scheme, url.hostname or "", url.port or _PORTS[url.scheme]
        resolver: Any = reactor.nameResolver
        endpoints: list[Endpoint] = await resolver.endpoints(*place[1:])
        deadline: Deadline | None = request.meta.get(META_KEY)
        is_new = deadline is not None and not deadline.has_begun
        async with self._neighbours.turn(endpoints[0][0], is_new=is_new):
            timeout_s = request.meta.get("download_timeout", self._timeout_s)
            if deadline is not None:
                now_s = monotonic()
                deadline.begin(now_s, str(endpoints[0][0]))
                timeout_s = deadline.allowed_s(timeout_s, now_s)
            try:
                async with asyncio.timeout(timeout_s) as limit:
                    return await self._download(request, place, endpoints, limit.when() or 0.0)
            except TimeoutError as exc:
                raise DownloadTimeoutError(f"no complete answer within {timeout_s:g} s") from exc

    def site_closed(self, domain: str) -> None:
        self._connections.forget(domain)

    async def close(self) -> None:
        self._connections.close()

    async def _download(
        self, request: Request, place: Place, endpoints: list[Endpoint], ends_s: float
    ) -> Response:
        connection = self._connections.idle(_site_of(request), place)
        if connection is not None:
            with contextlib.suppress(ConnectionLost):  # closed by the server meanwhile, the request not read
                return await self._ask(connection, request, place, ends_s)
        try:
            connection = await self._connections.open(place, endpoints)
        except TimeoutError as exc:
            raise ConnectTimeoutError(f"no connection within {self._connect_timeout_s:g} s") from exc
        return await self._ask(connection, request, place, ends_s)

    async def _ask(self, connection: Connection, request: Request, place: Place, ends_s: float) -> Response:
        def limit(head: Answer) -> int:
            return self._limits.bytes_of(request.url, head.field(b"content-type").decode("latin-1"))

        self._pace.sent(_site_of(request))
        answer = await connection.ask(written(request), Answer(limit), self._limits.slow_after_s, ends_s)
        if connection.is_open:
            self._connections.keep(_site_of(request), place, connection)
        return _response(request, answer, connection.certificate)


def _site_of(request: Request) -> str:
    return str(request.meta.get("download_slot", ""))


def written(request: Request) -> bytes:
    """The request as it is sent. Header values with a line break, which only an attack has, are left out."""
    url = urlparse_cached(request)
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    lines = [f"{request.method} {path} HTTP/1.1".encode("ascii", "replace")]
    if "Host" not in request.headers:
        lines.append(b"Host: " + url.netloc.rpartition("@")[2].encode("ascii", "replace"))
    lines += [
        name + b": " + value
        for name, values in request.headers.items()
        for value in values
        if b"\n" not in value and b"\r" not in value
    ]
    if request.body:
        lines.append(b"Content-Length: %d" % len(request.body))
    return b"\r\n".join([*lines, b"", request.body])


def _response(request: Request, answer: Answer, certificate: bytes | None) -> Response:
    flags = [
        name
        for name, is_set in (("download_stopped", answer.is_stopped), ("dataloss", answer.is_short))
        if is_set
    ]
    is_page = b"html" in answer.field(b"content-type")
    return (HtmlResponse if is_page else Response)(
        request.url,
        status=answer.status,
        headers=Headers(answer.fields),
        body=answer.body,
        flags=flags,
        certificate=certificate,
        protocol="HTTP/1.1",
    )
