"""`technograph crawl` as its user runs it: a list, a web that misbehaves, interruptions, and again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.crawl import seconds_until
from store.database import Store
from store.queries import crawls
from tests.cli.running import Ran, Runner
from tests.hostile import HostileWeb
from tests.processes import children, is_running

SITES = 16
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileWeb]:
    with HostileWeb(folder=tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(monkeypatch, capsys)


@pytest.fixture
def arguments(web: HostileWeb, tmp_path: Path) -> list[str]:
    """The command for the list and the database in `tmp_path`, pointed at the hostile web."""
    words = ["crawl", "list.txt", "--db", "t.db", "--workers", "1", "--concurrency", "3", "--delay", "0"]
    return [*words, "--timeout", "15", "--allow-private", "--resolve-all-to", f"127.0.0.1:{web.http_port}"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("".join(f"site{n}.test\n" for n in range(SITES)))
    return tmp_path


def records(folder: Path) -> dict[str, str]:
    """Domain to outcome over all crawls of the database; fails on a second record or a damaged file."""
    with Store.open(folder / "t.db", create=False) as store:
        rows = list(
            store.db.query(
                "SELECT site.domain, record.outcome FROM record JOIN site ON site.id = record.site_id"
            )
        )
        assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(rows) == len({row["domain"] for row in rows})
    return {row["domain"]: row["outcome"] for row in rows}


def test_every_line_of_the_list_is_accounted_for(run: Runner, here: Path, arguments: list[str]) -> None:
    (here / "list.txt").write_text(
        "site1.test\nHTTP://WWW.Site1.test/\nshop.test\nfoo bar\ngone.invalid\nforbidden.test\n"
    )
    (here / "no.txt").write_text("shop.test\n")
    ran = run(*arguments, "--suppress", "no.txt")
    assert ran.code == 0
    assert ran.out == ""
    assert records(here) == {
        "site1.test": "ok",
        "shop.test": "suppressed",
        "gone.invalid": "dns_error",
        "forbidden.test": "blocked",
    }
    lines = ran.err.splitlines()
    assert re.fullmatch(r"done after \d+ s: 4 targets have a record", lines[0])
    assert lines[1] == "  outcomes     blocked 1, dns_error 1, ok 1, suppressed 1"
    assert lines[2] == "  list         lines 6, duplicates 1, rejected 1, suppressed 1"
    assert lines[3] == "  rejected     line 4: 'foo bar': not a domain name; all of them are in rejected.csv"
    assert "  most used    google-tag-manager 1" in lines
    assert lines[-2:] == [
        "  technograph find 'tech:shopify AND lacks:reviews' --db t.db",
        "  technograph score data/icp/dtc-reviews.yaml --db t.db",
    ]


def test_suppressed_site_is_never_asked_for_anything(
    run: Runner, here: Path, web: HostileWeb, arguments: list[str]
) -> None:
    (here / "list.txt").write_text("plain-only.test\nsite2.test\n")
    (here / "no.txt").write_text("plain-only.test\n")
    run(*arguments, "--suppress", "no.txt", "--quiet")
    assert not [host for host, _ in web.requests if "plain-only" in host]


def test_log_has_one_line_a_domain(run: Runner, here: Path, web: HostileWeb, arguments: list[str]) -> None:
    (here / "list.txt").write_text("site1.test\ngone.invalid\n")
    asked_before = sum(count for (host, _), count in web.requests.items() if host == "site1.test")
    run(*arguments, "--quiet")
    asked = sum(count for (host, _), count in web.requests.items() if host == "site1.test")
    lines = [json.loads(line) for line in (here / "t.crawl-1.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["started", "site", "site", "finished"]
    assert lines[0]["text"].startswith("technograph crawl list.txt --db t.db ")
    sites = {line["domain"]: line for line in lines[1:3]}
    gone, read = sites["gone.invalid"], sites["site1.test"]
    assert (gone["outcome"], gone["reason"]) == ("dns_error", "the name does not resolve")
    assert (read["outcome"], read["pages"], read["technologies"]) == ("ok", 1, 1)
    assert read["bytes"] > 0
    assert read["requests"] > asked - asked_before > 0  # those by https never reach a page of this web
    assert 0 < read["ms"] < 15_000


def test_same_command_goes_on_and_starts_anew_when_all_is_done(
    run: Runner, here: Path, arguments: list[str]
) -> None:
    first = run(*arguments, "--limit", "4")
    assert (first.code, len(records(here))) == (0, 4)
    assert "  run the same command again to go on where it stopped" in first.err
    second = run(*arguments)
    assert (second.code, len(records(here))) == (0, SITES)
    assert second.err.startswith("resuming: 4 targets are done and will be skipped\n")
    third = run(*arguments, "--limit", "1")
    assert "resuming" not in third.err
    with Store.open(here / "t.db") as store:
        assert [row["records"] for row in crawls(store)] == [1, SITES]


def test_page_about_the_crawl_is_written_when_it_ends_and_when_it_is_stopped(
    run: Runner, here: Path, arguments: list[str]
) -> None:
    first = run(*arguments, "--limit", "4", "--report", "night.html")
    assert "  report       night.html" in first.err.splitlines()
    page = (here / "night.html").read_text()
    assert "not finished" in page
    assert "4 targets have a record" in page
    assert "technograph crawl list.txt --db t.db" in page
    run(*arguments, "--report", "night.html", "--quiet")
    page = (here / "night.html").read_text()
    assert ">finished<" in page
    assert f"{SITES} targets have a record" in page
    with Store.open(here / "t.db") as store:
        assert {record.address for record in store.records()} == {"127.0.0.1"}


def test_early_word_when_everything_fails_the_same_way(run: Runner, here: Path, arguments: list[str]) -> None:
    (here / "list.txt").write_text("".join(f"gone{n}.invalid\n" for n in range(25)))
    ran = run(*arguments)
    # Records come in batches, so the twentieth may bring the next ones with it.
    [(failed, recent)] = re.findall(
        r"^warning: (\d+) of the last (\d+) sites ended as dns_error: no name resolves; "
        r"is this machine online, and does its DNS resolver answer\?$",
        ran.err,
        re.MULTILINE,
    )
    assert 20 <= int(failed) == int(recent) <= 25
    log = [json.loads(line) for line in (here / "t.crawl-1.log").read_text().splitlines()]
    [warning] = [line["text"] for line in log if line["event"] == "warning"]
    assert f"warning: {warning}" in ran.err.splitlines()


def test_large_crawl_without_a_contact_is_warned_about(run: Runner, here: Path, arguments: list[str]) -> None:
    (here / "list.txt").write_text("site1.test\n" * 1001)
    warning = "warning: no --contact URL; owners of so many sites should be able to find out who is asking\n"
    assert run(*arguments).err.startswith(warning)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["crawl", "none.txt"], "none.txt"),
        (
            ["crawl", "list.txt", "--until", "soon"],
            "technograph: --until 'soon': expected a time of day as 07:00",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(
    run: Runner, here: Path, words: list[str], message: str
) -> None:
    ran = run(*words, "--db", "t.db")
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_time_until_is_counted_on_the_local_clock() -> None:
    now = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert seconds_until("07:00", now) == 7.5 * 3600
    assert seconds_until("23:45", now) == 15 * 60


def test_night_in_which_summer_time_ends_is_an_hour_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as in_berlin:
        in_berlin.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        assert seconds_until("07:00", datetime(2026, 10, 24, 23, 0)) == 9 * 3600
        assert seconds_until("07:00", datetime(2026, 10, 25, 23, 0)) == 8 * 3600
    time.tzset()


# -- interrupted from outside ------------------------------------------------------------------------------


class Crawling:
    """A crawl in a process of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments], cwd=folder, stderr=subprocess.PIPE, text=True
        )

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline, "the crawl did not get there"
            assert self.process.poll() is None, "the crawl ended too soon"
            time.sleep(0.01)

    def until_stored(self, count: int) -> None:
        log = self.folder / "t.crawl-1.log"
        self.until(lambda: log.exists() and log.read_bytes().count(b'"event":"site"') >= count)

    def workers(self) -> list[int]:
        return children(self.process.pid, "crawler.worker")

    def end(self) -> Ran:
        _, err = self.process.communicate(timeout=60)
        return Ran(self.process.returncode, "", err)


