"""A crawl into a disk that is full, a database that is locked, and beside another crawl: nothing is lost."""

from __future__ import annotations

import resource
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from cli.recording import Recorder
from crawler.crawl import CrawlSettings
from fingerprints.model import Outcome
from store.database import Store
from tests.cli.running import Runner
from tests.cli.test_crawl import SITES, Crawling, arguments, here, records, run, web
from tests.store.records import site

__all__ = ["arguments", "here", "run", "web"]  # fixtures

ALL_OK = {f"site{n}.test": "ok" for n in range(SITES)}
LOCKED = "warning: t.db: locked by another program; the crawl waits for it, up to 30 minutes\n"


def test_full_disk_ends_the_crawl_in_one_line_and_the_same_command_goes_on(
    run: Runner, here: Path, arguments: list[str]
) -> None:
    crawling = Crawling(arguments, here)
    crawling.until_stored(3)
    # From now on no write to a file succeeds: what SQLite meets is what a disk without room does.
    resource.prlimit(crawling.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    ran = crawling.end()
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == (
        "technograph: t.db: the disk reports an error or is full; check it and run the same command again"
    )
    assert 3 <= len(records(here)) < SITES
    assert run(*arguments).code == 0
    assert records(here) == ALL_OK


class Lock(threading.Thread):
    """Another program that locks the database in the middle of the crawl, until it is complained about."""

    def __init__(self, folder: Path, *, for_ever: bool = False) -> None:
        super().__init__()
        self._folder = folder
        self._log = folder / "t.crawl-1.log"
        self._for_ever = for_ever
        self._released = threading.Event()

    def run(self) -> None:
        self._until('"event":"site"')
        other = sqlite3.connect(self._folder / "t.db", isolation_level=None, timeout=60)
        other.execute("BEGIN IMMEDIATE")
        if self._for_ever:
            self._released.wait(60)
        else:
            self._until("locked by another program")
        other.execute("ROLLBACK")
        other.close()

    def release(self) -> None:
        self._released.set()
        self.join()

    def _until(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while not (self._log.exists() and text in self._log.read_text()):
            assert time.monotonic() < deadline, f"the log never said {text}"
            time.sleep(0.005)


def test_crawl_waits_for_a_locked_database_and_says_so(
    run: Runner, here: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.opening.BUSY_TIMEOUT_S", 0.1)
    lock = Lock(here)
    lock.start()
    ran = run(*arguments)
    lock.join()
    assert ran.code == 0
    assert LOCKED in ran.err
    assert records(here) == ALL_OK


def test_crawl_gives_up_a_database_that_stays_locked_and_the_same_command_goes_on(
    run: Runner, here: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.opening.BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr("cli.patience.PATIENCE_S", 0.3)
    lock = Lock(here, for_ever=True)
    lock.start()
    ran = run(*arguments, "--quiet")
    lock.release()
    assert ran.code == 1
    assert ran.err.splitlines()[-1] == (
        "technograph: t.db: in use by another program; wait for it to end, or give another --db"
    )
    assert len(records(here)) < SITES
    assert run(*arguments).code == 0
    assert records(here) == ALL_OK


def test_second_crawl_into_the_same_database_is_refused_and_does_no_harm(
    run: Runner, here: Path, arguments: list[str]
) -> None:
    first = Crawling(arguments, here)
    first.until_stored(1)
    first.process.send_signal(signal.SIGSTOP)
    refused = run(*arguments)
    first.process.send_signal(signal.SIGCONT)
    assert refused.code == 1
    assert refused.err == (
        "technograph: t.db: another crawl is under way into it; wait for it to end, or give another --db\n"
    )
    assert first.end().code == 0
    assert records(here) == ALL_OK


def test_time_until_stops_the_crawl_and_the_same_command_goes_on(
    run: Runner, here: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as at_once:
        at_once.setattr("cli.crawl.seconds_until", lambda clock, now: 0.0)
        stopped = run(*arguments, "--until", "07:00")
    assert stopped.code == 3
    assert "  run the same command again to go on where it stopped" in stopped.err
    assert len(records(here)) < SITES
    assert run(*arguments, "--until", "07:00").code == 0
    assert records(here) == ALL_OK


def test_record_that_cannot_be_stored_costs_its_site_and_not_the_crawl(tmp_path: Path) -> None:
    twice = site("twice.example", "shopify", "shopify")
    with (
        Store.open(tmp_path / "t.db") as store,
        Recorder.begin(store, "list.txt", CrawlSettings(), "r", fresh=False) as recorder,
    ):
        recorder.save([site("acme.com", "shopify"), twice, site("beta.com", "klaviyo")])
        spoilt = store.record("twice.example")
        assert store.outcomes(recorder.crawl.id) == {"ok": 2, "internal_error": 1}
        assert recorder.outcomes == {Outcome.OK: 2, Outcome.INTERNAL_ERROR: 1}
    assert spoilt is not None
    assert spoilt.detail.startswith("its record cannot be stored: IntegrityError: UNIQUE constraint failed")
