"""What may be written in many ways is found in all of them, on pages shaped like real ones."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import pytest

from fingerprints.detector import Detector
from fingerprints.match import match
from fingerprints.model import Observation
from fingerprints.observe import observe
from tests.fingerprints.test_engine import unfiltered

URL = "https://www.acme-shop.com/en/"
HEADERS = {
    "server": "nginx/1.25.3",
    "x-powered-by": "PHP/8.2.1",
    "set-cookie": ["_ga=GA1.2.3.4; path=/", "PHPSESSID=abc"],
}
SHOP = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="WordPress 6.4.2">
<title>Acme Shop</title>
<link rel="preconnect" href="https://fonts.gstatic.com">
<link rel="stylesheet" id="woocommerce-css"
  href="/wp-content/plugins/woocommerce/assets/css/woocommerce.css?ver=8.2.2">
<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABCDEF1234"></script>
<script>window.dataLayer=[];function gtag(){dataLayer.push(arguments)}gtag('config','G-ABCDEF1234');</script>
<script src="https://static.klaviyo.com/onsite/js/klaviyo.js?company_id=AbC123"></script>
<script>!function(f,b,e,v){}(window,document,'script','//connect.facebook.net/en_US/fbevents.js');
fbq('init','123456789012345');</script>
<script type="application/ld+json">{"@context":"https://schema.org","@type":"Organization","name":"Acme"}</script>
</head>
<body class="home woocommerce-page">
<header><a href="/en/cart">Cart</a> <a href="https://www.instagram.com/acme">Instagram</a></header>
<p>We ship everywhere. Pay with cards.</p>
<img src="/wp-content/uploads/hero.jpg" alt="hero">
<iframe src="https://www.youtube.com/embed/abcdef" width="560" height="315"></iframe>
<script src="/wp-includes/js/jquery/jquery.min.js?ver=3.7.1" id="jquery-core-js"></script>
<script src="https://widget.intercom.io/widget/ab12cd34" defer></script>
<script src="https://js.stripe.com/v3/"></script>
</body>
</html>
"""

_TAG = re.compile(r"<([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:=\"[^\"]*\")?)+)\s*>")
_ATTRIBUTE = re.compile(r"([a-z-]+)(?:=\"([^\"]*)\")?")
Attributes = list[tuple[str, str]]
Writer = Callable[[str, Attributes], str]


def rewritten(writer: Writer, html: str = SHOP) -> str:
    """The page with every start tag written by `writer`; scripts and text stay as they are."""
    return _TAG.sub(lambda tag: writer(tag[1], _ATTRIBUTE.findall(tag[2])), html)


def double(tag: str, attributes: Attributes) -> str:
    return f"<{tag}" + "".join(f' {name}="{value}"' for name, value in attributes) + ">"


def single(tag: str, attributes: Attributes) -> str:
    return f"<{tag}" + "".join(f" {name}='{value}'" for name, value in attributes) + ">"


def bare(tag: str, attributes: Attributes) -> str:
    """Without quotes where HTML allows that."""
    written = (
        f" {name}={value}" if re.fullmatch(r"[^\s\"'=<>`]+", value) else f' {name}="{value}"'
        for name, value in attributes
    )
    return f"<{tag}" + "".join(written) + ">"


def backwards(tag: str, attributes: Attributes) -> str:
    return double(tag, attributes[::-1])


def upper(tag: str, attributes: Attributes) -> str:
    return double(tag.upper(), [(name.upper(), value) for name, value in attributes])


def spaced(tag: str, attributes: Attributes) -> str:
    return f"<{tag}\n" + "".join(f'\t{name} = "{value}"\r\n' for name, value in attributes) + ">"


def with_more(tag: str, attributes: Attributes) -> str:
    return double(tag, [("data-x", "1"), *attributes, ("data-y", "a b")])


WAYS = {
    "single quotes": rewritten(single),
    "no quotes": rewritten(bare),
    "attributes in another order": rewritten(backwards),
    "names in capitals": rewritten(upper),
    "white space inside tags": rewritten(spaced),
    "more attributes": rewritten(with_more),
    "on one line": SHOP.replace("\n", " "),
    "line ends of Windows": SHOP.replace("\n", "\r\n"),
    "own URLs absolute": SHOP.replace('="/', '="https://www.acme-shop.com/'),
    "own URLs without scheme": SHOP.replace('="/', '="//www.acme-shop.com/'),
    "other URLs without scheme": re.sub(r'src="https:', 'src="', SHOP),
    "character references in URLs": SHOP.replace("?ver=", "&#63;ver=").replace("://", "&#x3a;//"),
    "comments between elements": SHOP.replace("\n<", "\n<!-- a comment --><"),
}


@functools.cache
def detector() -> Detector:
    return Detector.default()


def found(page: Observation) -> list[tuple[object, ...]]:
    return [(d.slug, d.state.value, d.version, d.accounts, d.scope) for d in detector().detect([page])]


@functools.cache
def as_written() -> list[tuple[object, ...]]:
    return found(observe(SHOP, url=URL, headers=HEADERS))


def test_page_shows_what_it_is_made_of() -> None:
    slugs = {slug for slug, *_ in as_written()}
    expected = {
        "wordpress",
        "woocommerce",
        "klaviyo",
        "meta-pixel",
        "jquery",
        "intercom",
        "stripe",
        "php",
        "nginx",
        "google-analytics-4",
        "youtube-embed",
    }
    assert expected <= slugs


@pytest.mark.parametrize("way", WAYS)
def test_way_of_writing_changes_nothing(way: str) -> None:
    assert WAYS[way] != SHOP
    # A character reference outside an attribute stays in the script, where it means nothing.
    page = WAYS[way] if "references" not in way else _only_in_tags(WAYS[way])
    assert found(observe(page, url=URL, headers=HEADERS)) == as_written()


def _only_in_tags(changed: str) -> str:
    """The changed page with its inline scripts as they were."""
    inline = re.compile(r"(<script[^>]*>)([^<]+)(</script>)")
    originals = iter(inline.findall(SHOP))
    return inline.sub(lambda part: part[1] + next(originals)[1] + part[3], changed)


@pytest.mark.parametrize("name", [str.upper, str.title, str.lower])
def test_case_of_header_names_changes_nothing(name: Callable[[str], str]) -> None:
    headers = {name(key): value for key, value in HEADERS.items()}
    assert found(observe(SHOP, url=URL, headers=headers)) == as_written()


def test_bytes_and_text_are_one_page() -> None:
    assert found(observe(SHOP.encode(), url=URL, headers=HEADERS)) == as_written()


@pytest.mark.parametrize("way", ["as it is", *WAYS])
def test_prefilter_loses_nothing_on_a_real_page(way: str) -> None:
    page = observe(WAYS.get(way, SHOP), url=URL, headers=HEADERS)
    assert match(_plain(), page) == match(detector().plan, page)


@functools.cache
def _plain():  # type: ignore[no-untyped-def]
    return unfiltered(detector().plan)
