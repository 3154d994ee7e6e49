"""One crawl over the whole hostile web; every site must end as its case states, and disturb no other."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crawler.crawl import CrawlSettings, crawl
from crawler.items import Target
from fingerprints.model import Outcome, PageKind, Record
from tests.hostile import CASES, HostileWeb
from tests.hostile.__main__ import table
from tests.processes import children, peak_memory_mb

HEALTHY = [f"site{n}.test" for n in range(20)]
TARGET_TIMEOUT_S = 20
MEMORY_MB = 450
"""Of a worker, most of it rules: one that keeps a single bomb would need over 1,000."""


@dataclass
class Crawled:
    web: HostileWeb
    records: list[Record] = field(default_factory=list)
    done_s: dict[str, float] = field(default_factory=dict)
    """When each record came, as the web's own clock tells."""
    peak_mb: float = 0.0
    """Of the worker that had most memory."""

    def keep(self, records: Sequence[Record]) -> None:
        self.records += records
        self.done_s |= {record.domain: time.monotonic() for record in records}
        workers = children(os.getpid(), "crawler.worker")
        self.peak_mb = max(self.peak_mb, 0.0, *(peak_memory_mb(worker) for worker in workers))

    def __getitem__(self, domain: str) -> Record:
        return next(record for record in self.records if record.domain == domain)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("hostile")
    with HostileWeb(folder=folder) as web:
        settings = CrawlSettings(
            workers=2,
            delay_s=0.05,
            concurrency=32,
            page_timeout_s=9,  # several times what a busy machine needs for a healthy page
            target_timeout_s=TARGET_TIMEOUT_S,
            allow_private=True,
            resolve_all_to=web.resolve_all_to,
            log_path=folder / "workers.log",
        )
        domains = [*CASES, *HEALTHY, "no-such-name.invalid"]
        crawled = Crawled(web)
        crawl((Target(d, f"https://{d}/", id=f"id-{d}") for d in domains), crawled.keep, settings)
        return crawled


def test_every_target_has_exactly_one_record(crawled: Crawled) -> None:
    assert Counter(record.domain for record in crawled.records) == Counter(
        [*CASES, *HEALTHY, "no-such-name.invalid"]
    )


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


def test_no_target_takes_longer_than_its_time(crawled: Crawled) -> None:
    took = {
        host: crawled.done_s[host] - min(times)
        for host, times in crawled.web.times.items()
        if host in crawled.done_s
    }
    assert {host: s for host, s in took.items() if s > TARGET_TIMEOUT_S + 5} == {}  # and a busy machine


def test_healthy_sites_among_them_are_read_in_full(crawled: Crawled) -> None:
    healthy = [crawled[domain] for domain in HEALTHY]
    assert {record.outcome for record in healthy} == {Outcome.OK}
    assert all(record.detection("google-tag-manager") for record in healthy)
    assert {record.flags for record in healthy} == {()}


def test_hostile_sites_do_not_fill_the_memory(crawled: Crawled) -> None:
    assert 50 < crawled.peak_mb < MEMORY_MB


def test_table_of_the_documentation_is_that_of_the_cases() -> None:
    page = Path(__file__).parents[2] / "docs" / "hostile-web.md"
    assert page.read_text(encoding="utf-8") == table(), "python -m tests.hostile > docs/hostile-web.md"


def test_one_site_never_has_two_requests_at_a_time(crawled: Crawled) -> None:
    assert {host: n for host, n in crawled.web.most_at_once.items() if n > 1} == {}


def test_each_page_is_asked_for_once(crawled: Crawled) -> None:
    waits = {"slow-down-once.test", "slow-down-until.test", "always-too-many.test", "needs-its-cookie.test"}
    loops = {"redirect-loop.test", "refresh-loop.test", "robots-goes-round-in-circles.test"}
    rungs = {domain for domain, case in CASES.items() if case.tls}  # http and https of one page
    asked = {host for (host, _), count in crawled.web.requests.items() if count > 1 and host in CASES}
    assert asked <= waits | loops | rungs


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
