"""A small web on 127.0.0.1: one server, many host names, told apart by the Host header."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Self

from cli.demo_sites import DemoSite, Reply
from fingerprints.model import InputError

ADDRESS = "127.0.0.1"
DRIP_PARTS = 10
DRIP_PAUSE_S = 0.1
MAX_HEAD_BYTES = 64 * 1024

_NOT_FOUND = Reply(404, (("Content-Type", "text/plain; charset=utf-8"),), b"not part of the demo web\n")


class DemoWeb:
    """Serves the sites from a thread of its own while its `with` block runs.

    Plain http only. Port 0 takes a free one; raises InputError when the port is taken.
    """

    def __init__(self, sites: Iterable[DemoSite], port: int = 0) -> None:
        self.port = port
        self._replies = {place: reply for site in sites for place, reply in site.replies.items()}
        self._behaviours = {host: site.behaviour for site in sites for host, _ in site.replies}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-web", daemon=True)
        self._open: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError as exc:
            self._end_thread()
            raise InputError(
                f"port {self.port} on {ADDRESS} cannot be used: {os.strerror(exc.errno or 0)}"
            ) from exc
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._end_thread()

    def wait(self) -> None:
        """Serve until the process is interrupted; raises KeyboardInterrupt then."""
        threading.Event().wait()  # not the thread: an interrupted join() takes it for ended (Python 3.11)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connected, ADDRESS, self.port, backlog=512)

    async def _close(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has gone, or speaks another language
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        host, path = _asked_for(head)
        if host not in self._behaviours:
            host = host.removeprefix("www.")
        behaviour = self._behaviours.get(host, "")
        if behaviour == "reset":
            _reset(writer)
        elif behaviour == "hang":
            await reader.read()  # until the client gives up
        else:
            reply = self._replies.get((host, path)) or self._replies.get(
                (host, path.partition("?")[0]), _NOT_FOUND
            )
            await _send(writer, reply, drip=behaviour == "drip" and path == "/")


def _asked_for(head: str) -> tuple[str, str]:
    """Host without port and path of a request."""
    request, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path = request.split(" ")[1] if request.count(" ") >= 2 else "/"
    return headers.get("host", "").partition(":")[0].lower(), path


async def _send(writer: asyncio.StreamWriter, reply: Reply, *, drip: bool) -> None:
    fields = [*reply.headers, ("Content-Length", str(len(reply.body))), ("Connection", "close")]
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        *(f"{name}: {value}" for name, value in fields),
        "",
        "",
    ]
    writer.write("\r\n".join(lines).encode("latin-1"))
    size = -(-len(reply.body) // DRIP_PARTS) if drip else max(len(reply.body), 1)
    for start in range(0, len(reply.body), size):
        writer.write(reply.body[start : start + size])
        await writer.drain()
        if drip:
            await asyncio.sleep(DRIP_PAUSE_S)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Drop the connection with RST instead of an orderly end."""
    with contextlib.suppress(OSError):
        linger_0_s = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_0_s)
    writer.transport.abort()
