"""Rule sets of other people on the command line: what is said of them, and how a change is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.demo_sites import load_sites
from cli.demo_web import DemoWeb
from crawler.crawl import CrawlSettings
from store.database import Store
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
    assert changed.code == 2
    assert changed.err == (
        "technograph: pin.json: the rule set has changed since it was pinned (3 technologies then, 4 now); "
        "look at what changed, then write it again with --pin pin.json\n"
    )


def test_import_says_what_the_set_comes_to_here(run: Runner) -> None:
    ran = run("rules", "import", "set")
    assert ran.out.splitlines()[:-1] == [
        "3 technologies, 5 patterns, 1 left out",
        "patterns by field: js 2, html 2, scriptSrc 1",
        "not evaluable by field: js 2, probe 1",
        "technologies only a browser sees by category: live_chat 1",
        "technologies by category: live_chat 2, cms 1",
    ]
    assert ran.err == "1 left out; --skipped lists them\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "pin.json: cannot read: No such file or directory; --pin writes it"),
        ("{nope", "pin.json: no file that --pin has written"),
        ("[]", "pin.json: no file that --pin has written"),
    ],
)
def test_what_is_no_pin_file_is_named(run: Runner, content: str | None, said: str) -> None:
    if content is not None:
        Path("pin.json").write_text(content)
    ran = run("rules", "import", "set", "--check", "pin.json")
    assert (ran.code, ran.err.splitlines()[-1]) == (2, f"technograph: {said}")


def test_pin_that_cannot_be_written_is_named(run: Runner) -> None:
    ran = run("rules", "import", "set", "--pin", "no-folder/pin.json")
    assert ran.code == 2
    assert (
        ran.err.splitlines()[-1] == "technograph: no-folder/pin.json: cannot write: No such file or directory"
    )


def test_import_lists_what_is_left_out(run: Runner) -> None:
    ran = run("rules", "import", "set", "--skipped")
    assert ran.out.splitlines()[0] == "3 technologies, 5 patterns, 1 left out"
    assert ran.out.splitlines()[-1] == (
        "left out: Acme Broken: html: '(acme': missing ), unterminated subpattern at position 0"
    )


def test_line_that_is_no_page_answers_under_its_own_id(run: Runner) -> None:
    lines = [{"id": "a", "html": 5}, {"html": []}, {"id": 7, "html": PAGE}]
    Path("pages.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + "{\n")
    ran = run("detect", "--jsonl", "pages.jsonl")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["id"] for row in rows] == ["a", "line 2", "7", "line 4"]
    assert [row["outcome"] for row in rows] == ["internal_error", "internal_error", "ok", "internal_error"]


# --- explain --------------------------------------------------------------------------------------------

WAITING = {
    "Acme Plugin": {"cats": [1], "html": "plugin", "requires": ["Acme Base"]},
    "Acme App": {"cats": [100], "html": "app", "requiresCategory": 6},
    "Acme Base": {"cats": [1], "html": "base"},
    "Acme Old": {"cats": [1], "html": "old-x"},
    "Acme New": {
        "cats": [1],
        "html": r"new-x ([\d.]+)\;version:\1",
        "excludes": "Acme Old",
        "implies": "Acme PHP",
    },
    "Acme PHP": {"cats": [27]},
    "Acme Hint": {"cats": [1], "html": r"hint ([\d.]+)\;confidence:0\;version:\1"},
}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "<p>plugin app hint 2",
            [
                "acme-app  not reported: requires category 6 of its set",
                "acme-hint  not reported: too weak",
                "acme-plugin  not reported: requires acme-base",
            ],
        ),
        (
            "<p>old-x new-x 1.2",
            [
                "acme-new  present 1.00  version 1.2",
                "acme-old  not reported: excluded by acme-new",
                "acme-php  present 1.00  implied by acme-new",
            ],
        ),
    ],
    ids=["gates and weakness", "exclusion and implication"],
)
def test_explain_says_why_something_is_not_reported(run: Runner, page: str, said: list[str]) -> None:
    Path("waiting.json").write_text(json.dumps(WAITING))
    ran = run("rules", "explain", "-", "--rules", "waiting.json", "--rules-only", stdin=page.encode())
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == said


def test_explain_shows_the_evidence_of_a_set_beside_ours(run: Runner) -> None:
    ran = run("rules", "explain", "-", "--rules", "set", stdin=PAGE.encode())
    assert ran.out.splitlines() == [
        "acme-chat  present 1.00",
        "    acme-chat#2                  url       script     1.00  https://cdn.acme-chat.io/w.js",
    ]


# --- check ----------------------------------------------------------------------------------------------


def test_check_reads_a_set_of_others(run: Runner) -> None:
    ran = run("rules", "check", "set", "--notes")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "set: unusable: Acme Broken: html: '(acme': missing ), unterminated subpattern at position 0",
        "set/technologies/a.json: browser-only: Acme Blind: shows only in a browser: see --render",
    ]
    assert "set: 3 technologies, 5 patterns checked in " in ran.err


def test_check_counts_the_notes_it_does_not_show(run: Runner) -> None:
    Path("fine.json").write_text(json.dumps({"Acme": {"cats": [1], "js": {"Acme": ""}}}))
    ran = run("rules", "check", "fine.json")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith(" s: 0 to mend, 1 --notes\n")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("empty", "empty: holds neither <category>/<slug>.toml files nor technologies/*.json"),
        ("nowhere", "nowhere: no such file or folder"),
        ("broken.json", "broken.json: not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
@pytest.mark.parametrize("command", ["check", "import"])
def test_path_without_rules_is_named(run: Runner, command: str, path: str, said: str) -> None:
    Path("empty").mkdir()
    Path("broken.json").write_text("<html>")
    ran = run("rules", command, path)
    assert (ran.code, ran.out, ran.err) == (2, "", f"technograph: {said}\n")


# --- crawl ----------------------------------------------------------------------------------------------


def test_crawl_takes_several_sets_and_leaves_ours_out(run: Runner) -> None:
    Path("more.json").write_text(json.dumps({"Acme CMS": {"cats": [1], "html": "<title"}}))
    Path("list.txt").write_text("copper-kettle.example\n")
    with DemoWeb(load_sites()) as web:
        elsewhere = ("--allow-private", "--resolve-all-to", f"http=127.0.0.1:{web.port}")
        sets = ("--rules", "set", "--rules", "more.json", "--rules-only")
        ran = run("crawl", "list.txt", "--db", "t.db", "--workers", "1", "--delay", "0", *sets, *elsewhere)
    assert ran.code == 0
    assert "technograph: rules: set: 3 technologies" in ran.err
    assert "technograph: rules: more.json: 1 technologies" in ran.err
    with Store.open(Path("t.db"), readonly=True) as store:
        (record,) = store.records()
    assert {found.name for found in record.detections} == {"Acme CMS"}


def test_crawl_goes_on_only_with_the_sets_it_was_begun_with() -> None:
    one, two = CrawlSettings(rules=("a",)), CrawlSettings(rules=("a", "b"))
    only = CrawlSettings(rules=("a",), rules_only=True)
    assert len({settings.fingerprint() for settings in (CrawlSettings(), one, two, only)}) == 4
