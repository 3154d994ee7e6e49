# ruff: noqa: E501, ISC004 - exact messages on one line
from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fingerprints.model import Outcome, Record
from fingerprints.model.wire import to_json
from store.database import Store
from tests.cli.running import Runner
from tests.icp.world import DTC_REVIEWS, MATURE, blocked, detection, record, use_small_taxonomy


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    monkeypatch.chdir(tmp_path)
    use_small_taxonomy(monkeypatch)
    return Runner(monkeypatch, capsys)


def fresh(site: Record, **changes: object) -> Record:
    """The record as if it had just been made."""
    return replace(site, scanned_at="", **changes)


GOOD = fresh(record("shopify-plus", *MATURE, domain="good.com"))
FAIR = fresh(record("shopify", "judge-me", *MATURE, domain="fair.com"))
WIX = fresh(record("wix-stores", *MATURE, domain="wix.com"))
DARK = fresh(blocked("dark.com"))
ALL = (GOOD, FAIR, WIX, DARK)


def lines(*records: Record) -> bytes:
    return "".join(json.dumps(to_json(r)) + "\n" for r in records).encode()


def rows(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_piped_records_are_scored_in_order(run):
    ran = run("score", DTC_REVIEWS, "-", stdin=lines(*ALL))

    assert ran.code == 0
    assert [(row["domain"], row["score"], row["tier"]) for row in rows(ran.out)] == [
        ("good.com", 100, "A"),
        ("fair.com", 45, "C"),
        ("wix.com", 0, "X"),
        ("dark.com", None, "U"),
    ]
    assert ran.err == "dtc-reviews v3: 4 scored; A 1, B 0, C 1, D 0, U 1, X 1\n"


def test_row_says_what_is_known_and_why(run):
    [row] = rows(run("score", DTC_REVIEWS, "-", stdin=lines(FAIR)).out)

    assert row == {
        "domain": "fair.com",
        "icp": "dtc-reviews",
        "score": 45,
        "tier": "C",
        "coverage": 1.0,
        "raw_low": 45.0,
        "raw_high": 45.0,
        "timing": None,
        "qualified_now": False,
        "disqualified_by": [],
        "top_reasons": [
            "T3 5 of 6 categories: ads_pixels, web_analytics, tag_manager, email_marketing, session_replay",
            "T1 Shopify 0.95 (degree 0.6)",
        ],
        "unknown_criteria": [],
    }


def test_lines_are_added_on_request(run):
    [row] = rows(run("score", DTC_REVIEWS, "-", "--lines", stdin=lines(GOOD)).out)

    assert row["lines"][1] == {
        "id": "T2",
        "section": "criteria",
        "layer": "technographic",
        "result": "met",
        "degree": 1.0,
        "points_max": 25.0,
        "points_earned": 25.0,
        "reason": "reviews absent: home, product read; GTM-AB12 parsed",
        "evidence": [],
    }


def test_broken_line_is_named_and_skipped(run):
    stdin = (
        lines(GOOD) + b'{"outcome": "ok"\n[1]\n{"domain": "x.com", "outcome": "great"}\n\xff\n' + lines(WIX)
    )

    ran = run("score", DTC_REVIEWS, "-", stdin=stdin)

    assert [row["domain"] for row in rows(ran.out)] == ["good.com", "wix.com"]
    assert [line.split(": ")[0] for line in ran.err.splitlines()[:4]] == ["-:2", "-:3", "-:4", "-:5"]
    assert ran.err.splitlines()[1:3] == [
        "-:3: record: expected an object, not [1]; line skipped",
        f"-:4: outcome: expected one of {', '.join(Outcome)}, not 'great'; line skipped",
    ]
    assert ran.code == 0


def test_scan_time_that_is_no_time_is_a_broken_line(run):
    ran = run("score", DTC_REVIEWS, "-", stdin=lines(replace(GOOD, scanned_at="yesterday")))

    assert ran.code == 4
    assert ran.err.splitlines()[0] == (
        "-:1: scan.scanned_at: expected an ISO 8601 time, not 'yesterday'; line skipped"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"technologies": [{"slug": 5, "category": "cms", "state": "present", "confidence": 1}]}, "technologies.slug: expected text, not 5"),
        ({"categories": {"cms": {"state": "absent", "reason": "surfaces_clear", "checked": [1]}}}, "categories.checked: expected a list of texts, not [1]"),
        ({"attrs": {"a": None}}, "attrs: expected texts, not {'a': None}"),
        ({"schema_version": 99}, "record schema 99 is newer than this technograph reads (1); update technograph"),
    ],
    ids=["slug", "checked", "attrs", "schema"],
)  # fmt: skip
def test_value_of_a_wrong_type_is_a_broken_line(run, change, message):
    ran = run(
        "score", DTC_REVIEWS, "-", stdin=json.dumps({"domain": "a.com", "outcome": "ok", **change}).encode()
    )

    assert ran.err.splitlines()[0] == f"-:1: {message}; line skipped"


