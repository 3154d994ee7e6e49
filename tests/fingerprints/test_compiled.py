"""What the compiled module does for texts, beside plain Python and beside the same without a compiler."""

from __future__ import annotations

import codecs
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprints import compiled
from fingerprints.compiled import find, holds, is_utf8, lower, unix_lines


def without_compiler() -> ModuleType:
    """`fingerprints.compiled` as it is where there is no compiled module."""
    spec = importlib.util.find_spec("fingerprints.compiled")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {"fingerprints.native": None}):
        spec.loader.exec_module(module)
    assert not module.IS_COMPILED
    return module


PLAIN: Any = without_compiler()


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=4), st.integers(-5, 70))
def test_find_is_that_of_bytes(text: bytes, wanted: bytes, start: int) -> None:
    assert find(text, wanted, start) == text.find(wanted, start)
    assert find(text + wanted + text, wanted) == (text + wanted + text).find(wanted)


@given(
    st.text("aeh<t", max_size=300).map(str.encode),
    st.text("aeh<t", max_size=4).map(str.encode),
    st.integers(0, 90),
)
def test_common_letters_are_found_in_long_texts(text: bytes, wanted: bytes, start: int) -> None:
    text += b" " * start + wanted + text
    assert find(text, wanted, start) == text.find(wanted, start)
    assert find(text, wanted + b"e", start) == text.find(wanted + b"e", start)


@given(st.binary(max_size=80))
def test_lower_is_that_of_bytes(text: bytes) -> None:
    assert lower(text) == text.lower()


@given(
    st.text(max_size=40), st.text("GTM-/\u00e9", max_size=5), st.sampled_from(["", "\u4e2d", "\U0001f600"])
)
def test_holds_is_that_of_strings_of_every_width(text: str, wanted: str, wide: str) -> None:
    assert holds(text + wide, wanted) == (wanted in text + wide)
    assert holds(wide + text + wanted + text, wanted)


@given(st.binary(max_size=12) | st.text(max_size=8).map(str.encode))
def test_utf8_is_what_the_decoder_accepts_even_when_cut(data: bytes) -> None:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
        expected = True
    except UnicodeDecodeError:
        expected = False
    assert is_utf8(data) == expected


@given(st.text("a\r\n", max_size=12).map(str.encode))
def test_lines_end_as_in_unix(data: bytes) -> None:
    assert unix_lines(data) == data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@given(st.text("abc/:.#\u00e9", max_size=14))
def test_authority_is_the_same_without_a_compiler(url: str) -> None:
    assert compiled.authority_of(url) == PLAIN.authority_of(url)


@pytest.mark.parametrize("module", [compiled, PLAIN], ids=["compiled", "plain"])
@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("s.src='https://cdn.acme.example/a.js?x=1'", ["https://cdn.acme.example/a.js?x=1"]),
        ('"//cdn.acme.example:8443/a"', ["https://cdn.acme.example:8443/a"]),
        ("url(//cdn.acme.example)", ["https://cdn.acme.example"]),
        ("HTTPS://A.Example/x http://b.example#y", ["https://A.Example/x", "http://b.example#y"]),
        ("// cdn.acme.example //acme.example/a comment", []),
        ("'///acme.example'", []),
        ("'//localhost/a' '//a.b/x' '//10.0.0.1/x' '//x.1y/z'", []),
        ("'https://a.example/x?u=https://b.example/y'", ["https://a.example/x?u=https://b.example/y"]),
        (
            "'//under_score.acme.example/' '//a-.example-x/'",
            ["https://under_score.acme.example/", "https://a-.example-x/"],
        ),
        ("'//a1.b2.c3.d4.e5.f6.g7.h8.i9.example/'", ["https://a1.b2.c3.d4.e5.f6.g7.h8.i9"]),
        ("'https://acme.example/\u5546\u54c1\u3000x'", ["https://acme.example/\u5546\u54c1"]),
        (
            "'https://acme.example/a\u00a0b' '//b.example/c\u2028'",
            ["https://acme.example/a", "https://b.example/c"],
        ),
        ("'https://acme.example/" + "x" * 3_000 + "'", ["https://acme.example/" + "x" * 1_900]),
        ("'https://acme.example/" + "\u00e9" * 3_000 + "'", ["https://acme.example/" + "\u00e9" * 1_900]),
        ("'//" + "a" * 64 + ".example/'", []),
        ("'//a.example:123456/x'", ["https://a.example:12345"]),
        ("\ud800'//a.example/x'", ["https://a.example/x"]),
    ],
)
def test_urls_in_a_script(module: Any, text: str, urls: list[str]) -> None:
    assert module.urls_in(text, 50) == urls


SCRIPT_PIECES = (
    *(
        "//",
        "/",
        ":",
        "https:",
        "http:",
        "'",
        '"',
        "`",
        "(",
        "a.example",
        "a.b",
        ".",
        "a",
        "x-",
        "_",
        "1",
        "?",
        "#",
    ),
    *(
        " ",
        "\n",
        "\x1f",
        "\x85",
        "\u00a0",
        "\u1680",
        "\u2003",
        "\u202f",
        "\u205f",
        "\u3000",
        "\u00e9",
        "\u4e2d",
    ),
    *("\\", "{", "^", "|", "a" * 63, "b." * 7),
)


