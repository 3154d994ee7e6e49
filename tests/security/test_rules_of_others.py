"""Rule sets, profiles and databases somebody else has made: used, or refused with a reason, never obeyed."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import tarfile
from pathlib import Path

import pytest

from cli.output import note
from fingerprints import backtracking, cache
from fingerprints.detector import Detector
from fingerprints.wappalyzer import load_wappalyzer
from store.database import Store
from store.freshness import Freshness
from store.parser import parse
from store.queries import Question, find, known_names
from tests.cli.running import Runner
from tests.security.sites import NOW
from tests.store.records import filled, site


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(monkeypatch, capsys)


def rule_set(folder: Path, **entries: dict[str, object]) -> Path:
    path = folder / "set.json"
    path.write_text(json.dumps(entries))
    return path


# --- slow patterns ------------------------------------------------------------------------------------

CATASTROPHES = {
    "nested": r"(?=x)?(a+)+$",
    "alternatives": r"(?!z)(?:a|aa)+$",
    "optional parts": r"(?!z)(a?){60}a{60}",
    "words": r"^(?!z)(\w+\s?)+$",
    "back-reference": r"(a*)*\1b",
    "after a prefix": r"shopify(?!z)(?:[a-z]+)*\d",
    "cubic": r"(?!z)a*a*a*a*b",
}


@pytest.mark.parametrize("pattern", CATASTROPHES.values(), ids=CATASTROPHES)
def test_pattern_that_explodes_is_left_out(tmp_path: Path, pattern: str) -> None:
    imported = load_wappalyzer(rule_set(tmp_path, Acme={"html": pattern}), merge_names=False)
    assert len(imported.skipped) == 1
    assert "too long" in imported.skipped[0]


@pytest.mark.parametrize("growth", [1.3, 1.7, 2.0, 3.0])
@pytest.mark.parametrize("start_s", [1e-9, 7e-8, 3e-6])
def test_finding_out_that_a_pattern_explodes_takes_seconds(
    monkeypatch: pytest.MonkeyPatch, growth: float, start_s: float
) -> None:
    spent = []

    def seconds(_: object, text: bytes) -> float:
        spent.append(start_s * growth ** len(text))
        return spent[-1]

    monkeypatch.setattr(backtracking, "_seconds", seconds)
    assert backtracking.explodes(r"(?!z)(a+)+$", 2_048)
    assert sum(spent) < 6


@pytest.mark.parametrize(
    "pattern",
    [
        r"/jquery(?!\.popup)[/.-](\d+\.\d+)",
        r"leaflet[\w\-\.]{0,32}\.js(?:\?ver=((?:\d+\.)+\d+))?(?!.+shop)",
        r"(\d+(?:\.\d+)*)(?=/wp)",
    ],
)
def test_ordinary_pattern_with_look_around_is_used(tmp_path: Path, pattern: str) -> None:
    imported = load_wappalyzer(rule_set(tmp_path, Acme={"html": pattern}), merge_names=False)
    assert imported.skipped == []
    assert imported.rules[0].signals[0].backtracks


# --- what a rule set may not do -----------------------------------------------------------------------


def test_names_of_a_rule_set_cannot_move_the_cursor(tmp_path: Path, run: Runner) -> None:
    rules = rule_set(tmp_path, **{"Acme\x1b[2J\x9b\u202e": {"html": "acme", "\x1b[2Jfield": 1}})
    page = tmp_path / "page.html"
    page.write_text("<p>acme")
    ran = run("detect", "--html", page, "--rules", rules, "--rules-only", "--format", "table")
    assert ran.code == 0
    assert "Acme[2J" in ran.out
    assert not set("\x1b\x9b\u202e") & set(ran.out + ran.err)


@pytest.mark.parametrize("command", [("import", "--skipped"), ("check", "--notes")])
def test_names_of_a_rule_set_are_no_lines_of_a_report(
    tmp_path: Path, run: Runner, command: tuple[str, ...]
) -> None:
    rules = rule_set(
        tmp_path, **{"Acme\nshopify: all good\x1b[2J": {"html": "(", "a\nb": 1, "requires": "x\ny"}}
    )
    ran = run("rules", *command, rules)
    assert "\x1b" not in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith(("shopify", "b:", "y"))]
    assert "Acme shopify: all good[2J: a b: unknown field" in ran.out


@pytest.mark.parametrize(
    "slug", ["../evil", "live_chat/../../evil", "live_chat/..", "live_chat/a/b", "/etc/evil"]
)
def test_new_rule_stays_in_its_folder(tmp_path: Path, run: Runner, slug: str) -> None:
    inside = tmp_path / "rules"
    assert run("rules", "new", slug, "--folder", inside).code == 2
    assert list(tmp_path.rglob("*.toml")) == []


def test_archive_given_as_rules_is_not_unpacked(tmp_path: Path, run: Runner) -> None:
    archive, page = tmp_path / "rules.tar.xz", tmp_path / "page.html"
    page.write_text("<p>acme")
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(page, "technologies/a.json")
    ran = run("detect", "--html", page, "--rules", archive)
    assert "rules.tar.xz: " in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "rules.tar.xz"]


# --- the cache ----------------------------------------------------------------------------------------


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (os.environ["BOMB"],))


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cached file that runs code when it is read."""
    monkeypatch.setenv("TECHNOGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    cache.save("0" * 64, _Bomb())
    (path,) = (tmp_path / "cache").glob("rules-*")
    return path


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_cache_others_may_write_is_not_opened(planted: Path, tmp_path: Path, mode: int) -> None:
    planted.chmod(mode)
    assert cache.load("0" * 64) is None
    assert not (tmp_path / "exploded").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_cache_of_somebody_else_is_not_opened(planted: Path, tmp_path: Path) -> None:
    os.chown(planted, 65534, 65534)
    assert cache.load("0" * 64) is None
    assert not (tmp_path / "exploded").exists()


def test_cache_is_written_for_this_user_only(planted: Path) -> None:
    assert planted.stat().st_mode & 0o077 == 0
    assert planted.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"rubbish", pickle.dumps(Detector)[:-1], pickle.dumps(7)])
