"""Politeness under load: several processes, many sites on one address, and a server that counts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.crawl import CrawlSettings, crawl
from crawler.items import Target
from fingerprints.model import Outcome, Record
from tests.hostile import CASES, HostileWeb
from tests.nameserver import serving

CROWDED, QUIET = "127.0.0.1", "127.0.0.2"
NEIGHBOURS = [f"site{n}.test" for n in range(30)]
ELSEWHERE = [f"site{n}.test" for n in range(100, 106)]
ASKING_FOR_PATIENCE = ["slow-down-once.test", "slow-down-until.test", "robots-asks-for-a-slow-crawl.test"]
BUSY = ["too-many-for-an-hour.test", "maintenance.test"]
PER_ADDRESS = 6
DELAY_S = 0.3
CLOCK_S = 0.05
"""What two clocks and a busy machine may disagree by."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileWeb]:
    with HostileWeb(addresses=(CROWDED, QUIET), folder=tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture(scope="module")
def records(web: HostileWeb, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    crowd = [*NEIGHBOURS, "shop.test", *ASKING_FOR_PATIENCE, *BUSY]
    names = {host: [CROWDED] for host in crowd} | {host: [QUIET] for host in ELSEWHERE}
    found: list[Record] = []
    with serving(names) as name_server:
        settings = CrawlSettings(
            workers=2,
            per_address=PER_ADDRESS,
            delay_s=DELAY_S,
            dns=False,
            containers=False,
            allow_private=True,
            name_servers=(name_server.address,),
            log_path=tmp_path_factory.mktemp("log") / "workers.log",
        )
        crawl((Target(h, f"http://{h}:{web.http_port}/") for h in names), found.extend, settings)
    return {record.domain: record for record in found}


def gaps(web: HostileWeb, host: str) -> list[float]:
    """Seconds between the pages of a site, as its server saw them."""
    return [later - earlier for earlier, later in pairwise(web.times[host])]


def test_sites_that_share_an_address_are_all_read(records: dict[str, Record]) -> None:
    assert {records[host].outcome for host in [*NEIGHBOURS, *ELSEWHERE]} == {Outcome.OK}


def test_address_of_many_sites_never_has_more_requests_than_allowed(
    web: HostileWeb, records: dict[str, Record]
) -> None:
    assert records
    assert 1 < web.most_at_address[CROWDED] <= PER_ADDRESS


def test_site_never_has_two_requests_at_a_time(web: HostileWeb, records: dict[str, Record]) -> None:
    assert {web.most_at_once[host] for host in records} == {1}


def test_pages_of_a_site_keep_their_distance_in_a_crowd(web: HostileWeb, records: dict[str, Record]) -> None:
    assert len(records["shop.test"].pages) == 4
    assert min(gaps(web, "shop.test")) >= DELAY_S - CLOCK_S


@pytest.mark.parametrize("host", ASKING_FOR_PATIENCE)
def test_site_that_asks_for_patience_gets_it(web: HostileWeb, records: dict[str, Record], host: str) -> None:
    assert records[host].outcome is Outcome.OK
    assert min(gaps(web, host)) >= 1 - CLOCK_S


@pytest.mark.parametrize("host", BUSY)
def test_site_that_asks_for_an_hour_is_left_alone_and_says_so(
    web: HostileWeb, records: dict[str, Record], host: str
) -> None:
    assert records[host].outcome is CASES[host].outcome
    assert records[host].detail.endswith("; asked to come back in 3600 s")
    assert gaps(web, host) == []


def test_silent_port_443_leads_to_port_80(
    web: HostileWeb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a firewall that drops https: a full queue of connections drops them, too."""
    with socket.create_server((CROWDED, 0), backlog=0) as silent:
        address = silent.getsockname()
        with socket.create_connection(address):
            settings = CrawlSettings(
                workers=1,
                pages=1,
                allow_private=True,
                resolve_all_to=f"http=127.0.0.1:{web.http_port},https=127.0.0.1:{address[1]}",
                log_path=tmp_path / "workers.log",
            )
            quick = settings.scrapy_settings() | {"TECHNOGRAPH_CONNECT_TIMEOUT": 0.5}
            monkeypatch.setattr(CrawlSettings, "scrapy_settings", lambda _: quick)
            found: list[Record] = []
            crawl([Target("plain-only.test", "https://plain-only.test/")], found.extend, settings)
    assert [(record.outcome, record.url) for record in found] == [(Outcome.OK, "http://plain-only.test/")]


@pytest.mark.parametrize(("per_address", "workers", "share"), [(16, 2, 8), (16, 3, 5), (4, 8, 1), (0, 2, 0)])
def test_processes_divide_what_an_address_gets(per_address: int, workers: int, share: int) -> None:
    assert CrawlSettings(per_address=per_address, workers=workers).per_address_and_process() == share