def test_crawl_killed_at_any_moment_goes_on_without_a_second_record(
    run: Runner, here: Path, arguments: list[str]
) -> None:
    for stored in (0, 3, 9):
        crawling = Crawling([*arguments, "--workers", "2"], here)
        crawling.until(lambda crawling=crawling: len(crawling.workers()) == 2)
        crawling.until_stored(stored)
        workers = crawling.workers()
        crawling.process.kill()
        crawling.end()
        deadline = time.monotonic() + 10
        while any(is_running(worker) for worker in workers):
            assert time.monotonic() < deadline, "a worker outlived its parent"
            time.sleep(0.01)
    assert run(*arguments).code == 0
    assert records(here) == {f"site{n}.test": "ok" for n in range(SITES)}
    log = [json.loads(line) for line in (here / "t.crawl-1.log").read_text().splitlines()]
    assert sorted(line["domain"] for line in log if line["event"] == "site") == sorted(records(here))
    starts = [line["event"] for line in log if line["event"] in ("started", "resumed", "finished")]
    assert starts == ["started", "resumed", "resumed", "resumed", "finished"]


def test_sigterm_stops_cleanly_and_the_same_command_goes_on(
    run: Runner, here: Path, arguments: list[str]
) -> None:
    crawling = Crawling(arguments, here)
    crawling.until_stored(3)
    crawling.process.send_signal(signal.SIGTERM)
    ran = crawling.end()
    assert ran.code == 3
    assert "stopping: sites under way are finished first; press Ctrl-C again to stop now" in ran.err
    assert "  run the same command again to go on where it stopped" in ran.err
    stopped_at = len(records(here))
    assert 3 <= stopped_at < SITES
    assert run(*arguments).err.startswith(f"resuming: {stopped_at} targets are done and will be skipped\n")
    assert len(records(here)) == SITES


