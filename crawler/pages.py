"""Which inner pages of a site are worth a request, and what a fetched page is.

Some tools only show where they work: reviews on a product page, a shop's add-ons in the cart, hiring
tools on the careers page. The choice is made from the links of the start page alone, and the same page
always gives the same choice.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urldefrag, urljoin, urlsplit

from crawler.domains import site_of
from fingerprints.model import Link, Observation, PageKind

WANTED = (PageKind.PRODUCT, PageKind.CART, PageKind.PRICING, PageKind.CAREERS, PageKind.CONTACT)
"""Kinds in the order of their worth: most of the tools that hide are a shop's."""

MAX_URL_CHARS = 200
MAX_PARAMETERS = 2
MAX_SEGMENTS = 6
MAX_LABEL_CHARS = 40
"""Longer and deeper addresses are filters, calendars and traps; longer labels are headlines."""

_BY_WORDS = (PageKind.CART, PageKind.PRICING, PageKind.CAREERS, PageKind.CONTACT)
_PAGE_SUFFIXES = frozenset({"", "html", "htm", "shtml", "php", "asp", "aspx", "jsp", "cfm"})
_SUFFIX = re.compile(r"\.([a-z][a-z0-9]{0,4})$")
_LOCALE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2,4})?")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_DATED = re.compile(r"(?:19|20)\d\d(?:-\d\d?)*")
_NUMBERED_PRODUCT = re.compile(r"-p-?\d+$")
_PRODUCT_TYPES = frozenset({"Product", "ProductGroup", "IndividualProduct"})
_LIST_TYPES = frozenset({"ItemList", "CollectionPage", "OfferCatalog"})
_BUY_BUTTONS = (b"product-addtocart-button", b"single_add_to_cart_button", b"data-cart-item-add")
"""The buy button of Magento, WooCommerce and BigCommerce, which their lists of products do not have."""
_PRODUCT_CARDS = "a[href][class*='product'], [class*='product'] a[href]"
MAX_CARDS = 300


@dataclass(frozen=True, slots=True)
class _Place:
    """The path of a URL, in the words of lists/pages.toml."""

    segments: tuple[str, ...]
    """Lower case, without accents; the last one without its suffix."""
    suffix: str
    kind: PageKind
    """What the address alone names."""


def next_pages(
    start: Observation, wanted: Collection[PageKind] = WANTED, limit: int = 3
) -> list[tuple[PageKind, str]]:
    """At most `limit` inner pages of the start page's site, one of each wanted kind, in the order of WANTED.

    Links that would change something (a cart, a session), ask for a login, search, hold a file or leave
    the site are never chosen. Empty when the page links to nothing of the kind. A product is a guess
    until it was read: ask `page_kind` then.
    """
    candidates = list(_candidates(start))
    shop = any(place.kind is PageKind.CART for _, place, _ in candidates)
    cards = _product_cards(start) if shop and PageKind.PRODUCT in wanted else frozenset()
    best: dict[PageKind, tuple[int, int, int, int, str]] = {}
    for position, (link, place, is_same_host) in enumerate(candidates):
        kind, worth, tie = _judged(link, place, shop, cards)
        rank = (-worth, not is_same_host, tie, position, urldefrag(link.url)[0])
        if kind in wanted and (kind not in best or rank < best[kind]):
            best[kind] = rank
    return [(kind, best[kind][-1]) for kind in WANTED if kind in best][:limit]


def page_kind(observation: Observation) -> PageKind:
    """What a fetched page is, from its address and from what it says it is; `other` when neither tells."""
    place = _place(urlsplit(observation.url).path)
    if not place.segments or place.segments in (("index",), ("home",), ("default",)):
        return PageKind.HOME
    if place.kind is PageKind.OTHER and (_has_product_address(place) or _says_product(observation)):
        return PageKind.PRODUCT
    return place.kind


def confirmed_kind(wanted: PageKind, observation: Observation) -> PageKind:
    """What a page that was chosen as `wanted` turned out to be.

    A product was only guessed from a link: the page must say so itself, or an article or a list would
    count as having shown where reviews and the like would be. Other kinds are believed unless the page
    is plainly something else.
    """
    found = page_kind(observation)
    if found is PageKind.OTHER and wanted is not PageKind.PRODUCT:
        return wanted
    return found


def _candidates(start: Observation) -> Iterator[tuple[Link, _Place, bool]]:
    """The links that may be followed at all, in page order, and whether they stay on the page's own host."""
    here = urlsplit(start.url)
    host_here = here.hostname or ""
    site = site_of(host_here)
    own = f"{here.scheme}://{here.netloc}/"
    for link in start.links:
        if len(link.url) > MAX_URL_CHARS:
            continue
        try:
            # Most links are the host's own; splitting those in full takes half of the time.
            is_plain = link.url.startswith(own) and link.url.isprintable()  # a line end is left out of a URL
            parts = _split_own(link.url, here) if is_plain else urlsplit(link.url)
            host = host_here if parts.netloc == here.netloc else parts.hostname or ""
        except ValueError:  # such as `http://[`
            continue
        is_same_host = host == host_here
        if parts.scheme not in ("http", "https") or not (is_same_host or site_of(host) == site):
            continue
        place = _place(parts.path)
        if place.segments and parts.path != here.path and _is_harmless(parts, place):
            yield link, place, is_same_host


