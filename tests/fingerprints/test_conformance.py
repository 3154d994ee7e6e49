"""The Wappalyzer rule format, row by row: what its reference does, what it documents, what we chose.

Every row was executed against the reference implementation. It is marked `reference` (we do the same),
`documented` (the reference is broken, its documentation is followed) or `our choice` (the two leave it open,
or what the reference does serves a browser and not a reader of pages). What the reference does instead is
said where we differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fingerprints.detector import Detector
from fingerprints.javascript import translate
from fingerprints.model import Detection, DetectionState
from fingerprints.observe import observe
from fingerprints.regexes import compile_search, uses_backtracking
from fingerprints.ruleset import build_detector
from fingerprints.wappalyzer import load_wappalyzer, slug_of

URL = "https://www.example.com/shop/"

REFERENCE = "reference"
DOCUMENTED = "documented"
CHOICE = "our choice"


def rule_set(folder: Path, technologies: Mapping[str, Any]) -> Detector:
    path = folder / "rules.json"
    path.write_text(json.dumps(technologies))
    imported = load_wappalyzer(path, merge_names=False)
    return build_detector(imported.rules, problems=imported.skipped)


def found(detector: Detector, html: str = "", url: str = URL, **page: Any) -> dict[str, Detection]:
    return {d.name: d for d in detector.detect([observe(html, url=url, **page)])}


def table(rows: Iterable[tuple[Any, ...]]) -> Any:
    """Test parameters of rows that begin with their mark and a sentence."""
    return [pytest.param(*row[2:], id=f"{row[0]}: {row[1]}") for row in rows]


def script(source: str, attribute: str = "src") -> str:
    return f'<script {attribute}="{source}"></script>'


# --- the files: keys and shapes ------------------------------------------------------------------------

SHAPES = [
    (REFERENCE, "names of headers in any case", {"headers": {"X-ACME": ""}}, {"headers": {"x-acme": "1"}}),
    (REFERENCE, "names of cookies in any case", {"cookies": {"Acme_ID": ""}}, {"cookies": {"acme_id": "1"}}),
    (
        REFERENCE,
        "names of meta in any case",
        {"meta": {"GENERATOR": "a"}},
        {"html": "<meta name=generator content=a>"},
    ),
    (REFERENCE, "types of DNS records in any case", {"dns": {"txt": "acme"}}, {"dns": {"TXT": ("acme",)}}),
    (
        REFERENCE,
        "a list of patterns for a name",
        {"headers": {"x": ["no", "acme"]}},
        {"headers": {"x": "acme"}},
    ),
    (REFERENCE, "a list of patterns for a field", {"html": ["no", "acme"]}, {"html": "<p>acme"}),
    (REFERENCE, "one pattern for a field", {"html": "acme"}, {"html": "<p>acme"}),
    (
        CHOICE,
        "`main` is a name like others (throws)",
        {"headers": {"main": "acme"}},
        {"headers": {"main": "acme"}},
    ),
    (CHOICE, "a number is the pattern it looks like", {"headers": {"x": 42}}, {"headers": {"x": "v42"}}),
]


@pytest.mark.parametrize(("rule", "page"), table(SHAPES))
def test_shape_of_a_field(rule: dict[str, Any], page: dict[str, Any], tmp_path: Path) -> None:
    assert "Acme" in found(rule_set(tmp_path, {"Acme": {"cats": [1], **rule}}), **page)


NAMES = [
    (REFERENCE, "dots", "Vue.js", "vue-js"),
    (REFERENCE, "runs of other characters", "A -- B", "a-b"),
    (REFERENCE, "digits", "1C-Bitrix", "1c-bitrix"),
    (REFERENCE, "edges", "(Acme)", "acme"),
]


@pytest.mark.parametrize(("name", "slug"), table(NAMES))
def test_slug_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


# --- patterns and tags ---------------------------------------------------------------------------------

PATTERNS = [
    # mark, what, pattern of a header, its value, confidence and version; None when it does not match
    (REFERENCE, "unanchored, in any case", "acme", "The ACME", (1.0, "")),
    (REFERENCE, "nothing matches anything", "", "", (1.0, "")),
    (REFERENCE, "confidence", r"a\;confidence:60", "a", (0.6, "")),
    (REFERENCE, "tags in any order", r"a(\d)\;version:\1\;confidence:60", "a7", (0.6, "7")),
    (REFERENCE, "tags in the other order", r"a(\d)\;confidence:60\;version:\1", "a7", (0.6, "7")),
    (REFERENCE, "tags without a pattern", r"\;version:6\;confidence:60", "a", (0.6, "6")),
    (REFERENCE, "a tag ends at its first colon", r"a\;version:b:c", "a", (1.0, "b:c")),
    (REFERENCE, "a tag without colon says nothing", r"a\;confidence\;version:6", "a", (1.0, "6")),
    (REFERENCE, "an unknown tag says nothing", r"a\;confidnce:50\;version:6", "a", (1.0, "6")),
    (REFERENCE, "a bare semicolon is part of the pattern", "a;b", "a;b", (1.0, "")),
    (REFERENCE, "an empty confidence is 100", r"a\;confidence:", "a", (1.0, "")),
    (REFERENCE, "a confidence is read up to what is no digit", r"a\;confidence:60%", "a", (0.6, "")),
    (CHOICE, "a confidence that is no number is 100 (null)", r"a\;confidence:high", "a", (1.0, "")),
    (CHOICE, "a confidence over 100 is 100 (unchecked)", r"a\;confidence:250", "a", (1.0, "")),
    (CHOICE, "a negative confidence is 0 (unchecked)", r"a\;confidence:-5", "a", None),
    (CHOICE, "a confidence of 0 is no presence (present at 0)", r"a\;confidence:0", "a", None),
    (DOCUMENTED, r"`\/` is a slash (never matches)", r"a\/b", "a/b", (1.0, "")),
    (
        DOCUMENTED,
        r"`\/` in a group for the version (loses it)",
        r"a(?:\/(\d))?\;version:\1",
        "a/7",
        (1.0, "7"),
    ),
    (DOCUMENTED, r"`\*` is an asterisk (becomes a repeat)", r"a\*b", "a*b", (1.0, "")),
    (REFERENCE, r"`\+` is a plus", r"a\+b", "a+b", (1.0, "")),
    (DOCUMENTED, "a plus in a class is a plus (becomes a repeat)", "^a[x+]b$", "a+b", (1.0, "")),
    (DOCUMENTED, "an asterisk in a class is one (becomes a repeat)", "^a[x*]b$", "a0b", None),
    (CHOICE, "`.*` has no end (at 250)", "a.*b", "a" + "x" * 400 + "b", (1.0, "")),
    (CHOICE, "`+` has no end (at 250)", "a[x]+b", "a" + "x" * 400 + "b", (1.0, "")),
]


@pytest.mark.parametrize(("pattern", "value", "expected"), table(PATTERNS))
def test_pattern(pattern: str, value: str, expected: tuple[float, str] | None, tmp_path: Path) -> None:
    detector = rule_set(tmp_path, {"Acme": {"cats": [1], "headers": {"x": pattern}}})
    acme = found(detector, headers={"x": value}).get("Acme")
    assert (acme and (acme.confidence, acme.version)) == expected


# --- fields --------------------------------------------------------------------------------------------

LONG = "<p>" + "x" * 1_990 + '<i class="acme-root">'
FIELDS = [
    # mark, what, rule, page, whether it fires
    (
        REFERENCE,
        "each value of a header",
        {"headers": {"x": "^acme$"}},
        {"headers": {"x": ["php", "acme"]}},
        True,
    ),
    (
        REFERENCE,
        "values of a header are not joined",
        {"headers": {"x": "a.*b"}},
        {"headers": {"x": ["a", "b"]}},
        False,
    ),
    (REFERENCE, "an empty header is there", {"headers": {"x": ""}}, {"headers": {"x": ""}}, True),
    (REFERENCE, "a header anchored", {"headers": {"x": "^acme$"}}, {"headers": {"x": "acme/1"}}, False),
    (REFERENCE, "the name of a header is exact", {"headers": {"x": ""}}, {"headers": {"x-y": "1"}}, False),
    (
        REFERENCE,
        "set-cookie as a header",
        {"headers": {"set-cookie": "acme="}},
        {"headers": {"set-cookie": "acme=1"}},
        True,
    ),
    (REFERENCE, "a cookie by its value", {"cookies": {"a": "^x"}}, {"cookies": {"a": "yx"}}, False),
    (
        REFERENCE,
        "a cookie of the response",
        {"cookies": {"a": ""}},
        {"headers": {"set-cookie": "a=1; HttpOnly"}},
        True,
    ),
    (
        REFERENCE,
        "the name of a cookie is exact",
        {"cookies": {"acme": ""}},
        {"cookies": {"acme2": "1"}},
        False,
    ),
    (
        REFERENCE,
        "the name of a cookie in brackets",
        {"cookies": {"a[b]": ""}},
        {"cookies": {"a[b]": "x"}},
        True,
    ),
    (
        CHOICE,
        "a name of a cookie as a pattern (literal only)",
        {"cookies": {r"ASP\.NET_Id": ""}},
        {"cookies": {"asp.net_id": "x"}},
        True,
    ),
    (
        CHOICE,
        "a class in a name (literal only)",
        {"cookies": {"s[a-f0-9]{4}": ""}},
        {"cookies": {"Sab12": "x"}},
        True,
    ),
    (
        CHOICE,
        "a pattern of a name is whole",
        {"cookies": {"s[a-f0-9]{4}": ""}},
        {"cookies": {"sab12long": "x"}},
        False,
    ),
    (
        CHOICE,
        "a flag in a name (literal only)",
        {"cookies": {"(?i)ltpa": ""}},
        {"cookies": {"LTPA": "x"}},
        True,
    ),
    (
        CHOICE,
        "an asterisk in a name is a wildcard (only `_ga_*`)",
        {"cookies": {"acme_*": ""}},
        {"cookies": {"acme_ab12": "x"}},
        True,
    ),
    (REFERENCE, "`_ga_*` before a digit", {"cookies": {"_ga_*": ""}}, {"cookies": {"_ga_1AB": "x"}}, True),
    (
        DOCUMENTED,
        "`_ga_*` before a letter (names are in lower case already)",
        {"cookies": {"_ga_*": ""}},
        {"cookies": {"_ga_ABC": "x"}},
        True,
    ),
    (
        REFERENCE,
        "meta by name",
        {"meta": {"generator": "acme"}},
        {"html": '<meta name="Generator" content="Acme 3">'},
        True,
    ),
    (
        REFERENCE,
        "meta by property",
        {"meta": {"og:site": "acme"}},
        {"html": '<meta property="og:site" content="acme">'},
        True,
    ),
    (
        CHOICE,
        "meta by itemprop (one driver only)",
        {"meta": {"acme": "x"}},
        {"html": '<meta itemprop="acme" content="x">'},
        True,
    ),
    (
        REFERENCE,
        "each meta of one name",
        {"meta": {"a": "^x$"}},
        {"html": "<meta name=a content=y><meta name=a content=x>"},
        True,
    ),
    (
        REFERENCE,
        "meta without content is there",
        {"meta": {"acme": ""}},
        {"html": '<meta name="acme">'},
        True,
    ),
    (
        CHOICE,
        "meta without content is empty (the text `null`)",
        {"meta": {"acme": "null"}},
        {"html": '<meta name="acme">'},
        False,
    ),
    (
        REFERENCE,
        "scriptSrc resolved",
        {"scriptSrc": r"^https://www\.example\.com/js/a\.js$"},
        {"html": script("/js/a.js")},
        True,
    ),
    (
        REFERENCE,
        "scriptSrc resolved against <base>",
        {"scriptSrc": r"^https://cdn\.io/b/a\.js"},
        {"html": '<base href="https://cdn.io/b/">' + script("a.js")},
        True,
    ),
    (
        REFERENCE,
        "scriptSrc without a scheme",
        {"scriptSrc": "^https://cdn"},
        {"html": script("//cdn.io/a.js")},
        True,
    ),
    (
        CHOICE,
        "scriptSrc as written (absolute only)",
        {"scriptSrc": "^/js/acme"},
        {"html": script("/js/acme.js")},
        True,
    ),
    (
        CHOICE,
        "scriptSrc without a scheme as written",
        {"scriptSrc": "^//cdn"},
        {"html": script("//cdn.io/a.js")},
        True,
    ),
    (
        REFERENCE,
        "scriptSrc is no data: URL",
        {"scriptSrc": "acme"},
        {"html": script("data:text/javascript,acme()")},
        False,
    ),
    (REFERENCE, "scriptSrc is no image", {"scriptSrc": "acme"}, {"html": '<img src="/acme.js">'}, False),
    (
        REFERENCE,
        "scriptSrc is no script text",
        {"scriptSrc": "acme"},
        {"html": "<script>acme()</script>"},
        False,
    ),
    (
        CHOICE,
        "scriptSrc that waits for consent (loaded only)",
        {"scriptSrc": "acme"},
        {"html": script("/acme.js", "data-src")},
        True,
    ),
    (REFERENCE, "scripts", {"scripts": r"acmeBoot\("}, {"html": "<script>acmeBoot(1)</script>"}, True),
    (REFERENCE, "scripts are no addresses", {"scripts": "acme"}, {"html": script("/acme.js")}, False),
    (
        CHOICE,
        "each script by itself (joined with commas)",
        {"scripts": "a,b"},
        {"html": "<script>a</script><script>b</script>"},
        False,
    ),
    (
        CHOICE,
        "JSON-LD is no script",
        {"scripts": "acme"},
        {"html": '<script type="application/ld+json">{"acme":1}</script>'},
        False,
    ),
    (REFERENCE, "html", {"html": '<div class="acme'}, {"html": '<div class="acme-root">'}, True),
    (
        CHOICE,
        "html as it was sent (quotes and case of a browser)",
        {"html": '<div class="acme"'},
        {"html": "<DIV class=acme>"},
        False,
    ),
    (
        DOCUMENTED,
        "html across 2,000 characters (cut in rows)",
        {"html": '<i class="acme-root"'},
        {"html": LONG},
        True,
    ),
    (REFERENCE, "html: nothing matches any page", {"html": ""}, {"html": "<p>x"}, True),
    (
        REFERENCE,
        "text with white space collapsed",
        {"text": r"\bAcme Inc\b"},
        {"html": "<p>by   Acme\n<b>Inc</b></p>"},
        True,
    ),
    (
        CHOICE,
        "text is what is read (scripts included)",
        {"text": "Acme"},
        {"html": "<script>var Acme</script><p>hi"},
        False,
    ),
    (
        CHOICE,
        "text to its end (25,000 characters)",
        {"text": "Acme"},
        {"html": "<p>" + "word " * 6_000 + "Acme"},
        True,
    ),
    (REFERENCE, "css", {"css": r"\.acme-x"}, {"html": "<style>.acme-x{top:0}</style>"}, True),
    (REFERENCE, "css is no other text", {"css": "acme"}, {"html": '<p class="acme">acme'}, False),
    (REFERENCE, "url", {"url": r"^https://www\.example\.com/shop/$"}, {}, True),
    (REFERENCE, "url without its fragment", {"url": "acme"}, {"url": "https://www.example.com/#acme"}, False),
    (REFERENCE, "js", {"js": {"Acme.v": ""}}, {"globals": {"Acme.v": "1"}}, True),
    (REFERENCE, "js by its value", {"js": {"Acme.v": "^2"}}, {"globals": {"Acme.v": "1"}}, False),
    (REFERENCE, "js that is there but empty", {"js": {"Acme.v": ""}}, {"globals": {"Acme.v": ""}}, True),
    (REFERENCE, "js in its case", {"js": {"Acme.v": ""}}, {"globals": {"acme.v": "1"}}, False),
    (REFERENCE, "js with an index", {"js": {"Acme[0].v": ""}}, {"globals": {"Acme.0.v": "1"}}, True),
    (
        CHOICE,
        "js is not guessed from scripts",
        {"js": {"Acme.v": ""}},
        {"html": "<script>Acme.v='1'</script>"},
        False,
    ),
    (
        REFERENCE,
        "xhr: the host alone",
        {"xhr": r"^api\.acme\.com$"},
        {"requests": ["https://api.acme.com/v1?x"]},
        True,
    ),
    (REFERENCE, "xhr: not the path", {"xhr": "v1"}, {"requests": ["https://api.acme.com/v1"]}, False),
    (REFERENCE, "xhr: not a script", {"xhr": "acme"}, {"html": script("https://api.acme.com/v1.js")}, False),
    (REFERENCE, "dns TXT", {"dns": {"TXT": "^acme="}}, {"dns": {"TXT": ("x=1", "acme=1")}}, True),
    (REFERENCE, "dns MX", {"dns": {"MX": r"acme\.com"}}, {"dns": {"MX": ("10 mx.acme.com",)}}, True),
    (REFERENCE, "dns NS", {"dns": {"NS": "acme"}}, {"dns": {"NS": ("ns1.acme.com",)}}, True),
    (REFERENCE, "dns SOA", {"dns": {"SOA": "acme"}}, {"dns": {"SOA": ("ns1.acme.com root 1 2 3",)}}, True),
    (REFERENCE, "dns CNAME", {"dns": {"CNAME": "acme"}}, {"dns": {"CNAME": ("shops.acme.com",)}}, True),
    (REFERENCE, "dns of another type", {"dns": {"TXT": "acme"}}, {"dns": {"MX": ("acme",)}}, False),
    (REFERENCE, "certIssuer", {"certIssuer": "Acme CA"}, {"tls_issuer": "Acme CA R3"}, True),
    (
        DOCUMENTED,
        "robots (never fires)",
        {"robots": "/acme"},
        {"robots": "User-agent: *\nDisallow: /acme"},
        True,
    ),
]


@pytest.mark.parametrize(("rule", "page", "fires"), table(FIELDS))
def test_field(rule: dict[str, Any], page: dict[str, Any], fires: bool, tmp_path: Path) -> None:
    assert ("Acme" in found(rule_set(tmp_path, {"Acme": {"cats": [1], **rule}}), **page)) is fires


# --- dom -----------------------------------------------------------------------------------------------

LINK = {"link": {"attributes": {"href": "acme"}}}
DOM = [
    (REFERENCE, "a selector", ".acme", '<div class="big acme">', 1.0),
    (REFERENCE, "a list of selectors", ["#nope", "div[data-acme]"], "<div data-acme=1>", 1.0),
    (REFERENCE, "a selector with a comma", "#nope, .acme", '<div class="acme">', 1.0),
    (REFERENCE, "a child", "div > p.acme", '<div><p class="acme">', 1.0),
    (REFERENCE, "a child of something else", "ul > p.acme", '<div><p class="acme">', 0),
    (REFERENCE, "an attribute in any case", 'img[src*="ACME" i]', "<img src=/acme.png>", 1.0),
    (REFERENCE, "an attribute in its case", 'img[src*="ACME"]', "<img src=/acme.png>", 0),
    (REFERENCE, "a selector that is none", "div[", "<div>", 0),
    (REFERENCE, "a selector takes no tags", r".acme\;confidence:40", '<div class="acme">', 0),
    (
        REFERENCE,
        "a list and an object side by side",
        [".nope", {"a.x": {"exists": ""}}],
        '<a class="x">',
        1.0,
    ),
    (REFERENCE, "exists", {"a.x": {"exists": ""}}, '<a class="x">', 1.0),
    (REFERENCE, "exists with tags", {"a.x": {"exists": r"\;confidence:60"}}, '<a class="x">', 0.6),
    (
        REFERENCE,
        "exists with a pattern never matches",
        {"a.x": {"exists": "text"}},
        '<a class="x">text</a>',
        0,
    ),
    (REFERENCE, "text, trimmed", {"a.x": {"text": "^Acme$"}}, '<a class="x"> Acme </a>', 1.0),
    (REFERENCE, "text of what is inside", {"a.x": {"text": "^A b$"}}, '<a class="x">A <b>b</b></a>', 1.0),
    (
        REFERENCE,
        "text of every element",
        {"a.x": {"text": "Acme"}},
        '<a class="x">no</a><a class="x">Acme</a>',
        1.0,
    ),
    (REFERENCE, "empty text matches nothing", {"a.x": {"text": ""}}, '<a class="x"> </a>', 0),
    (REFERENCE, "any text", {"a.x": {"text": ""}}, '<a class="x">t</a>', 1.0),
    (REFERENCE, "an attribute", LINK, '<link href="/acme.css">', 1.0),
    (REFERENCE, "an attribute that is missing", LINK, "<link rel=acme>", 0),
    (REFERENCE, "an empty attribute is there", {"a": {"attributes": {"data-x": ""}}}, '<a data-x="">', 1.0),
    (
        DOCUMENTED,
        "an attribute of any element (of the first)",
        LINK,
        '<link href="/a.css"><link href="/acme.css">',
        1.0,
    ),
    (
        CHOICE,
        "a list of patterns (throws)",
        {"a": {"attributes": {"href": ["no", "acme"]}}},
        '<a href="/acme">',
        1.0,
    ),
    (
        CHOICE,
        "a list of clauses (throws)",
        {"a": [{"text": "no"}, {"attributes": {"href": "acme"}}]},
        '<a href="/acme">',
        1.0,
    ),
    (
        CHOICE,
        "an attribute with a dot (throws)",
        {"a": {"attributes": {"x.y": "acme"}}},
        '<a x.y="acme">',
        1.0,
    ),
    (
        REFERENCE,
        "clauses are alternatives",
        {"a": {"text": "no", "attributes": {"href": "acme"}}},
        '<a href="/acme">t</a>',
        1.0,
    ),
    (
        REFERENCE,
        "confidences of clauses add up",
        {"a": {"text": r"t\;confidence:30", "attributes": {"href": r"acme\;confidence:30"}}},
        '<a href="/acme">t</a>',
        0.6,
    ),
    (REFERENCE, "a property needs a browser", {"a": {"properties": {"_acme": ""}}}, "<a>", 0),
    (CHOICE, "an element in noscript (not seen)", ".acme", '<noscript><div class="acme"></noscript>', 1.0),
]


@pytest.mark.parametrize(("dom", "html", "confidence"), table(DOM))
def test_dom(dom: Any, html: str, confidence: float, tmp_path: Path) -> None:
    acme = found(rule_set(tmp_path, {"Acme": {"cats": [1], "dom": dom}}), html).get("Acme")
    assert (acme.confidence if acme else 0) == confidence


# --- versions ------------------------------------------------------------------------------------------

VERSIONS = [
    # mark, what, regex, template, text, version
    (REFERENCE, "a group", r"a-([\d.]+)", r"\1", "a-1.2.3", "1.2.3"),
    (REFERENCE, "the whole match", "abc", r"\0", "abc", "abc"),
    (REFERENCE, "plain text", "abc", "6", "abc", "6"),
    (REFERENCE, "plain text without a pattern", "", "2.0", "abc", "2.0"),
    (REFERENCE, "plain text and a group", r"a([\d.]+)", r"pro \1", "a1.2", "pro 1.2"),
    (REFERENCE, "plain text keeps its case", "a", "GA4", "a", "GA4"),
    (REFERENCE, "a prefix", r"a(\d)", r"5-\1", "a3", "5-3"),
    (REFERENCE, "a colon in plain text", r"a(\d)", r"\1:x", "a1", "1:x"),
    (REFERENCE, "three groups", r"(\d)(\d)(\d)", r"\1.\2.\3", "123", "1.2.3"),
    (REFERENCE, "no template, no version", r"a-([\d.]+)", "", "a-1.2.3", ""),
    (CHOICE, "13 characters (at most 10 a group)", r"a-([\d.]+)", r"\1", "a-1.2.3.4.5.6.7", "1.2.3.4.5.6.7"),
    (
        CHOICE,
        "13 characters behind text (the text alone)",
        r"a-([\d.]+)",
        r"v\1",
        "a-1.2.3.4.5.6.7",
        "v1.2.3.4.5.6.7",
    ),
    (CHOICE, "over 32 characters", r"a-([\d.]+)", r"\1", "a-" + "1." * 16 + "1", ""),
    (CHOICE, "a group that took no part leaves no dot (`7.`)", r"(\d)-(\d)?", r"\1.\2", "7-", "7"),
    (CHOICE, r"groups there are not (`\3` stays)", "(a)", r"\2\3", "a", ""),
    (REFERENCE, "one group there is not", "a", r"\1", "a", ""),
    (REFERENCE, "a choice, without", "q(z)?", r"\1?a:b", "q", "b"),
    (REFERENCE, "a choice, with", "q(z)?", r"\1?a:b", "qz", "a"),
    (REFERENCE, "a choice of something or nothing, without", "q(z)?", r"\1?a:", "q", ""),
    (REFERENCE, "a choice of something or nothing, with", "q(z)?", r"\1?a:", "qz", "a"),
    (DOCUMENTED, "a choice of nothing or something, without (`?:b`)", "q(z)?", r"\1?:b", "q", "b"),
    (DOCUMENTED, "a choice of nothing or something, with (`z?:b`)", "q(z)?", r"\1?:b", "qz", ""),
    (REFERENCE, "a choice of a group", r"q(\d)?", r"\1?\1:none", "q5", "5"),
    (REFERENCE, "a choice of text and a group", r"q(\d)?(\w)", r"\1?yes \2:no", "q5z", "yes z"),
    (DOCUMENTED, "a choice in a choice, the first (`?a:b`)", "q(x)?(y)?", r"\1?a:\2?b:c", "qx", "a"),
    (DOCUMENTED, "a choice in a choice, the second", "q(x)?(y)?", r"\1?a:\2?b:c", "qy", "b"),
    (DOCUMENTED, "a choice in a choice, neither", "q(x)?(y)?", r"\1?a:\2?b:c", "q", "c"),
    (
        REFERENCE,
        "a choice before a class of characters",
        "skin/frontend/(?:default|(enterprise))",
        r"\1?1 Enterprise:1",
        "skin/frontend/default",
        "1",
    ),
    (REFERENCE, "a date is none", r"v=([\w-]+)", r"\1", "v=20240101", ""),
    (REFERENCE, "10,000 is none", r"v=([\w-]+)", r"\1", "v=10000", ""),
    (REFERENCE, "9999 is one", r"v=([\w-]+)", r"\1", "v=9999", "9999"),
    (REFERENCE, "a time with a fraction is none", r"v=([\w.]+)", r"\1", "v=16781234.5", ""),
    (CHOICE, "a hash is none (one)", r"v=([\w-]+)", r"\1", "v=123a8470", ""),
]


@pytest.mark.parametrize(("regex", "template", "text", "version"), table(VERSIONS))
def test_version(regex: str, template: str, text: str, version: str, tmp_path: Path) -> None:
    pattern = rf"{regex}\;version:{template}" if template else regex
    detector = rule_set(tmp_path, {"Acme": {"cats": [1], "headers": {"x": pattern}}})
    assert found(detector, headers={"x": text})["Acme"].version == version


V = r"([\d.]+)\;version:\1"
SEVERAL = [
    (
        CHOICE,
        "a header's before an address's (the longest)",
        {"headers": {"x": V}, "scriptSrc": "acme-" + V},
        "1.2",
    ),
    (
        CHOICE,
        "a meta's before an address's (the longest)",
        {"meta": {"g": V}, "scriptSrc": "acme-" + V},
        "3.4",
    ),
    (CHOICE, "js before an address's (the longest)", {"js": {"A": V}, "scriptSrc": "acme-" + V}, "5.6"),
    (
        CHOICE,
        "an address's before the page's (the longest)",
        {"html": "old " + V, "scriptSrc": "acme-" + V},
        "7.8.9",
    ),
    (CHOICE, "the most specific of one channel", {"html": ["old " + V, "new " + V]}, "1.1.1"),
    (
        REFERENCE,
        "one tells it, another is stronger",
        {"html": [r"old ([\d.]+)\;confidence:10\;version:\1", "root"]},
        "10",
    ),
]
PAGE = '<meta name="g" content="3.4"><p>old 10 new 1.1.1 root' + script("/acme-7.8.9.js")


@pytest.mark.parametrize(("rule", "version"), table(SEVERAL))
def test_one_of_several_versions(rule: dict[str, Any], version: str, tmp_path: Path) -> None:
    detector = rule_set(tmp_path, {"Acme": {"cats": [1], **rule}})
    assert found(detector, PAGE, headers={"x": "1.2"}, globals={"A": "5.6"})["Acme"].version == version


# --- confidence ----------------------------------------------------------------------------------------

HALVES = {"scriptSrc": [r"acme\;confidence:30", r"boot\;confidence:40"]}
CONFIDENCE = [
    (
        REFERENCE,
        "one pattern on two addresses counts once",
        HALVES,
        script("/acme1.js") + script("/acme2.js"),
        0.3,
    ),
    (REFERENCE, "two patterns add up", HALVES, script("/acme.js") + script("/boot.js"), 0.7),
    (REFERENCE, "two patterns on one address add up", HALVES, script("/acme-boot.js"), 0.7),
    (REFERENCE, "at most 100", {"html": ["acme", "boot"]}, "<p>acme boot", 1.0),
    (
        REFERENCE,
        "a pattern that is there twice counts once",
        {"html": [r"acme\;confidence:30", r"acme\;confidence:30"]},
        "<p>acme",
        0.3,
    ),
    (
        CHOICE,
        "a low one is reported as weak (as any other)",
        {"html": r"acme\;confidence:10"},
        "<p>acme",
        0.1,
    ),
    (
        CHOICE,
        "one pattern in two fields counts twice",
        {"html": r"acme\;confidence:30", "text": r"acme\;confidence:30"},
        "<p>acme",
        0.6,
    ),
    (
        CHOICE,
        "0 adds a version and nothing else",
        {"html": [r"acme (\d)\;confidence:0\;version:\1", r"boot\;confidence:60"]},
        "<p>acme 4 boot",
        0.6,
    ),
]


@pytest.mark.parametrize(("rule", "html", "confidence"), table(CONFIDENCE))
def test_confidence(rule: dict[str, Any], html: str, confidence: float, tmp_path: Path) -> None:
    acme = found(rule_set(tmp_path, {"Acme": {"cats": [1], **rule}}), html)["Acme"]
    assert acme.confidence == confidence
    assert acme.state is (DetectionState.PRESENT if confidence >= 0.5 else DetectionState.WEAK)


def test_our_choice_a_pattern_counts_once_on_all_pages_of_a_site(tmp_path: Path) -> None:
    detector = rule_set(tmp_path, {"Acme": {"cats": [1], "html": r"acme\;confidence:30"}})
    pages = [observe("<p>acme", url=URL), observe("<p>acme", url=URL + "2")]
    assert [found.confidence for found in detector.detect(pages)] == [0.3]


# --- implies, requires, excludes -----------------------------------------------------------------------


def rule(word: str = "", confidence: int = 100, cats: Any = 1, **more: Any) -> dict[str, Any]:
    """A technology that a word on the page shows; without a word only others can."""
    shown = {"html": rf"\b{word}\b\;confidence:{confidence}"} if word else {}
    return {"cats": cats, **shown, **more}


TOGETHER = [
    # mark, what, rules, words of the page, detections as name: (confidence, version, implied by)
    (
        REFERENCE,
        "what is implied is marked",
        {"A": rule("a", implies="B"), "B": rule()},
        "a",
        {"A": (1, "", ""), "B": (1, "", "a")},
    ),
    (
        REFERENCE,
        "the tag bounds the confidence",
        {"A": rule("a", implies=r"B\;confidence:60"), "B": rule()},
        "a",
        {"A": (1, "", ""), "B": (0.6, "", "a")},
    ),
    (
        REFERENCE,
        "so does the source",
        {"A": rule("a", 70, implies=r"B\;confidence:90"), "B": rule()},
        "a",
        {"A": (0.7, "", ""), "B": (0.7, "", "a")},
    ),
    (
        REFERENCE,
        "a weak one implies weakly",
        {"A": rule("a", 10, implies="B"), "B": rule()},
        "a",
        {"A": (0.1, "", ""), "B": (0.1, "", "a")},
    ),
    (
        REFERENCE,
        "the tag tells a version",
        {"A": rule("a", implies=r"B\;version:2"), "B": rule()},
        "a",
        {"A": (1, "", ""), "B": (1, "2", "a")},
    ),
    (
        REFERENCE,
        "implications go on to the end",
        {
            "A": rule("a", implies=["B"]),
            "B": rule(implies="C"),
            "C": rule(implies=r"D\;confidence:50"),
            "D": rule(),
        },
        "a",
        {"A": (1, "", ""), "B": (1, "", "a"), "C": (1, "", "b"), "D": (0.5, "", "c")},
    ),
    (
        REFERENCE,
        "a circle ends, and nobody is evidence for itself",
        {"A": rule("a", 60, implies="B"), "B": rule(implies="C"), "C": rule(implies="A")},
        "a",
        {"A": (0.6, "", ""), "B": (0.6, "", "a"), "C": (0.6, "", "b")},
    ),
    (
        REFERENCE,
        "a circle without evidence is nothing",
        {"A": rule(implies="B"), "B": rule(implies="A")},
        "a",
        {},
    ),
    (
        REFERENCE,
        "what implies itself gains nothing",
        {"A": rule("a", 60, implies="A")},
        "a",
        {"A": (0.6, "", "")},
    ),
    (
        REFERENCE,
        "an implication raises no confidence",
        {"A": rule("a", implies="B"), "B": rule("b", 50)},
        "a b",
        {"A": (1, "", ""), "B": (0.5, "", "")},
    ),
    (
        CHOICE,
        "it fills an empty version (nothing changes)",
        {"A": rule("a", implies=r"B\;version:2"), "B": rule("b", 50)},
        "a b",
        {"A": (1, "", ""), "B": (0.5, "2", "")},
    ),
    (
        REFERENCE,
        "it replaces no version",
        {"A": rule("a", implies=r"B\;version:2"), "B": {"cats": 1, "html": r"b(\d)\;version:\1"}},
        "a b7",
        {"A": (1, "", ""), "B": (1, "7", "")},
    ),
    (
        CHOICE,
        "an implication to nowhere is left out (throws)",
        {"A": rule("a", implies="Gone")},
        "a",
        {"A": (1, "", "")},
    ),
    (
        REFERENCE,
        "an implied technology passes its own gate",
        {"A": rule("a", implies="B"), "B": rule(requires="C"), "C": rule("c")},
        "a",
        {"A": (1, "", ""), "B": (1, "", "a")},
    ),
    (
        REFERENCE,
        "without what it requires it is not there",
        {"A": rule("a", requires="B"), "B": rule("b")},
        "a",
        {},
    ),
    (
        REFERENCE,
        "with it, it is, and requiring is no evidence",
        {"A": rule("a", requires="B"), "B": rule("b", 50)},
        "a b",
        {"A": (1, "", ""), "B": (0.5, "", "")},
    ),
    (
        REFERENCE,
        "any of several",
        {"A": rule("a", requires=["C", "B"]), "B": rule("b"), "C": rule("c")},
        "a b",
        {"A": (1, "", ""), "B": (1, "", "")},
    ),
    (
        REFERENCE,
        "any of a technology and a category",
        {"A": rule("a", requires="C", requiresCategory=6), "B": rule("b", cats=[6]), "C": rule("c")},
        "a b",
        {"A": (1, "", ""), "B": (1, "", "")},
    ),
    (
        REFERENCE,
        "an implied one opens a gate",
        {"A": rule("a", requires="B"), "B": rule(), "C": rule("c", implies="B")},
        "a c",
        {"A": (1, "", ""), "B": (1, "", "c"), "C": (1, "", "")},
    ),
    (
        CHOICE,
        "a weak one does not (any trace does)",
        {"A": rule("a", requires="B"), "B": rule("b", 40)},
        "a b",
        {"B": (0.4, "", "")},
    ),
    (
        REFERENCE,
        "gates in a chain",
        {"A": rule("a", requires="B"), "B": rule("b", requires="C"), "C": rule("c")},
        "a b c",
        {"A": (1, "", ""), "B": (1, "", ""), "C": (1, "", "")},
    ),
    (
        REFERENCE,
        "two that require each other",
        {"A": rule("a", requires="B"), "B": rule("b", requires="A")},
        "a b",
        {},
    ),
    (REFERENCE, "one that requires itself", {"A": rule("a", requires="A")}, "a", {}),
    (
        REFERENCE,
        "what an opened one implies opens more",
        {
            "A": rule("a", requires="B"),
            "B": rule(),
            "C": rule("c", requires="D", implies="B"),
            "D": rule("d"),
        },
        "a c d",
        {"A": (1, "", ""), "B": (1, "", "c"), "C": (1, "", ""), "D": (1, "", "")},
    ),
    (
        REFERENCE,
        "behind a closed gate nothing is implied",
        {"A": rule("a", requires="C", implies="B"), "B": rule(), "C": rule("c")},
        "a",
        {},
    ),
    (
        REFERENCE,
        "a category opens for any technology of it",
        {"A": rule("a", requiresCategory=[6]), "B": rule("b", cats=[1, 6])},
        "a b",
        {"A": (1, "", ""), "B": (1, "", "")},
    ),
    (
        REFERENCE,
        "not for one of another category",
        {"A": rule("a", requiresCategory=[6]), "B": rule("b", cats=[1])},
        "a b",
        {"B": (1, "", "")},
    ),
    (
        REFERENCE,
        "a category that we have no word for",
        {"A": rule("a", requiresCategory=[47]), "B": rule("b", cats=[5]), "C": rule("c", cats=[47])},
        "a b",
        {"B": (1, "", "")},
    ),
    (
        CHOICE,
        "a number as text (compared as a number)",
        {"A": rule("a", requiresCategory="6"), "B": rule("b", cats="6")},
        "a b",
        {"A": (1, "", ""), "B": (1, "", "")},
    ),
    (CHOICE, "a gate to nowhere stays closed (throws)", {"A": rule("a", requires="Gone")}, "a", {}),
    (
        REFERENCE,
        "what is excluded goes",
        {"A": rule("a", excludes="B"), "B": rule("b")},
        "a b",
        {"A": (1, "", "")},
    ),
    (
        REFERENCE,
        "also with a tag",
        {"A": rule("a", excludes=r"B\;confidence:50"), "B": rule("b")},
        "a b",
        {"A": (1, "", "")},
    ),
    (
        REFERENCE,
        "also what is more certain",
        {"A": rule("a", 60, excludes="B"), "B": rule("b")},
        "a b",
        {"A": (0.6, "", "")},
    ),
    (
        CHOICE,
        "a weak one excludes nothing (any trace does)",
        {"A": rule("a", 40, excludes="B"), "B": rule("b")},
        "a b",
        {"A": (0.4, "", ""), "B": (1, "", "")},
    ),
    (
        CHOICE,
        "of two that exclude each other the more certain (the first)",
        {"A": rule("a", 60, excludes="B"), "B": rule("b", 70, excludes="A")},
        "a b",
        {"B": (0.7, "", "")},
    ),
    (
        CHOICE,
        "or the one with more evidence (the first)",
        {
            "A": rule("a", 60, excludes="B"),
            "B": {"cats": 1, "html": [r"b\;confidence:30", r"bb\;confidence:30"], "excludes": "A"},
        },
        "a bb",
        {"B": (0.6, "", "")},
    ),
    (
        CHOICE,
        "or the first by name (the first)",
        {"B": rule("b", excludes="A"), "A": rule("a", excludes="B")},
        "a b",
        {"A": (1, "", "")},
    ),
    (
        CHOICE,
        "every exclusion of every survivor (skips the next)",
        {"A": rule("a"), "B": rule("b", 90, excludes="A"), "C": rule("c", 80, excludes="D"), "D": rule("d")},
        "a b c d",
        {"B": (0.9, "", ""), "C": (0.8, "", "")},
    ),
    (
        REFERENCE,
        "what is excluded implies nothing",
        {"A": rule("a", excludes="B"), "B": rule("b", implies="C"), "C": rule()},
        "a b",
        {"A": (1, "", "")},
    ),
    (
        CHOICE,
        "what is excluded does not come back (does)",
        {"A": rule("a", excludes="B", implies="C"), "B": rule("b"), "C": rule(implies="B")},
        "a b",
        {"A": (1, "", ""), "C": (1, "", "a")},
    ),
    (
        REFERENCE,
        "what is excluded opens no gate",
        {"A": rule("a", excludes="B"), "B": rule("b"), "C": rule("c", requires="B")},
        "a b c",
        {"A": (1, "", "")},
    ),
    (
        CHOICE,
        "an exclusion of nobody is left out (throws)",
        {"A": rule("a", excludes="Gone")},
        "a",
        {"A": (1, "", "")},
    ),
    (CHOICE, "nobody excludes itself", {"A": rule("a", excludes="A")}, "a", {"A": (1, "", "")}),
]


@pytest.mark.parametrize(("rules", "words", "expected"), table(TOGETHER))
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in reverse"])
def test_technologies_together(
    rules: dict[str, Any], words: str, expected: dict[str, Any], order: int, tmp_path: Path
) -> None:
    detector = rule_set(tmp_path, dict(list(rules.items())[::order]))
    result = found(detector, f"<p>{words}</p>")
    assert {name: (d.confidence, d.version, d.implied_by) for name, d in result.items()} == expected
    assert all(bool(d.implied_by) != bool(d.evidence) for d in result.values())


# --- regular expressions -------------------------------------------------------------------------------

REGEXES = [
    # mark, what, pattern, text, whether it matches
    (REFERENCE, "$ is the end, not what is before a last newline", "acme$", "acme\n", False),
    (REFERENCE, "$ beside look-around too", "acme(?!x)$", "acme\n", False),
    (REFERENCE, "$ beside look-around", "acme(?!x)$", "acme", True),
    (REFERENCE, r"\A is the letter", r"\APC\b", "an apc", True),
    (REFERENCE, r"\a is the letter", r"com.\au", "com.au", True),
    (REFERENCE, r"\Z and \z are letters", r"\Z\z", "zz", True),
    (REFERENCE, r"\Q is the letter", r"\Q.\E", "qxe", True),
    (REFERENCE, r"\d is ASCII", r"^\d$", "\u0663", False),
    (REFERENCE, r"\w is ASCII", r"^\w$", "\u00e9", False),
    (REFERENCE, "letters beyond ASCII in any case", "caf\u00e9", "CAF\u00c9", True),
    (REFERENCE, "[^] is any character", "a[^]b", "a\nb", True),
    (REFERENCE, "[] is none", "a[]?b", "ab", True),
    (REFERENCE, "a named group", r"a(?<v>\d)", "a7", True),
    (REFERENCE, "a named group beside look-around", r"a(?<v>\d)(?!x)", "a7x", False),
    (REFERENCE, "a reference to a named group", r"(?<v>a|b)\k<v>", "ab bb", True),
    (REFERENCE, r"\uXXXX", r"caf\u00e9", "caf\u00e9", True),
    (REFERENCE, r"\xXX", r"\x41b", "ab", True),
    (REFERENCE, r"\p{} without its flag is text", r"\p{L}", "p{L}", True),
    (REFERENCE, "{,n} is text", "a{,3}", "a{,3}", True),
    (REFERENCE, "a brace alone is text", "a{b", "a{b", True),
    (REFERENCE, "a reference", r"(a|b)\1", "ab bb", True),
    (REFERENCE, "a reference to a group that took no part", r"^(a)?b\1c", "bc", True),
    (REFERENCE, "look-ahead", "acme(?=-live)", "acme-live", True),
    (REFERENCE, "negative look-ahead", "acme(?!-test)", "acme-test", False),
    (REFERENCE, "look-behind", "(?<=my-)acme", "my-acme", True),
    (REFERENCE, "negative look-behind", "(?<!no-)acme", "no-acme", False),
    (REFERENCE, "a hyphen before a class of characters", r"^[a.-\w]+$", "b-c", True),
    (REFERENCE, "a hyphen after a class of characters", r"^[\w-.]+$", "b-c", True),
    (REFERENCE, "a bracket in a class", "[[]a", "[a", True),
    (CHOICE, "(?i) (an error)", "(?i)ACME", "acme", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), table(REGEXES))
def test_regular_expression(pattern: str, text: str, matches: bool, tmp_path: Path) -> None:
    detector = rule_set(tmp_path, {"Acme": {"cats": [1], "robots": pattern}})
    assert detector.problems == ()
    assert ("Acme" in found(detector, robots=text)) is matches


TRANSLATIONS = [
    (r"a\/b", "a/b"),
    (r"\APC\b", r"APC\b"),
    (r"[^]+x", r"[\s\S]+x"),
    (r"a{,3}", r"a\{,3}"),
    (r"\u0041b", "Ab"),
    (r"a\-b\.c", r"a\-b\.c"),
    (r"[\w.-]+", r"[\w.-]+"),
    (r"[.-\w]", r"[.\-\w]"),
]


@pytest.mark.parametrize(("javascript", "ours"), TRANSLATIONS)
def test_javascript_pattern_in_our_syntax(javascript: str, ours: str) -> None:
    assert translate(javascript) == ours


def test_long_pattern_is_translated_in_time_that_grows_with_it() -> None:
    assert translate("{" * 200_000) == r"\{" * 200_000


def test_translated_pattern_without_look_around_needs_no_backtracking() -> None:
    assert not uses_backtracking(translate(r"a(?<v>\d)\/[^]{,3}[\w-.]"))
    assert compile_search(translate(r"a(?<v>\d)"))(b"a7").group(1) == b"7"
