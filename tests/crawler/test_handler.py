"""Connections that are kept, closed and stalled by a real server."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest

from crawler.crawl import CrawlSettings, crawl
from crawler.items import Target
from fingerprints.model import Outcome, Record
from tests.hostile.web import PAGE


@dataclass
class KeepingWeb:
    """Keeps connections open, unless the host's name says otherwise."""

    port: int = 0
    connections: Counter[str] = field(default_factory=Counter)

    def serve(self, ready: threading.Event, ended: threading.Event) -> None:
        asyncio.run(self._serve(ready, ended))

    async def _serve(self, ready: threading.Event, ended: threading.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            ready.set()
            await asyncio.to_thread(ended.wait)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered = 0
        while head := (await _head(reader)):
            path, host = head.split()[1], head.partition("Host: ")[2].split()[0]
            self.connections[host] += not answered
            if host == "closes-idle.test" and answered:
                break
            writer.write(_answer(host, path))
            answered += 1
        writer.close()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


def _answer(host: str, path: str) -> bytes:
    if path == "/robots.txt":
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    length = 900_000 if host == "stalls.test" else len(PAGE)
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n".encode() + PAGE


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeepingWeb, dict[str, Record]]:
    web, ready, ended = KeepingWeb(), threading.Event(), threading.Event()
    thread = threading.Thread(target=web.serve, args=(ready, ended), daemon=True)
    thread.start()
    assert ready.wait(10)
    settings = CrawlSettings(
        workers=1,
        page_timeout_s=4,
        containers=False,
        allow_private=True,
        resolve_all_to=f"http=127.0.0.1:{web.port}",
        log_path=tmp_path_factory.mktemp("log") / "workers.log",
    )
    records: list[Record] = []
    hosts = ("keeps.test", "closes-idle.test", "stalls.test")
    crawl((Target(host, f"https://{host}/") for host in hosts), records.extend, settings)
    ended.set()
    thread.join(10)
    return web, {record.domain: record for record in records}


def test_robots_txt_and_page_share_a_connection(crawled: tuple[KeepingWeb, dict[str, Record]]) -> None:
    web, records = crawled
    assert records["keeps.test"].outcome is Outcome.OK
    assert web.connections["keeps.test"] == 1


def test_page_is_asked_for_again_where_the_server_had_closed(
    crawled: tuple[KeepingWeb, dict[str, Record]],
) -> None:
    web, records = crawled
    assert records["closes-idle.test"].outcome is Outcome.OK
    assert web.connections["closes-idle.test"] == 2


def test_page_that_stalls_is_kept_as_far_as_it_came(crawled: tuple[KeepingWeb, dict[str, Record]]) -> None:
    record = crawled[1]["stalls.test"]
    assert (record.outcome, "body_cut" in record.flags) == (Outcome.PARTIAL, True)
    assert record.detection("google-tag-manager") is not None
