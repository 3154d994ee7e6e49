# ruff: noqa: E501 - exact messages on one line
from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fingerprints.model.wire import to_json
from tests.cli.running import Runner
from tests.icp.world import DTC_REVIEWS, MATURE, record, use_small_taxonomy


def sites(name: str, *stacks: tuple[int, tuple[str, ...]]):
    """Sites `name0.com`, `name1.com`, ... with these many of each stack."""
    techs = [stack for count, stack in stacks for _ in range(count)]
    return [record(*stack, domain=f"{name}{i}.com", scanned_at="") for i, stack in enumerate(techs)]


NEED, SERVED = ("shopify-plus", *MATURE), ("shopify-plus", "judge-me", *MATURE)
WON = sites("won", (15, NEED), (5, SERVED))
LOST = sites("lost", (3, NEED), (12, SERVED))


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    monkeypatch.chdir(tmp_path)
    use_small_taxonomy(monkeypatch)
    records = [*WON, *LOST, *sites("other", (5, NEED), (20, ("woocommerce",)))]
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(to_json(r)) + "\n" for r in records))
    (tmp_path / "won.csv").write_text(
        "domain,Close Date\n" + "".join(f"{r.domain},2026-01-31\n" for r in WON)
    )
    (tmp_path / "lost.txt").write_text("".join(f"https://www.{r.domain}/\n" for r in LOST))
    return Runner(monkeypatch, capsys)


LISTS = ("--best", "won.csv", "--worst", "lost.txt", "--records", "records.jsonl")


def test_check_says_ok_or_every_mistake(run, tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "icp: x\nversion: 1\ncriteria:\n  - {id: T1, layer: tech, points: 0, has_category: review}\n"
    )

    good, bad = run("icp", "check", DTC_REVIEWS), run("icp", "check", "bad.yaml")

    assert good.code == 0
    assert (
        good.out
        == f"{DTC_REVIEWS}: ok: dtc-reviews v3, criteria 11 (100 points), penalties 1, disqualifiers 3\n"
    )
    assert (bad.code, bad.out) == (2, "")
    assert bad.err.splitlines() == [
        "technograph: bad.yaml:4: criteria[0].layer: 'tech' is not one of technographic, firmographic, behavioural",
        "bad.yaml:4: criteria[0].points: 0 is not above zero; give it points, or remove the entry",
        "bad.yaml:4: criteria[0].has_category: unknown category 'review'; did you mean 'reviews'?",
    ]


def test_render_writes_a_page(run, tmp_path):
    run("icp", "render", DTC_REVIEWS, "-o", "page.md")

    assert (tmp_path / "page.md").read_text().startswith("# dtc-reviews v3\n")


def test_schema_is_json(run):
    assert json.loads(run("icp", "schema").out)["title"] == "technograph ICP"


def test_derive_lists_traits_and_writes_a_proposal(run, tmp_path):
    ran = run("icp", "derive", *LISTS, "--universe", "all", "--out", "proposal.yaml", "--format", "jsonl")

    traits = {row["trait"]: row for row in map(json.loads, ran.out.splitlines())}
    lacks = traits["lacks_category reviews"]
    assert (lacks["best"], lacks["worst"], lacks["unknown"], lacks["selected"]) == (
        "15/20",
        "3/15",
        "0+0",
        True,
    )
    assert "n=20/15: hypothesis, from 20 best and 15 worst accounts" in ran.err
    assert (
        "warning: lost.txt: no column says when deals were decided, so stacks may show what came after"
        in ran.err
    )
    assert run("icp", "check", "proposal.yaml").code == 0


def test_derive_warns_of_stacks_seen_after_the_deal(run, tmp_path):
    late = [replace(r, scanned_at="2026-06-01T00:00:00Z") for r in WON]
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(to_json(r)) + "\n" for r in [*late, *LOST]))

    ran = run("icp", "derive", *LISTS)

    assert "warning: won.csv: 20 of 20 stacks were observed after the deal was decided" in ran.err