def _split_own(url: str, here: SplitResult) -> SplitResult:
    """As `urlsplit` for a URL that begins with scheme, host and slash of another."""
    address, _, fragment = url.partition("#")
    address, _, query = address.partition("?")
    path = address[len(here.scheme) + len("://") + len(here.netloc) :]
    return SplitResult(here.scheme, here.netloc, path, query, fragment)


def _is_harmless(parts: SplitResult, place: _Place) -> bool:
    never = _words()["never"]
    query = parts.query
    names = [name.partition("=")[0].lower() for name in query.split("&") if name] if query else []
    return (
        len(place.segments) <= MAX_SEGMENTS
        and len(names) <= MAX_PARAMETERS
        and place.suffix in _PAGE_SUFFIXES
        and "@" not in parts.netloc
        and not any(part in name for name in names for part in never["parameters"])
        # A cart below /checkout is a page like any other.
        and (never["segments"].isdisjoint(place.segments) or place.kind is PageKind.CART)
    )


def _judged(link: Link, place: _Place, shop: bool, cards: Collection[str]) -> tuple[PageKind, int, int]:
    """What the link leads to, how sure that is (3 address and label, 2 address, 1 a guess), a tie-break."""
    label = _kind_by_label(link.text)
    if place.kind is not PageKind.OTHER:
        return place.kind, 2 + (place.kind is label), len(place.segments)
    if _has_product_address(place):
        return PageKind.PRODUCT, 2, 0
    if shop and label is PageKind.OTHER and not _is_never_product(place):
        hyphens = place.segments[-1].count("-")
        if link.url in cards:
            return PageKind.PRODUCT, 1, -100 - hyphens
        if place.suffix == "html" and hyphens >= 2:  # Magento, PrestaShop: /kitchen/blue-enamel-mug.html
            return PageKind.PRODUCT, 1, -hyphens
    return label, 1, len(place.segments)


def _kind_by_address(segments: Sequence[str]) -> PageKind:
    *above, last = segments or ("",)
    kind = _kinds().get(last, PageKind.OTHER)
    return kind if _words()["around"]["words"].issuperset(above) else PageKind.OTHER


def _kind_by_label(text: str) -> PageKind:
    if len(text) > MAX_LABEL_CHARS:
        return PageKind.OTHER
    words = _worded(text).strip("-")
    opening, _, rest = words.partition("-")
    return _kinds().get(rest if opening in _words()["around"]["openings"] else words, PageKind.OTHER)


def _has_product_address(place: _Place) -> bool:
    """Whether only products have such an address; many shops give theirs no mark at all."""
    if _is_never_product(place):
        return False
    product = _words()["product"]
    segments = place.segments
    for index in range(max(0, len(segments) - 3), len(segments) - 1):
        if segments[index] in product["sections"]:
            return product["not_names"].isdisjoint(segments[index + 1 :])
    return bool(_NUMBERED_PRODUCT.search(segments[-1])) or (segments[-1] == "p" and len(segments) > 1)


def _is_never_product(place: _Place) -> bool:
    lists = _words()
    last = place.segments[-1]
    return (
        last in lists["product"]["not_names"]
        or any(part in last for part in lists["product"]["not_parts"])
        or last in _kinds()
        or not lists["never"]["not_products"].isdisjoint(place.segments)
        or any(_DATED.fullmatch(segment) for segment in place.segments)
    )


def _says_product(observation: Observation) -> bool:
    types = {name.rpartition("/")[2] for name in observation.json_ld_types}
    if types & _PRODUCT_TYPES and not types & _LIST_TYPES:
        return True
    if any(value.startswith("product") for value in observation.meta.get("og:type", ())):
        return True
    return any(mark in observation.body for mark in _BUY_BUTTONS)


def _product_cards(start: Observation) -> frozenset[str]:
    """URLs of the links inside elements that the page's own class names call products."""
    if start.tree is None:
        return frozenset()
    found = start.tree.select(_PRODUCT_CARDS, limit=MAX_CARDS)
    return frozenset(urljoin(start.url, element.get("href") or "") for element in found)


@functools.lru_cache(maxsize=2_048)
def _place(path: str) -> _Place:
    path = unquote(path).lower()
    found = _SUFFIX.search(path)
    suffix = found[1] if found else ""
    stem = path[: -len(suffix) - 1] if suffix else path
    segments = [_worded(segment).strip("-") for segment in stem.split("/") if segment]
    if segments and _LOCALE.fullmatch(segments[0]) and segments[0] not in ("dp", "pd"):
        segments = segments[1:]
    return _Place(tuple(segments), suffix, _kind_by_address(segments))


@functools.lru_cache(maxsize=8_192)
def _worded(text: str) -> str:
    """Lower case without accents, anything but letters and digits as a hyphen.

    >>> _worded("Über uns"), _worded("Preços")
    ('uber-uns', 'precos')
    """
    plain = text.lower()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return plain if plain.isalnum() else _NOT_WORD.sub("-", plain)


@functools.cache
def _kinds() -> dict[str, PageKind]:
    """The kind of page that each word names."""
    return {word: kind for kind in reversed(_BY_WORDS) for word in _words()[kind]["words"]}


@functools.cache
def _words() -> dict[str, dict[str, frozenset[str]]]:
    text = (Path(__file__).parent / "lists" / "pages.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Sequence[Any]]] = tomllib.loads(text)
    return {name: {key: frozenset(words) for key, words in table.items()} for name, table in tables.items()}
