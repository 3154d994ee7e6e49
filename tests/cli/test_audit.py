from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.comparison import Comparison, present
from fingerprints.assess import measured_detectability
from store.database import Store
from tests.cli.running import Runner
from tests.pipelines.test_containers import crawled, web
from tests.store.records import filled, site, taxonomy

__all__ = ["web"]

FETCHED = [
    site("a.com", "shopify", "klaviyo"),
    site("b.com", "shopify", absent_in=("email_marketing",)),
    site("c.com", "shopify", unknown_in=("email_marketing",)),
    site("only-fetched.com", "shopify"),
]
SEEN = [replace(site(domain, "shopify", "klaviyo"), rendered=True) for domain in ("a.com", "b.com", "c.com")]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TECHNOGRAPH_DB", "t.db")
    filled(tmp_path / "t.db", FETCHED).close()
    return Runner(monkeypatch, capsys)


def seen(run: Runner) -> None:
    with Store.open("t.db") as store:
        crawl = store.begin_crawl(
            source="again",
            settings_hash="r",
            ruleset="1",
            tool_version="1",
            config={},
            started_at="2026-11-22T07:00:00Z",
            fresh=True,
        )
        store.save(crawl.id, SEEN)


def test_share_found_without_a_browser_has_its_interval(run):
    seen(run)
    ran = run("audit", "--format", "csv")
    assert ran.out == (
        "category,known,found,unknown,absent,share,low,high,missed\n"
        "ecommerce_platform,3,3,0,0,1.0,0.438,1.0,\n"
        "email_marketing,3,1,1,1,0.333,0.061,0.792,klaviyo 2\n"
    )
    assert ran.err == "3 sites; of 6 tools by category, 1 would wrongly be called absent\n"


def test_sites_crawled_one_way_only_say_how_to_go_on(run):
    ran = run("audit")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err == "t.db: no site was crawled both ways; crawl the list again with --render always\n"


def test_table_has_only_categories_with_enough_sites(run):
    seen(run)
    table = json.loads(run("audit", "--write", "-").out)
    assert (table["sites"], table["categories"]) == (3, {})
    assert table["too_few"] == {"ecommerce_platform": 3, "email_marketing": 3}


def test_next_crawl_trusts_absences_as_far_as_the_audit_goes(run, monkeypatch, web):
    with Store.open("t.db") as store:
        for domain in ("d.com", "e.com", "f.com", "g.com"):
            pair = (site(domain, "shopify"), replace(site(domain, "shopify", "klaviyo"), rendered=True))
            for settings, record in zip(("plain", "seen"), pair, strict=True):
                crawl = store.begin_crawl(
                    source=domain,
                    settings_hash=settings,
                    ruleset="1",
                    tool_version="1",
                    config={},
                    started_at="2026-11-22T07:00:00Z",
                    fresh=True,
                )
                store.save(crawl.id, [record])
    seen(run)
    before = crawled(web, "one.example")["one.example"].assessment("email_marketing")
    ran = run("audit", "--write", "ours.json", "--format", "csv")
    assert "TECHNOGRAPH_DETECTABILITY=ours.json" in ran.err
    row = json.loads(Path("ours.json").read_text())["categories"]["email_marketing"]
    assert (row["found"], row["known"], row["share"]) == (1, 7, 0.222)
    monkeypatch.setenv("TECHNOGRAPH_DETECTABILITY", "ours.json")
    after = crawled(web, "one.example")["one.example"].assessment("email_marketing")
    assert (before.state, before.confidence) == ("absent", 0.692)
    assert (after.state, after.confidence) == ("absent", 0.222)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "no detectability table; `technograph audit --write FILE` makes one"),
        ('{"classes": {}, "categories": {"cms": {"share": 1.5}}}', "cms: share 1.5 is not between 0 and 1"),
    ],
)
def test_what_is_no_table_ends_the_crawl_before_it_begins(run, monkeypatch, text, problem):
    measured_detectability.cache_clear()
    Path("ours.json").write_text(text)
    Path("list.txt").write_text("acme.com\n")
    monkeypatch.setenv("TECHNOGRAPH_DETECTABILITY", "ours.json")
    ran = run("crawl", "list.txt")
    assert (ran.code, ran.err) == (2, f"technograph: ours.json: {problem}\n")


def test_few_sites_never_make_a_certain_share():
    compared = Comparison()
    for _ in range(8):
        record = site("a.com", "klaviyo")
        compared.add(record, present(record))
    table = compared.table(taxonomy(), source="s", measured="2026-11-22")
    row = {"share": 0.9, "found": 8, "known": 8, "low": 0.676, "high": 1.0}
    assert table["categories"]["email_marketing"] == table["classes"]["H"] == row
