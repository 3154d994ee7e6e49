"""The Wappalyzer rule format, row by row: what its reference does, what it documents, what we chose.

Each row is marked `reference` (the reference implementation does this), `documented` (the reference is
broken, the documentation is followed) or `choice` (ours, where the two leave it open).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fingerprints.detector import Detector
from fingerprints.loading import load_detector
from fingerprints.model import Detection, DetectionState
from fingerprints.observe import observe
from fingerprints.ruleset import build_detector
from fingerprints.strict import RuleError
from fingerprints.wappalyzer import load_wappalyzer, slug_of, translate

URL = "https://www.example.com/shop/"


def rule_set(tmp_path: Path, **technologies: dict[str, Any]) -> Detector:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(technologies))
    return build_detector(load_wappalyzer(path, merge_names=False).rules)


def found(detector: Detector, html: str = "", **page: Any) -> dict[str, Detection]:
    return {d.name: d for d in detector.detect([observe(html, url=URL, **page)])}


FIELDS = [
    # mark, rule, page, whether it fires
    (
        "reference",
        {"headers": {"X-Powered-By": "Acme"}},
        {"headers": {"x-powered-by": ["PHP", "ACME 2"]}},
        True,
    ),
    ("reference", {"headers": {"Server": ""}}, {"headers": {"server": ""}}, True),
    ("reference", {"headers": {"Server": "^nginx$"}}, {"headers": {"server": "nginx/1.2"}}, False),
    ("reference", {"cookies": {"Acme_ID": ""}}, {"cookies": {"acme_id": "1"}}, True),
    ("choice", {"cookies": {r"ASP\.NET_SessionId": ""}}, {"cookies": {"ASP.NET_SessionId": "x"}}, True),
    ("choice", {"cookies": {"mybb[lastvisit]": ""}}, {"cookies": {"mybb[lastvisit]": "x"}}, True),
    ("choice", {"cookies": {"sess[a-f0-9]{4}": ""}}, {"cookies": {"SESSab12": "x"}}, True),
    ("choice", {"cookies": {"sess[a-f0-9]{4}": ""}}, {"cookies": {"SESSab12long": "x"}}, False),
    (
        "reference",
        {"meta": {"generator": "Acme"}},
        {"html": '<meta name="Generator" content="acme 3">'},
        True,
    ),
    ("reference", {"meta": {"og:site": "Acme"}}, {"html": '<meta property="og:site" content="acme">'}, True),
    ("reference", {"meta": {"acme": ""}}, {"html": '<meta name="acme">'}, True),
    (
        "reference",
        {"scriptSrc": r"https://www\.example\.com/js/acme\.js"},
        {"html": '<script src="/js/acme.js"></script>'},
        True,
    ),
    ("choice", {"scriptSrc": "^/js/acme"}, {"html": '<script src="/js/acme.js"></script>'}, True),
    ("reference", {"scriptSrc": "acme"}, {"html": '<img src="/acme.js">'}, False),
    ("reference", {"scripts": "acmeBoot\\("}, {"html": "<script>acmeBoot(1)</script>"}, True),
    ("reference", {"scripts": "acmeBoot"}, {"html": '<script src="/acmeBoot.js"></script>'}, False),
    ("reference", {"html": '<div class="acme'}, {"html": '<div class="acme-root">'}, True),
    ("reference", {"text": r"\bAcme Inc\b"}, {"html": "<p>by   Acme\n<b>Inc</b></p>"}, True),
    ("choice", {"text": r"\bAcme\b"}, {"html": "<script>var Acme</script><p>hi</p>"}, False),
    ("reference", {"css": r"\.acme-x"}, {"html": "<style>.acme-x{top:0}</style>"}, True),
    ("reference", {"url": r"example\.com/shop"}, {}, True),
    ("reference", {"dns": {"TXT": "acme-site"}}, {"dns": {"TXT": ("acme-site=1",)}}, True),
    ("reference", {"certIssuer": "Acme CA"}, {"tls_issuer": "Acme CA R3"}, True),
    ("documented", {"robots": "Disallow: /acme"}, {"robots": "User-agent: *\nDisallow: /acme"}, True),
    ("reference", {"js": {"Acme.version": ""}}, {"html": "<script>Acme.version='1'</script>"}, False),
    ("reference", {"js": {"Acme.version": ""}}, {"globals": {"Acme.version": "1"}}, True),
    ("reference", {"js": {"Acme.version": ""}}, {"globals": {"acme.version": "1"}}, False),
    ("reference", {"xhr": r"^api\.acme\.com$"}, {"requests": ["https://api.acme.com/v1?x"]}, True),
    ("choice", {"html": r"<a href=\"https:\/\/acme"}, {"html": '<a href="https://acme">'}, True),
    ("choice", {"html": "acme.*end"}, {"html": "<p>acme" + "x" * 400 + "end"}, True),
    ("reference", {"html": ""}, {"html": "<p>anything</p>"}, True),
]


@pytest.mark.parametrize(("mark", "rule", "page", "fires"), FIELDS)
def test_field(mark: str, rule: dict[str, Any], page: dict[str, Any], fires: bool, tmp_path: Path) -> None:
    assert mark in ("reference", "documented", "choice")
    assert ("Acme" in found(rule_set(tmp_path, Acme={"cats": [1], **rule}), **page)) is fires


DOM = [
    ("reference", ".acme", '<div class="big acme">', True),
    ("reference", ["#nope", "div[data-acme]"], "<div data-acme=1>", True),
    ("reference", {"a.x": {"exists": ""}}, '<a class="x">', True),
    ("reference", {"a.x": {"exists": "text"}}, '<a class="x">text</a>', False),
    ("reference", {"a.x": {"text": "^Acme$"}}, '<a class="x"> Acme </a>', True),
    ("reference", {"a.x": {"text": ""}}, '<a class="x"> </a>', False),
    ("reference", {"link": {"attributes": {"href": "acme"}}}, '<link href="/acme.css">', True),
    (
        "choice",
        {"link": {"attributes": {"href": "acme"}}},
        '<link href="/a.css"><link href="/acme.css">',
        True,
    ),
    ("reference", {"link": {"attributes": {"href": "acme"}}}, "<link rel=acme>", False),
    ("reference", 'img[src*="ACME" i]', "<img src=/acme.png>", True),
    ("reference", 'img[src*="ACME"]', "<img src=/acme.png>", False),
    ("reference", "div > p.acme", '<div><p class="acme">', True),
    ("reference", "ul > p.acme", '<div><p class="acme">', False),
    ("reference", "div[", "<div>", False),
]


@pytest.mark.parametrize(("mark", "dom", "html", "fires"), DOM)
def test_dom(mark: str, dom: Any, html: str, fires: bool, tmp_path: Path) -> None:
    assert ("Acme" in found(rule_set(tmp_path, Acme={"cats": [1], "dom": dom}), html)) is fires


VERSIONS = [
    ("reference", r"a-([\d.]+)\;version:\1", "a-1.2.3", "1.2.3"),
    ("choice", r"a-([\d.]+)\;version:\1", "a-1.2.3.4.5.6.7", "1.2.3.4.5.6.7"),
    ("reference", r"(\d)-(\d)?\;version:\1.\2", "7-", "7"),
    ("reference", r"q(z)?\;version:\1?a:b", "q", "b"),
    ("reference", r"q(z)?\;version:\1?a:b", "qz", "a"),
    ("reference", r"q(z)?\;version:\1?a:", "q", ""),
    ("documented", r"q(z)?\;version:\1?:b", "q", "b"),
    ("documented", r"q(z)?\;version:\1?:b", "qz", ""),
    ("choice", r"(a)\;version:\2\3", "a", ""),
    ("reference", r"q(\d)?\;version:\1?\1:none", "q5", "5"),
    ("reference", r"abc\;version:\0", "abc", "abc"),
    ("reference", r"abc\;version:6", "abc", "6"),
    ("reference", r"a(\d)\;version:pro \1", "a1", "pro 1"),
    ("reference", r"v=([\w-]+)\;version:\1", "v=20240101", ""),
    ("reference", r"v=([\w-]+)\;version:\1", "v=9999", "9999"),
    ("choice", r"v=([\w-]+)\;version:\1", "v=123a8470", ""),
    ("reference", r"a-([\d.]+)\;confidence:80\;version:\1", "a-2", "2"),
]


@pytest.mark.parametrize(("mark", "pattern", "text", "version"), VERSIONS)
def test_version(mark: str, pattern: str, text: str, version: str, tmp_path: Path) -> None:
    detector = rule_set(tmp_path, Acme={"cats": [1], "headers": {"x": pattern}})
    assert found(detector, headers={"x": text})["Acme"].version == version


def test_confidences_add_up_once_per_pattern_and_stop_at_one(tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path, Acme={"cats": [1], "scriptSrc": [r"acme\;confidence:30", r"boot\;confidence:40"]}
    )
    once = found(detector, '<script src="/acme1.js"></script><script src="/acme2.js"></script>')["Acme"]
    assert (once.confidence, once.state) == (0.3, DetectionState.WEAK)
    both = found(detector, '<script src="/acme.js"></script><script src="/boot.js"></script>')["Acme"]
    assert (both.confidence, both.state) == (0.7, DetectionState.PRESENT)


def test_confidence_zero_tells_a_version_and_nothing_else(tmp_path: Path) -> None:
    rules = {"cats": [1], "html": [r"lib ([\d.]+)\;confidence:0\;version:\1", "lib-root"]}
    detector = rule_set(tmp_path, Acme=rules)
    assert "Acme" not in found(detector, "<p>lib 4.2</p>")
    assert found(detector, "<p>lib 4.2 lib-root</p>")["Acme"].version == "4.2"


def test_implies_runs_to_the_end_and_is_marked(tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path,
        A={"cats": [1], "html": "aaaa", "implies": [r"B\;confidence:60\;version:2"]},
        B={"cats": [1], "implies": "C"},
        C={"cats": [1]},
    )
    result = found(detector, "<p>aaaa</p>")
    assert (result["B"].confidence, result["B"].version, result["B"].implied_by) == (0.6, "2", "a")
    assert (result["C"].confidence, result["C"].implied_by, result["C"].evidence) == (0.6, "b", ())


def test_implication_fills_a_version_but_raises_no_confidence(tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path,
        A={"cats": [1], "html": "aaaa", "implies": r"B\;version:2"},
        B={"cats": [1], "html": r"bbbb\;confidence:50"},
    )
    b = found(detector, "<p>aaaa bbbb</p>")["B"]
    assert (b.confidence, b.version, b.implied_by) == (0.5, "2", "")


@pytest.mark.parametrize("requires", [["Base"], "Base", ["Other", "Base"]])
def test_requires_is_a_gate_and_never_evidence(requires: Any, tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path,
        Plugin={"cats": [1], "html": "plug", "requires": requires},
        Base={"cats": [1], "html": "base"},
        Other={"cats": [1], "html": "other"},
    )
    assert set(found(detector, "<p>plug</p>")) == set()
    assert set(found(detector, "<p>plug base</p>")) == {"Plugin", "Base"}


def test_a_gate_opens_for_implied_technologies_and_in_chains(tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path,
        A={"cats": [1], "html": "aaaa", "implies": "B"},
        B={"cats": [1]},
        C={"cats": [1], "html": "cccc", "requires": "B"},
        D={"cats": [1], "html": "dddd", "requires": "C"},
    )
    assert set(found(detector, "<p>aaaa cccc dddd</p>")) == {"A", "B", "C", "D"}


def test_requires_category_opens_for_any_technology_of_it(tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path,
        App={"cats": [100], "html": "app-x", "requiresCategory": 6},
        Shop={"cats": [6], "html": "shop-x"},
    )
    assert "App" not in found(detector, "<p>app-x</p>")
    assert "App" in found(detector, "<p>app-x shop-x</p>")


def test_exclusion_follows_confidence_and_what_is_excluded_does_not_come_back(tmp_path: Path) -> None:
    detector = rule_set(
        tmp_path,
        Old={"cats": [1], "html": r"oldx\;confidence:60", "excludes": "New"},
        New={"cats": [1], "html": "newx", "excludes": "Old"},
        Wrap={"cats": [1], "html": "wrap", "implies": "Old"},
    )
    assert set(found(detector, "<p>oldx newx wrap</p>")) == {"New", "Wrap"}


def test_both_dialects_and_layouts_load(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "technologies"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(
        json.dumps({"Acme": {"cats": [6], "html": ["acme-x"], "dns": {"MX": ["acme"]}}})
    )
    (folder / "b.json").write_text(
        json.dumps({"Bolt": {"cats": [999], "html": "bolt-x", "dns": {"MX": "bolt"}}})
    )
    detector = load_detector([tmp_path], ours=False)
    result = found(detector, "<p>acme-x bolt-x</p>", dns={"MX": ("mx.acme",)})
    assert result["Acme"].category == "ecommerce_platform"
    assert result["Bolt"].category == "other"


def test_what_cannot_be_used_is_listed_and_loses_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    rule = {
        "cats": [1],
        "html": ["good", "(broken"],
        "dom": "div[",
        "probe": {"/x": ""},
        "js": {"A": ""},
        "icons": 1,
    }
    path.write_text(json.dumps({"Acme": rule}))
    imported = load_wappalyzer(path, merge_names=False)
    assert [s.on.value for s in imported.rules[0].signals] == ["global", "html"]
    assert [line.partition(": ")[0] for line in imported.skipped] == ["Acme"] * 3
    assert imported.skipped[0].startswith("Acme: html: '(broken':")
    assert imported.not_evaluable == {"js": 1, "probe": 1}


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text("{nope")
    with pytest.raises(RuleError, match=rf"^{path}: not JSON: "):
        load_wappalyzer(path, merge_names=False)


TRANSLATIONS = [
    (r"a\/b", "a/b"),
    (r"\APC\b", r"APC\b"),
    (r"[^]+x", r"[\s\S]+x"),
    (r"a{,3}", r"a\{,3}"),
    (r"\u0041b", "Ab"),
    (r"a\-b\.c", r"a\-b\.c"),
    (r"[\w.-]+", r"[\w.-]+"),
]


@pytest.mark.parametrize(("javascript", "ours"), TRANSLATIONS)
def test_javascript_pattern_in_our_syntax(javascript: str, ours: str) -> None:
    assert translate(javascript) == ours


def test_look_around_is_confirmed_on_short_texts_only(tmp_path: Path) -> None:
    detector = rule_set(tmp_path, Acme={"cats": [1], "headers": {"x": "acme(?!-test)"}})
    assert "Acme" in found(detector, headers={"x": "acme-live"})
    assert "Acme" not in found(detector, headers={"x": "acme-test"})


@pytest.mark.parametrize(
    ("name", "slug"), [("Vue.js", "vue-js"), ("A -- B", "a-b"), ("1C-Bitrix", "1c-bitrix")]
)
def test_slug(name: str, slug: str) -> None:
    assert slug_of(name) == slug
