"""No connection is ever opened to an address the policy refuses: counted at the socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crawler.crawl import CrawlSettings, crawl
from crawler.items import Target
from fingerprints.model import Outcome, Record
from tests.nameserver import NameServer

NAMES: dict[str, list[str] | None] = {
    "loopback.com": ["127.0.0.1"],
    "mapped.com": ["::ffff:127.0.0.1"],
    "www.mapped.com": ["::ffff:127.0.0.1"],
}


@dataclass
class PrivateWeb:
    """A web server and a name server on this machine, which a crawl of the internet must not reach."""

    port: int = 0
    name_server: str = ""
    connections: list[str] = field(default_factory=list)

    def serve(self, ready: threading.Event, ended: threading.Event) -> None:
        asyncio.run(self._serve(ready, ended))

    async def _serve(self, ready: threading.Event, ended: threading.Event) -> None:
        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections.append(str(writer.get_extra_info("peername")))
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        async with server, NameServer(NAMES) as names:
            self.port = server.sockets[0].getsockname()[1]
            self.name_server = names.address
            ready.set()
            await asyncio.to_thread(ended.wait)


@pytest.fixture
def private_web() -> Iterator[PrivateWeb]:
    web, ready, ended = PrivateWeb(), threading.Event(), threading.Event()
    thread = threading.Thread(target=web.serve, args=(ready, ended), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield web
    ended.set()
    thread.join(10)


def test_refused_addresses_are_never_connected_to(private_web: PrivateWeb, tmp_path: Path) -> None:
    port = private_web.port
    targets = [
        Target("loopback.com", f"http://loopback.com:{port}/"),
        Target("mapped.com", f"http://mapped.com:{port}/"),
        Target("127.0.0.1", f"http://127.0.0.1:{port}/"),
        Target("2130706433", f"http://2130706433:{port}/"),
        Target("0x7f000001", f"http://0x7f000001:{port}/"),
    ]
    settings = CrawlSettings(
        workers=1, name_servers=(private_web.name_server,), log_path=tmp_path / "workers.log"
    )
    records: list[Record] = []
    crawl(targets, records.extend, settings)
    assert {r.domain: r.outcome for r in records} == {
        target.domain: Outcome.REFUSED_PRIVATE_ADDRESS for target in targets
    }
    assert private_web.connections == []
