"""The log of a crawl: whole lines whatever strangers write and whenever the crawl is killed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.crawl_log import CrawlLog, CrawlLogError, log_path
from cli.recording import Recorder
from crawler.crawl import CrawlSettings
from fingerprints.model import Outcome
from store.crawl_events import Event, load_events
from store.database import Store
from tests.store.records import failed, site

HOSTILE = 'a\nforged\r\u2028\x1b]0;owned\x07 \u202e"}{'


def lines(path: Path) -> list[dict[str, object]]:
    text = path.read_text("ascii")
    assert text.isprintable() or set(text) - {"\n"} <= set(map(chr, range(32, 127)))
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "t.crawl-1.log"


def test_line_of_a_target_says_when_what_how_long_and_how_much(path):
    log = CrawlLog(path)
    log.site(replace(site("acme.com", "shopify", "klaviyo"), took_ms=812, requests=6))
    log.site(failed("dead.com"))
    log.close()
    assert lines(path) == [
        {
            "at": "2026-11-22T02:00:00Z",
            "event": "site",
            "domain": "acme.com",
            "outcome": "ok",
            "reason": "",
            "pages": 1,
            "requests": 6,
            "ms": 812,
            "bytes": 5120,
            "platform": "shopify",
            "technologies": 2,
        },
        {
            "at": "2026-11-22T02:00:00Z",
            "event": "site",
            "domain": "dead.com",
            "outcome": "timeout",
            "reason": "no answer within 20 s",
            "pages": 0,
            "requests": None,
            "ms": None,
            "bytes": 0,
            "platform": "",
            "technologies": 0,
        },
    ]
    assert '"outcome":"timeout"' in path.read_text()  # as one greps for it


@pytest.mark.parametrize(
    "record",
    [
        replace(failed("dead.com"), detail=HOSTILE),
        replace(failed("dead.com", Outcome.REDIRECTED_OFFSITE), detail="", redirected_to=HOSTILE),
        replace(failed("dead.com"), detail="\ud800" + HOSTILE * 10_000),
    ],
)
def test_strangers_cannot_write_lines_or_terminal_orders(path, record):
    log = CrawlLog(path)
    log.site(record)
    log.event(Event("2026-11-22T02:00:01Z", "warning", HOSTILE))
    log.close()
    first, second = lines(path)
    assert HOSTILE[:20] in str(first["reason"])
    assert len(str(first["reason"])) <= 300
    assert second["text"] == HOSTILE


def test_half_line_is_cut_off_before_the_log_goes_on(path):
    log = CrawlLog(path)
    log.site(site("acme.com"))
    log.close()
    with path.open("a") as torn:
        torn.write('{"at":"2026-11-22T02:00:00Z","event":"si')
    log = CrawlLog(path)
    log.site(site("beta.com"))
    log.close()
    assert [line["domain"] for line in lines(path)] == ["acme.com", "beta.com"]


def test_log_that_cannot_be_written_is_one_plain_error(tmp_path):
    with pytest.raises(CrawlLogError) as caught:
        CrawlLog(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot write the log: Is a directory"


def begin(store: Store) -> Recorder:
    return Recorder.begin(
        store, "list.txt", CrawlSettings(), "r1", fresh=False, command="technograph crawl list.txt"
    )


def test_log_says_all_that_the_database_knows_after_a_kill_between_the_two(tmp_path):
    domains = ["a.com", "b.com", "c.com", "d.com"]
    with Store.open(tmp_path / "t.db") as store:
        with begin(store) as recorder:
            recorder.save([site(domain) for domain in domains[:2]])
            store.save(recorder.crawl.id, [site("c.com")])  # and here it was killed
        with begin(store) as recorder:
            recorder.save([site("d.com")])
            recorder.finish()
        logged = lines(log_path(store.path, recorder.crawl.id))
        assert [line["domain"] for line in logged if line["event"] == "site"] == domains
        told = [(line["event"], line["text"]) for line in logged if line["event"] != "site"]
        assert told == [
            ("started", "technograph crawl list.txt"),
            ("resumed", "technograph crawl list.txt"),
            ("finished", "4 targets have a record"),
        ]
        assert [(event.kind, event.text) for event in load_events(store, recorder.crawl.id, 10)] == told


def test_log_that_was_thrown_away_is_written_anew_on_resume(tmp_path):
    with Store.open(tmp_path / "t.db") as store:
        with begin(store) as recorder:
            recorder.save([site("a.com"), site("b.com")])
        log_path(store.path, recorder.crawl.id).unlink()
        begin(store).log.close()
        logged = lines(log_path(store.path, recorder.crawl.id))
    assert [line.get("domain") for line in logged] == ["a.com", "b.com", None]


def test_failure_that_ends_a_crawl_is_in_its_log(tmp_path):
    with Store.open(tmp_path / "t.db") as store:
        with pytest.raises(RuntimeError), begin(store) as recorder:
            raise RuntimeError("the disk is gone")
        last = lines(log_path(store.path, recorder.crawl.id))[-1]
    assert (last["event"], last["text"]) == ("stopped", "the disk is gone")
