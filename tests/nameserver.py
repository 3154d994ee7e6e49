"""A DNS server of our own on 127.0.0.1: answers from a table, counts, and can stay silent."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Self

Names = Mapping[str, Sequence[str] | Sequence[Sequence[str]] | None]

A, AAAA = 1, 28
NXDOMAIN = 3


class NameServer(asyncio.DatagramProtocol):
    """`names` holds a name's addresses; a list of lists gives the first answer first, then the next.

    Names that are not in the table do not exist; an empty list is a name without addresses, None a
    server that never answers. Use it as an async context manager.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.queries: Counter[str] = Counter()
        self._asked: Counter[tuple[str, int]] = Counter()
        self.address = ""
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self._transport.get_extra_info("sockname")[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        name, kind, question = _question(data)
        self.queries[name] += 1
        addresses = self._answer_to(name, kind)
        if addresses is None:
            return
        exists = addresses != ["nxdomain"]
        records = [ip_address(a) for a in addresses] if exists else []
        wanted = [a for a in records if (a.version == 4) == (kind == A)] if kind in (A, AAAA) else []
        flags = 0x8180 | (0 if exists else NXDOMAIN)
        head = data[:2] + struct.pack(">HHHHH", flags, 1, len(wanted), 0, 0)
        body = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(a.packed)) + a.packed for a in wanted
        )
        self._transport.sendto(head + question + body, addr)

    def _answer_to(self, name: str, kind: int) -> Sequence[str] | None:
        answers = self.names.get(name, ["nxdomain"])
        self._asked[name, kind] += 1
        if answers and not isinstance(answers[0], str):
            return answers[min(self._asked[name, kind], len(answers)) - 1]
        return answers  # type: ignore[return-value]


@contextlib.contextmanager
def serving(names: Names) -> Iterator[NameServer]:
    """A name server in a thread of its own."""
    server, ready, ended = NameServer(names), threading.Event(), threading.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10), "the name server did not start"
    yield server
    ended.set()
    thread.join(10)


def _question(data: bytes) -> tuple[str, int, bytes]:
    """Name, record type and the raw question section of a query."""
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii"))
        at += 1 + data[at]
    return ".".join(labels).lower(), struct.unpack(">H", data[at + 1 : at + 3])[0], data[12 : at + 5]
