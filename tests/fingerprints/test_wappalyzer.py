"""Reading rule sets in the Wappalyzer format: every layout and dialect, and what is said of what is wrong.

What rules mean once they are read is in test_conformance.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fingerprints.detector import Detector
from fingerprints.loading import load_detector
from fingerprints.model import Detection
from fingerprints.observe import observe
from fingerprints.ruleset import build_detector, read_detector
from fingerprints.strict import RuleError
from fingerprints.wappalyzer import MAX_PATTERN_CHARS, load_wappalyzer

URL = "https://www.example.com/shop/"


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def problems(source: Path) -> list[str]:
    """What is left out of a set, without the folder it lies in."""
    imported = load_wappalyzer(source, merge_names=False)
    listed = build_detector(imported.rules, problems=imported.skipped).problems
    return [line.replace(f"{source if source.is_dir() else source.parent}/", "") for line in listed]


def found(detector: Detector, html: str, **page: Any) -> dict[str, Detection]:
    return {d.name: d for d in detector.detect([observe(html, url=URL, **page)])}


# --- layouts and dialects ------------------------------------------------------------------------------

ACME = {"Acme": {"cats": [6], "html": ["acme-x"], "dns": {"MX": ["acme"]}}}
BOLT = {"Bolt": {"cats": 999, "html": "bolt-x", "dns": {"MX": "bolt"}}}
LAYOUTS = {
    "a checkout": (
        "",
        {"src/technologies/a.json": ACME, "src/technologies/b.json": BOLT, "package.json": {"name": "x"}},
    ),
    "its folder of technologies": (
        "technologies",
        {"technologies/a.json": ACME, "technologies/b.json": BOLT},
    ),
    "a folder of files": ("", {"a.json": ACME, "b.json": BOLT, "categories.json": {"6": {"name": "Shops"}}}),
    "one file": ("a.json", {"a.json": ACME | BOLT}),
    "one file with everything": ("a.json", {"a.json": {"technologies": ACME | BOLT, "categories": {}}}),
    "one file of older sets": ("a.json", {"a.json": {"apps": ACME | BOLT, "$schema": "x"}}),
    "a file for an editor": ("a.json", {"a.json": ACME | BOLT | {"$schema": "schema.json"}}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout(layout: str, tmp_path: Path) -> None:
    given, files = LAYOUTS[layout]
    for name, content in files.items():
        write(tmp_path / name, content)
    detector = load_detector([tmp_path / given], ours=False)
    result = found(detector, "<p>acme-x bolt-x</p>", dns={"MX": ("mx.acme",)})
    assert {name: d.category for name, d in result.items()} == {"Acme": "ecommerce_platform", "Bolt": "other"}
    assert detector.problems == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_file_in_any_encoding_of_json(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"Café": {"html": "é"}}, ensure_ascii=False), encoding)
    assert [rule.technology.name for rule in load_wappalyzer(tmp_path, merge_names=False).rules] == ["Café"]


@pytest.mark.parametrize("cats", [6, "6", [6], ["6"], "Shops", ["shops", 999]])
def test_category_as_number_text_or_name(cats: Any, tmp_path: Path) -> None:
    write(
        tmp_path / "categories.json", {"6": {"name": "Shops"}, "7": "no object", "x": {"name": "no number"}}
    )
    write(tmp_path / "technologies/a.json", {"Acme": {"cats": cats}, "Bolt": {"requiresCategory": cats}})
    acme, bolt = load_wappalyzer(tmp_path, merge_names=False).rules
    assert acme.technology.category == "ecommerce_platform"
    assert set(bolt.requires_numbers) & set(acme.category_numbers) >= {6}


def test_edited_names_of_categories_are_seen_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TECHNOGRAPH_CACHE", str(tmp_path / "cache"))
    rules = write(tmp_path / "technologies/a.json", {"Acme": {"cats": "Shops"}})
    write(tmp_path / "categories.json", {"1": {"name": "Shops"}})
    assert load_detector([rules], ours=False).rules["acme"].technology.category == "cms"
    write(tmp_path / "categories.json", {"6": {"name": "Shops"}})
    assert load_detector([rules], ours=False).rules["acme"].technology.category == "ecommerce_platform"


def test_names_that_differ_only_in_what_a_slug_leaves_out_stay_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {name: {"cats": 27} for name in ("C", "C++", "C#", "百度", "度百")})
    slugs = [rule.slug for rule in load_wappalyzer(path, merge_names=False).rules]
    assert slugs == ["c", "c-2", "c-3", "technology", "technology-2"]


# --- what is wrong with one rule -----------------------------------------------------------------------

RULES = {
    # field, its value, what is said after the technology's name
    "object wanted, text": (
        "headers",
        "nginx",
        "headers: text 'nginx', expected an object of names and patterns",
    ),
    "object wanted, list": ("cookies", ["a"], "cookies: a list, expected an object of names and patterns"),
    "pattern wanted, null": ("html", [None], "html: null, expected a pattern"),
    "pattern wanted, object": ("html", {"a": "b"}, "html: an object, expected a pattern"),
    "pattern wanted, list": ("scripts", [["a"]], "scripts: a list, expected a pattern"),
    "pattern wanted, true": ("js", {"Acme": True}, "js: true or false, expected a pattern"),
    "selector wanted": ("dom", 5, "dom: a number, expected a selector"),
    "clauses wanted": ("dom", {"a": "x"}, "dom: 'a': text 'x', expected an object of clauses"),
    "attributes wanted": (
        "dom",
        {"a": {"attributes": "x"}},
        "dom: text 'x', expected an object of names and patterns",
    ),
    "clause that is none": ("dom", {"a": {"txt": ""}}, "dom: unknown clause 'txt'"),
    "exists with a pattern": ("dom", {"a": {"exists": "x"}}, "dom: exists takes no pattern"),
    "selector that is none": (
        "dom",
        "div[",
        "dom: 'div[': not a valid CSS selector: Expected ident or '*', got <EOF at 4>",
    ),
    "probe without paths": ("probe", "/x", "probe: text '/x', expected an object of names and patterns"),
    "technology wanted": ("implies", {"a": 1}, "implies: an object, expected the name of a technology"),
    "technology without name": ("requires", [""], "requires: text '', expected the name of a technology"),
    "category wanted": ("cats", [None], "cats: null is no number or name of a category of this set"),
    "category by an unknown name": (
        "requiresCategory",
        "Shops",
        "requiresCategory: 'Shops' is no number or name of a category of this set",
    ),
    "implies nobody": ("implies", r"Gone\;confidence:50", "implies: no rule for 'gone' is loaded"),
    "excludes nobody": ("excludes", ["Gone"], "excludes: no rule for 'gone' is loaded"),
    "requires nobody": ("requires", "Gone", "requires: no rule for 'gone' is loaded, so it opens no gate"),
    "unknown field": ("icons", 1, "icons: unknown field"),
    "unknown tag": ("html", r"a\;confidnce:50", "html: unknown tag 'confidnce'"),
    "confidence in words": (
        "html",
        r"a\;confidence:high",
        "html: confidence 'high' is no number; 100 is taken",
    ),
    "tag without its backslash": (
        "html",
        "a;version:1",
        r"html: 'a;version:1': a tag begins with `\;`; this one is part of the pattern",
    ),
    "pattern that is there twice": (
        "html",
        [r"a\;confidence:30", r"a\;confidence:40"],
        "html: 'a' is there twice; it counts once",
    ),
    "name that is there twice": (
        "headers",
        {"X-A": "", "x-a": ""},
        "header: 'x-a' is there twice; it counts once",
    ),
    "record type": ("dns", {"A": "1.2"}, "dns: record type 'A' is not looked up"),
    "broken pattern": ("html", "(acme", "html: '(acme': missing ), unterminated subpattern at position 0"),
    "look-behind of any width": (
        "html",
        "(?<=a+)b",
        "html: '(?<=a+)b': look-behind requires fixed-width pattern",
    ),
    "reference to nothing": ("html", r"a\1", r"html: 'a\\1': invalid group reference 1 at position 7"),
    "pattern without end": (
        "html",
        "x" * 6_000,
        f"html: '{'x' * 120}...': longer than {MAX_PATTERN_CHARS} characters",
    ),
}


@pytest.mark.parametrize("what", RULES)
def test_what_cannot_be_used_is_listed_and_loses_nothing_else(what: str, tmp_path: Path) -> None:
    field, value, said = RULES[what]
    rule = {"cats": [1], "robots": "acme", field: value}
    path = write(tmp_path / "a.json", {"Acme": rule, "Bolt": {"cats": [1], "html": "bolt-x"}})
    assert problems(path) == [f"Acme: {said}"]
    detector = load_detector([path], ours=False)
    assert "Bolt" in found(detector, "<p>bolt-x</p>")
    if "requires" not in field:
        assert "Acme" in found(detector, "", robots="acme")


@pytest.mark.parametrize(
    "rule",
    [
        {"website": None},
        {"website": 5, "cats": None},
        {"html": None, "headers": None, "dom": None, "implies": None},
        {"html": [], "headers": {}, "dom": {}, "requires": []},
        {"pricing": ["low"], "icon": "a.svg", "cpe": "x", "saas": True, "oss": False, "description": ""},
        {},
    ],
)
def test_what_is_empty_or_only_describes_is_no_trouble(rule: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"Acme": rule})
    (read,) = load_wappalyzer(path, merge_names=False).rules
    assert (problems(path), read.technology.website, read.signals) == ([], "", ())


def test_patterns_for_a_browser_and_for_requests_are_counted(tmp_path: Path) -> None:
    rule = {
        "js": {"A": "", "B": ["", "1"]},
        "xhr": "x",
        "probe": {"/x": ""},
        "dom": {"a": {"properties": {"b": ""}}},
    }
    path = write(tmp_path / "a.json", {"Acme": {"cats": [52], **rule}, "Bolt": {"cats": [52], "html": "b"}})
    imported = load_wappalyzer(path, merge_names=False)
    assert imported.not_evaluable == {"js": 3, "xhr": 1, "probe": 1, "dom.properties": 1}


# --- what is wrong with files --------------------------------------------------------------------------

GOOD = {"Bolt": {"cats": [1], "html": "bolt-x"}}
FILES = {
    # the first file, what is said of it
    "no JSON": (
        "{nope",
        "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    "cut off": ('{"Acme": {"cats": [1]', "not JSON: Expecting ',' delimiter: line 1 column 22 (char 21)"),
    "empty": ("", "not JSON: Expecting value: line 1 column 1 (char 0)"),
    "a list": ("[1]", "holds a list, expected an object of technologies by name"),
    "text": ('"x"', "holds text, expected an object of technologies by name"),
    "technologies in a list": (
        {"technologies": []},
        "technologies: a list, expected an object of technologies by name",
    ),
    "a rule without its name": (
        {"cats": [1], "html": "a"},
        'is one rule without its name; write {"Name": {"cats": ...}}',
    ),
    "an entry that is no rule": ({"Acme": "acme-x"}, "Acme: text, expected an object of fields"),
    "a name in two files": (GOOD, "Bolt: also in 0.json, which is not used"),
    "a name twice in one file": (
        '{"A": {}, "A": {}}',
        "key 'A' is twice in one object; the last one is used",
    ),
    "a field twice in one rule": (
        '{"A": {"html": "a", "html": "b"}}',
        "key 'html' is twice in one object; the last one is used",
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_file_that_is_wrong_is_named_and_loses_no_other(what: str, tmp_path: Path) -> None:
    content, said = FILES[what]
    write(tmp_path / "0.json", content)
    write(tmp_path / "1.json", GOOD)
    at = "1.json" if "in two files" in what else "0.json"
    assert problems(tmp_path) == [f"{at}: {said}"]
    assert "Bolt" in found(load_detector([tmp_path], ours=False), "<p>bolt-x</p>")


@pytest.mark.parametrize("what", ["no JSON", "a list", "a rule without its name", "an entry that is no rule"])
def test_set_of_which_nothing_can_be_read_is_refused(what: str, tmp_path: Path) -> None:
    content, said = FILES[what]
    path = write(tmp_path / "0.json", content)
    for source in (path, tmp_path):
        with pytest.raises(RuleError) as caught:
            load_wappalyzer(source, merge_names=False)
        assert str(caught.value) == f"{path}: {said}"


def test_set_without_technologies_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {})
    with pytest.raises(RuleError, match=rf"^{path}: holds no technology$"):
        load_wappalyzer(path, merge_names=False)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "gone")
    write(tmp_path / "b.json", GOOD)
    assert problems(tmp_path) == ["a.json: cannot read: No such file or directory"]
    assert "Bolt" in found(load_detector([tmp_path], ours=False), "<p>bolt-x</p>")


# --- beside others -------------------------------------------------------------------------------------

OURS = """\
name = "Acme Shop"
website = "https://acme.com"
description = "x"
checked = 2026-11-22
source = ["x"]