def test_second_signal_stops_at_once(here: Path, arguments: list[str]) -> None:
    (here / "list.txt").write_text("site1.test\n" + "silent.test\nslow-header.test\nrobots-hangs.test\n")
    crawling = Crawling(arguments, here)
    crawling.until_stored(1)
    crawling.process.send_signal(signal.SIGINT)
    assert crawling.process.stderr is not None
    assert any(line.startswith("stopping: ") for line in crawling.process.stderr)
    began = time.monotonic()
    crawling.process.send_signal(signal.SIGINT)
    assert crawling.end().code == 3
    assert time.monotonic() - began < 5


# -- as a Scrapy project -----------------------------------------------------------------------------------


def scrapy_crawl(folder: Path, web: HostileWeb, settings: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Records by domain and the log of `scrapy crawl site` over the list in the folder."""
    chosen = {
        "TECHNOGRAPH_RESOLVE_ALL_TO": f"127.0.0.1:{web.http_port}",
        "TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES": "1",
        "TECHNOGRAPH_PAGES": "2",
        "DOWNLOAD_DELAY": "0",
    }
    command = [
        sys.executable,
        "-m",
        "scrapy",
        "crawl",
        "site",
        "-a",
        "targets=list.txt",
        "-O",
        "records.jsonl",
    ]
    for name, value in (chosen | settings).items():
        command += ["-s", f"{name}={value}"]
    environment = os.environ | {"SCRAPY_SETTINGS_MODULE": "crawler.settings", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=90)
    assert ran.returncode == 0, ran.stderr
    lines = (folder / "records.jsonl").read_text().splitlines()
    found = {line["domain"]: line for line in map(json.loads, lines)}
    assert len(found) == len(lines)
    return found, ran.stderr


def test_scrapy_crawl_writes_records_as_any_feed(here: Path, web: HostileWeb) -> None:
    (here / "list.txt").write_text("site1.test\nshop.test\ngone.invalid\n")
    found, log = scrapy_crawl(here, web, {"TECHNOGRAPH_DB": "t.db"})
    outcomes = {domain: line["outcome"] for domain, line in found.items()}
    assert outcomes == {"site1.test": "ok", "shop.test": "ok", "gone.invalid": "dns_error"}
    assert [t["slug"] for t in found["site1.test"]["technologies"]] == ["google-tag-manager"]
    assert records(here) == outcomes
    assert "'technograph/outcome/ok': 2" in log


def test_site_that_some_component_loses_still_gets_its_record(here: Path, web: HostileWeb) -> None:
    (here / "list.txt").write_text("site1.test\nshop.test\n")
    loses = json.dumps({"tests.crawler.fatal.LosesOneSite": 500})
    found, _ = scrapy_crawl(here, web, {"SPIDER_MIDDLEWARES": loses})
    assert found["site1.test"]["outcome"] == "ok"
    assert found["shop.test"]["outcome"] == "internal_error"
    assert found["shop.test"]["detail"] == "RuntimeError: a request was lost inside the crawler"
