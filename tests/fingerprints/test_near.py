"""Searching near what a pattern requires finds what searching everywhere does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprints.match import SHORT, _Matcher
from fingerprints.model import Observation
from fingerprints.plan import compile_plan, search_of, separator
from fingerprints.regexes import crosses, uses_backtracking
from fingerprints.rules import Channel, Signal

PATTERNS = (
    r"<acmeshop[^>]*widget",
    r"<acmeshop [^>]*>",
    r"acmeshop[^\S]widget",
    r"acmeshop[^\S\n]+widget",
    r"acmeshop[\W]+widget",
    r"acmeshop\D*widget",
    r"acmeshop[[:space:]]+widget",
    r"acmeshop.{0,9}widget",
    r"(?s)acmeshop.{0,9}widget",
    r"acmeshop\s*=\s*[\"'](widget)?",
    r"\bacmeshop\b(?:>|\b)",
    r"acmeshop$",
    r"^[^a]*acmeshop",
    r"(?m)^acmeshop",
    r"acmeshop(?!\s)[^>]*x>",
    r"acmeshop(?![^\S]widget)",
    r"<x(?! a)[^>]*acmeshop=\$[^>]*>",
    r"acmeshop\$(?!x)[^\s]*widget\s",
    r"(?:acmeshop|widget)[^\"]*\"",
    r"acmeshop(?:>|<)?x",
    r"widget[^'\n]*acmeshop",
    r"(?i:ACMESHOP) ?widget",
)
PIECES = (
    "acmeshop",
    "widget",
    "AcmeShop",
    "<",
    ">",
    " ",
    "\n",
    '"',
    "'",
    "=",
    "$",
    "x",
    "a",
    "<x",
    "1",
    "\u00a0",
)


def signal(pattern: str) -> Signal:
    return Signal("acme#1", Channel.HTML, 1.0, pattern=pattern, backtracks=uses_backtracking(pattern))


@pytest.mark.parametrize("pattern", PATTERNS)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.booleans())
def test_match_is_that_of_the_whole_text(pattern: str, written: str, first: bool) -> None:
    filler = "z" * (SHORT + 1)
    text = (written + filler if first else filler + "\n" + written).encode()
    matcher = _Matcher(compile_plan([]), Observation(body=text))
    near, whole = matcher._search(signal(pattern), text, text.lower()), search_of(signal(pattern))(text)
    assert (near and near.span()) == (whole and whole.span())


@pytest.mark.parametrize(
    ("pattern", "char", "expected"),
    [
        (r"<link [^>]*href", ">", False),
        (r"<link [^>]*>", ">", False),
        (r"<link [^>]*>x", ">", True),
        (r"a[^\S]b", " ", True),
        (r"a[^\S\n]b", " ", True),
        (r"a\Sb", " ", False),
        (r"a\Wb", ">", True),
        (r"a[\w-]b", " ", False),
        (r"a.b", " ", True),
        (r"a[[:space:]]b", " ", True),
        (r"^ab", ">", True),
        (r"ab$", ">", True),
        (r"\bab\b", ">", False),
        (r"ab(?!c)d", ">", False),
        (r"ab(?=>)d", ">", True),
        (r"(a)\1", ">", True),
        (r"(?:a|b>)", ">", False),
        (r"(?:a|>b)c", ">", True),
        (r"a{2,3}>?", ">", True),
    ],
)
def test_what_a_match_may_hold(pattern: str, char: str, expected: bool) -> None:
    assert crosses(pattern, char) is expected


def test_patterns_are_told_apart_at_all() -> None:
    assert {separator(signal(pattern)) for pattern in PATTERNS} >= {b"", b" ", b">"}
