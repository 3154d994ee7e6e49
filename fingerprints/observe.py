"""A response into an Observation: everything detection may look at, read once, each part capped.

Pages are written by strangers. Nothing here runs scripts, follows references or trusts a declared
length or encoding, and every list stops at a limit that is flagged, because a cut page cannot
support an absence.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, overload
from urllib.parse import urljoin

from fingerprints.compiled import authority_of, web_reference
from fingerprints.hosts import MAX_HOST_CHARS, host_of, registrable
from fingerprints.markup import to_utf8
from fingerprints.model import Link, Observation, PageKind, Party, Resource, ResourceKind
from fingerprints.resources import (
    MAX_URL_CHARS,
    containers_named,
    data_script,
    header_links,
    is_picture,
    out_of_strings,
    policy_hosts,
    script_urls,
    unwrapped,
)
from fingerprints.tags import NOT_FETCHED
from fingerprints.tree import Element, Tree, tree_of

BLANKS = "".join(map(chr, range(33)))
"""What may stand around a URL: control characters and the space, but no other white space."""
MAX_ELEMENTS = 10_000
"""Of those that may refer to something; real pages have a few hundred."""
MAX_RESOURCES = 3_000
MAX_LINKS = 1_500
MAX_SCRIPT_BYTES = 1_500_000
"""Of all inline scripts of a page together."""
MAX_SCRIPTS = 500
MAX_STYLE_CHARS = 1_500_000
"""Of one style sheet in the page."""
MAX_META = 300
MAX_HEADER_VALUES = 500
MAX_HEADER_CHARS = 16_384
MAX_COOKIES = 200

T = TypeVar("T")

HeaderInput = Mapping[str, "str | Sequence[str]"]

_DATA_SCRIPT = re.compile(r"json|template|html|text/x-|speculationrules")
"""Parts of a script's `type` that mark data rather than code."""
_LINK_KINDS = {
    "stylesheet": ResourceKind.STYLESHEET,
    "preload": ResourceKind.PRELOAD,
    "modulepreload": ResourceKind.PRELOAD,
    "prefetch": ResourceKind.PRELOAD,
    "preconnect": ResourceKind.CONNECT,
    "dns-prefetch": ResourceKind.CONNECT,
}
_ELEMENT_KINDS = {
    "iframe": ResourceKind.IFRAME,
    "img": ResourceKind.IMG,
    "source": ResourceKind.MEDIA,
    "video": ResourceKind.MEDIA,
    "embed": ResourceKind.MEDIA,
    "object": ResourceKind.MEDIA,
}


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
    tree = tree_of(body, flagged)
    if tree is not None:
        reader.read(tree)
    reader.read_policies(lower_headers)
    for request in requests:
        reader.add(request, ResourceKind.IMG if is_picture(request) else ResourceKind.REQUEST)
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
        links=_Links(reader, tree) if tree is not None else (),
        containers=containers_named(resources, scripts, tree),
        dns=dns,
        tls_issuer=tls_issuer,
        robots=robots,
        globals=dict(globals or {}),
        rendered=rendered,
        flags=frozenset(flagged),
        tree=tree,
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


