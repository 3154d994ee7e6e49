from __future__ import annotations

import pytest

from cli.summary import rendering_text, requests_text, sparing_text
from tests.cli.running import Runner


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("acme.com\n")
    return Runner(monkeypatch, capsys)


def test_profile_without_auto_says_what_it_is_for(run):
    ran = run("crawl", "list.txt", "--icp", "icp.yaml")
    assert (ran.code, ran.err) == (
        2,
        (
            "technograph: --icp decides what --pages auto reads and where --render auto looks; give one of them, or "
            "score afterwards with `score`\n"
        ),
    )


def test_missing_browser_ends_the_crawl_before_it_begins(run, monkeypatch, tmp_path):
    monkeypatch.setenv("TECHNOGRAPH_CHROMIUM", str(tmp_path / "no-such-browser"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    ran = run("crawl", "list.txt", "--render", "always")
    assert ran.code == 2
    assert ran.err.startswith("technograph: --render needs Chromium: TECHNOGRAPH_CHROMIUM=")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("stats", "text"),
    [
        ({}, ""),
        ({"render/browsers": 0, "requests/sites": 9}, "0 of 9 sites in 0 s of browser time"),
        (
            {
                "render/sites": 3,
                "requests/sites": 40,
                "render/seconds": 7.2,
                "render/not_loaded": 1,
                "render/tiers_changed": 2,
                "render/browsers": 1,
            },
            "3 of 40 sites in 7 s of browser time, 1 of them not shown; 2 tiers changed",
        ),
    ],
)
def test_summary_says_what_the_browser_cost_and_changed(stats, text):
    assert rendering_text(stats) == text


def test_summary_counts_the_requests_of_a_site():
    stats = {"requests/all": 12, "requests/sites": 4, "requests/most_of_a_site": 5, "requests/containers": 2}
    assert requests_text(stats) == "12 to 4 sites, 3.0 a site, at most 5; 2 for tag containers"
    assert requests_text({}) == ""


def test_summary_says_what_was_spared():
    stats = {"requests/sites": 9, "pages/sites_spared": 5, "pages/spared": 17}
    assert sparing_text(stats) == "all inner pages of 5 of 9 sites; 17 requests in all"
    assert sparing_text({"requests/sites": 9}) == ""


def test_pages_by_decision_need_a_profile_to_decide_by(run):
    ran = run("crawl", "list.txt", "--pages", "auto")
    assert (ran.code, ran.err) == (
        2,
        "technograph: --pages auto reads what can change the tier in a profile; name it with --icp FILE\n",
    )
    assert run("crawl", "list.txt", "--pages", "many").code == 2
