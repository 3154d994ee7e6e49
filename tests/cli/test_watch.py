"""Saved queries: only what changed is told, and not knowing is no change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from icp.model import Tier
from store.database import Store
from tests.cli.running import Ran, Runner
from tests.cli.world import NOW, TODAY, runner
from tests.store.records import failed, site
from tests.store.test_scores import SCORE

LATER = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
GAP = "tech:shopify AND lacks:reviews"


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    return runner(monkeypatch, capsys, tmp_path)


def crawl_again(*records) -> None:
    with Store.open("t.db") as store:
        crawl = store.begin_crawl(
            source="again",
            settings_hash="s",
            ruleset="r",
            tool_version="0.1.0",
            config={},
            started_at=LATER,
            fresh=True,
        )
        store.save(crawl.id, records)


def score(domain: str, tier: Tier, points: int | None) -> None:
    with Store.open("t.db") as store:
        store.save_scores([replace(SCORE, domain=domain, tier=tier, score=points)])


def told(ran: Ran) -> list[tuple]:
    rows = [json.loads(line) for line in ran.out.splitlines()]
    return [(row["change"], row["domain"], row["tier_before"], row["tier"]) for row in rows]


def test_new_and_dropped_sites_are_told_once(run):
    added = run("watch", "add", "gap", GAP)
    assert added.err == "gap: 1 sites match now; `technograph watch run gap` lists later changes\n"
    crawl_again(
        site("acme.com", "shopify", "judge-me", scanned_at=LATER),
        site("gamma.com", "shopify", absent_in=("reviews",), scanned_at=LATER),
    )

    ran = run("watch", "run")

    assert json.loads(ran.out.splitlines()[1]) == {
        "watch": "gap",
        "change": "new",
        "domain": "gamma.com",
        "tier_before": None,
        "tier": None,
        "score": None,
        "platform": "shopify",
        "outcome": "ok",
        "scanned_at": LATER,
    }
    assert told(ran)[0] == ("dropped", "acme.com", None, None)
    assert ran.err == f"gap: 1 new, 1 dropped, 0 changed tier since {TODAY}; 1 listed\n"
    again = run("watch", "run", "gap")
    assert (again.code, again.out) == (0, "")


def test_site_nobody_knows_about_any_more_stays_listed(run):
    run("watch", "add", "gap", GAP)
    crawl_again(site("acme.com", "shopify", unknown_in=("reviews",), scanned_at=LATER))

    ran = run("watch", "run", "gap")
    assert ran.out == ""
    assert ran.err.endswith("1 listed, 1 of them unknown now\n")


def test_failed_scan_changes_nothing(run):
    run("watch", "add", "gap", GAP)
    crawl_again(failed("acme.com", scanned_at=LATER))
    assert run("watch", "run", "gap").out == ""


def test_changed_tier_is_told_and_tier_u_is_no_change(run):
    score("acme.com", Tier.B, 79)
    run("watch", "add", "gap", GAP, "--icp", "dtc-reviews")
    score("acme.com", Tier.U, None)
    assert told(run("watch", "run")) == []
    score("acme.com", Tier.A, 90)
    assert told(run("watch", "run")) == [("tier_changed", "acme.com", "B", "A")]
    assert told(run("watch", "run")) == []


def test_first_tier_is_no_change_of_tier(run):
    run("watch", "add", "gap", GAP)
    score("acme.com", Tier.B, 79)
    assert told(run("watch", "run")) == []
    score("acme.com", Tier.C, 50)
    assert told(run("watch", "run")) == [("tier_changed", "acme.com", "B", "C")]


def test_tiers_can_be_what_is_watched(run):
    score("acme.com", Tier.C, 50)
    run("watch", "add", "fits", "tier:A,B")
    score("acme.com", Tier.A, 90)
    assert told(run("watch", "run", "fits")) == [("new", "acme.com", None, "A")]


def test_peek_tells_the_same_again(run):
    run("watch", "add", "gap", GAP)
    crawl_again(site("gamma.com", "shopify", absent_in=("reviews",), scanned_at=LATER))
    peeked = run("watch", "run", "--peek")
    assert told(peeked) == [("new", "gamma.com", None, None)]
    assert told(run("watch", "run")) == told(peeked)


def test_changes_that_could_not_be_written_are_told_again(run, tmp_path):
    run("watch", "add", "gap", GAP)
    crawl_again(site("gamma.com", "shopify", absent_in=("reviews",), scanned_at=LATER))
    refused = run("watch", "run", "-o", tmp_path / "no" / "folder.csv")
    assert refused.code == 2
    assert told(run("watch", "run")) == [("new", "gamma.com", None, None)]


def test_watches_are_listed_and_removed(run):
    run("watch", "add", "gap", GAP)
    run("watch", "add", "blogs", "tech:wordpress")
    rows = [json.loads(line) for line in run("watch", "list").out.splitlines()]
    assert [(row["name"], row["query"], row["sites"]) for row in rows] == [
        ("blogs", "tech:wordpress", 1),
        ("gap", GAP, 1),
    ]
    assert rows[0]["added_at"] >= NOW
    assert run("watch", "remove", "gap").err == "gap: removed\n"
    assert [json.loads(line)["name"] for line in run("watch", "list").out.splitlines()] == ["blogs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "nothing is watched yet; add a query: technograph watch add NAME QUERY"),
        (["run", "gap"], "no watch 'gap'; add one: technograph watch add NAME QUERY"),
        (["remove", "gap"], "no watch 'gap'; add one: technograph watch add NAME QUERY"),
        (["add", "fits", "tier:A"], "nothing has been scored yet; run `technograph score ICP.yaml` first"),
    ],
)
def test_what_cannot_be_watched_is_said_with_the_way_out(run, arguments, message):
    ran = run("watch", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", f"technograph: {message}\n")


def test_taken_name_and_wrong_name_name_what_there_is(run):
    run("watch", "add", "gap", GAP)
    taken = run("watch", "add", "gap", "tech:wordpress")
    assert taken.err == "technograph: a watch 'gap' exists; remove it first: technograph watch remove gap\n"
    assert run("watch", "run", "gaps").err == "technograph: no watch 'gaps'; there are gap\n"
