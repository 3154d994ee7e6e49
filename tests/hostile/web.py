"""The server of the hostile web: real sockets on 127.0.0.1, one host name a failure.

Each case is a coroutine that answers one request, registered with the outcome a crawl must give its site.
The crawler's resolver is pointed here (`TECHNOGRAPH_RESOLVE_ALL_TO`), so `slow-header.test` reaches the
case `slow_header`. Hosts speak plain http; https is offered only by the cases that say so. Beside them
there are as many well-behaved sites as a test needs: `site1.test`, `site2.test`...
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import select
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fingerprints.model import Outcome
from tests.hostile import certificates

GTM = "<script src='https://www.googletagmanager.com/gtm.js?id=GTM-ABC123'></script>"
WORDS = (
    "<h1>Acme makes anvils</h1>"
    + "<p>Our anvils are forged by hand and sent to you within two days.</p>" * 16
)
PAGE = (
    f"<!doctype html><html lang=en><head><title>Acme</title>{GTM}</head><body>{WORDS}</body></html>".encode()
)


@dataclass(slots=True)
class Request:
    """One request as the server read it."""

    host: str
    path: str
    headers: dict[str, str]
    number: int
    """1 for the first request of this path on this host."""
    is_tls: bool


class Reply:
    """Writes to the socket, well-behaved only when asked to be."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]
        await self.raw("\r\n".join(lines).encode("latin-1"))

    async def page(
        self, body: bytes = PAGE, *headers: str, status: str = "200 OK", content_type: str = "text/html"
    ) -> None:
        stated = [f"Content-Type: {content_type}"] if content_type else []
        await self.head(status, *stated, *headers, f"Content-Length: {len(body)}")
        await self.raw(body)

    async def redirect(self, location: str, *headers: str, status: str = "302 Found") -> None:
        await self.page(b"", f"Location: {location}", *headers, status=status)

    def reset(self) -> None:
        """Drop the connection with RST instead of an orderly end."""
        sock = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SOL_SOCKET, SO_LINGER: on, 0 s
        self.writer.transport.abort()


Handler = Callable[[Request, Reply], Awaitable[None]]
Certificate = Callable[[Path], ssl.SSLContext]


@dataclass(frozen=True, slots=True)
class Case:
    """One way to misbehave and what a crawl must make of it."""

    host: str
    outcome: Outcome
    handler: Handler
    detail: str = ""
    """Asserted when not empty."""
    flags: frozenset[str] = frozenset()
    """Flags the record must have."""
    tls: Certificate | None = None
    """Makes the certificate it shows on https; None when it speaks no TLS."""
    plain: bool = True

    @property
    def story(self) -> str:
        """What the site does, in the words of its handler."""
        return " ".join((self.handler.__doc__ or "").split())


CASES: dict[str, Case] = {}