class _Reader:
    """Collects the parts of one page in a single walk over the elements that matter."""

    def __init__(self, url: str, flags: set[str]) -> None:
        self.base = url
        self.origin = origin_of(url)
        self.authority = self.origin.partition("//")[2].lower().encode("utf-8", "replace").decode()
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
        self.json_ld_types: list[str] = []
        self.resources: dict[tuple[str, ResourceKind], Resource] = {}

    def read(self, tree: Tree) -> None:
        self.language = (tree.get("lang") or "")[:35]
        bases = (base.get("href") for base in tree.select("base[href]", limit=1))
        self.base = _join(self.base, next(bases, "") or "")
        self.origin = origin_of(self.base)
        self.folder = _folder_of(self.base)
        # Two elements in three are none of these; what is not touched costs nothing.
        for element in self._first(tree.elements(*_READERS, limit=MAX_ELEMENTS + 1)):
            _READERS[element.tag](self, element)
        self._anchors(tree)

    def _first(self, found: Iterable[T]) -> Sequence[T]:
        first = list(itertools.islice(found, MAX_ELEMENTS + 1))
        if len(first) > MAX_ELEMENTS:
            self.flags.add("resources_cut")
            del first[MAX_ELEMENTS:]
        return first

    def add(self, raw: str, kind: ResourceKind) -> None:
        """Note one reference of the page, unless it is no URL or the list is full."""
        written, authority = web_reference(raw, MAX_URL_CHARS)
        if not written:
            return
        is_relative = authority is None
        url = self._absolute(written) if is_relative else written
        if "/proxy/" in url:
            url, authority = unwrapped(url), None
        key = (url, kind)
        if key in self.resources:
            return
        if len(self.resources) >= MAX_RESOURCES:
            self.flags.add("resources_cut")
            return
        host, party = self._party(authority_of(url) if authority is None else authority)
        self.resources[key] = _resource((url, host, kind, party, written if is_relative else ""))

    def _party(self, authority: str) -> tuple[str, Party]:
        """The host of a URL's authority (the page's own when empty), and whether it is another company's."""
        known = self.parties.get(authority)
        if known is None:
            host, domain = _site_of(authority[:MAX_HOST_CHARS]) if authority else (self.host, self.domain)
            known = (
                (host, Party.THIRD) if host and domain != self.domain else (host or self.host, Party.FIRST)
            )
            self.parties[authority] = known
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
        for url, relation in header_links(headers):
            if relation in _LINK_KINDS:
                self.add(url, _LINK_KINDS[relation])

    def _anchors(self, tree: Tree) -> None:
        """Links to other sites are resources; those to the page's own wait until somebody chooses among them."""
        for href in self._first(tree.leaving("a", "href", self.authority, MAX_ELEMENTS + 1)):
            if self._is_foreign(href):
                self.add(href, ResourceKind.LINK)

    def _is_foreign(self, url: str) -> bool:
        return self._party(authority_of(url.strip(BLANKS)[:MAX_URL_CHARS]))[1] is Party.THIRD

    def own_links(self, tree: Tree) -> Iterator[tuple[str, Element]]:
        """The links within the page's own domain, as written, in page order."""
        leaving = set(tree.leaving("a", "href", self.authority))
        for href, element in tree.having("a", "href", MAX_ELEMENTS):
            written = href.strip(BLANKS)
            if not written or written[0] == "#" or written[:11].lower().startswith(NOT_FETCHED):
                continue
            if href not in leaving or not self._is_foreign(href):
                yield written[:MAX_URL_CHARS], element

    def link(self, written: str, element: Element) -> Link:
        text = " ".join((element.lead or element.get("title") or "").split())[:80]
        return Link(self._absolute(written), text)

    def _script(self, element: Element) -> None:
        references = element.references()
        for value in references:
            self.add(value, ResourceKind.SCRIPT)
        text = element.text
        if not text or text.isspace():
            # What an optimiser has moved from the element into a `data:` URL.
            text = "".join(data_script(value) for value in references if value[:5].lower() == "data:")
        if not text:
            return
        script_type = (element.get("type") or "").lower()
        if "ld+json" in script_type:
            self.json_ld_types.extend(json_ld_types(text))
            return
        self._keep(text, is_data=bool(script_type) and _DATA_SCRIPT.search(script_type) is not None)

    def _keep(self, text: str, *, is_data: bool = False) -> None:
        """Note a script's text and the URLs in it."""
        self.script_bytes += len(text)
        if len(self.scripts) >= MAX_SCRIPTS or self.script_bytes > MAX_SCRIPT_BYTES:
            self.flags.add("scripts_cut")
            return
        text = out_of_strings(text, is_data=is_data)
        self.scripts.append(text)
        for url in script_urls(text, links_too=not is_data):
            self.add(url, ResourceKind.INLINE)

    def _link(self, element: Element) -> None:
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

    def _meta(self, element: Element) -> None:
        name = (
            element.get("name")
            or element.get("property")
            or element.get("itemprop")
            or element.get("http-equiv")
        )
        if name and len(self.meta) >= MAX_META and name.strip().lower() not in self.meta:
            self.flags.add("resources_cut")
        elif name:
            self.meta.setdefault(name.strip().lower(), []).append(
                (element.get("content") or "")[:MAX_URL_CHARS]
            )

    def _style(self, element: Element) -> None:
        text = element.text
        if len(text) > MAX_STYLE_CHARS:
            self.flags.add("scripts_cut")
        self.styles.append(text[:MAX_STYLE_CHARS])

    def _title(self, element: Element) -> None:
        self.title = self.title or " ".join(element.text.split())[:300]

    def _form(self, element: Element) -> None:
        self.add(element.get("action") or "", ResourceKind.FORM)

    def _embedded(self, element: Element) -> None:
        """Note an element's own URL, and those a lazy loader or a consent manager holds back."""
        tag = element.tag
        for value in element.references():
            self.add(value, _ELEMENT_KINDS[tag])
        if tag == "iframe" and (page := element.get("srcdoc")):
            self._keep(page)


