"""A response into an Observation: everything detection may look at, read once, each part capped.

Pages are written by strangers. Nothing here runs scripts, follows references or trusts a declared
length or encoding, and every list stops at a limit that is flagged, because a cut page cannot
support an absence.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from fingerprints.hosts import host_of, registrable
from fingerprints.model import Link, Observation, PageKind, Party, Resource, ResourceKind
from fingerprints.resources import (
    MAX_URL_CHARS,
    containers_named,
    data_script,
    policy_hosts,
    script_urls,
    unwrapped,
)

MAX_BODY_BYTES = 2 * 1024 * 1024
"""99.9% of homepages are smaller; the crawler stops reading there too."""
MAX_RESOURCES = 3_000
MAX_LINKS = 1_500
MAX_SCRIPT_BYTES = 1_500_000
"""Of all inline scripts of a page together."""
MAX_SCRIPTS = 500
MAX_META = 300
MAX_HEADER_VALUES = 500
MAX_HEADER_CHARS = 16_384
MAX_COOKIES = 200

HeaderInput = Mapping[str, "str | Sequence[str]"]

_DATA_SCRIPT_TYPES = ("json", "template", "html", "text/x-", "speculationrules")
"""Parts of a script `type` that mark data rather than code."""
_LINK_KINDS = {
    "stylesheet": ResourceKind.STYLESHEET,
    "preload": ResourceKind.PRELOAD,
    "modulepreload": ResourceKind.PRELOAD,
    "prefetch": ResourceKind.PRELOAD,
    "preconnect": ResourceKind.CONNECT,
    "dns-prefetch": ResourceKind.CONNECT,
}
_ELEMENT_KINDS = {
    "script": ResourceKind.SCRIPT,
    "iframe": ResourceKind.IFRAME,
    "img": ResourceKind.IMG,
    "form": ResourceKind.FORM,
    "source": ResourceKind.MEDIA,
    "video": ResourceKind.MEDIA,
    "embed": ResourceKind.MEDIA,
    "object": ResourceKind.MEDIA,
}
_NOT_FETCHED = ("data:", "blob:", "javascript:", "about:", "mailto:", "tel:")
"""Schemes with their colon: `javascripts/app.js` is a path."""
_URL_ATTRIBUTES = {"form": "action", "object": "data"}


def observe(
    html: str | bytes,
    *,
    url: str = "",
    headers: HeaderInput | None = None,
    cookies: Mapping[str, str] | None = None,
    status: int | None = None,
    kind: PageKind = PageKind.HOME,
    requests: Iterable[str] = (),
    globals: Mapping[str, str] | None = None,
    dns: Mapping[str, tuple[str, ...]] | None = None,
    tls_issuer: str | None = None,
    robots: str | None = None,
    rendered: bool = False,
    flags: Iterable[str] = (),
) -> Observation:
    """Everything detection may look at on one page.

    `html` is the body as text or as received bytes; `url` the final URL (relative references stay
    relative without it); `requests` are URLs a browser really asked for. Cookies named in
    `Set-Cookie` headers are added to `cookies`. Never raises for what a page contains.
    """
    flagged = set(flags)
    lower_headers = normalise_headers(headers or {})
    body = to_utf8(html, lower_headers, flagged)
    reader = _Reader(url, flagged)
    root = _parse(body, flagged)
    if root is not None:
        reader.read(root)
    reader.read_policies(lower_headers)
    for request in requests:
        reader.add(request, ResourceKind.REQUEST)
    scripts = tuple(reader.scripts)
    resources = tuple(reader.resources.values())
    return Observation(
        url=url,
        kind=kind,
        status=status,
        headers=lower_headers,
        cookies={**set_cookies(lower_headers), **dict(list((cookies or {}).items())[:MAX_COOKIES])},
        meta={name: tuple(values) for name, values in reader.meta.items()},
        title=reader.title,
        language=reader.language,
        json_ld_types=tuple(dict.fromkeys(reader.json_ld_types)),
        body=body,
        scripts=scripts,
        styles=tuple(reader.styles),
        resources=resources,
        links=tuple(reader.links),
        containers=containers_named(resources, scripts),
        dns=dns,
        tls_issuer=tls_issuer,
        robots=robots,
        globals=dict(globals or {}),
        rendered=rendered,
        flags=frozenset(flagged),
        root=root,
        elements=reader.elements,
    )


def normalise_headers(headers: HeaderInput) -> dict[str, tuple[str, ...]]:
    """Lower-case names to every value, in order; values are cut at MAX_HEADER_CHARS."""
    lower: dict[str, tuple[str, ...]] = {}
    for name, value in list(headers.items())[:MAX_HEADER_VALUES]:
        values = (value,) if isinstance(value, str) else tuple(value)
        key = str(name).lower()
        lower[key] = lower.get(key, ()) + tuple(str(v)[:MAX_HEADER_CHARS] for v in values[:MAX_HEADER_VALUES])
    return lower


def set_cookies(headers: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Names and values of the cookies in `set-cookie` headers; attributes are dropped."""
    found: dict[str, str] = {}
    for line in headers.get("set-cookie", ())[:MAX_COOKIES]:
        name, _, value = line.partition(";")[0].partition("=")
        if name.strip():
            found[name.strip()] = value.strip()
    return found


