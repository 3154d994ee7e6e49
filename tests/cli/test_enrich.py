from __future__ import annotations

import csv
import json

import pytest

from fingerprints.model.wire import to_json
from tests.cli.running import Runner
from tests.icp.world import DTC_REVIEWS, MATURE, blocked, record, use_small_taxonomy

CRM = """\
\ufeffAccount;Website;Staff;Account;tg_status
Good;www.good.com/shop;200;x;old
Nobody;n/a;;"y;z";

=Cell;;;;
Stranger;https://nowhere.com;5;q;;extra
Dark;DARK.com;10
"""


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Runner:
    monkeypatch.chdir(tmp_path)
    use_small_taxonomy(monkeypatch)
    (tmp_path / "crm.csv").write_text(CRM, encoding="utf-8")
    records = (record("shopify-plus", *MATURE, domain="good.com", scanned_at=""), blocked("dark.com"))
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(to_json(r)) + "\n" for r in records))
    return Runner(monkeypatch, capsys)


def test_every_row_and_column_stays_and_ours_come_after(run, tmp_path):
    ran = run("enrich", "crm.csv", "--records", "records.jsonl", "-o", "out.csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream, delimiter=";")
    assert header == [
        *("Account", "Website", "Staff", "Account", "tg_status", ""),
        *("tg_status_2", "tg_scanned_at", "tg_platform", "tg_technologies"),
        *("tg_categories_absent", "tg_categories_unknown"),
    ]
    assert [row[:6] for row in rows] == [
        ["Good", "www.good.com/shop", "200", "x", "old", ""],
        ["Nobody", "n/a", "", "y;z", "", ""],
        ["=Cell", "", "", "", "", ""],
        ["Stranger", "https://nowhere.com", "5", "q", "", "extra"],
        ["Dark", "DARK.com", "10", "", "", ""],
    ]
    assert [row[6] for row in rows] == ["ok", "no_domain", "no_domain", "not_scanned", "blocked"]
    assert rows[0][8] == "shopify-plus"
    assert "reviews" in rows[0][10].split(";")
    assert rows[1][7:] == rows[3][7:] == [""] * 5
    assert ran.err == "rows: 5; with a record 2, not scanned 1, without a usable domain 2\n"


def test_score_uses_the_files_own_columns_as_facts(run):
    ran = run(
        "enrich", "crm.csv", "--records", "records.jsonl", "--icp", DTC_REVIEWS, "--map", "employees=Staff"
    )

    found = list(csv.DictReader(ran.out.lstrip("\ufeff").splitlines(), delimiter=";"))
    assert [(row["tg_icp"], row["tg_score"], row["tg_tier"]) for row in found] == [
        ("dtc-reviews v3", "100", "A"),
        ("", "", ""),
        ("", "", ""),
        ("", "", ""),
        ("dtc-reviews v3", "", "U"),
    ]


def test_file_without_a_domain_column_says_how_to_name_it(run, tmp_path):
    (tmp_path / "x.csv").write_text("Account,Owner\na,b\n")

    ran = run("enrich", "x.csv", "--records", "records.jsonl")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "technograph: x.csv: no column holds the domain; name one `domain` or `website`, "
        "or give its name with --map domain=COLUMN; columns: Account, Owner\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "technograph: x.csv: the file is empty\n"),
        (b"domain\nna\xefve.com\n", "technograph: x.csv: not UTF-8 text; save it as `CSV UTF-8`\n"),
    ],
)
def test_unreadable_file_is_one_clear_line(run, tmp_path, content, message):
    (tmp_path / "x.csv").write_bytes(content)

    ran = run("enrich", "x.csv", "--records", "records.jsonl")

    assert (ran.code, ran.out, ran.err) == (2, "", message)