def test_broken_cache_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Runner, content: bytes
) -> None:
    monkeypatch.setenv("TECHNOGRAPH_CACHE", str(tmp_path / "cache"))
    page, rules = tmp_path / "page.html", rule_set(tmp_path, Acme={"html": "acme"})
    page.write_text("<p>acme")
    detect = ("detect", "--html", page, "--rules", rules, "--rules-only", "--format", "table")
    first = run(*detect)
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(content)
    assert "Acme" in first.out
    assert run(*detect) == first


# --- databases ----------------------------------------------------------------------------------------


def test_name_in_a_strangers_database_is_no_sql(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    filled(path, [site("acme.com", "shopify")]).close()
    evil = 'x" FROM site; DROP TABLE site; --'
    with sqlite3.connect(path) as plain:
        plain.execute("UPDATE technology SET slug = ? WHERE slug = 'shopify'", (evil,))
    plain.close()
    with Store.open(path, readonly=True) as store:
        query = parse('tech:"Shopify"', known_names(store))
        rows = list(find(store, Question(query, Freshness.at(NOW))))
    assert [row["domain"] for row in rows] == ["acme.com"]


@pytest.mark.parametrize(
    "query",
    [
        'domain:"\' OR 1=1 --"',
        "domain:x';DROP",
        "version:shopify<1';DROP",
        "tech:\"shopify' OR '1'='1\"",
        "score>=1;DROP",
        "tier:A'--",
    ],
)
def test_query_is_never_sql(tmp_path: Path, run: Runner, query: str) -> None:
    path = tmp_path / "t.db"
    filled(path, [site("acme.com", "shopify")]).close()
    ran = run("find", query, "--db", path, "--format", "jsonl")
    assert ran.out == ""
    assert ran.code in (0, 2, 4)
    assert "acme.com" in run("find", "tech:shopify", "--db", path, "--format", "jsonl").out


def test_message_that_quotes_a_stranger_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    note("acme.com: \x1b]0;owned\x07\u202emoc\x9b2J\r\nfaked line")
    assert capsys.readouterr().err == "acme.com: ]0;ownedmoc2J\nfaked line\n"


def test_yaml_bomb_is_refused_at_once(tmp_path: Path, run: Runner) -> None:
    bomb = tmp_path / "icp.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    bomb.write_text("\n".join(lines))
    ran = run("icp", "check", bomb)
    assert ran.code == 2
    assert "aliases" in ran.err