# --- text ---------------------------------------------------------------------------------------


def to_utf8(html: str | bytes, headers: Mapping[str, tuple[str, ...]], flags: set[str]) -> bytes:
    """The body as UTF-8 without NUL bytes, at most MAX_BODY_BYTES; `body_cut` is flagged.

    Order of belief: byte order mark, strict UTF-8, the HTTP header, the document's own declaration,
    then windows-1252, which never fails. Strict UTF-8 comes early because text that happens to be valid
    UTF-8 is not anything else, whatever it declares.
    """
    if isinstance(html, str):
        data = html[:MAX_BODY_BYTES].encode("utf-8", "replace")
        cut = len(html) > MAX_BODY_BYTES or len(data) > MAX_BODY_BYTES
        data = data[:MAX_BODY_BYTES]
    else:
        cut = len(html) > MAX_BODY_BYTES
        data = _decode(html[:MAX_BODY_BYTES], _charset(headers))
    if cut:
        flags.add("body_cut")
    return data.replace(b"\0", b"") if b"\0" in data else data


def _charset(headers: Mapping[str, tuple[str, ...]]) -> str:
    for value in headers.get("content-type", ()):
        match = re.search(r"charset=[\"']?([\w.:-]{1,40})", value, re.IGNORECASE)
        if match:
            return match[1]
    return ""


def _decode(data: bytes, http_charset: str) -> bytes:
    if not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            # A cut body may end inside a character, hence the incremental decoder.
            codecs.getincrementaldecoder("utf-8")().decode(data)
        except UnicodeDecodeError:
            pass
        else:
            if data.count(b"\0", 0, 512) < 8:  # not UTF-16 without its mark
                return data
    from bs4.dammit import EncodingDetector, UnicodeDammit  # 50 ms, which most pages can do without

    declared = EncodingDetector.find_declared_encoding(data[:4096], is_html=True)
    candidates = [name for name in (http_charset, declared) if name]
    if data[1:2] == b"\0" and data[3:4] == b"\0":
        candidates.insert(0, "utf-16-le")
    dammit = UnicodeDammit(data, known_definite_encodings=candidates, user_encodings=["windows-1252"])
    text = dammit.unicode_markup if dammit.unicode_markup is not None else data.decode("latin-1")
    return text.encode("utf-8", "replace")


def _parse(body: bytes, flags: set[str]) -> Any:
    """The lxml tree, or None for a page without markup. Flags `tree_cut` when the parser gave up.

    libxml2 stops at a nesting depth of 2,048; real pages stay below 300.
    """
    if b"<" not in body:
        return None
    body = _without_early_end(body)
    if _has_long_run(body):
        body = _LONG_TAG.sub(lambda tag: _without_surplus_attributes(tag[0], flags), body)
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, collect_ids=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        flags.add("tree_cut")
        return None
    if any(
        "xcessive depth" in entry.message or entry.type_name == "ERR_RESOURCE_LIMIT"
        for entry in parser.error_log
    ):
        flags.add("tree_cut")
    return root


def _without_early_end(body: bytes) -> bytes:
    """The page with its `</html>` made a comment where elements follow: libxml2 would stop there, browsers go on.

    One page in forty has scripts after its end (measured 2026-11 on 1,704 pages).
    """
    for end in (b"</html", b"</HTML"):
        first = body.find(end)
        if first >= 0 and _ELEMENT.search(body, first + len(end)):
            body = body.replace(end, b"</ html")
    return body


_ELEMENT = re.compile(rb"<[a-zA-Z]")
_LONG_TAG_BYTES = 20_000
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{%d,}" % _LONG_TAG_BYTES)
"""Start tags of unusual length; runs between `<` do not overlap, so the search is linear."""
_MAX_ATTRIBUTES = 1_000


def _has_long_run(body: bytes) -> bool:
    """Whether a tag of unusual length is possible: somewhere no `<` and no `>` stands for that long.

    Looks from the far end of one window to the next, so an ordinary page costs a dozen steps.
    """
    position, end = 0, len(body) - _LONG_TAG_BYTES
    while position < end:
        window = position, position + _LONG_TAG_BYTES
        last = max(body.rfind(b"<", *window), body.rfind(b">", *window))
        if last < position:
            return True
        position = last + 1
    return False


