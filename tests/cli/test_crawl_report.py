"""The page about a crawl: made from any database, safe to open whatever strangers wrote, whole for one site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fingerprints.model import InputError, Outcome, Record
from pipelines.browser import find_chromium
from store.crawl_events import Event, save_events
from store.database import Store
from tests.cli.running import Runner
from tests.store.records import failed, filled, site

HOSTILE = '"><script src=//evil.example/x.js></script><img src=x onerror=alert(1)>\x1b[2J\u202e{{7*7}}\n'
COMMAND = "technograph crawl list.txt --contact https://acme.com/bot"
SITES = [
    replace(site("acme.com", "shopify", absent_in=("reviews",)), took_ms=1_250, requests=5),
    replace(failed("dead.com"), took_ms=20_000, requests=1),
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TECHNOGRAPH_DB", "t.db")
    return Runner(monkeypatch, capsys)


class Page(HTMLParser):
    """What a browser would make of the page: its text, its elements, and everything that could load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def page_of(run: Runner, *records: Record, events: tuple[Event, ...] = ()) -> Page:
    with filled(Path("t.db"), records) as store:
        save_events(store, 1, events)
    ran = run("report", "-o", "-")
    assert (ran.code, ran.err) == (0, "")
    return Page(ran.out)


def test_page_says_what_came_of_the_crawl_and_how_it_was_run(run):
    page = page_of(
        run,
        *SITES,
        events=(
            Event("2026-11-22T01:00:00Z", "started", COMMAND),
            Event("2026-11-22T02:30:00Z", "warning", "the disk is nearly full"),
        ),
    )
    text = " ".join(page.text.split())
    for words in (
        "Crawl 1 finished",
        "Targets 2 the whole list",
        "Read 50% 1 ok or partial",
        "1 warning 22 Nov 2026 02:30:00 the disk is nearly full",
        "no answer within 20 s",
        "dead.com 20.0 s",
        "Requests a site 3.0 6 in all",
        COMMAND,
        "rules 2026.11.1+3f9c2a7b",
    ):
        assert words in text


def test_page_loads_nothing_and_runs_nothing(run):
    page = page_of(run, *SITES)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "a", "form", "base"})
    policy = next(value for name, value in page.attributes if value.startswith("default-src"))
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]


def hostile_records() -> Iterator[Record]:
    yield replace(failed(f"x{HOSTILE}.com"), detail=HOSTILE, took_ms=5, requests=1)
    yield replace(failed("b.com", Outcome.REDIRECTED_OFFSITE), redirected_to=HOSTILE, detail=HOSTILE * 100)
    yield replace(site("c.com", "shopify"), attrs={HOSTILE: HOSTILE}, ruleset=HOSTILE)


def test_what_strangers_wrote_is_only_ever_text(run):
    page = page_of(run, *hostile_records(), events=(Event("2026-11-22T02:30:00Z", "warning", HOSTILE),))
    assert page.tags.isdisjoint({"script", "img"})
    assert "evil.example" in page.text  # shown, as text
    assert "{{7*7}}" in page.text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page.text)
    assert max(map(len, page.text.splitlines())) < 5_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        program = find_chromium()
    except InputError as exc:
        pytest.skip(str(exc))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.parametrize("width", [390, 1200])
def test_browser_shows_a_hostile_page_without_a_request_or_a_sideways_scroll(run, browser, width):
    with filled(Path("t.db"), [*SITES, *hostile_records()]) as store:
        save_events(store, 1, [Event("2026-11-22T02:30:00Z", "warning", "x" * 500)])
    run("report", "-o", "r.html")
    asked, said = [], []
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(Path("r.html").resolve().as_uri())
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.close()
    assert (len(asked), said, wider) == (1, [], 0)


@pytest.mark.parametrize("records", [[], SITES[:1], [failed("dead.com")]], ids=["none", "one", "one failed"])
def test_page_of_hardly_anything_is_whole(run, records):
    page = page_of(run, *records)
    assert ("No target has a record yet" in page.text) is (not records)
    assert "How it was run" in page.text
    assert "nan" not in page.text


def test_any_stored_crawl_has_its_page_the_newest_first(run):
    filled(Path("t.db"), SITES).close()
    ran = run("report")
    assert (ran.code, ran.out, ran.err) == (0, "", "the page about crawl 1 is crawl-1.html\n")
    assert "Crawl 1" in Path("crawl-1.html").read_text()
    ran = run("report", "7")
    assert (ran.code, ran.err) == (2, "technograph: t.db: no crawl 7; `technograph runs` lists them\n")


def test_database_without_a_crawl_says_so(run):
    Store.open("t.db").close()
    ran = run("report")
    assert (ran.code, ran.err) == (2, "technograph: t.db: no crawl yet; `technograph crawl` makes one\n")


def test_page_that_could_not_be_written_in_the_morning_is_refused_in_the_evening(run):
    Path("list.txt").write_text("acme.com\n")
    ran = run("crawl", "list.txt", "--report", "nowhere/night.html")
    assert (ran.code, ran.err) == (
        2,
        "technograph: --report nowhere/night.html: the folder nowhere is not there or cannot be written\n",
    )
