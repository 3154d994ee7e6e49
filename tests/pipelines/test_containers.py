"""Tag containers fetched in a real crawl: once each, whatever number of sites names them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crawler.protocol import READY, STATS, record_from_line
from fingerprints.model import Record

GTM = 'var data = {"resource": {"tags": [{"function": "__hjtc"}], "macros": []}};'
MATOMO = "(function(){var x='https://static.hotjar.com/c/hotjar-1234567.js';})();" + " " * 400
SHOP = (
    "<title>Shop</title><p>"
    + "Mugs and bowls. " * 60
    + "</p><a href='/cart'>Cart</a><script>load('GTM-SHARED')</script>"
)
PAGES = {
    ("one.example", "/"): SHOP,
    ("two.example", "/"): SHOP,
    ("lost.example", "/"): SHOP.replace("SHARED", "GONE42"),
    ("matomo.example", "/"): SHOP.replace(
        "load('GTM-SHARED')", "g.src='http://matomo.example/stats/js/container_Ab12Cd34.js'"
    ),
    ("matomo.example", "/stats/js/container_Ab12Cd34.js"): MATOMO,
    ("www.googletagmanager.com", "/gtm.js?id=GTM-SHARED"): GTM,
}


class Web(ThreadingHTTPServer):
    """Sites by Host header; counts what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[tuple[str, str]] = Counter()


class Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        place = (self.headers["Host"].partition(":")[0], self.path)
        self.server.asked[place] += 1
        body = PAGES.get(place)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/javascript")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def worker_output(web: Web, *hosts: str, **settings: object) -> str:
    """What one crawling process writes, as a crawl starts it."""
    given = {
        "TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES": True,
        "TECHNOGRAPH_RESOLVE_ALL_TO": f"http=127.0.0.1:{web.server_address[1]}",
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": 1,
        "LOG_LEVEL": "ERROR",
        **settings,
    }
    lines = "".join(json.dumps({"domain": h, "url": f"http://{h}/"}) + "\n" for h in hosts)
    command = [sys.executable, "-m", "crawler.worker", json.dumps(given)]
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout


def crawled(web: Web, *hosts: str, **settings: object) -> dict[str, Record]:
    """The records of the sites."""
    output = worker_output(web, *hosts, **settings)
    lines = [line for line in output.encode().splitlines() if not line.startswith((READY.strip(), STATS))]
    records = [record_from_line(line)[0] for line in lines]
    return {record.domain: record for record in records}


def test_container_is_fetched_once_for_all_sites_that_name_it(web: Web) -> None:
    records = crawled(web, "one.example", "two.example")
    assert [r.containers_parsed for r in records.values()] == [("gtm:GTM-SHARED",)] * 2
    assert all(r.detection("hotjar") for r in records.values())
    assert web.asked["www.googletagmanager.com", "/gtm.js?id=GTM-SHARED"] == 1


def test_missing_container_stays_unread(web: Web) -> None:
    record = crawled(web, "lost.example")["lost.example"]
    assert (record.containers_found, record.containers_parsed) == (("gtm:GTM-GONE42",), ())
    chat = record.assessment("live_chat")
    assert chat is not None
    assert chat.missing == ("container:GTM-GONE42",)


def test_matomo_container_on_the_sites_own_host_is_read(web: Web) -> None:
    record = crawled(web, "matomo.example")["matomo.example"]
    assert record.containers_parsed == ("matomo:matomo.example/stats/js/container_Ab12Cd34",)
    assert record.detection("hotjar")


def test_containers_can_be_left_alone(web: Web) -> None:
    record = crawled(web, "one.example", TECHNOGRAPH_CONTAINERS=False)["one.example"]
    assert record.containers_parsed == ()
    assert not [place for place in web.asked if place[0] == "www.googletagmanager.com"]