def _without_surplus_attributes(tag: bytes, flags: set[str]) -> bytes:
    """The start tag, cut when it has thousands of attributes: libxml2 compares each with all before it."""
    if tag.count(b"=") <= _MAX_ATTRIBUTES and len(tag.split()) <= _MAX_ATTRIBUTES:
        return tag
    flags.add("tree_cut")
    return b" ".join(tag.split()[:_MAX_ATTRIBUTES])[:20_000]


def visible_text(observation: Observation, limit: int = 200_000) -> str:
    """Text a reader sees, white space collapsed, at most `limit` characters; scripts and styles left out."""
    if observation.root is None:
        return ""
    return " ".join(" ".join(_shown(observation.root)).split())[:limit]


_shown: Any = etree.XPath(
    # `/descendant::` rather than `//`, which libxml2 evaluates in half the time.
    "/descendant::text()[not(parent::script or parent::style or parent::noscript or parent::template or parent::head)]",
    smart_strings=False,
)


# --- the tree -----------------------------------------------------------------------------------


class _Reader:
    """Collects the parts of one page in a single walk over the elements that matter."""

    def __init__(self, url: str, flags: set[str]) -> None:
        self.base = url
        self.origin = origin_of(url)
        self.folder = ""
        self.host = host_of(url)
        self.domain = registrable(self.host) if self.host else ""
        self.parties: dict[str, tuple[str, Party]] = {}
        """Host and party of what stands between `//` and the next slash: a page names few hosts many times."""
        self.flags = flags
        self.title = ""
        self.language = ""
        self.meta: dict[str, list[str]] = {}
        self.scripts: list[str] = []
        self.script_bytes = 0
        self.styles: list[str] = []
        self.links: list[Link] = []
        self.json_ld_types: list[str] = []
        self.resources: dict[tuple[str, ResourceKind], Resource] = {}
        self.elements: dict[str, list[Any]] = {}

    def read(self, root: Any) -> None:
        self.language = (root.get("lang") or "")[:35]
        base = root.find(".//base")
        if base is not None and base.get("href"):
            self.base = _join(self.base, base.get("href"))
        self.origin = origin_of(self.base)
        self.folder = _join(self.base, ".")
        readers = {
            "a": self._anchor,
            "script": self._script,
            "link": self._link,
            "meta": self._meta,
            "style": self._style,
            "title": self._title,
            **dict.fromkeys(_ELEMENT_KINDS.keys() - {"script"}, self._embedded),
        }
        everything = self.elements["*"] = list(root.iter("*"))
        for element in everything:
            tag = element.tag
            if tag in self.elements:
                self.elements[tag].append(element)
            else:
                self.elements[tag] = [element]
            if tag in readers:
                readers[tag](element)

    def add(self, raw: str, kind: ResourceKind) -> None:
        """Note one reference of the page, unless it is no URL or the list is full."""
        written = raw.strip()[:MAX_URL_CHARS]
        absolute = written[:8].lower().startswith(("http://", "https://"))
        if not absolute and (
            not written or written[0] == "#" or written[:11].lower().startswith(_NOT_FETCHED)
        ):
            return
        url = unwrapped(written if absolute else self._absolute(written))
        key = (url, kind)
        if key in self.resources:
            return
        if len(self.resources) >= MAX_RESOURCES:
            self.flags.add("resources_cut")
            return
        host, party = self._party(url)
        self.resources[key] = Resource(url, host, kind, party, "" if absolute else written)

    def _party(self, url: str) -> tuple[str, Party]:
        """The host of a URL (the page's own for a relative one), and whether it is another company's."""
        pieces = url.split("/", 3)
        authority = pieces[2] if len(pieces) > 2 and not pieces[1] else ""
        known = self.parties.get(authority)
        if known is None:
            host = host_of(f"//{authority}") or self.host
            party = Party.FIRST if not host or registrable(host) == self.domain else Party.THIRD
            known = self.parties[authority] = (host, party)
        return known

    def _absolute(self, reference: str) -> str:
        """The reference resolved against the page; the common forms without a full URL parse."""
        if self.origin:
            if reference[:2] == "//":
                return self.origin.partition("//")[0] + reference
            if reference[:1] == "/":
                return self.origin + reference
            if _PLAIN_PATH.match(reference) and "/." not in reference:
                return self.folder + reference
        return reference if reference[:4] == "http" else _join(self.base, reference)

    def read_policies(self, headers: Mapping[str, tuple[str, ...]]) -> None:
        meta_policy = tuple(self.meta.get("content-security-policy", ()))
        for host in policy_hosts(headers, meta_policy):
            self.add(f"https://{host}/", ResourceKind.CSP)

    def _anchor(self, element: Any) -> None:
        href = element.get("href")
        if not href or href[0] == "#":
            return
        if self._leaves(href):
            self.add(href, ResourceKind.LINK)
        elif len(self.links) < MAX_LINKS and not href[:11].lower().startswith(_NOT_FETCHED):
            text = element.text or (element[0].text if len(element) else "") or element.get("title") or ""
            self.links.append(Link(self._absolute(href[:MAX_URL_CHARS]), " ".join(text.split())[:80]))

    def _leaves(self, href: str) -> bool:
        """Whether a link goes to another domain."""
        if href[:2] != "//" and href[:7].lower() not in ("http://", "https:/"):
            return False
        return self._party(href)[1] is Party.THIRD

    def _script(self, element: Any) -> None:
        self._embedded(element)
        text = element.text
        if not text or text.isspace():
            text = self._encoded(element)
        if not text:
            return
        script_type = (element.get("type") or "").lower()
        if "ld+json" in script_type:
            self.json_ld_types.extend(json_ld_types(text))
            return
        self.script_bytes += len(text)
        if len(self.scripts) >= MAX_SCRIPTS or self.script_bytes > MAX_SCRIPT_BYTES:
            self.flags.add("scripts_cut")
            return
        self.scripts.append(text)
        is_data = any(part in script_type for part in _DATA_SCRIPT_TYPES)
        for url in script_urls(text, links_too=not is_data):
            self.add(url, ResourceKind.INLINE)

    def _encoded(self, element: Any) -> str:
        """The script that an optimiser has moved from the element into a `data:` URL."""
        return "".join(data_script(value) for value in element.values() if value[:5].lower() == "data:")

    def _link(self, element: Any) -> None:
        href = element.get("href")
        if not href:
            return
        relations = (element.get("rel") or "").lower()
        if relations == "preload" and "stylesheet" in (element.get("onload") or ""):
            relations = "stylesheet"  # the usual way to load one without holding up the page
        for relation in relations.split():
            if relation in _LINK_KINDS:
                self.add(href, _LINK_KINDS[relation])
                return

    def _meta(self, element: Any) -> None:
        name = (
            element.get("name")
            or element.get("property")
            or element.get("itemprop")
            or element.get("http-equiv")
        )
        if name and len(self.meta) < MAX_META:
            self.meta.setdefault(name.strip().lower(), []).append(
                (element.get("content") or "")[:MAX_URL_CHARS]
            )

    def _style(self, element: Any) -> None:
        self.styles.append((element.text or "")[:200_000])

    def _title(self, element: Any) -> None:
        self.title = self.title or " ".join((element.text or "").split())[:300]

    def _embedded(self, element: Any) -> None:
        """Note an element's own URL, and those a lazy loader or a consent manager holds back."""
        tag = element.tag
        own = _URL_ATTRIBUTES.get(tag, "src")
        for name, value in element.items():
            if name == own or (tag != "form" and _is_held_back(name, value)):
                self.add(value, _ELEMENT_KINDS[tag])


