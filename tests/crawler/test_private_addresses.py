"""No connection is ever opened to an address the policy refuses: watched at the sockets of the worker.

The worker takes 127.0.0.2 for the public internet; everything else on this machine, and every network that
a crawl must not reach, is refused as it is outside of tests.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crawler.crawl import CrawlSettings, crawl
from crawler.items import Target
from fingerprints.model import Outcome, Record
from tests.crawler.sockets import OUTSIDE
from tests.hostile.names import NOWHERE, REBINDING, REFUSED, SPELLINGS
from tests.nameserver import Names, serving

ROOT = Path(__file__).parents[2]


@dataclass
class Web:
    """A server outside, whose sites redirect to the inside, and one inside, which nobody must reach."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Hosts that requests came for."""
    inside: int = 0
    """Connections to this machine's own address."""

    def serve(self, ready: threading.Event, ended: threading.Event) -> None:
        asyncio.run(self._serve(ready, ended))

    async def _serve(self, ready: threading.Event, ended: threading.Event) -> None:
        outside = await asyncio.start_server(self._redirect, OUTSIDE, 0)
        self.port = outside.sockets[0].getsockname()[1]
        inside = await asyncio.start_server(self._count, "127.0.0.1", self.port)
        async with outside, inside:
            ready.set()
            await asyncio.to_thread(ended.wait)

    async def _redirect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        host = head.partition("\r\nHost: ")[2].partition("\r\n")[0].partition(":")[0]
        self.asked.append(host)
        spelling = SPELLINGS.get(host.removeprefix("to-").removesuffix(".com"))
        onward = f"http://{spelling or f'inside.{host}'}:{self.port}/"
        status = "404 Not Found" if head.startswith("GET /robots.txt") else f"302 Found\r\nLocation: {onward}"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async def _count(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.inside += 1
        writer.close()


@dataclass
class Crawled:
    web: Web
    records: dict[str, Record]
    connected_to: set[str]


def names() -> Names:
    """Every site's addresses."""
    table: dict[str, list[str] | list[list[str]] | None] = {**REBINDING, **NOWHERE}
    for what, address in REFUSED.items():
        table |= {f"{what}.com": [address], f"to-{what}.com": [OUTSIDE], f"inside.to-{what}.com": [address]}
    return table | {f"to-{spelling}.com": [OUTSIDE] for spelling in SPELLINGS}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("private")
    web, ready, ended = Web(), threading.Event(), threading.Event()
    thread = threading.Thread(target=web.serve, args=(ready, ended), daemon=True)
    thread.start()
    assert ready.wait(10)
    with serving(names()) as name_server, pytest.MonkeyPatch.context() as patch:
        settings = CrawlSettings(
            workers=1, dns=False, name_servers=(name_server.address,), log_path=folder / "workers.log"
        )
        watched = settings.scrapy_settings() | {"EXTENSIONS": {"tests.crawler.sockets.WatchedConnections": 1}}
        patch.setattr(CrawlSettings, "scrapy_settings", lambda _: watched)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("CONNECTIONS_LOG", str(folder / "connections"))
        hosts = [host for host in names() if not host.startswith("inside.")]
        hosts += [*SPELLINGS.values(), "no-such-name.com"]
        records: list[Record] = []
        crawl(
            (Target(host, f"http://{host}:{web.port}/") for host in dict.fromkeys(hosts)),
            records.extend,
            settings,
        )
    ended.set()
    thread.join(10)
    lines = (folder / "connections").read_text().splitlines()
    connected_to = {json.loads(line)[0] for line in lines}
    return Crawled(web, {record.domain: record for record in records}, connected_to)


def test_only_the_outside_is_connected_to(crawled: Crawled) -> None:
    assert crawled.connected_to == {OUTSIDE}
    assert crawled.web.inside == 0


def test_no_name_of_the_inside_is_asked_for_a_page(crawled: Crawled) -> None:
    assert {f"to-{what}.com" for what in REFUSED} <= set(crawled.web.asked)
    assert not [host for host in crawled.web.asked if host.startswith("inside.")]


@pytest.mark.parametrize("what", REFUSED)
def test_site_at_a_refused_address_is_not_visited(crawled: Crawled, what: str) -> None:
    assert crawled.records[f"{what}.com"].outcome is Outcome.REFUSED_PRIVATE_ADDRESS


@pytest.mark.parametrize("what", REFUSED)
def test_redirect_to_a_name_that_leads_inside_ends_the_visit(crawled: Crawled, what: str) -> None:
    record = crawled.records[f"to-{what}.com"]
    assert record.outcome is Outcome.REFUSED_PRIVATE_ADDRESS
    assert record.detail.startswith(f"inside.to-{what}.com leads to ")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_redirect_to_this_machine_is_not_followed_however_it_is_spelled(
    crawled: Crawled, spelling: str
) -> None:
    assert crawled.records[f"to-{spelling}.com"].outcome is Outcome.REDIRECTED_OFFSITE


@pytest.mark.parametrize("address", SPELLINGS.values())
def test_address_of_this_machine_in_the_list_is_refused_however_it_is_spelled(
    crawled: Crawled, address: str
) -> None:
    assert crawled.records[address].outcome is Outcome.REFUSED_PRIVATE_ADDRESS


def test_name_that_leads_inside_the_second_time_is_refused_then(crawled: Crawled) -> None:
    assert crawled.records["rebinds.com"].outcome is Outcome.REFUSED_PRIVATE_ADDRESS


@pytest.mark.parametrize("host", [*NOWHERE, "no-such-name.com"])
def test_name_that_leads_nowhere_is_a_dns_error(crawled: Crawled, host: str) -> None:
    assert crawled.records[host].outcome is Outcome.DNS_ERROR
