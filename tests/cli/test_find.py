from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest

from icp.model import Tier
from store.database import Store
from tests.cli.running import Runner
from tests.cli.world import LONG_AGO, NOW, TODAY, runner
from tests.store.test_scores import SCORE


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    return runner(monkeypatch, capsys, tmp_path)


def test_list_of_shops_that_lack_reviews(run):
    ran = run("find", "tech:shopify AND lacks:reviews", "--format", "csv")
    assert ran.code == 0
    assert ran.out == (
        "domain,platform,shopify,reviews,reviews_reason,outcome,scanned_at\n"
        f"acme.com,shopify,present,absent,surfaces_clear,ok,{NOW}\n"
    )
    assert ran.err == "1 match; 3 more are unknown, 1 of them unread (--include-unknown)\n"


def test_sites_nobody_knows_about_are_listed_on_request(run):
    ran = run("find", "tech:shopify", "lacks:reviews", "--include-unknown")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [(row["match"], row["domain"], row["reviews_reason"]) for row in rows] == [
        ("yes", "acme.com", "surfaces_clear"),
        ("unknown", "dead.com", "scan_failed"),
        ("unknown", "gamma.com", "surface_not_fetched"),
        ("unknown", "old.com", "stale"),
    ]
    assert ran.err == "1 match; 3 more are unknown, 1 of them unread\n"


def test_stale_sites_match_on_request(run):
    ran = run("find", "tech:shopify lacks:reviews", "--include-stale", "--format", "csv")
    assert f"old.com,shopify,present,absent,surfaces_clear,ok,{LONG_AGO}\n" in ran.out
    assert ran.err == "2 match; 2 more are unknown, 1 of them unread (--include-unknown)\n"


def test_table_shows_days_and_no_terminal_codes(run):
    ran = run("find", "platform:shopify lacks:reviews", "--format", "table")
    assert ran.out == (
        "domain    platform  reviews  reviews_reason  outcome  scanned_at\n"
        f"acme.com  shopify   absent   surfaces_clear  ok       {TODAY}\n"
    )


def test_limit_says_how_many_there_are(run):
    ran = run("find", "outcome:ok", "--limit", 2)
    assert [json.loads(line)["domain"] for line in ran.out.splitlines()] == ["acme.com", "beta.com"]
    assert ran.err == "5 match, the first 2 shown; 0 more are unknown\n"


def test_nothing_found_is_no_error(run):
    ran = run("find", "tech:mailchimp domain:beta.com")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "0 match; 1 more are unknown (--include-unknown)\n"


def test_technology_no_crawl_has_heard_of_is_found_nowhere(run, tmp_path):
    with sqlite3.connect(tmp_path / "t.db") as plain:
        plain.execute("DELETE FROM technology WHERE slug = 'mailchimp'")
    plain.close()
    assert run("find", "tech:mailchimp").code == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("tech:shopfy", "query, column 6: unknown technology 'shopfy'; did you mean 'shopify'?"),
        ("lacks:review", "query, column 7: unknown category 'review'; did you mean 'reviews'?"),
        ("shopify", "query, column 1: 'shopify' is not a term; write tech:shopify"),
        ("(tier:A", "query, column 8: ')' is missing"),
    ],
)
def test_mistake_in_the_query_is_one_line(run, query, message):
    ran = run("find", query)
    assert (ran.code, ran.out, ran.err) == (2, "", f"technograph: {message}\n")


def test_tiers_need_scores_and_a_profile_that_was_used(run):
    ran = run("find", "tier:A")
    assert (ran.code, ran.err) == (
        2,
        "technograph: nothing has been scored yet; run `technograph score ICP.yaml` first\n",
    )
    with Store.open("t.db") as store:
        store.save_scores([replace(SCORE, tier=Tier.A)])
    assert json.loads(run("find", "tier:A").out)["domain"] == "acme.com"
    assert json.loads(run("find", "score>=79", "--icp", "dtc-reviews").out)["tier"] == "A"
    ran = run("find", "tier:A", "--icp", "dtc")
    assert (ran.code, ran.err) == (
        2,
        "technograph: --icp 'dtc': no scores for it; scored are dtc-reviews\n",
    )


def test_missing_database_is_one_line(run):
    ran = run("find", "tier:A", "--db", "nowhere.db")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "technograph: nowhere.db: no such database; `technograph crawl` makes one, --db names another\n"
    )


def test_file_that_is_no_database_is_one_line(run, tmp_path):
    (tmp_path / "list.csv").write_text("domain\nacme.com\n" * 200)
    ran = run("find", "tier:A", "--db", "list.csv")
    assert (ran.code, ran.err) == (
        2,
        "technograph: list.csv: not a technograph database; give another --db\n",
    )


def test_output_that_cannot_be_written_is_one_line(run):
    ran = run("find", "outcome:ok", "-o", "no/such/folder.csv")
    assert (ran.code, ran.err) == (
        2,
        "technograph: no/such/folder.csv: cannot write: No such file or directory\n",
    )


def test_help_says_that_not_is_no_missing_row(run):
    out = run("find", "--help").out
    assert 'NOT never means "no row"' in out
    assert "technograph find 'tech:shopify AND lacks:reviews' --format csv > list.csv" in out