[[signal]]
on = "html"
pattern = "acme-own"
strength = "certain"
"""


def beside(tmp_path: Path, *sets: dict[str, Any]) -> Detector:
    """A detector for one rule of ours, `acme-shop`, and these sets."""
    ours = write(tmp_path / "rules/ecommerce_platform/acme-shop.toml", OURS).parent.parent
    files = [write(tmp_path / f"{number}.json", rules) for number, rules in enumerate(sets)]
    return read_detector([ours, *files], "0" * 64)


def test_same_pattern_in_two_sets_counts_once(tmp_path: Path) -> None:
    rule = {"cats": [1], "html": r"acme\;confidence:40", "headers": {"X": ""}}
    other = {"cats": [1], "html": [r"acme\;confidence:50", r"more\;confidence:20"], "headers": {"x": ""}}
    detector = beside(tmp_path, {"Acme": rule}, {"Acme": other})
    assert found(detector, "<p>acme</p>")["Acme"].confidence == 0.4
    assert found(detector, "<p>acme more</p>")["Acme"].confidence == 0.6
    assert len(detector.rules["acme"].signals) == 3


def test_set_adds_to_a_rule_of_ours_what_it_knows(tmp_path: Path) -> None:
    theirs = {
        "Acme Shop": {"cats": [6], "html": "acme-theirs", "implies": "PHP", "excludes": "Bolt"},
        "PHP": {"cats": [27]},
        "Bolt": {"cats": [6], "html": "bolt-x"},
        "App": {"cats": [100], "html": "app-x", "requiresCategory": 6},
    }
    result = found(beside(tmp_path, theirs), "<p>acme-theirs bolt-x app-x</p>")
    assert {name: d.confidence for name, d in result.items()} == {"Acme Shop": 0.8, "PHP": 0.8, "App": 1.0}


def test_what_a_set_adds_stays_behind_its_gate(tmp_path: Path) -> None:
    theirs = {
        "Acme Shop": {"cats": [6], "html": "acme-theirs", "requires": "PHP"},
        "PHP": {"cats": [27], "html": "php-x"},
    }
    detector = beside(tmp_path, theirs)
    assert set(found(detector, "<p>acme-theirs</p>")) == set()
    assert set(found(detector, "<p>acme-own</p>")) == {"Acme Shop"}
    assert set(found(detector, "<p>acme-theirs php-x</p>")) == {"Acme Shop", "PHP"}


def test_set_may_name_technologies_of_another_one(tmp_path: Path) -> None:
    first = {"Plugin": {"cats": [1], "html": "plug", "requires": ["Base"]}}
    second = {"Base": {"cats": [1], "html": "base"}}
    detector = beside(tmp_path, first, second)
    assert detector.problems == ()
    assert set(found(detector, "<p>plug base</p>")) == {"Plugin", "Base"}


@pytest.mark.parametrize(
    ("name", "slug"), [("Sendinblue", "brevo"), ("Magento", "adobe-commerce"), ("WordPress", "wordpress")]
)
def test_set_may_name_technologies_of_ours_by_its_own_names(name: str, slug: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"Plugin": {"requires": name, "implies": name}, name: {"html": "x"}})
    plugin, other = load_wappalyzer(path, merge_names=True).rules
    assert (plugin.requires, [implied.slug for implied in plugin.implies], other.slug) == (
        (slug,),
        [slug],
        slug,
    )


def test_technology_of_ours_opens_a_gate_of_their_category(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"App": {"cats": [100], "html": "app-x", "requiresCategory": 6}})
    detector = load_detector([path])
    page = '<p>app-x</p><script src="https://cdn.shopify.com/s/trekkie.storefront.js"></script>'
    shop = {"x-shopid": "1", "powered-by": "Shopify"}
    assert "App" not in found(detector, "<p>app-x</p>")
    assert {"App", "Shopify"} <= set(found(detector, page, headers=shop))
