"""What `rules check` says of a rule set in the Wappalyzer format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fingerprints.lint_sets import check_set

FINE = {"cats": [1], "scriptSrc": r"cdn\.acme-fine\.io/([\d.]+)/\;version:\1"}
TWINS = {"cats": [1], "html": ["acme-twin", "acme-own"]}
RULES = {
    "no pattern": ({}, ["dead: Acme: has no pattern that can be used, and nothing implies it"]),
    "no pattern that can be used": (
        {"html": "(acme"},
        [
            "unusable: Acme: html: '(acme': missing ), unterminated subpattern at position 0",
            "dead: Acme: has no pattern that can be used, and nothing implies it",
        ],
    ),
    "a name nobody has": (
        {"html": "acme-x", "requires": "Gone"},
        ["unknown-slug: Acme: requires: no rule for 'gone' is loaded, so it opens no gate"],
    ),
    "a name of ours": ({"html": "acme-x", "requires": "Sendinblue", "excludes": "Shopify"}, []),
    "patterns for a browser only": (
        {"js": {"Acme": ""}},
        ["browser-only (note): Acme: shows only in a browser: see --render"],
    ),
    "too little in all": (
        {"html": r"acme-x\;confidence:20", "text": r"acme-y\;confidence:20"},
        ["reach (note): Acme: all patterns together give 0.40, so it is never present"],
    ),
    "a pattern for every page": (
        {"html": ""},
        ["broad: Acme: html '' matches every page; write what must be there"],
    ),
    "an element of every page": (
        {"dom": ["div, acme-widget"]},
        ["broad: Acme: selector div, acme-widget '' is on pages of any kind; name a class or attribute"],
    ),
    "an element with an attribute": ({"dom": {"a": {"attributes": {"data-acme": ""}}}}, []),
    "an element of its own": ({"dom": "acme-widget"}, []),
    "a header that is there": ({"headers": {"X-Acme": ""}}, []),
    "a short word": (
        {"text": r"\bAC\b"},
        [
            r"broad (note): Acme: text '\\bAC\\b' has no run of 4 letters that must occur; it may match too much"
        ],
    ),
    "a part that is certain": (
        {"scriptSrc": [r"acme\.io/v2", r"acme\.io"]},
        [r"shadowed (note): Acme: url 'acme\\.io/v2' adds nothing to 'acme\\.io'; take it out"],
    ),
    "a part that is not certain": ({"scriptSrc": [r"acme\.io/v2", r"acme\.io\;confidence:50"]}, []),
    "a part in another place": ({"scriptSrc": [r"acme\.io/v2"], "html": r"acme\.io"}, []),
    "a longer one that tells a version": ({"scriptSrc": [r"acme\.io/v2\;version:2", r"acme\.io"]}, []),
    "a pattern of another one": (
        {"html": "acme-twin"},
        [
            "duplicate (note): Acme: html 'acme-twin' is also a pattern of Twins",
            "duplicate (note): Twins: html 'acme-twin' is also a pattern of Acme",
        ],
    ),
}


def findings(folder: Path, technologies: dict[str, Any], pages: dict[str, str] | None = None) -> list[str]:
    path = folder / "set.json"
    path.write_text(json.dumps(technologies))
    found = check_set(path, pages or {})[1]
    assert {finding.where for finding in found} <= {str(path)}
    return [f"{f.code}{' (note)' if f.is_note else ''}: {f.message}" for f in found]


@pytest.mark.parametrize("what", RULES)
def test_finding(what: str, tmp_path: Path) -> None:
    rule, said = RULES[what]
    rules = {"Acme": {"cats": [1], **rule}, "Fine": FINE, "Twins": TWINS}
    assert findings(tmp_path, rules) == said


def test_technology_that_others_imply_needs_no_pattern(tmp_path: Path) -> None:
    assert findings(tmp_path, {"Acme": {"cats": [1]}, "Fine": FINE | {"implies": "Acme"}}) == []


def test_slow_pattern_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fingerprints.lint_sets.hostile_seconds", lambda _: 0.5)
    assert findings(tmp_path, {"Acme": {"cats": [1], "html": "acme-x"}}) == [
        "slow: Acme: html 'acme-x' takes 0.50 s over 100000 bytes of hostile text"
    ]


def test_technology_that_is_found_where_nothing_is_used(tmp_path: Path) -> None:
    assert findings(tmp_path, {"Fine": FINE, "Acme": {"html": "welcome"}}, {"a.html": "<p>Welcome"}) == [
        "clean-page (note): acme#1 fires on a.html, which does not use it"
    ]
