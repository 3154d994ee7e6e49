"""URLs that stand in text rather than in attributes, and the tag containers a page names."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from fingerprints.compiled import breaks_off_url, holds, plain_slashes, urls_in
from fingerprints.model import Resource, ResourceKind
from fingerprints.tree import Tree

MAX_URL_CHARS = 2_048
MAX_POLICY_HOSTS = 300
MAX_SPLIT_URLS = 50
MAX_URLS_IN_SCRIPT = 400
MAX_URLS_IN_DATA = 20_000
"""Looked at for the few that are scripts."""

_SPLIT_URL = re.compile(
    # ("https:" == location.protocol ? "https://ssl" : "http://www") + ".example.com/a.js"
    # begins at the slashes, so that the search runs at memory speed.
    r"//([A-Za-z0-9_.-]{0,40})[\"']\s{0,9}\)?\s{0,9}\+\s{0,9}[\"']"
    r"(\.?(?:[A-Za-z0-9_-]{1,63}\.){1,8}[A-Za-z]{2,62}/[^\s\"'<>\\`|^{}]{0,500})[\"']"
)
_ENCODED_URL = re.compile(r"[\"'`](aHR0c[\w+/]{8,2000}={0,2})[\"'`]")
"""A URL in base64, as `atob` takes it; all of them begin so."""
_POLICY_HOST = re.compile(
    r"(?:https?://|wss?://)?(?:\*\.)?((?:[a-z0-9_-]+\.)+[a-z]{2,})(?::\d+|:\*)?(?:/\S*)?\Z", re.IGNORECASE
)


def script_urls(text: str, *, links_too: bool = True) -> Iterator[str]:
    """URL literals in a script or JSON text: absolute, or protocol-relative inside quotes.

    Also those put together from a scheme and the rest, as older snippets do.
    Escaped forms (`\\/`, `\\u002F`, `&amp;`) are undone first. Comments such as `//example.com` are
    not literals. With `links_too=False` only script-like URLs are given: JSON state is mostly content.
    """
    if links_too and holds(text, "aHR0c"):
        yield from (_decoded(found) for found in _ENCODED_URL.findall(text)[:MAX_SPLIT_URLS])
    text = plain_slashes(text)
    found = urls_in(text, MAX_URLS_IN_SCRIPT if links_too else MAX_URLS_IN_DATA)
    if not links_too:
        found = [url for url in found if is_script_url(url)]
    for url in found[:MAX_URLS_IN_SCRIPT]:
        yield url.replace("&amp;", "&") if "&amp;" in url else url
    if links_too and len(found) < MAX_URLS_IN_SCRIPT and breaks_off_url(text):
        yield from (f"https://{before}{rest}" for before, rest in _SPLIT_URL.findall(text)[:MAX_SPLIT_URLS])


_IN_STRINGS = (('\\\\\\"', '"'), ('\\"', '"'), ("\\\\n", "\n"), ("\\n", "\n"))


def out_of_strings(text: str, *, is_data: bool) -> str:
    """The text with code that it keeps inside strings as that code was written; plain code as it is.

    State in JSON, what server components stream, and scripts that a plugin adds later hold others so.
    """
    if "\\" in text and (is_data or "__next_f" in text[:100] or holds(text, "<\\/script")):
        for written, meant in _IN_STRINGS:
            text = text.replace(written, meant)
    return text


def _decoded(encoded: str) -> str:
    """A URL out of base64; empty when it is none."""
    try:
        return base64.b64decode(encoded + "==").decode("ascii").strip()
    except ValueError:
        return ""


def is_script_url(url: str) -> bool:
    """Whether a URL looks like code to load rather than like an address to link to.

    >>> is_script_url("https://cdn.example.com/w.min.js?v=2"), is_script_url("https://example.com/about")
    (True, False)
    """
    path = url.partition("?")[0].partition("#")[0]
    return path.endswith((".js", ".mjs", ".js.php", "/js")) or "/js?" in url


_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|webp|avif|svg|ico|bmp)\Z", re.IGNORECASE)


def is_picture(url: str) -> bool:
    """Whether a URL is that of a picture, which shows content of whoever keeps it.

    >>> is_picture("https://cdn.example.com/a.JPG?v=2"), is_picture("https://example.com/collect?f=a.gif")
    (True, False)
    """
    return _PICTURE.search(url.partition("?")[0].partition("#")[0]) is not None


def data_script(url: str) -> str:
    """The script inside a `data:` URL, where optimisers put inline snippets; empty for any other URL.

    >>> data_script("data:text/javascript;base64,aGooKQ=="), data_script("data:image/png;base64,aGooKQ==")
    ('hj()', '')
    """
    head, _, rest = url.partition(",")
    head = head.lower()
    if not head.startswith("data:") or "javascript" not in head:
        return ""
    if not head.endswith(";base64"):
        return unquote(rest)
    try:
        return base64.b64decode(unquote(rest) + "==").decode("utf-8", "replace")
    except ValueError:
        return ""


_SHOPIFY_PROXY = re.compile(r"https?://cdn\.shopify\.com/proxy/[0-9a-f]{32,64}/(?=[\w-]+\.)")


def unwrapped(url: str) -> str:
    """The URL that Shopify's script proxy stands in front of; any other URL as it is.

    >>> unwrapped("https://cdn.shopify.com/proxy/" + "0" * 64 + "/app.example.com/a.js?shop=x")
    'https://app.example.com/a.js?shop=x'
    """
    return _SHOPIFY_PROXY.sub("https://", url) if "/proxy/" in url else url


def policy_hosts(headers: Mapping[str, tuple[str, ...]], meta_policy: Sequence[str] = ()) -> list[str]:
    """Hosts that policy and reporting headers allow or report to, sorted, at most MAX_POLICY_HOSTS."""
    found: set[str] = set()
    policies = [
        *headers.get("content-security-policy", ()),
        *headers.get("content-security-policy-report-only", ()),
        *meta_policy,
    ]
    for policy in policies:
        for token in policy.replace(";", " ").split():
            match = _POLICY_HOST.match(token)
            if match:
                found.add(match[1].lower())
    for value in (*headers.get("report-to", ()), *headers.get("reporting-endpoints", ())):
        found.update(
            match[1].lower()
            for match in re.finditer(r"https?://((?:[\w-]+\.)+[a-z]{2,})", value, re.IGNORECASE)
        )
    return sorted(found)[:MAX_POLICY_HOSTS]


_LINK_HEADER = re.compile(r"<([^<>\s]{1,2048})>\s*;[^,<]{0,200}?\brel=\"?([\w-]{1,20})")


def header_links(headers: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """URL and relation of what a `Link` header connects to or loads ahead, at most MAX_POLICY_HOSTS.

    >>> header_links({"link": ("<https://cdn.example.com>; rel=preconnect, </a.css>; rel=preload; as=style",)})
    [('https://cdn.example.com', 'preconnect'), ('/a.css', 'preload')]
    """
    found = [pair for value in headers.get("link", ()) for pair in _LINK_HEADER.findall(value)]
    return found[:MAX_POLICY_HOSTS]


# --- tag containers -----------------------------------------------------------------------------

_GTM_ID = re.compile(r"GTM-[A-Z0-9]{4,10}\b")
_CONTAINER_URLS = (
    # name, a part of every such URL, pattern whose group is the public id
    (
        "tealium",
        "//tags.tiqcdn.",
        re.compile(r"//tags\.tiqcdn\.(?:com|cn)/utag/([\w.-]+/[\w.-]+/[\w.-]+)/utag"),
    ),
    ("adobe", "//assets.adobedtm.", re.compile(r"//assets\.adobedtm\.com/(.{1,120}?)(?:\.min)?\.js")),
    ("segment", "//cdn.segment.", re.compile(r"//cdn\.segment\.(?:com|io)/analytics\.js/v1/(\w+)/")),
    ("piwik-pro", ".containers.piwik.pro/", re.compile(r"//([\w-]+\.containers\.piwik\.pro/[\w-]+)\.js")),
    ("hubspot", ".hs-scripts.com/", re.compile(r"//(js(?:-\w+)?\.hs-scripts\.com/\d{4,12})\.js")),
    ("hubspot", "/hs/scriptloader/", re.compile(r"//([\w.-]+(?::\d+)?/hs/scriptloader/\d{4,12})\.js")),
    ("matomo", "js/container_", re.compile(r"//([\w.-]+(?::\d+)?/(?:[\w.-]+/)*js/container_\w+)\.js")),
)
_NO_LOAD = frozenset({ResourceKind.LINK, ResourceKind.CSP, ResourceKind.CONNECT})
_SEGMENT_LOAD = re.compile(r"\banalytics\.load\(\s*[\"'](\w{16,40})[\"']")


def container_of(text: str) -> Iterator[str]:
    """The containers a URL, or a text of many, loads, whatever host serves them.

    >>> list(container_of("https://sgtm.acme.com/x7k.js?id=GTM-AB12CD"))
    ['gtm:GTM-AB12CD']
    """
    yield from _gtm_ids(text)
    for name, marker, pattern in _CONTAINER_URLS:
        if holds(text, marker):
            yield from (f"{name}:{match}" for match in pattern.findall(text))


def _gtm_ids(text: str) -> Iterator[str]:
    """Tag Manager ids in a text; the pattern begins with plain characters so that the search runs at memory speed."""
    if not holds(text, "GTM-"):
        return
    for match in _GTM_ID.finditer(text):
        if not text[max(0, match.start() - 1) : match.start()].isalnum():
            yield f"gtm:{match[0]}"


def containers_named(
    resources: Sequence[Resource], scripts: Sequence[str], tree: Tree | None = None
) -> tuple[str, ...]:
    """Tag containers the page loads, as `gtm:GTM-ABC123`, sorted; a link to one is not a load.

    Attributes may hold an id (`data-gtm-id`, settings as JSON, a `<meta>`) for a script of the site's own to load.
    """
    loaded = "\n".join(resource.url for resource in resources if resource.kind not in _NO_LOAD)
    found = set(container_of(loaded))
    values = tree.values_with("GTM-") if tree is not None else ()
    if len(values) <= MAX_GTM_IDS:
        found.update(name for tag, value in values if tag != "a" for name in _gtm_ids(value))
    for script in scripts:
        found.update(_gtm_ids(script))
        if holds(script, "analytics.load"):
            found.update(f"segment:{match}" for match in _SEGMENT_LOAD.findall(script))
    return tuple(sorted(found))


MAX_GTM_IDS = 200
"""A page with more of them is about tag managers."""
