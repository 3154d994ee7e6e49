"""The browser's only way out: a forward proxy on this machine that connects where the crawl may connect.

A page's scripts may ask for anything, redirects included, and a browser looks names up by itself. Behind
this proxy it cannot: each connection is resolved by the crawl's own resolver, which refuses private
addresses, and goes to exactly the address that was checked. What the browser wants on its own account
(updates, sign-in, form filling) ends here too: only hosts that an open page asked for are looked up at all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

MAX_HEAD_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0
ASKED_WITHIN_S = 1.0
"""A connection may come in before the browser has told which page it is for."""
_HOP_HEADERS = (b"proxy-", b"connection:", b"keep-alive:")

Endpoints = Callable[[str, int], Awaitable[Sequence[tuple[Any, int]]]]
"""Where to connect for a host and port; raises for what must not or cannot be reached."""


class Egress:
    """An HTTP proxy on a free port of 127.0.0.1."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._pages: list[set[str]] = []
        self.url = ""
        """Where it listens, once started."""
        self.refused = 0
        """Connections that were not made: private, unknown or dead hosts, and what no page asked for."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @contextmanager
    def page(self) -> Iterator[set[str]]:
        """The hosts that may be reached because of one page, while it is open; to be filled as it asks."""
        asked: set[str] = set()
        self._pages.append(asked)
        try:
            yield asked
        finally:
            self._pages = [page for page in self._pages if page is not asked]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # either side has gone
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        try:
            host, port, forwarded = parse_head(head)
            await self._until_asked(host)
            far_reader, far_writer = await self._connect(host, port)
        except Exception:  # noqa: BLE001 - whatever the reason, the browser gets the same refusal
            self.refused += 1
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        if forwarded is None:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            far_writer.write(forwarded)
        try:
            await _pipe_both(reader, writer, far_reader, far_writer)
        finally:
            far_writer.close()

    async def _until_asked(self, host: str) -> None:
        """Returns when an open page has asked for the host; raises TimeoutError when none does."""
        async with asyncio.timeout(ASKED_WITHIN_S):
            while not any(host in asked for asked in self._pages):  # noqa: ASYNC110 - nearly always asked by now
                await asyncio.sleep(0.02)

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The first of the permitted addresses that answers."""
        error: OSError = ConnectionError(f"{host}: no address")
        for address, real_port in await self._endpoints(host, port):
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    return await asyncio.open_connection(str(address), real_port)
            except OSError as exc:  # includes TimeoutError
                error = exc
        raise error


def parse_head(head: bytes) -> tuple[str, int, bytes | None]:
    """Host, port, and the head to send on for plain http; None instead of it for a tunnel.

    Raises ValueError for anything else.

    >>> parse_head(b"GET http://acme.com/a?b HTTP/1.1\\r\\nHost: acme.com\\r\\nProxy-Connection: x\\r\\n\\r\\n")
    ('acme.com', 80, b'GET /a?b HTTP/1.1\\r\\nHost: acme.com\\r\\nConnection: close\\r\\n\\r\\n')
    """
    request, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, version = request.decode("latin-1").split(" ")
    parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
    if not parts.hostname or (method != "CONNECT" and parts.scheme != "http"):
        raise ValueError(f"not a proxy request: {request!r}")
    if method == "CONNECT":
        return parts.hostname, parts.port or 443, None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # One request a connection: the next one may be for another host.
    kept = [line for line in fields if not line.lower().startswith(_HOP_HEADERS)]
    lines = [f"{method} {path} {version}".encode("latin-1"), *kept, b"Connection: close", b"", b""]
    return parts.hostname, parts.port or 80, b"\r\n".join(lines)


async def _pipe_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Copy in both directions until the far side has sent all it will."""
    up = asyncio.ensure_future(_pipe(reader, far_writer))
    try:
        await _pipe(far_reader, writer)
    finally:
        up.cancel()
        await asyncio.gather(up, return_exceptions=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
