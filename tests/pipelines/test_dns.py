"""DNS against a real name server on this machine, with its failures."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

import pytest

from crawler.items import SiteItem, Target
from fingerprints.model import Observation, Outcome
from pipelines.dns import DnsPipeline

TYPES = {"NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16}
SERVFAIL, NXDOMAIN = 2, 3


def encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(kind: str, value: str) -> bytes:
    match kind:
        case "MX":
            priority, name = value.split()
            return struct.pack(">H", int(priority)) + encoded(name)
        case "TXT":
            parts = value.split("|")
            return b"".join(bytes([len(part)]) + part.encode() for part in parts)
        case "SOA":
            return encoded(value) + encoded(f"hostmaster.{value}") + struct.pack(">IIIII", 1, 2, 3, 4, 5)
        case _:
            return encoded(value)


@dataclass
class Zone(asyncio.DatagramProtocol):
    """Answers from a table; a question that is not in it has no record; `broken` ones fail or hang."""

    records: dict[tuple[str, str], list[str]]
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += data[at] + 1
        name, number = ".".join(labels).lower(), struct.unpack(">H", data[at + 1 : at + 3])[0]
        kind = next(key for key, value in TYPES.items() if value == number)
        trouble = self.broken.get((name, kind))
        if trouble == "silent":
            return
        values = [record(kind, value) for value in self.records.get((name, kind), ())]
        flags = 0x8180 | (SERVFAIL if trouble else 0)
        head = data[:2] + struct.pack(">HHHHH", flags, 1, len(values), 0, 0) + data[12 : at + 5]
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", number, 1, 60, len(v)) + v for v in values)
        assert self.transport is not None
        self.transport.sendto(head + body, addr)


def looked_up(zone: Zone, outcome: Outcome = Outcome.OK, *, pages: int = 1) -> SiteItem:
    async def run() -> SiteItem:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: zone, local_addr=("127.0.0.1", 0))
        zone.transport = transport
        port = transport.get_extra_info("sockname")[1]
        pipeline = DnsPipeline(name_servers=[f"127.0.0.1:{port}"], timeout_s=1.0, sub_domains=["help"])
        observations = tuple(Observation(url="https://www.acme.com/") for _ in range(pages))
        item = SiteItem(Target("acme.com", "https://acme.com/"), outcome, observations=observations)
        try:
            return await pipeline.process_item(item)
        finally:
            await pipeline.close_spider()
            transport.close()

    return asyncio.run(run())


def test_records_of_a_site_are_added_to_its_first_page() -> None:
    zone = Zone(
        {
            ("acme.com", "MX"): ["1 ASPMX.L.GOOGLE.com", "5 alt1.aspmx.l.google.com"],
            ("acme.com", "TXT"): ["v=spf1 include:spf.|mail.io -all"],
            ("_dmarc.acme.com", "TXT"): ["v=DMARC1; p=none; rua=mailto:x@reports.io"],
            ("acme.com", "NS"): ["kate.ns.cloudflare.com"],
            ("acme.com", "SOA"): ["kate.ns.cloudflare.com"],
            ("www.acme.com", "CNAME"): ["shops.myshopify.com"],
            ("help.acme.com", "CNAME"): ["acme.zendesk.com"],
        }
    )
    item = looked_up(zone, pages=2)
    assert item.dns_ok is True
    assert item.observations[0].dns == {
        "MX": ("1 aspmx.l.google.com", "5 alt1.aspmx.l.google.com"),
        "TXT": ("v=spf1 include:spf.mail.io -all", "v=DMARC1; p=none; rua=mailto:x@reports.io"),
        "NS": ("kate.ns.cloudflare.com",),
        "SOA": ("kate.ns.cloudflare.com hostmaster.kate.ns.cloudflare.com",),
        "CNAME": ("shops.myshopify.com",),
        "CNAME:www": ("shops.myshopify.com",),
        "CNAME:help": ("acme.zendesk.com",),
    }
    assert item.observations[1].dns is None


def test_no_record_is_an_answer() -> None:
    item = looked_up(Zone({}))
    assert item.dns_ok is True
    assert item.observations[0].dns == {}


@pytest.mark.parametrize("trouble", ["fails", "silent"])
def test_lookup_that_fails_is_not_a_missing_record(trouble: str) -> None:
    zone = Zone({("acme.com", "MX"): ["1 mx.acme.com"]}, {("acme.com", "TXT"): trouble})
    item = looked_up(zone)
    assert item.dns_ok is False
    assert item.observations[0].dns == {"MX": ("1 mx.acme.com",)}


def test_site_that_was_not_read_is_not_looked_up() -> None:
    assert looked_up(Zone({}), Outcome.BLOCKED, pages=0).dns_ok is None
