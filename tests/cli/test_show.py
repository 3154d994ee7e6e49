from __future__ import annotations

import csv
import io
import json

import pytest

from fingerprints.model import Outcome
from fingerprints.model.wire import to_json
from store.database import Store
from tests.cli.running import Runner
from tests.cli.world import NOW, SITES, runner
from tests.store.records import failed


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    return runner(monkeypatch, capsys, tmp_path)


def fail_later(run: Runner) -> None:
    """Another crawl in which acme.com could not be read."""
    with Store.open("t.db") as store:
        crawl = store.begin_crawl(
            source="again", settings_hash="s", ruleset="r", tool_version="0", config={}, started_at=NOW
        )
        store.save(crawl.id, [failed("acme.com", Outcome.BLOCKED, scanned_at="2099-01-01T00:00:00Z")])


def test_page_about_one_domain(run):
    fail_later(run)
    ran = run("show", "acme.com", "--format", "table")
    assert (
        ran.out
        == f"""\
acme.com  ok  {NOW}  https://acme.com/
  platform: Shopify 0.95
  pages: home ok; categories known: 50%; rules 2026.11.1+3f9c2a7b
  tag container gtm:GTM-AB12: read
  Company: =HYPERLINK("http://evil.example")
  Note: [red][31m evil

  Shopify  ecommerce_platform  present  0.95
  Klaviyo  email_marketing     weak     0.50

  lacks (surfaces_clear; checked home, product): reviews
  unknown (surface_not_fetched): email_marketing

  crawl 2  2099-01-01T00:00:00Z  blocked
  crawl 1  {NOW}  ok  (current)
"""
    )


def test_last_attempt_is_shown_on_request(run):
    fail_later(run)
    ran = run("show", "acme.com", "--newest", "--format", "table")
    assert ran.out.startswith("acme.com  blocked  2099-01-01T00:00:00Z  https://acme.com/\n")


def test_record_as_json_is_the_stored_one(run):
    assert json.loads(run("show", "https://www.acme.com/shop", "--format", "jsonl").out) == to_json(SITES[0])


def test_version_that_would_run_as_a_formula_is_made_safe(run):
    out = run("show", "blog.com", "--format", "csv").out
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["technology"], row["version"]) == ("WordPress", "'=1+1")


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("acme.co", "acme.co: no record in t.db; did you mean acme.com?"),
        ("nobody.example", "nobody.example: no record in t.db"),
        ("-", "'-': not a domain name"),
    ],
)
def test_domain_without_a_record(run, domain, message):
    for command in ("show", "explain"):
        ran = run(command, "--", domain)
        assert (ran.code, ran.out, ran.err) == (2, "", f"technograph: {message}\n")


def test_detection_is_explained_down_to_signal_page_and_excerpt(run):
    assert (
        run("explain", "acme.com", "shopify").out
        == """\
Shopify (shopify)  present 0.95  ecommerce_platform
  shopify#1  host script  0.80  https://acme.com/
      cdn.shopify.com/s/files/[2Jacme
"""
    )


def test_weak_detection_says_what_weak_means(run):
    assert (
        run("explain", "acme.com", "Klaviyo").out
        == """\
Klaviyo (klaviyo)  weak 0.50  email_marketing
  weak: too little to call it present, too much to call it absent
  klaviyo#1  host script  0.80  https://acme.com/
      cdn.example.com
"""
    )


def test_absence_is_explained_by_what_was_checked(run):
    assert (
        run("explain", "acme.com", "reviews").out
        == """\
reviews  absent 0.90 (surfaces_clear)
  checked: home, product
"""
    )


def test_unknown_is_explained_by_what_would_settle_it(run):
    assert (
        run("explain", "gamma.com", "reviews").out
        == """\
reviews  unknown (surface_not_fetched)
  checked: home
  would settle it: product
"""
    )


def test_stale_absence_is_unknown(run):
    assert (
        run("explain", "old.com", "reviews").out
        == """\
reviews  unknown (stale)
  checked: home, product
  would settle it: rescan
"""
    )


def test_technology_without_a_sign_is_explained_by_its_category(run):
    assert (
        run("explain", "acme.com", "judge-me").out
        == """\
judge-me: no sign of it; its category tells absent from unknown
reviews  absent 0.90 (surfaces_clear)
  checked: home, product
"""
    )


def test_category_in_use_is_explained_by_its_tools(run):
    assert (
        run("explain", "beta.com", "reviews").out
        == """\
reviews  present 0.95 (detected)
  found: Judge.me 0.95 present
  checked: home

Judge.me (judge-me)  present 0.95  reviews
  judge-me#1  host script  0.80  https://acme.com/
      cdn.example.com
"""
    )


def test_everything_is_explained_when_nothing_is_named(run):
    out = run("explain", "acme.com").out
    assert out.startswith(f"acme.com  ok  {NOW}  https://acme.com/\n")
    for part in ("shopify#1  host script", "reviews  absent 0.90", "email_marketing  unknown (surface_not"):
        assert part in out


def test_explanation_as_json(run):
    data = json.loads(run("explain", "acme.com", "reviews", "--json").out)
    assert (data["state"], data["checked"], data["technologies"]) == ("absent", ["home", "product"], [])


def test_unknown_name_gets_the_nearest(run):
    ran = run("explain", "acme.com", "judgeme")
    assert (ran.code, ran.err) == (
        2,
        "technograph: unknown technology or category 'judgeme'; did you mean 'judge-me'?\n",
    )


ICP = """\
icp: shops
version: 1
criteria:
  - {id: T1, layer: technographic, points: 10, why: "our platform", tech_any: [shopify]}
  - {id: T2, layer: technographic, points: 10, why: "unmet need", lacks_category: reviews}
"""


def test_score_is_explained_line_by_line(run, tmp_path):
    (tmp_path / "icp.yaml").write_text(ICP)
    ran = run("explain", "acme.com", "--icp", "icp.yaml")
    assert ran.code == 0
    assert "score 100  tier A" in ran.out
    assert "T2    10.0/10   reviews absent: home, product read" in ran.out
    data = json.loads(run("explain", "acme.com", "--icp", "icp.yaml", "--json").out)
    assert (data["score"], data["tier"]) == (100, "A")


def test_score_and_category_at_once_is_wrong_usage(run):
    ran = run("explain", "acme.com", "reviews", "--icp", "icp.yaml")
    assert ran.code == 2
    assert "give a technology, a category or --icp, not both" in ran.err
