from __future__ import annotations

import json

import pytest

from store.database import Store
from tests.cli.running import Runner
from tests.cli.world import runner


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    return runner(monkeypatch, capsys, tmp_path)


def test_categories_with_their_denominators(run):
    assert run("stats", "--format", "csv").out == (
        "category,label,present,absent,unknown,present_pct\n"
        "cms,Cms,1,0,5,100.0\n"
        "ecommerce_platform,Ecommerce platform,3,1,2,75.0\n"
        "reviews,Reviews,1,2,3,33.3\n"
    )


def test_technologies_of_a_category_by_platform(run):
    assert run("stats", "reviews", "--by", "platform", "--format", "csv").out == (
        "platform,technology,name,sites,usage_pct,share_pct,assessed\n"
        "shopify,judge-me,Judge.me,1,50.0,100.0,2\n"
    )
    assert run("stats", "reviews", "--format", "csv").out == (
        "technology,name,sites,usage_pct,share_pct,assessed\njudge-me,Judge.me,1,33.3,100.0,3\n"
    )


def test_category_nobody_uses_says_so(run):
    ran = run("stats", "email-marketing")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "email_marketing: no site in t.db is known to use anything of it\n"


def test_unknown_category_gets_the_nearest(run):
    ran = run("stats", "revews")
    assert (ran.code, ran.err) == (
        2,
        "technograph: unknown category 'revews'; did you mean 'reviews'?\n",
    )


def test_by_platform_needs_a_category(run):
    ran = run("stats", "--by", "platform")
    assert ran.code == 2
    assert "--by platform needs a category, as in: technograph stats reviews --by platform" in ran.err


def test_runs_are_listed_newest_first(run):
    with Store.open("t.db") as store:
        store.begin_crawl(
            source="more.csv",
            settings_hash="s",
            ruleset="r2",
            tool_version="0.2.0",
            config={},
            started_at="2026-12-01T01:00:00Z",
        )
    rows = [json.loads(line) for line in run("runs").out.splitlines()]
    assert rows == [
        {
            "crawl": 2,
            "started_at": "2026-12-01T01:00:00Z",
            "finished_at": None,
            "source": "more.csv",
            "records": 0,
            "read": 0,
            "outcomes": {},
            "ruleset": "r2",
            "tool_version": "0.2.0",
        },
        {
            "crawl": 1,
            "started_at": "2026-11-22T01:00:00Z",
            "finished_at": "2026-11-22T03:00:00Z",
            "source": "prospects.csv",
            "records": 6,
            "read": 5,
            "outcomes": {"ok": 5, "timeout": 1},
            "ruleset": "2026.11.1+3f9c2a7b",
            "tool_version": "0.1.0",
        },
    ]
