"""Rules of others, and what people type or open: patterns, selectors, queries and cells."""

from __future__ import annotations

import functools
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from cssselect import SelectorError
from lxml.cssselect import CSSSelector

from crawler.walls import classify
from fingerprints.detector import Detector
from fingerprints.javascript import translate
from fingerprints.lxml_tree import lxml_tree
from fingerprints.model import Technology
from fingerprints.model.cells import CELL_CHARS, CsvSafety, is_formula, safe_cell
from fingerprints.observe import observe
from fingerprints.records import make_record
from fingerprints.regexes import compile_search, required_literals, uses_backtracking
from fingerprints.rules import Channel, Rule, Signal
from fingerprints.ruleset import build_detector
from fingerprints.selectors import check_selector
from fingerprints.strict import RuleError
from fingerprints.toml_rules import load_rule_file
from fingerprints.wappalyzer import load_wappalyzer
from store.conditions import truth
from store.freshness import Freshness
from store.names import names_of
from store.parser import parse
from store.selection import asked_columns, in_domain_order
from tests.security.draw import Draw
from tests.security.fuzzing import PAGE, dumped, ours, target, words, written
from tests.security.sites import NOW
from tests.store.records import filled, site

SELECTORS = words(
    """div a * script [src] [src*='x'] [class~=a i] .a #b > + ~ , : :not( ) ( [ ] ' " \\ |
    :nth-child(2n+1) ::before :has( :contains( :root = ^= $= i"""
)
PATTERNS = words(
    """a b ( ) (?: (?= (?! (?<! (?i) [ ] [^ \\d \\w \\b . * + ? {2,3} {1000} {,n} | ^ $ \\1 \\/ \\u0041 \\x41
    \\p{L} [] [^] shopify (?P<n> *? ++ (?> \\;version:\\1 \\;confidence:50"""
)
RULE_KEYS = words(
    """cats headers cookies meta js dns scriptSrc scripts html text css url robots certIssuer xhr dom exists
    attributes properties implies requires requiresCategory excludes website probe Shopify generator
    shopify\\;version:\\1 (?!a)b\\;confidence:9 div[class] TXT technologies"""
)


@target
def wappalyzer(draw: Draw, folder: Path) -> None:
    """A rule set of any JSON shape loads, with a line for each thing that cannot be used, and is usable."""
    value = {"Acme": draw.json(RULE_KEYS), "B": draw.json(RULE_KEYS)} if draw.flag() else draw.json(RULE_KEYS)
    imported = load_wappalyzer(written(folder, "set.json", dumped(value)), merge_names=draw.flag())
    detector = build_detector(imported.rules, engine="aho-corasick", problems=imported.skipped)
    seen = observe(PAGE, url="https://acme.com/", headers={"server": "shopify"})
    make_record(detector, domain="acme.com", outcome=classify(seen).outcome, observations=[seen])


@target
def rule_file(draw: Draw, folder: Path) -> None:
    """A TOML file of any content is a rule, or RuleError."""
    parts = ('name = "A"\n', 'website = "https://a.com"\n', 'description = "x"\n', "checked = 2026-11-22\n",
             "[[signal]]\n", 'on = "html"\n', "pattern = ", "'shopify'", '"\\1"\n', 'strength = "strong"\n',
             "[[example]]\n", "implies = ", "[", "]", "{", "}", "=", ".", "1e400", "99999999999", "1979-05-27",
             'on = "selector"\n', "selector = 'a[b]'\n", "version = ", "account = 1\n", "\n")  # fmt: skip
    content = draw.text(parts, 40).encode("utf-8", "surrogateescape") if draw.flag() else draw.rest()
    load_rule_file(written(folder, "cms/acme.toml", content))


@target
def pattern(draw: Draw, folder: Path) -> None:
    """Any pattern compiles or is refused, and where it matches, the literals it was indexed by do occur."""
    source = translate(draw.text(PATTERNS, 12))
    if uses_backtracking(source):
        return
    text = draw.text(PATTERNS, 12).encode("utf-8", "replace")
    matched = compile_search(source)(text)
    for literals in required_literals(source):
        assert not matched or any(literal.encode() in text.lower() for literal in literals), (source, text)


@target
def selector(draw: Draw, folder: Path) -> None:
    """Any selector is refused when it is read, or finds what lxml finds on a whole page."""
    source = draw.text(SELECTORS, 10)
    body = f"<html><body>{draw.text(ELEMENTS, 12)}<p>"
    detector = rule_for(Signal("acme#1", Channel.SELECTOR, 1.0, name=source), folder)
    seen = observe(body, url="https://acme.com/")
    found = detector.match([seen]).evidence
    tree = lxml_tree(seen.body, set())
    if tree is None or seen.flags:
        return
    with suppress(
        SelectorError, ValueError
    ):  # ours reads a few that lxml does not, such as those with a case flag
        expected = CSSSelector(source, translator="html")(tree.root)
        assert bool(found) == bool(expected), (source, body)


ELEMENTS = ("<div class=a>", "<a src=x id=b>", "</div>", "<script>", "x", "<p>", "<DIV class='a A b'>")


def rule_for(signal: Signal, folder: Path) -> Detector:
    """A detector with this one signal; RuleError when it is refused."""
    try:
        check_selector(signal.name)
    except Exception as exc:
        raise RuleError(f"{signal.name!r}: {exc}") from exc
    technology = Technology("acme", "Acme", "cms", ("cms",))
    return build_detector([Rule(technology, (signal,))], engine="aho-corasick")


@target
def query(draw: Draw, folder: Path) -> None:
    """Any query is refused with its column or runs, its values bound; the tables are still there."""
    parts = ("tech:", "lacks:", "category:", "domain:", "version:", "score>=", "tier:", "outcome:", "shopify",
             "reviews", "AND ", "OR ", "NOT ", "(", ")", " ", '"', "'", ";", "--", "DROP TABLE site", "*", "[",
             ",", "nan", "inf", "1e999", "wordpress<6")  # fmt: skip
    names = names_of(ours().taxonomy)
    tree = parse(draw.text(parts, 20), names)
    freshness = Freshness.at(NOW)
    columns = asked_columns(tree, freshness, "") or asked_columns(parse("tech:shopify", names), freshness, "")
    sql, parameters = in_domain_order(truth(tree, freshness).true, columns, 5)
    with suppress(UnicodeEncodeError):  # half a surrogate pair: no terminal can type it
        list(_database().execute(sql, parameters))


@functools.cache
def _database() -> sqlite3.Connection:
    folder = Path(tempfile.mkdtemp())
    store = filled(folder / "t.db", [site("acme.com", "shopify")])
    return store.db.conn


@target
def cell(draw: Draw, folder: Path) -> None:
    """No cell can run as a formula or carry a control character, and its length is bounded."""
    parts = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\u202e", "\u200b", "\x1b[2J", "\uff1d", " ", "'")
    text = draw.text(parts, 12)
    made = safe_cell(text)
    assert not is_formula(made)
    assert not any((char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f" for char in made)
    assert len(made) <= CELL_CHARS + 1
    assert not is_formula(safe_cell(text, CsvSafety.CRM))
