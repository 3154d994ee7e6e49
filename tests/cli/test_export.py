from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fingerprints.model.wire import from_json
from store.database import Store
from tests.cli.running import Runner
from tests.cli.world import SITES, runner
from tests.store.test_scores import SCORE


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    return runner(monkeypatch, capsys, tmp_path)


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_accounts_carry_the_input_and_hostile_text_is_made_safe(run):
    ran = run("export", "accounts", "-o", "accounts.csv")
    assert (ran.code, ran.out, ran.err) == (0, "", "6 accounts written\n")
    rows = {row["domain"]: row for row in read("accounts.csv")}
    assert list(rows) == sorted(record.domain for record in SITES)
    assert list(rows["acme.com"])[:3] == ["Company", "Note", "domain"]
    assert rows["acme.com"]["Company"] == '\'=HYPERLINK("http://evil.example")'
    assert rows["acme.com"]["Note"] == "[red][31m\nevil"
    assert rows["acme.com"]["technologies"] == "shopify"
    assert rows["acme.com"]["categories_absent"] == "reviews"
    assert rows["old.com"]["categories_unknown"] == "ecommerce_platform;reviews"


def test_crm_export_leaves_formulas_out(run):
    run("export", "accounts", "-o", "accounts.csv", "--csv-safety", "crm")
    assert {row["domain"]: row["Company"] for row in read("accounts.csv")}["acme.com"] == ""


def test_only_matching_sites_are_exported(run):
    ran = run("export", "technologies", "--where", "tech:shopify category:reviews", "-o", "uses.csv")
    assert ran.err == "2 technologies written\n"
    assert [(row["domain"], row["slug"]) for row in read("uses.csv")] == [
        ("beta.com", "shopify"),
        ("beta.com", "judge-me"),
    ]


def test_records_come_out_as_they_were_stored(run):
    out = run("export", "records").out
    exported = [from_json(json.loads(line)) for line in out.splitlines()]
    assert [(r.domain, r.outcome, r.assessments) for r in exported] == [
        (r.domain, r.outcome, r.assessments) for r in sorted(SITES, key=lambda record: record.domain)
    ]


def test_records_are_json_lines_only(run):
    ran = run("export", "records", "-o", "records.csv")
    assert ran.code == 2
    assert "records are JSON lines; leave out --format, or name the file .jsonl" in ran.err


def test_same_database_gives_the_same_bytes(run):
    for path in ("one.csv", "two.csv"):
        run("export", "accounts", "-o", path)
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()


def test_scores_come_along_once_there_are_some(run):
    with Store.open("t.db") as store:
        store.save_scores([SCORE])
    run("export", "accounts", "-o", "accounts.csv")
    rows = {row["domain"]: row for row in read("accounts.csv")}
    assert (rows["acme.com"]["score"], rows["acme.com"]["tier"]) == ("79", "B")
    assert (rows["beta.com"]["score"], rows["beta.com"]["tier"]) == ("", "")
    ran = run("export", "accounts", "--icp", "other")
    assert (ran.code, ran.err) == (
        2,
        "technograph: --icp 'other': no scores for it; scored are dtc-reviews\n",
    )
