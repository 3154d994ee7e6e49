"""One crawl over the whole hostile web; every site must end as its case states."""

from __future__ import annotations

import resource
import time
from collections import Counter
from dataclasses import dataclass

import pytest

from crawler.crawl import CrawlSettings, crawl
from crawler.items import Target
from fingerprints.model import Outcome, PageKind, Record
from tests.hostile import CASES, HostileWeb


@dataclass
class Crawled:
    web: HostileWeb
    records: list[Record]
    seconds: float

    def __getitem__(self, domain: str) -> Record:
        return next(record for record in self.records if record.domain == domain)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("hostile")
    records: list[Record] = []
    with HostileWeb(folder=folder) as web:
        settings = CrawlSettings(
            workers=2,
            delay_s=0.05,
            page_timeout_s=6,  # several times what a busy machine needs for a healthy page
            target_timeout_s=20,
            allow_private=True,
            resolve_all_to=web.resolve_all_to,
            log_path=folder / "workers.log",
        )
        domains = [*CASES, "no-such-name.invalid"]
        began = time.monotonic()
        crawl((Target(d, f"https://{d}/", id=f"id-{d}") for d in domains), records.append, settings)
        return Crawled(web, records, time.monotonic() - began)


def test_every_target_has_exactly_one_record(crawled: Crawled) -> None:
    assert Counter(record.domain for record in crawled.records) == Counter([*CASES, "no-such-name.invalid"])


@pytest.mark.parametrize("domain", CASES)
def test_site_ends_with_its_stated_outcome(crawled: Crawled, domain: str) -> None:
    case, record = CASES[domain], crawled[domain]
    assert record.outcome is case.outcome, record.detail
    assert not case.detail or record.detail == case.detail
    assert case.flags <= set(record.flags)
    assert record.id == f"id-{domain}"


@pytest.mark.parametrize(
    "domain", [d for d, case in CASES.items() if case.outcome in (Outcome.OK, Outcome.PARTIAL)]
)
def test_tools_are_found_on_every_page_that_was_read(crawled: Crawled, domain: str) -> None:
    assert crawled[domain].detection("google-tag-manager") is not None


@pytest.mark.parametrize("domain", [d for d, case in CASES.items() if not case.outcome.is_assessable])
def test_nothing_is_absent_on_a_site_that_was_not_read(crawled: Crawled, domain: str) -> None:
    assert not [a for a in crawled[domain].assessments if a.state != "unknown"]


def test_name_that_does_not_exist_is_a_dns_error(crawled: Crawled) -> None:
    assert crawled["no-such-name.invalid"].outcome is Outcome.DNS_ERROR


def test_hostile_sites_do_not_hold_up_the_crawl(crawled: Crawled) -> None:
    assert crawled.seconds < 60


def test_hostile_sites_do_not_fill_the_memory(crawled: Crawled) -> None:
    workers_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert workers_mb < 600


def test_one_site_never_has_two_requests_at_a_time(crawled: Crawled) -> None:
    assert {host: n for host, n in crawled.web.most_at_once.items() if n > 1} == {}


def test_each_page_is_asked_for_once(crawled: Crawled) -> None:
    twice = {"slow-down-once.test", "always-too-many.test", "needs-its-cookie.test"}
    rungs = {"redirect-loop.test", "refresh-loop.test", "robots-goes-round-in-circles.test"}
    asked = {host for (host, _), count in crawled.web.requests.items() if count > 1 and host in CASES}
    assert asked <= twice | rungs


def test_dead_robots_txt_ends_the_visit_without_a_second_try(crawled: Crawled) -> None:
    assert crawled.web.requests["robots-hangs.test", "/robots.txt"] == 1


def test_offsite_redirect_is_recorded_and_not_followed(crawled: Crawled) -> None:
    assert crawled["moved-away.test"].redirected_to == "https://plain-only.test/welcome"
    assert ("plain-only.test", "/welcome") not in crawled.web.requests


def test_further_pages_are_chosen_for_what_they_show(crawled: Crawled) -> None:
    kinds = [page.kind for page in crawled["shop.test"].pages]
    assert kinds == [PageKind.HOME, PageKind.PRODUCT, PageKind.CART, PageKind.PRICING]


def test_forbidden_page_makes_room_for_another(crawled: Crawled) -> None:
    pages = crawled["robots-forbids-the-cart.test"].pages
    assert [page.kind for page in pages if page.outcome is Outcome.OK] == [
        PageKind.HOME,
        PageKind.PRODUCT,
        PageKind.PRICING,
        PageKind.CONTACT,
    ]
