"""`technograph rules`: the categories, and `unknown-hosts` over a crawl of small sites and over a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.demo_sites import DemoSite, Expectation, Reply
from cli.demo_web import DemoWeb
from fingerprints.model import Outcome
from tests.cli.running import Ran, Runner

NEW_TOOL = "https://cdn.widgetworks.example/loader.js"
PIXEL = "https://px.adworks.example/1.gif"
KLAVIYO = "https://static.klaviyo.com/onsite/js/AbC123/klaviyo.js?company_id=AbC123"
PAGE = f"""<!doctype html><title>Acme</title><h1>Acme makes anvils</h1>{"<p>Forged by hand.</p>" * 40}
<script src="{NEW_TOOL}"></script><script src="{KLAVIYO}"></script><img src="{PIXEL}">
<a href="https://friend.example/">a friend of ours</a>"""
HOSTS = ("anvils.example", "bellows.example", "chisels.example")


def small_site(host: str) -> DemoSite:
    html = Reply(200, (("Content-Type", "text/html"),), PAGE.encode())
    return DemoSite(host, host, True, "", Expectation(Outcome.OK), {(host, "/"): html})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    monkeypatch.chdir(tmp_path)
    return Runner(monkeypatch, capsys)


@pytest.fixture
def crawled(run: Runner) -> Runner:
    """The command line, in a folder with a crawl of three sites in `t.db`."""
    Path("list.txt").write_text("\n".join(HOSTS))
    with DemoWeb(map(small_site, HOSTS)) as web:
        where = ["--allow-private", "--resolve-all-to", f"127.0.0.1:{web.port}"]
        ran = run("crawl", "list.txt", "--db", "t.db", "--workers", 1, "--delay", 0, *where)
    assert ran.code == 0, ran.err
    return run


def listed(ran: Ran) -> list[dict[str, object]]:
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def test_script_that_three_crawled_sites_load_and_no_rule_knows_is_listed(crawled: Runner) -> None:
    ran = crawled("rules", "unknown-hosts", "--db", "t.db")
    assert listed(ran) == [{"host": "cdn.widgetworks.example", "domains": 3, "example": "anvils.example"}]
    assert ran.err == "2 third-party hosts on 3 or more domains; a rule claims 1 (50.0%)\n"
    assert listed(crawled("rules", "unknown-hosts", "1", "--db", "t.db")) == listed(ran)


def test_all_kinds_lists_pixels_but_never_links(crawled: Runner) -> None:
    ran = crawled("rules", "unknown-hosts", "--all-kinds", "--db", "t.db")
    assert [row["host"] for row in listed(ran)] == ["cdn.widgetworks.example", "px.adworks.example"]


def test_crawl_that_does_not_exist_is_named(crawled: Runner) -> None:
    ran = crawled("rules", "unknown-hosts", "17", "--db", "t.db")
    assert (ran.code, ran.err) == (2, "technograph: t.db: no crawl 17; `technograph runs` lists them\n")


def test_pages_in_a_file_give_the_same_hosts_with_a_url_each(run: Runner) -> None:
    pages = [{"domain": host, "url": f"https://{host}/", "html": PAGE} for host in HOSTS]
    Path("pages.jsonl").write_text("\n".join(map(json.dumps, pages)))
    ran = run("rules", "unknown-hosts", "pages.jsonl")
    assert listed(ran) == [{"host": "cdn.widgetworks.example", "domains": 3, "example": NEW_TOOL}]
    assert ran.err == "2 third-party hosts on 3 or more domains; a rule claims 1 (50.0%)\n"


def test_categories_are_counted_with_their_numbers_elsewhere(run: Runner) -> None:
    ran = run("rules", "categories")
    rows = {row["category"]: row for row in listed(ran)}
    assert len(rows) == 77
    assert rows["reviews"]["wappalyzer"] == [90]
    assert rows["tax"]["technologies"] == 0
    assert re.fullmatch(r"\d+ technologies in \d+ of 77 categories\n", ran.err)
