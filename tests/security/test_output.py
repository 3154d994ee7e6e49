"""What we write is opened by spreadsheets, terminals and browsers: a stranger's text stays text in all of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from crawler.targets import TargetReport, read_targets
from fingerprints.model.cells import is_formula
from fingerprints.model.wire import to_json
from tests.cli.running import Runner
from tests.cli.world import SITES, runner
from tests.icp.world import DTC_REVIEWS

FORMULAS = ('=cmd|" /C calc"!A0', "+1+1", "-1+1", "@SUM(1)", "\t=1", "\uff1d1")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Records whose input columns, names and values are all formulas."""
    path = tmp_path / "records.jsonl"
    attrs = {**{formula: formula for formula in FORMULAS}, "name": FORMULAS[0]}
    path.write_text("\n".join(json.dumps(to_json(site) | {"attrs": attrs}) for site in SITES))
    return path


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [cell for row in csv.reader(stream) for cell in row]


def assert_none_runs(path: Path) -> None:
    found = cells(path)
    assert "acme.com" in found
    assert not [cell for cell in found if is_formula(cell)]


@pytest.mark.parametrize(
    "command",
    [
        ("find", "tech:shopify", "--format", "csv"),
        ("show", "blog.com", "--format", "csv"),
        ("export", "accounts", "--format", "csv"),
        ("export", "technologies", "--format", "csv"),
        ("stats", "reviews", "--format", "csv"),
        ("runs", "--format", "csv"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_list_opens_without_running_a_formula(run: Runner, tmp_path: Path, command: tuple[str, ...]) -> None:
    assert run(*command, "-o", tmp_path / "a.csv").code == 0
    assert cells(tmp_path / "a.csv")
    assert not [cell for cell in cells(tmp_path / "a.csv") if is_formula(cell)]


@pytest.mark.parametrize("kind", ["csv", "hubspot", "salesforce"])
def test_scored_accounts_open_without_running_a_formula(
    run: Runner, tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    ran = run("score", DTC_REVIEWS, records, "--export", kind, "-o", tmp_path / "a.csv")
    assert ran.code == 0, ran.err
    assert_none_runs(tmp_path / "a.csv")


def test_rejected_lines_open_without_running_a_formula(tmp_path: Path) -> None:
    source, rejected = tmp_path / "list.csv", tmp_path / "rejected.csv"
    source.write_text("domain\nacme.com\n=1+1\n@SUM(1)\n+49 30 1\n")
    with TargetReport(rejected_path=rejected) as report:
        assert [target.domain for target in read_targets(str(source), report=report)] == ["acme.com"]
    assert len(cells(rejected)) == 12
    assert not [cell for cell in cells(rejected) if is_formula(cell)]


@pytest.mark.parametrize("command", [("show", "acme.com", "--format", "table"), ("explain", "acme.com")])
def test_page_of_text_cannot_rewrite_the_terminal(run: Runner, command: tuple[str, ...]) -> None:
    ran = run(*command)
    assert ran.code == 0
    assert not set("\x1b\x07\x9b\u202e\x00\r") & set(ran.out)
