"""Rule sets of other people on the command line: what is said of them, and how a change is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Ran, Runner

PAGE = '<script src="https://cdn.acme-chat.io/w.js"></script><p>Hello</p>'
SET = {
    "Acme Chat": {"cats": [52], "scriptSrc": r"cdn\.acme-chat\.io", "js": {"AcmeChat": ""}},
    "Acme Blind": {"cats": [52], "js": {"AcmeBlind": ""}, "probe": {"/acme": ""}},
    "Acme Broken": {"cats": [1], "html": ["(acme", "acme-cms"]},
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    monkeypatch.chdir(tmp_path)
    Path("set/technologies").mkdir(parents=True)
    Path("set/technologies/a.json").write_text(json.dumps(SET))
    Path("set/categories.json").write_text(json.dumps({"52": {"name": "Live chat"}}))
    return Runner(monkeypatch, capsys)


def names(ran: Ran) -> list[str]:
    (line,) = ran.out.splitlines()
    return [technology["name"] for technology in json.loads(line)["technologies"]]


def test_loading_a_set_says_what_of_it_works_here(run: Runner) -> None:
    ran = run("detect", "--html", "-", "--rules", "set", "--rules-only", stdin=PAGE.encode())
    assert names(ran) == ["Acme Chat"]
    assert ran.err == (
        "technograph: rules: set: 3 technologies, 5 patterns, 1 left out; need a browser or further requests: "
        "js 2, probe 1; technologies that only these show: live_chat 1\n"
        "technograph: left out: Acme Broken: html: '(acme': missing ), unterminated subpattern at position 0\n"
    )


def test_set_stands_beside_ours_and_may_be_given_twice(run: Runner) -> None:
    Path("more.json").write_text(json.dumps({"Acme CMS": {"cats": [1], "html": "<p>Hello"}}))
    page = PAGE + '<script src="https://client.crisp.chat/l.js"></script>'
    ran = run("detect", "--html", "-", "--rules", "set", "--rules", "more.json", stdin=page.encode())
    assert set(names(ran)) == {"Acme Chat", "Acme CMS", "Crisp"}


def test_pin_tells_when_the_set_has_changed(run: Runner) -> None:
    pinned = run("rules", "import", "set", "--pin", "pin.json")
    assert pinned.code == 0
    assert json.loads(Path("pin.json").read_text())["technologies_by_category"] == {"live_chat": 2, "cms": 1}
    assert run("rules", "import", "set", "--check", "pin.json").err == "pin.json: unchanged\n"
    changed_set = SET | {"Acme New": {"cats": [1], "html": "acme-new"}}
    Path("set/technologies/a.json").write_text(json.dumps(changed_set))
    changed = run("rules", "import", "set", "--check", "pin.json")
    assert (changed.code, changed.err) == (
        2,
        "technograph: pin.json: the rule set has changed since it was pinned (3 technologies then, 4 now)\n",
    )


def test_import_lists_what_is_left_out(run: Runner) -> None:
    ran = run("rules", "import", "set", "--skipped")
    assert ran.out.splitlines()[0] == "3 technologies, 5 patterns, 1 skipped"
    assert ran.out.splitlines()[-1] == (
        "skipped: Acme Broken: html: '(acme': missing ), unterminated subpattern at position 0"
    )


def test_line_that_is_no_page_answers_under_its_own_id(run: Runner) -> None:
    lines = [{"id": "a", "html": 5}, {"html": []}, {"id": 7, "html": PAGE}]
    Path("pages.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + "{\n")
    ran = run("detect", "--jsonl", "pages.jsonl")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["id"] for row in rows] == ["a", "line 2", "7", "line 4"]
    assert [row["outcome"] for row in rows] == ["internal_error", "internal_error", "ok", "internal_error"]