def case(
    outcome: Outcome,
    *,
    detail: str = "",
    flags: tuple[str, ...] = (),
    tls: Certificate | None = None,
    plain: bool = True,
) -> Callable[[Handler], Handler]:
    """Register a handler under its name with hyphens, as a host below `.test`."""

    def register(handler: Handler) -> Handler:
        host = handler.__name__.replace("_", "-") + ".test"
        CASES[host] = Case(host, outcome, handler, detail, frozenset(flags), tls, plain)
        return handler

    return register


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A request that is being answered."""

    host: str
    address: str
    writer: asyncio.StreamWriter

    @property
    def is_over(self) -> bool:
        """Whether either side has closed the connection.

        The kernel is asked, because on a busy machine the event loop hears of a client that hung up only
        after it has read the request which that client sent next.
        """
        if self.writer.is_closing():
            return True
        hung_up = select.poll()
        hung_up.register(self.writer.get_extra_info("socket"), select.POLLRDHUP)
        return bool(hung_up.poll(0))


@dataclass(slots=True)
class HostileWeb:
    """The running server. Use it as a context manager; it has its own thread and event loop."""

    http_port: int = 0
    https_port: int = 0
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(host, path) to how often it was asked for."""
    most_at_once: Counter[str] = field(default_factory=Counter)
    """Host to the most requests that were open at the same time."""
    times: dict[str, list[float]] = field(default_factory=dict)
    """Host to when its pages were asked for, robots.txt apart."""
    addresses: tuple[str, ...] = ("127.0.0.1",)
    """Where it listens, at the same port; needed when a test cares who shares an address."""
    most_at_address: Counter[str] = field(default_factory=Counter)
    """Address to the most requests that were open at the same time."""
    folder: Path = Path("/tmp")
    _open: list[_Open] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None

    @property
    def resolve_all_to(self) -> str:
        return f"http=127.0.0.1:{self.http_port},https=127.0.0.1:{self.https_port}"

    def __enter__(self) -> HostileWeb:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10), "the hostile web did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """The server looks at nothing meanwhile, as one that gets no time on a busy machine."""
        assert self._loop is not None
        is_paused, go_on = threading.Event(), threading.Event()

        def pause() -> None:
            is_paused.set()
            go_on.wait(10)

        self._loop.call_soon_threadsafe(pause)
        assert is_paused.wait(10), "the hostile web is busy"
        try:
            yield
        finally:
            go_on.set()

    def _run(self, started: threading.Event) -> None:
        self._loop = loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # peers that hang up are what this server is for
        servers = loop.run_until_complete(self._listen())
        started.set()
        loop.run_forever()
        for server in servers:
            server.close()
        loop.run_until_complete(_ended(asyncio.all_tasks(loop)))
        loop.close()

    async def _listen(self) -> list[asyncio.Server]:
        plain = await self._listen_at(self.addresses[0], 0)
        secure = await asyncio.start_server(
            lambda r, w: self._serve(r, w, True), "127.0.0.1", 0, ssl=self._tls_context(), backlog=512
        )
        self.http_port = plain.sockets[0].getsockname()[1]
        self.https_port = secure.sockets[0].getsockname()[1]
        more = [await self._listen_at(address, self.http_port) for address in self.addresses[1:]]
        return [plain, secure, *more]

    async def _listen_at(self, address: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(lambda r, w: self._serve(r, w, False), address, port, backlog=512)

    def _tls_context(self) -> ssl.SSLContext:
        """Shows each host the certificate of its case; a handshake with any other host fails."""
        context = certificates.good(self.folder)
        made = {case.tls: case.tls(self.folder) for case in CASES.values() if case.tls}

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            known = _case_of(name or "")
            if known is None or known.tls is None:
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
            connection.context = made[known.tls]
            return None

        context.sni_callback = choose
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_tls: bool) -> None:
        broken_off = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.closing(writer), contextlib.suppress(*broken_off):
            request = self._parse(await reader.readuntil(b"\r\n\r\n"), is_tls)
            with self._counted(_Open(request.host, writer.get_extra_info("sockname")[0], writer)):
                answer = asyncio.ensure_future(self._answer(request, Reply(writer)))
                hung_up = asyncio.ensure_future(reader.read(1))
                try:
                    await asyncio.wait({answer, hung_up}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await _ended({answer, hung_up})

    @contextlib.contextmanager
    def _counted(self, request: _Open) -> Iterator[None]:
        self._open = [*(other for other in self._open if not other.is_over), request]
        at_once = sum(other.host == request.host for other in self._open)
        at_address = sum(other.address == request.address for other in self._open)
        self.most_at_once[request.host] = max(self.most_at_once[request.host], at_once)
        self.most_at_address[request.address] = max(self.most_at_address[request.address], at_address)
        try:
            yield
        finally:
            self._open = [other for other in self._open if other is not request]

    def _parse(self, head: bytes, is_tls: bool) -> Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host, path = headers.get("host", "").partition(":")[0], first.split(" ")[1]
        self.requests[host, path] += 1
        if path != "/robots.txt":
            self.times.setdefault(host, []).append(asyncio.get_running_loop().time())
        return Request(host, path, headers, self.requests[host, path], is_tls)

    async def _answer(self, request: Request, reply: Reply) -> None:
        known = _case_of(request.host)
        if re.fullmatch(r"site\d+\.test", request.host) and not request.is_tls:
            await asyncio.sleep(0.1)
            await reply.page()
        elif known is None:
            await reply.page(status="404 Not Found")
        elif not (known.tls if request.is_tls else known.plain):
            reply.reset()
        elif request.path == "/robots.txt" and not known.handler.__name__.startswith("robots"):
            await reply.page(b"", status="404 Not Found")
        else:
            await known.handler(request, reply)


def _case_of(host: str) -> Case | None:
    return CASES.get(host) or CASES.get(host.removeprefix("www."))


async def _ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