def test_half_a_character_in_a_line_cannot_break_the_output(run, tmp_path):
    stdin = b'{"domain": "a\\ud800.com", "outcome": "ok"}\n'

    assert run("score", DTC_REVIEWS, "-", "-o", "out.jsonl", stdin=stdin).code == 0
    assert rows((tmp_path / "out.jsonl").read_text())[0]["domain"] == "a?.com"


def test_nothing_to_score_has_its_own_exit_code(run):
    ran = run("score", DTC_REVIEWS, "-")

    assert (ran.code, ran.out) == (4, "")
    assert ran.err == "no records to score; crawl first: technograph crawl prospects.csv\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.yaml"], "technograph: none.yaml: cannot read the ICP: No such file or directory\n"),
        ([DTC_REVIEWS, "none.jsonl"], "technograph: none.jsonl: cannot read: No such file or directory\n"),
        (
            [DTC_REVIEWS, "-", "--tier", "A,E"],
            "technograph: --tier 'E' is not a tier; use any of A,B,C,D,U,X\n",
        ),
        (
            [DTC_REVIEWS, "-", "--facts", "no.csv"],
            "technograph: no.csv: cannot read: No such file or directory\n",
        ),
        (
            [DTC_REVIEWS, "-", "--map", "employees"],
            "technograph: --map 'employees': write it as field=column, as --map employees='Number of Employees'\n",
        ),
        (
            [DTC_REVIEWS, "-", "--export", "hubspot"],
            "technograph: --export hubspot writes files; say where with -o FILE\n",
        ),
        (
            [DTC_REVIEWS, "-", "--icp", DTC_REVIEWS],
            f"technograph: {DTC_REVIEWS}: ICP 'dtc-reviews' is given twice; rename one, or compare versions with "
            "`icp review`\n",
        ),
    ],
    ids=["no icp", "no records", "no tier", "no facts", "no mapping", "no file", "same icp"],
)
def test_wrong_usage_is_one_line_with_a_remedy(run, args, message):
    ran = run("score", *args, stdin=lines(GOOD))

    assert (ran.code, ran.out, ran.err) == (2, "", message)


FACTS = """\
Company;Web Site;Number of Employees;Industry;Region
Good Inc;https://www.good.com/shop;200;Online Retail;north-america
Fair;FAIR.com;9;banking;
Nobody;n/a;1;;
Stranger;stranger.com;5;;
Good again;good.com;999;;
"""


def test_facts_are_joined_by_domain_and_what_is_left_over_is_told(run, tmp_path):
    (tmp_path / "crm.csv").write_text(FACTS)

    ran = run(
        "score", DTC_REVIEWS, "-", "--facts", "crm.csv", "--lines",
        "--map", "domain=Web Site", "--map", "employees=Number of Employees", stdin=lines(GOOD, FAIR),
    )  # fmt: skip

    good, fair = rows(ran.out)
    assert {line["id"]: line["result"] for line in good["lines"] if line["layer"] == "firmographic"} == {
        "F1": "met",
        "F2": "met",
        "F3": "unknown",
        "F4": "met",
        "F5": "unknown",
    }
    assert [line["reason"] for line in fair["lines"] if line["id"] in ("F2", "F4")] == [
        "employees 9, wants 50-500",
        "no region value",
    ]
    assert ran.err.splitlines() == [
        "crm.csv:4: 'n/a' is no domain: not a domain name: it has no dot",
        "repeated domains in the facts: 1; they only fill what earlier rows left empty",
        "dtc-reviews v3: 2 scored; A 1, B 0, C 0, D 1, U 0, X 0",
        "accounts with facts: 2 of 2",
        "domains in the facts without a record: 1 (stranger.com)",
    ]


