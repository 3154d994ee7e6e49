"""A DNS server of our own on 127.0.0.1: answers from a table, counts, and can stay silent."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from ipaddress import ip_address
from typing import Self

A, AAAA = 1, 28
NXDOMAIN = 3


class NameServer(asyncio.DatagramProtocol):
    """`names` holds a name's addresses; a list of lists gives the first answer first, then the next.

    Names that are not in the table do not exist; an empty list is a name without addresses, None a
    server that never answers. Use it as an async context manager.
    """

    def __init__(self, names: dict[str, list[str] | None]) -> None:
        self.names = names
        self.queries: Counter[str] = Counter()
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
        addresses = self.names.get(name, ["nxdomain"])
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


def _question(data: bytes) -> tuple[str, int, bytes]:
    """Name, record type and the raw question section of a query."""
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii"))
        at += 1 + data[at]
    return ".".join(labels).lower(), struct.unpack(">H", data[at + 1 : at + 3])[0], data[12 : at + 5]
