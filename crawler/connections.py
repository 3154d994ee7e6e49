"""Connections to sites: opened to addresses the resolver has let through, kept a moment for the next page."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence
from typing import cast

from scrapy.exceptions import DownloadConnectionRefusedError, DownloadFailedError
from twisted.internet.error import ConnectBindError, ConnectionLost, NoRouteError

from crawler.addresses import IP
from crawler.http1 import Answer, ParseError
from crawler.resolver import Endpoint

IDLE_S = 2.0
"""Long enough for the next page of the same site, short enough that 4,000 sites do not hold 4,000 sockets."""

LAST_MOMENT_S = 0.2
"""Before the end of a request's time, to take what has come."""

_NO_SOCKET = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})
_BROKEN_OFF = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)

Place = tuple[str, str, int]
"""Scheme, host and port."""


class Connection(asyncio.Protocol):
    """One connection; carries one request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self.certificate: bytes | None = None
        """The site's, in DER; None for plain http."""
        self._answer: Answer | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._slow_after_s = self._ends_s = 0.0
        self._slow_timer: asyncio.TimerHandle | None = None

    async def ask(self, request: bytes, answer: Answer, slow_after_s: float, ends_s: float) -> Answer:
        """Send the request and take its answer.

        A body that is not there `slow_after_s` after its head is cut, and in any case shortly before
        `ends_s` of the loop's clock: when the request is given up, what had come would be lost.

        Raises ParseError, and ConnectionLost or its like when the connection ends before the head is complete.
        """
        self._answer, self._waiting = answer, asyncio.get_running_loop().create_future()
        self._slow_after_s, self._ends_s = slow_after_s, ends_s
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            self._answer = self._waiting = None
            if self._slow_timer is not None:
                self._slow_timer.cancel()
                self._slow_timer = None
            if not answer.leaves_open:
                self.close()

    def close(self) -> None:
        """End it at once: nothing that could still come is wanted."""
        self.is_open = False
        self._transport.abort()

    # -- what asyncio calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self.is_open = True
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        self.certificate = tls.getpeercert(binary_form=True) if tls is not None else None

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:  # more than the answer: not to be taken for the next one's
            self.close()
            return
        try:
            answer.feed(data)
        except ParseError as exc:
            self._end(exc)
            return
        if answer.is_done:
            self._end(None)
        elif answer.status and self._slow_timer is None:
            loop = asyncio.get_running_loop()
            cut_s = min(loop.time() + self._slow_after_s, self._ends_s - LAST_MOMENT_S)
            self._slow_timer = loop.call_at(cut_s, self._stop_waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is None:
            return
        self._answer.end(in_order=exc is None)
        self._end(None if self._answer.is_done else explained(exc) if exc else ConnectionLost())

    def _stop_waiting(self) -> None:
        self._slow_timer = None
        if self._answer is not None and self._answer.body:  # else nothing has come: that is a time-out
            self._answer.stop()
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        answer, waiting = self._answer, self._waiting
        self._answer = None
        if answer is None or waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(answer)
        else:
            waiting.set_exception(error)


class Connections:
    """Opens connections and keeps the last one of each place, for the site it was used for, while it is idle."""

    def __init__(self, connect_timeout_s: float) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._idle: dict[str, dict[Place, tuple[Connection, asyncio.TimerHandle]]] = {}
        self._tls = _tls_context()

    def idle(self, site: str, place: Place) -> Connection | None:
        """The open connection that the site's last request to this place has left, no longer idle."""
        places = self._idle.get(site)
        if not places or place not in places:
            return None
        connection, timer = places.pop(place)
        timer.cancel()
        if not places:
            del self._idle[site]
        return connection if connection.is_open else None

    def keep(self, site: str, place: Place, connection: Connection) -> None:
        """Let the site's next request to this place have the connection, if there is one soon."""
        self._drop(site, place)
        timer = asyncio.get_running_loop().call_later(IDLE_S, self._drop, site, place)
        self._idle.setdefault(site, {})[place] = connection, timer

    def forget(self, site: str) -> None:
        """Close what is idle of a site that is done: each connection holds half a megabyte."""
        for place in list(self._idle.get(site, ())):
            self._drop(site, place)

    async def open(self, place: Place, endpoints: Sequence[Endpoint]) -> Connection:
        """A connection to the first of the endpoints that takes one; for https after the handshake.

        Raises TimeoutError, DownloadConnectionRefusedError, or what else stood in the way of the last one.
        """
        scheme, host, _ = place
        tls = self._tls if scheme == "https" else None
        for endpoint in endpoints[:-1]:
            try:
                return await self._connect(endpoint, host, tls)
            except (DownloadConnectionRefusedError, NoRouteError, TimeoutError):
                continue
        return await self._connect(endpoints[-1], host, tls)

    def close(self) -> None:
        for site in list(self._idle):
            self.forget(site)

    async def _connect(self, endpoint: Endpoint, host: str, tls: ssl.SSLContext | None) -> Connection:
        address, port = endpoint
        loop = asyncio.get_running_loop()
        sock = _socket_for(address)
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await loop.sock_connect(sock, (str(address), port))
            name = host.rstrip(".") if tls is not None else None
            _, connection = await loop.create_connection(Connection, sock=sock, ssl=tls, server_hostname=name)
        except BaseException as exc:
            sock.close()
            if isinstance(exc, (OSError, ValueError)) and not isinstance(exc, TimeoutError):
                raise explained(exc) from exc  # ValueError: a name that TLS cannot state
            raise
        return connection

    def _drop(self, site: str, place: Place) -> None:
        connection = self.idle(site, place)
        if connection is not None:
            connection.close()


def _socket_for(address: IP) -> socket.socket:
    try:
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    except OSError as exc:
        raise explained(exc) from exc
    sock.setblocking(False)
    return sock


def explained(error: Exception) -> Exception:
    """What an error of the socket means, in the words of crawler/outcomes.py."""
    if isinstance(error, ConnectionRefusedError):
        return DownloadConnectionRefusedError(str(error))
    if isinstance(error, _BROKEN_OFF) and not isinstance(error, ssl.SSLError):
        return ConnectionLost(str(error))
    if isinstance(error, OSError) and error.errno in _NO_SOCKET:
        return ConnectBindError(error.errno, str(error))  # type: ignore[no-untyped-call]
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return NoRouteError(error.errno, str(error))  # type: ignore[no-untyped-call]
    return DownloadFailedError(str(error))


def _tls_context() -> ssl.SSLContext:
    """One for all sites. Certificates are looked at (crawler/certificates.py), not believed or refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # keys that are too short to be trusted can be read
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF | _LEGACY_SERVER_CONNECT
    context.set_alpn_protocols(["http/1.1"])
    return context


_LEGACY_SERVER_CONNECT = 0x4
"""OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT, which the ssl module names from Python 3.12 on."""