def test_column_that_is_not_there_is_named_with_the_nearest(run, tmp_path):
    (tmp_path / "crm.csv").write_text("domain,Employes\ngood.com,5\n")

    ran = run("score", DTC_REVIEWS, "-", "--facts", "crm.csv", "--map", "employees=Employees")

    assert (ran.code, ran.err) == (
        2,
        "technograph: crm.csv: no column 'Employees'; did you mean 'employes'?; columns: domain, Employes\n",
    )


SAAS = """\
icp: any-shop
version: 1
criteria:
  - {id: S1, layer: technographic, points: 10, tech_any: [shopify, wix-stores]}
"""


def test_several_profiles_are_scored_apart_and_the_best_is_named(run, tmp_path):
    (tmp_path / "any.yaml").write_text(SAAS)

    found = rows(run("score", DTC_REVIEWS, "-", "--icp", "any.yaml", stdin=lines(GOOD, WIX, DARK)).out)

    assert [(row["domain"], row["icp"], row["tier"], row["best_icp"]) for row in found] == [
        ("good.com", "dtc-reviews", "A", "dtc-reviews"),
        ("good.com", "any-shop", "D", "dtc-reviews"),
        ("wix.com", "dtc-reviews", "X", "any-shop"),
        ("wix.com", "any-shop", "A", "any-shop"),
        ("dark.com", "dtc-reviews", "U", None),
        ("dark.com", "any-shop", "U", None),
    ]


def test_tier_filters_rows_but_not_the_counts(run):
    ran = run("score", DTC_REVIEWS, "-", "--tier", "a, c", stdin=lines(*ALL))

    assert [row["domain"] for row in rows(ran.out)] == ["good.com", "fair.com"]
    assert "A 1, B 0, C 1, D 0, U 1, X 1" in ran.err


def test_database_records_are_scored_and_the_scores_kept(run, tmp_path):
    path = tmp_path / "t.db"
    with Store.open(path) as store:
        crawl = store.begin_crawl(
            source="x",
            settings_hash="x",
            ruleset="r",
            tool_version="0",
            config={},
            started_at="2026-10-01T00:00:00Z",
        )
        store.save(crawl.id, [replace(r, scanned_at="2026-10-01T00:00:00Z") for r in ALL])

    ran = run("score", DTC_REVIEWS, "--db", path)

    assert [row["domain"] for row in rows(ran.out)] == ["dark.com", "fair.com", "good.com", "wix.com"]
    with Store.open(path, create=False) as store:
        [stored] = store.ask("SELECT count(*) AS n FROM score")
    assert stored == {"n": 4}


def test_missing_database_is_one_clear_line(run):
    ran = run("score", DTC_REVIEWS, "--db", "none.db")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("technograph: none.db: ")


EVIL = fresh(
    record("shopify-plus", *MATURE, domain="evil.com"),
    attrs={"Company": '=HYPERLINK("http://x")', "Note": 'a\u202eb\x00, "q"\r\nnext', "score": "mine"},
)


def test_hubspot_export_is_ready_to_import(run, tmp_path):
    ran = run("score", DTC_REVIEWS, "-", "--export", "hubspot", "-o", "hub.csv", stdin=lines(*ALL, EVIL))

    found = read_csv(tmp_path / "hub.csv")
    assert [row["Company domain name"] for row in found] == ["good.com", "fair.com", "dark.com", "evil.com"]
    good, _, dark, evil = found
    assert (good["ICP Score"], good["ICP Tier"], good["ICP Version"]) == ("100", "A", "3")
    assert (
        good["Tech Stack"] == "google-analytics-4;google-tag-manager;hotjar;klaviyo;meta-pixel;shopify-plus"
    )
    assert "reviews" in good["Missing Categories"].split(";")
    # Nothing is known about it, so nothing may overwrite what the CRM has.
    assert (dark["ICP Score"], dark["ICP Tier"], dark["Tech Stack"], dark["Missing Categories"]) == (
        "",
        "U",
        "",
        "",
    )
    assert dark["Technographics Status"] == "Unknown"
    assert evil["Company name"] == ""
    assert "cells left empty because they could run as a formula: 1" in ran.err
    properties = {p["name"]: p for p in json.loads((tmp_path / "properties.json").read_text())}
    assert [o["value"] for o in properties["icp_tier"]["options"]] == ["A", "B", "C", "D", "U", "X"]
    assert {"label": "Shopify Plus", "value": "shopify-plus", "displayOrder": 7} in properties["tech_stack"][
        "options"
    ]