@given(st.lists(st.sampled_from(SCRIPT_PIECES), max_size=24).map("".join))
def test_urls_are_the_same_without_a_compiler(text: str) -> None:
    assert compiled.urls_in(text, 3) == PLAIN.urls_in(text, 3)


@pytest.mark.parametrize("module", [compiled, PLAIN], ids=["compiled", "plain"])
@pytest.mark.parametrize(
    ("text", "breaks_off"),
    [
        ("'https://www' + '.acme.example/a.js'", True),
        ('"//"+h', True),
        ("'///\"", True),
        ("'https://" + "a" * 40 + "'", True),
        ("'https://" + "a" * 41 + "'", False),
        ("'https://acme.example/a.js' + x", False),
        ("// a comment, isn't it", False),
        ("//", False),
    ],
)
def test_url_that_a_string_breaks_off(module: Any, text: str, breaks_off: bool) -> None:
    assert module.breaks_off_url(text) is breaks_off


@given(st.text("/\"'a.-\u00e9 ", max_size=12))
def test_what_breaks_off_is_the_same_without_a_compiler(text: str) -> None:
    assert compiled.breaks_off_url(text) is PLAIN.breaks_off_url(text)


@pytest.mark.parametrize("module", [compiled, PLAIN], ids=["compiled", "plain"])
def test_escaped_slashes_are_plain_ones(module: Any) -> None:
    assert (
        module.plain_slashes(r"https:\/\/a\u002Fb\u002fc\x2Fd\x2fe \\/ \u002 \x2")
        == r"https://a/b/c/d/e \/ \u002 \x2"
    )
    assert module.plain_slashes("\\") == "\\"


@given(
    st.lists(st.sampled_from(["\\", "/", "u", "0", "2", "F", "f", "x", "u002", "\u00e9"]), max_size=12).map(
        "".join
    )
)
def test_escaped_slashes_are_the_same_without_a_compiler(text: str) -> None:
    assert compiled.plain_slashes(text) == PLAIN.plain_slashes(text)


@pytest.mark.parametrize("module", [compiled, PLAIN], ids=["compiled", "plain"])
@pytest.mark.parametrize(
    ("raw", "reference"),
    [
        (" https://Acme.example/a\n", ("https://Acme.example/a", "Acme.example")),
        ("HTTP://u@acme.example:8080", ("HTTP://u@acme.example:8080", "u@acme.example:8080")),
        ("http:///a", ("http:///a", "")),
        ("//acme.example/a", ("//acme.example/a", None)),
        ("a/b", ("a/b", None)),
        ("https:a", ("https:a", None)),
        ("javascripts/a.js", ("javascripts/a.js", None)),
        ("JavaScript:go()", ("", None)),
        ("data:,x", ("", None)),
        ("#top", ("", None)),
        ("\u00a0\u2003", ("", None)),
        ("\u00e9\u00a0", ("\u00e9", None)),
        ("", ("", None)),
        ("https://acme.example/" + "x" * 80, ("https://acme.example/" + "x" * 43, "acme.example")),
        ("https://" + "x" * 80, ("https://" + "x" * 56, "x" * 56)),
    ],
)
def test_what_an_attribute_refers_to(module: Any, raw: str, reference: tuple[str, str | None]) -> None:
    assert module.web_reference(raw, 64) == reference


REFERENCE_PIECES = (
    "http",
    "https",
    "HTTP",
    ":",
    "//",
    "/",
    "#",
    " ",
    "\t",
    "\x1c",
    "\u00a0",
    "\u0130",
    "a",
    "tel:",
    "data:",
    "about",
)


@given(st.lists(st.sampled_from(REFERENCE_PIECES), max_size=7).map("".join), st.integers(0, 20))
def test_references_are_the_same_without_a_compiler(raw: str, limit: int) -> None:
    assert compiled.web_reference(raw, limit) == PLAIN.web_reference(raw, limit)


WORDS = st.sampled_from([b"ab", b"b", b"abc", b"c>"])
NEEDS = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)


@given(st.text("abC> ", max_size=60).map(str.encode), NEEDS)
def test_groups_are_held_the_same_without_a_compiler(text: bytes, needs: Any) -> None:
    assert compiled.holds_each(text, needs) == PLAIN.holds_each(text, needs)


@given(
    st.lists(st.text("aB/\u00e9\u4e2d\U0001f600\n", max_size=8), max_size=6),
    st.sampled_from([b"a", b"b/", b"ab"]),
)
def test_lines_hold_the_same_without_a_compiler(texts: list[str], literal: bytes) -> None:
    lines, plain = compiled.Lines(texts), PLAIN.Lines(texts)
    assert (lines.joined, lines.count) == (plain.joined, plain.count)
    assert lines.joined.count(b"\n") >= len(texts)
    expected = [number for number, text in enumerate(texts) if literal.decode() in text.lower()]
    assert lines.holding((literal,)) == plain.holding((literal,)) == expected
    several = [number for number, text in enumerate(texts) if "a" in text.lower() or "/" in text]
    assert lines.holding((b"a", b"/")) == plain.holding((b"a", b"/")) == several


def test_lines_are_those_of_the_first_reading() -> None:
    class Moody(list[str]):
        size = 1

        def __iter__(self) -> Iterator[str]:
            self.size *= 1_000_000
            yield "a" * self.size

    assert len(compiled.Lines(Moody()).joined) == 1_000_001
    assert compiled.Lines(["\ud800a"]).joined == PLAIN.Lines(["\ud800a"]).joined == b"?a\n"
