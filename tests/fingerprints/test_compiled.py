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