def test_disqualified_accounts_are_exported_only_on_request(run, tmp_path):
    run("score", DTC_REVIEWS, "-", "--export", "csv", "-o", "a.csv", stdin=lines(GOOD, WIX))
    run(
        "score",
        DTC_REVIEWS,
        "-",
        "--export",
        "csv",
        "-o",
        "b.csv",
        "--include-disqualified",
        stdin=lines(GOOD, WIX),
    )

    assert [row["domain"] for row in read_csv(tmp_path / "a.csv")] == ["good.com"]
    assert [(row["domain"], row["tier"]) for row in read_csv(tmp_path / "b.csv")][1] == ("wix.com", "X")


def test_salesforce_export_matches_by_external_id(run, tmp_path):
    ran = run("score", DTC_REVIEWS, "-", "--export", "salesforce", "-o", "sf.csv", stdin=lines(GOOD, DARK))

    good, dark = read_csv(tmp_path / "sf.csv")
    assert (good["TG_Domain__c"], good["Name"], good["ICP_Score__c"]) == ("good.com", "good.com", "100")
    assert (dark["ICP_Score__c"], dark["ICP_Qualified_Now__c"], dark["Tech_Stack__c"]) == ("", "", "")
    assert "accounts without a name in the input: 2; their Name holds the domain, do not map it" in ran.err


def test_salesforce_stack_is_cut_to_what_an_import_takes(run, tmp_path):
    extra = tuple(replace(detection("klaviyo", 0.99), slug=f"tool-{i:03}") for i in range(120))
    site = fresh(record("shopify-plus", *MATURE, domain="long.com"))
    site = replace(site, detections=(*site.detections, *extra))

    ran = run("score", DTC_REVIEWS, "-", "--export", "salesforce", "-o", "sf.csv", stdin=lines(site))

    [row] = read_csv(tmp_path / "sf.csv")
    stack = row["Tech_Stack__c"].split(";")
    assert (len(stack), "shopify-plus" in stack) == (100, True)
    assert "stacks cut to 100 values, those the ICP names first: 1" in ran.err


@pytest.mark.parametrize(
    ("safety", "company", "note"),
    [
        ("spreadsheet", "'=HYPERLINK(\"http://x\")", "ab, \"q\"\nnext"),
        ("crm", "", "ab, \"q\"\nnext"),
        ("raw", "=HYPERLINK(\"http://x\")", "a\u202eb\x00, \"q\"\r\nnext"),
    ],
)  # fmt: skip
def test_hostile_cells_survive_a_round_trip_through_csv(run, tmp_path, safety, company, note):
    run(
        "score",
        DTC_REVIEWS,
        "-",
        "--export",
        "csv",
        "-o",
        "a.csv",
        "--csv-safety",
        safety,
        stdin=lines(EVIL, GOOD),
    )

    evil, good = read_csv(tmp_path / "a.csv")
    assert (evil["Company"], evil["Note"]) == (company, note)
    assert (evil["score"], evil["tg_score"], evil["tier"]) == ("mine", "100", "A")
    assert (good["Company"], good["score"], good["tg_score"]) == ("", "", "100")


def test_jsonl_export_carries_record_and_scores(run):
    ran = run("score", DTC_REVIEWS, "-", "--export", "jsonl", stdin=lines(GOOD))

    [row] = rows(ran.out)
    assert (row["schema_version"], row["domain"], row["scores"][0]["tier"]) == (1, "good.com", "A")
    assert list(row) == sorted(row)


def test_parquet_holds_lists_and_empty_scores(run):
    parquet = pytest.importorskip("pyarrow.parquet")
    ran = run("score", DTC_REVIEWS, "-", "--export", "parquet", "-o", "a.parquet", stdin=lines(GOOD, DARK))

    assert ran.code == 0
    good, dark = parquet.read_table("a.parquet").to_pylist()
    assert (good["domain"], good["score"], good["tier"]) == ("good.com", 100, "A")
    assert "shopify-plus" in good["technologies"]
    assert (dark["domain"], dark["score"], dark["tier"]) == ("dark.com", None, "U")


def test_parquet_without_pyarrow_says_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    ran = run("score", DTC_REVIEWS, "-", "--export", "parquet", "-o", "a.parquet", stdin=lines(GOOD))

    assert (ran.code, ran.err) == (
        2,
        "technograph: --export parquet needs pyarrow; install it with: pip install 'technograph[parquet]'\n",
    )