def test_derive_never_overwrites_a_file(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("mine")

    ran = run("icp", "derive", *LISTS, "--out", "mine.yaml")

    assert (ran.code, ran.err) == (
        2,
        "technograph: mine.yaml: exists already; a proposal never overwrites a file, choose another name\n",
    )
    assert (tmp_path / "mine.yaml").read_text() == "mine"


def test_account_in_both_lists_is_refused(run, tmp_path):
    (tmp_path / "lost.txt").write_text("won3.com\nlost1.com\n")

    ran = run("icp", "derive", *LISTS)

    assert (ran.code, ran.err) == (
        2,
        "technograph: won.csv and lost.txt both name won3.com; decide which list it belongs to\n",
    )


def test_lists_without_records_have_nothing_to_compare(run, tmp_path):
    (tmp_path / "lost.txt").write_text("unheard.com\n")

    ran = run("icp", "derive", *LISTS)

    assert ran.code == 4
    assert ran.err == (
        "lost.txt: 1 of 1 accounts have no record; crawl them first\n"
        "nothing to compare: both lists need accounts with records\n"
    )


def test_test_prints_verdict_confusion_and_work(run):
    ran = run("icp", "test", DTC_REVIEWS, *LISTS, "--universe", "all")

    lines = ran.out.splitlines()
    assert lines[1] == (
        "high-fit best 15/20 75% (Wilson 53-89) -> inside 70-85 but inconclusive; worst 3/15 20%; universe 38.3%; lift 2.0"
    )
    assert lines[4:7] == [
        "            high fit   not  no score",
        "  best            15     5         0",
        "  worst            3    12         0",
    ]
    assert lines[9].split() == ["T2", "15/20", "3/15", "100%", "100%", "+0.275"]


def test_test_gives_the_same_figures_as_json(run):
    found = json.loads(run("icp", "test", DTC_REVIEWS, *LISTS, "--high", "A", "--json").out)

    assert (found["best"]["high"], found["verdict"], found["works"][0]["id"]) == (
        15,
        "inside 70-85 but inconclusive",
        "T2",
    )


def test_review_advises_and_shows_what_moved(run, tmp_path):
    (tmp_path / "q.csv").write_text(
        "website,stage\n"
        + "".join(f"{r.domain},Closed Won\n" for r in WON)
        + "".join(f"{r.domain},lost\n" for r in LOST)
        + "other1.com,trial\n"
    )
    (tmp_path / "old.yaml").write_text(
        "icp: dtc-reviews\nversion: 2\ncriteria:\n  - {id: T1, layer: technographic, points: 9, tech_any: [shopify-plus]}\n"
    )

    ran = run(
        "icp",
        "review",
        DTC_REVIEWS,
        "--outcomes",
        "q.csv",
        "--records",
        "records.jsonl",
        "--diff-against",
        "old.yaml",
    )

    assert [line.split()[:2] for line in ran.out.splitlines()[3:6]] == [
        ["drop", "T1"],
        ["keep", "T2"],
        ["drop", "T3"],
    ]
    assert "tier migration of 60 accounts, v2 (rows) to v3 (columns):" in ran.out
    assert "breadth: 66.7% -> 38.3% in tier A or B" in ran.out
    assert "20 won, 15 lost or churned, 1 still open" in ran.err


def test_outcome_that_is_none_is_named(run, tmp_path):
    (tmp_path / "q.csv").write_text("domain,outcome\nwon1.com,happy\n")

    ran = run("icp", "review", DTC_REVIEWS, "--outcomes", "q.csv", "--records", "records.jsonl")

    assert (ran.code, ran.err) == (
        2, "technograph: q.csv: won1.com: outcome 'happy' is not one of churned, lost, pipeline, stalled, trial, won\n",
    )  # fmt: skip