def _is_held_back(name: str, value: str) -> bool:
    """Whether an attribute keeps the URL until the page needs it or its visitor agrees; `:src` is an expression."""
    if name[-3:] == "src":
        return name[:5] == "data-" or "//" in value[:8]
    return name in ("data-original", "consent-original-src-_")


_PLAIN_PATH = re.compile(r"[\w%-][^:?#\\]*(?:[?#]|\Z)")
"""A relative reference that simply stands below the page's folder."""


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL; empty for anything else.

    >>> origin_of("https://example.com:8443/a?b")
    'https://example.com:8443'
    """
    match = re.match(r"https?://[^/?#\\]+", url, re.IGNORECASE)
    return match[0] if match else ""


def _join(base: str, reference: str) -> str:
    """The reference as an absolute URL where the base allows it; a broken one stays as written."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


def json_ld_types(text: str) -> list[str]:
    """Every `@type` in a JSON-LD block, at most 50; broken JSON gives what a plain search finds."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return re.findall(r'"@type"\s*:\s*"([\w:/.#-]{1,60})"', text)[:50]
    found: list[str] = []
    stack = [data]
    while stack and len(found) < 50:
        item = stack.pop()
        if isinstance(item, dict):
            kind = item.get("@type")
            found.extend(str(k)[:60] for k in (kind if isinstance(kind, list) else [kind]) if k)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return found