_resource = functools.partial(tuple.__new__, Resource)
"""A named tuple's own constructor, a function of Python's, takes three times as long."""

_READERS: dict[str, Callable[[_Reader, Element], None]] = {
    **dict.fromkeys(_ELEMENT_KINDS, _Reader._embedded),
    "script": _Reader._script,
    "link": _Reader._link,
    "meta": _Reader._meta,
    "style": _Reader._style,
    "title": _Reader._title,
    "form": _Reader._form,
}
"""What reads the elements of each tag that may refer to something."""


class _Links(Sequence[Link]):
    """The links of a page, made when they are looked at: most pages are not asked for them."""

    def __init__(self, reader: _Reader, tree: Tree) -> None:
        self._reader = reader
        self._tree = tree

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Link: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Link]: ...
    def __getitem__(self, index: int | slice) -> Link | Sequence[Link]:
        return self._made[index]

    @functools.cached_property
    def _found(self) -> Sequence[tuple[str, Element]]:
        return list(itertools.islice(self._reader.own_links(self._tree), MAX_LINKS))

    @functools.cached_property
    def _made(self) -> tuple[Link, ...]:
        return tuple(self._reader.link(written, element) for written, element in self._found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._made == tuple(other)

    def __hash__(self) -> int:
        return hash(self._made)

    def __reduce__(self) -> tuple[type[tuple[Link, ...]], tuple[tuple[Link, ...]]]:
        return tuple, (self._made,)


_PLAIN_PATH = re.compile(r"[\w%-][^:?#\\]*(?:[?#]|\Z)")
"""A relative reference that simply stands below the page's folder."""


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute URL; empty for anything else.

    >>> origin_of("https://example.com:8443/a?b")
    'https://example.com:8443'
    """
    match = re.match(r"https?://[^/?#\\]+", url, re.IGNORECASE)
    return match[0] if match else ""


def _folder_of(base: str) -> str:
    """What a relative path is appended to.

    >>> _folder_of("https://example.com/a/b?c=/d"), _folder_of("https://example.com")
    ('https://example.com/a/', 'https://example.com/')
    """
    path = base.partition("?")[0].partition("#")[0]
    if "/." in path or path.count("/") < 3:
        return _join(base, ".")
    return path[: path.rfind("/") + 1]


@functools.lru_cache(maxsize=8_192)
def _site_of(authority: str) -> tuple[str, str]:
    """Host and registrable domain of what stands between `//` and the next slash."""
    host = host_of(f"//{authority}")
    return host, registrable(host) if host else ""


def _join(base: str, reference: str) -> str:
    """The reference as an absolute URL where the base allows it; a broken one stays as written."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference


MAX_TYPES = 50
MAX_PLACES_OF_TYPES = 1_000
MAX_TYPES_CHARS = 2_000
"""Of the list of types of one thing."""
_TYPE = re.compile(r'"@type"\s{0,200}:\s{0,200}(?:"([^"]{0,500})"|\[)')
"""Inside a string the quotes would be escaped, so nothing but the key is found."""


def json_ld_types(text: str) -> list[str]:
    """The different `@type`s of a JSON-LD block, at most MAX_TYPES, also of a broken one.

    >>> json_ld_types('{"@type": ["Product", "Car"], "brand": {"\\\\u0040type":"Brand"}')
    ['Product', 'Car', 'Brand']
    """
    found: dict[str, None] = {}
    text = text.replace("\\/", "/").replace("\\u0040", "@")
    for match in itertools.islice(_TYPE.finditer(text), MAX_PLACES_OF_TYPES):
        if match[1] is not None:
            found[match[1][:60]] = None
        elif (end := text.find("]", match.end(), match.end() + MAX_TYPES_CHARS)) > 0:
            found.update((kind[:60], None) for kind in re.findall(r'"([^"]*)"', text[match.end() : end]))
        if len(found) >= MAX_TYPES:
            break
    found.pop("", None)
    return list(found)[:MAX_TYPES]
