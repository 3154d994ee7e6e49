"""Many processes, one list: whatever dies, every target gets exactly one record."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from crawler.crawl import Control, CrawlSettings, crawl
from crawler.items import Target
from crawler.process import WorkerError
from crawler.settings import ITEM_PIPELINES
from fingerprints.model import Outcome, Record
from tests.hostile import HostileWeb
from tests.processes import children

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileWeb]:
    with HostileWeb(folder=tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture
def settings(web: HostileWeb, tmp_path: Path) -> CrawlSettings:
    return CrawlSettings(
        workers=2,
        concurrency=4,
        delay_s=0,
        pages=1,
        allow_private=True,
        resolve_all_to=web.resolve_all_to,
        log_path=tmp_path / "workers.log",
    )


def sites(count: int) -> list[Target]:
    return [Target(f"site{n}.test", f"https://site{n}.test/") for n in range(count)]


def domains(records: list[Record]) -> Counter[str]:
    return Counter(record.domain for record in records)


def test_workers_share_the_list(settings: CrawlSettings) -> None:
    records: list[Record] = []
    assert crawl(sites(24), records.extend, settings)
    assert domains(records) == Counter(target.domain for target in sites(24))
    assert {record.outcome for record in records} == {Outcome.OK}


def test_targets_of_a_killed_worker_are_done_again(settings: CrawlSettings) -> None:
    records: list[Record] = []

    def sink(new: Sequence[Record]) -> None:
        for record in new:
            records.append(record)
            if len(records) in (3, 9):
                os.kill(children(os.getpid(), "crawler.worker")[0], signal.SIGKILL)

    control = Control()
    crawl(sites(24), sink, settings, control=control)
    assert domains(records) == Counter(target.domain for target in sites(24))
    assert {record.outcome for record in records} == {Outcome.OK}
    assert control.stats["requests/sites"] == 24  # those of the killed workers included, none twice
    assert control.stats["requests/all"] == sum(record.requests or 0 for record in records)


def test_targets_do_not_queue_behind_a_worker_that_makes_no_progress(settings: CrawlSettings) -> None:
    records: list[Record] = []
    asleep: list[int] = []

    def sink(new: Sequence[Record]) -> None:
        records.extend(new)
        if not asleep:
            asleep.append(children(os.getpid(), "crawler.worker")[0])
            os.kill(asleep[0], signal.SIGSTOP)
        elif len(records) >= 24 - settings.concurrency:  # all but what it had begun
            with suppress(ProcessLookupError):  # it may have been given up, or have ended since
                os.kill(asleep[0], signal.SIGCONT)

    crawl(sites(24), sink, settings)
    assert domains(records) == Counter(target.domain for target in sites(24))


def test_target_that_kills_its_workers_costs_no_other_site(
    settings: CrawlSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    fatal = settings.scrapy_settings() | {"EXTENSIONS": {"tests.crawler.fatal.DiesAtOneSite": 1}}
    monkeypatch.setattr(CrawlSettings, "scrapy_settings", lambda _: fatal)
    records: list[Record] = []
    crawl([*sites(8), Target("killer.test", "https://killer.test/", id="k1")], records.extend, settings)
    outcomes = {record.domain: record.outcome for record in records}
    assert domains(records)["killer.test"] == 1
    assert outcomes.pop("killer.test") is Outcome.INTERNAL_ERROR
    assert outcomes == {target.domain: Outcome.OK for target in sites(8)}
    killer = next(record for record in records if record.domain == "killer.test")
    assert (killer.id, killer.detail) == ("k1", "3 crawling processes died while they read this site")


def test_worker_that_sends_no_record_is_replaced_and_its_site_gets_its_outcome(
    settings: CrawlSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    spoiling = {"ITEM_PIPELINES": ITEM_PIPELINES | {"tests.crawler.fatal.SpoilsTwoRecords": 950}}
    changed = settings.scrapy_settings() | spoiling
    monkeypatch.setattr(CrawlSettings, "scrapy_settings", lambda _: changed)
    records: list[Record] = []
    spoiled = [Target("shop.test", "https://shop.test/"), Target("store.test", "https://store.test/")]
    crawl([*sites(8), *spoiled], records.extend, settings)
    outcomes = {record.domain: record.outcome for record in records}
    for target in spoiled:
        assert outcomes.pop(target.domain) is Outcome.INTERNAL_ERROR
    assert outcomes == {target.domain: Outcome.OK for target in sites(8)}


def test_workers_go_on_while_the_sink_is_held_up(settings: CrawlSettings, web: HostileWeb) -> None:
    targets = [Target(f"site{n}.test", f"http://site{n}.test/") for n in range(100, 124)]
    records: list[Record] = []

    def all_are_read() -> bool:
        return all(web.requests[target.domain, "/"] for target in targets)

    def sink(new: Sequence[Record]) -> None:
        deadline = time.monotonic() + 60
        while not all_are_read() and time.monotonic() < deadline:
            time.sleep(0.01)
        records.extend(new)

    crawl(targets, sink, settings)
    assert domains(records) == Counter(target.domain for target in targets)
    assert {record.outcome for record in records} == {Outcome.OK}


def test_worker_that_cannot_start_is_told_with_its_log(settings: CrawlSettings, tmp_path: Path) -> None:
    broken = CrawlSettings(workers=1, rules=(str(tmp_path / "no-such-folder"),), log_path=settings.log_path)
    with pytest.raises(WorkerError, match=r"^crawling processes end as soon as they start; see /"):
        crawl(sites(1), lambda _: None, broken)


def test_failing_sink_ends_the_crawl_and_its_workers(settings: CrawlSettings) -> None:
    def full(_: Sequence[Record]) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        crawl(sites(8), full, settings)
    assert children(os.getpid(), "crawler.worker") == []


def test_stopping_finishes_what_is_under_way_and_begins_nothing_more(settings: CrawlSettings) -> None:
    records: list[Record] = []
    control = Control()

    def sink(new: Sequence[Record]) -> None:
        records.extend(new)
        control.stop()

    assert not crawl(sites(100), sink, settings, control=control)
    assert 1 <= len(records) < 20  # of 100: two workers with four sites each, and what they gave meanwhile


def test_crawl_stopped_before_it_begins_asks_nobody(settings: CrawlSettings) -> None:
    control = Control()
    control.stop()
    assert not crawl(sites(4), lambda _: pytest.fail("a site was crawled"), settings, control=control)


def test_no_targets_is_a_finished_crawl(settings: CrawlSettings) -> None:
    assert crawl([], lambda _: None, settings)
