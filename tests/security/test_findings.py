"""Inputs that broke a reader before, most of them found by fuzzing: each is answered now."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli import jsonl
from cli.jsonl import numbered
from cli.pages import PageFormatError, from_har, from_json_line
from crawler.addresses import literal_address
from crawler.certificates import SELF_SIGNED, UNREADABLE, Certificate, read_certificate
from fingerprints.containers import parse_container
from fingerprints.model.wire import RecordFormatError, from_json
from fingerprints.strict import RuleError
from fingerprints.toml_rules import load_rule_file
from fingerprints.wappalyzer import load_wappalyzer
from icp.table import TableError, read_table
from tests.security.sites import NOW, a_certificate

DEEP = 200_000


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "line",
    [
        '{"url": "http://[", "html": "<p>"}',
        "[" * DEEP,
        '{"html_base64": "a"}',
        b'{"html": "\xed\xa0\x80"}',
        '{"status": 1' + "0" * 5_000 + "}",
    ],
    ids=["broken address", "deep", "base64", "half a pair in UTF-8", "long number"],
)
def test_line_that_is_no_page_is_told_and_costs_no_other_line(line: str | bytes) -> None:
    with pytest.raises(PageFormatError, match="line 7: "):
        from_json_line(line, 7)


def test_half_a_surrogate_pair_in_json_can_be_stored_and_printed() -> None:
    page = from_json_line(r'{"url": "https://acme.com/", "html": "\ud83d", "cookies": {"\udc00": "x"}}', 1)
    assert (page.html, dict(page.cookies)) == ("?", {"?": "x"})


def test_line_without_an_end_is_read_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 10)
    stream = io.BytesIO(b"x" * 35 + b"\nshort\n" + b"y" * 10)
    assert list(numbered(stream)) == [(1, b"x" * 10), (2, b"short\n"), (3, b"y" * 10)]


@pytest.mark.parametrize(
    "har",
    [
        "[" * DEEP,
        {"log": {"entries": ["text"]}},
        {"log": {"entries": [{"response": None}]}},
        {"log": {"entries": [{"response": {"content": 7}}]}},
        {"log": {"entries": [{"response": {"content": {"mimeType": "text/html", "text": 7}}}]}},
        {"log": {"entries": [{"response": {"content": {"mimeType": "text/html", "text": "<p>"}}}]}},
    ],
    ids=["deep", "entry", "response", "content", "text", "no request"],
)
def test_broken_har_is_refused_with_its_path(tmp_path: Path, har: Any) -> None:
    path = written(tmp_path / "a.har", har if isinstance(har, str) else json.dumps(har))
    with pytest.raises(PageFormatError, match=r"a\.har: not a HAR file"):
        from_har(path)


@pytest.mark.parametrize("macros", [True, 7, "text", None])
def test_container_with_a_broken_list_of_macros_is_not_one(macros: object) -> None:
    assert parse_container("gtm:GTM-AB12", json.dumps({"resource": {"tags": [], "macros": macros}})) in (
        None,
        parse_container("gtm:GTM-AB12", '{"resource": {"tags": []}}'),
    )


@pytest.mark.parametrize(
    ("piece", "other"),
    [(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x3c"), (b"\x82\x08acme.com", b"\xa3\x08acme.com")],
    ids=["version 60", "name of a rare type"],
)
def test_certificate_that_breaks_the_standard_is_unreadable_and_costs_no_visit(
    piece: bytes, other: bytes
) -> None:
    der = a_certificate()
    assert read_certificate(der, "acme.com", NOW) == Certificate("acme.com", frozenset({SELF_SIGNED}))
    assert piece in der
    broken = read_certificate(der.replace(piece, other), "acme.com", NOW)
    assert broken == Certificate("", frozenset({UNREADABLE}))


@pytest.mark.parametrize("host", ["\0", "\udc80", "a\0.com", ""])
def test_host_with_impossible_characters_is_no_address(host: str) -> None:
    assert literal_address(host) is None


def test_table_of_empty_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="holds only empty cells"):
        read_table(written(tmp_path / "crm.csv", ",,\n,\n"))


def test_refused_record_does_not_repeat_all_of_its_line() -> None:
    with pytest.raises(RecordFormatError) as caught:
        from_json("x" * 1_000_000)
    assert len(str(caught.value)) < 300


# --- rules of others ---------------------------------------------------------------------------------


def skipped(folder: Path, entry: dict[str, Any]) -> list[str]:
    return load_wappalyzer(
        written(folder / "set.json", json.dumps({"Acme": entry})), merge_names=False
    ).skipped


def test_deeply_nested_rule_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="not JSON"):
        load_wappalyzer(written(tmp_path / "set.json", '{"Acme":' * DEEP), merge_names=False)


@pytest.mark.parametrize("pattern", ["\ud800", r"\ud83d\ude00", "a(?=\ud800)"])
def test_pattern_no_page_can_match_is_left_out(tmp_path: Path, pattern: str) -> None:
    assert len(skipped(tmp_path, {"html": pattern})) == 1


def test_confidence_of_any_length_is_read(tmp_path: Path) -> None:
    assert skipped(tmp_path, {"html": "acme\\;confidence:" + "9" * 5_000}) == []


@pytest.mark.parametrize(
    "content",
    ["a = " + "[" * 10_000, "a = 1" + "0" * 5_000, "a" + ".a" * DEEP + "= 1"],
    ids=["deep", "long number", "quadratic"],
)
def test_toml_bomb_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(RuleError, match=r"not valid TOML|not a rule file"):
        load_rule_file(written(tmp_path / "cms" / "acme.toml", content))


def test_rule_with_a_selector_that_cannot_be_used_is_refused_when_it_is_read(tmp_path: Path) -> None:
    rule = (
        'name = "Acme"\nwebsite = "https://acme.com"\ndescription = "x"\nchecked = 2026-11-22\n'
        '[[signal]]\non = "selector"\nselector = "a[b"\nstrength = "strong"\n'
    )
    with pytest.raises(RuleError, match=r"acme\.toml: signal 1: selector"):
        load_rule_file(written(tmp_path / "cms" / "acme.toml", rule))
