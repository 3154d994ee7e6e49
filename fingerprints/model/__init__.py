"""The words every package shares: what was looked at, what was found, what was concluded.

Data flows one way: Observation -> Evidence -> Detection -> Assessment -> Record. All are frozen, so
each stage can be tested, pickled to another process, or replayed later with newer rules.
`None` means "not known"; `""`, `()` and `0` mean "known and empty".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

SCHEMA_VERSION = 1
"""Version of the JSON form of a record. Raised when a field changes its meaning or goes away."""

EXCERPT_CHARS = 160
"""Longest stored excerpt: enough to recognise a snippet, too short to carry a page's content."""


class TechnographError(Exception):
    """Base of every error a person can act on: the message says what, where and what to do."""

    exit_code = 1


class InputError(TechnographError):
    """Raised when something the user gave cannot be used: a file, a rule, a profile, a query."""

    exit_code = 2


class Outcome(StrEnum):
    """How one target ended. Closed: every target ends with exactly one of these."""

    OK = "ok"
    PARTIAL = "partial"
    """The start page was read, but cut short, or a later page failed."""
    BLOCKED = "blocked"
    """A bot wall, a challenge or a login wall answered instead of the site."""
    PARKED = "parked"
    REDIRECTED_OFFSITE = "redirected_offsite"
    DNS_ERROR = "dns_error"
    TLS_ERROR = "tls_error"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    HTTP_ERROR = "http_error"
    ROBOTS_DISALLOWED = "robots_disallowed"
    NOT_HTML = "not_html"
    EMPTY = "empty"
    SUPPRESSED = "suppressed"
    REFUSED_PRIVATE_ADDRESS = "refused_private_address"
    INTERNAL_ERROR = "internal_error"

    @property
    def is_assessable(self) -> bool:
        """Whether a site with this outcome can support an absence at all."""
        return self in (Outcome.OK, Outcome.PARTIAL)


class PageKind(StrEnum):
    HOME = "home"
    PRODUCT = "product"
    CART = "cart"
    PRICING = "pricing"
    CONTACT = "contact"
    CAREERS = "careers"
    OTHER = "other"


class ResourceKind(StrEnum):
    """How a page refers to a URL; it decides how much the reference proves."""

    SCRIPT = "script"
    IFRAME = "iframe"
    IMG = "img"
    STYLESHEET = "stylesheet"
    PRELOAD = "preload"
    CONNECT = "connect"
    """preconnect and dns-prefetch: announced, not loaded."""
    FORM = "form"
    LINK = "link"
    """`<a href>`: a link to a vendor is not use of it; only signals that name this kind see it."""
    INLINE = "inline"
    """A URL literal inside an inline script, JSON state or a noscript fallback."""
    CONTAINER = "container"
    """A URL inside a tag container that the page loads."""
    CSP = "csp"
    """Allowed by a policy header: allowed is not used."""
    MEDIA = "media"
    """video, audio, embed, object and source elements."""
    REQUEST = "request"
    """Really requested by a browser: a rendered page or a HAR file."""


EMBED_KINDS = frozenset({ResourceKind.IMG, ResourceKind.MEDIA, ResourceKind.LINK})
"""Kinds that may show another site's content: alone they do not make a platform this site's own."""


class Party(StrEnum):
    FIRST = "first"
    THIRD = "third"


class DetectionState(StrEnum):
    PRESENT = "present"
    WEAK = "weak"


class AssessmentState(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why an assessment is what it is; shown wherever an absence is shown."""

    DETECTED = "detected"
    SURFACES_CLEAR = "surfaces_clear"
    SCAN_FAILED = "scan_failed"
    BLOCKED = "blocked"
    SURFACE_NOT_FETCHED = "surface_not_fetched"
    CONTAINER_UNPARSED = "container_unparsed"
    CONSENT_GATED = "consent_gated"
    WEAK_ONLY = "weak_only"
    NOT_OBSERVABLE = "not_observable"
    STALE = "stale"
    PAGE_INCOMPLETE = "page_incomplete"
    """The page was cut, or is an empty shell that scripts fill in a browser."""
    IMPLAUSIBLE = "implausible"
    """So many technologies that the page is about them rather than built with them."""
    NO_RULES = "no_rules"
    """No loaded rule can detect anything in this category."""


class Observability(StrEnum):
    """Whether a category's absence can be seen at all (docs/absence.md)."""

    HTML = "H"
    MANAGED = "M"
    DNS = "D"
    LOGIN = "L"


class Resource(NamedTuple):
    """One URL a page refers to."""

    url: str
    """Absolute, at most `observe.MAX_URL_CHARS` characters."""
    host: str
    """Lower case, without port."""
    kind: ResourceKind
    party: Party
    raw: str = ""
    """As written in the page when that is not absolute, else empty."""


class Link(NamedTuple):
    """One `<a href>` of a page, for choosing the next page and for `link` resources."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Everything detection may look at on one page: extracted once, capped, immutable.

    Build it with `fingerprints.observe.observe`; every field has an empty default so that a rule's
    example or another program can state only what it knows.
    """

    url: str = ""
    """Final URL after redirects; empty when not known."""
    kind: PageKind = PageKind.HOME
    status: int | None = None
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case name to every value, in order; `set-cookie` included."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case name, property, itemprop or http-equiv to every content."""
    title: str = ""
    language: str = ""
    json_ld_types: tuple[str, ...] = ()
    body: bytes = b""
    """The page as UTF-8, whatever it was sent in, cut at `markup.MAX_BODY_BYTES`."""
    scripts: tuple[str, ...] = ()
    """Bodies of inline scripts, also those a consent manager holds back, in page order."""
    styles: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()
    links: Sequence[Link] = ()
    containers: tuple[str, ...] = ()
    """Public ids of tag containers the page names, as `gtm:GTM-ABC123`."""
    container_tags: tuple[str, ...] = ()
    """Template ids of the tags in the containers that were read, as `__hjtc`."""
    containers_parsed: tuple[str, ...] = ()
    dns: Mapping[str, tuple[str, ...]] | None = None
    """Upper-case record type to values, `CNAME:help` for a sub-domain; None when not looked up."""
    tls_issuer: str | None = None
    robots: str | None = None
    globals: Mapping[str, str] = field(default_factory=dict)
    """Dotted window property to its value as text; only a rendered page has these."""
    rendered: bool = False
    flags: frozenset[str] = frozenset()
    """What was cut or odd: `body_cut`, `resources_cut`, `tree_cut`, `consent_gated`, `shell`..."""
    tree: Any = None
    """A `fingerprints.tree.Tree` for selector signals, or None when the page has no markup."""
    evidence: tuple[Evidence, ...] = ()
    """What body, styles and tree have already shown, where they were let go (`Detector.without_markup`)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One signal that fired, with what a person needs to check it."""

    technology: str
    signal: str
    """Rule id and position, as `hubspot#2`; positions start at 1."""
    channel: str
    strength: float
    """0..1: the signal's strength, lowered by how the page refers to the thing."""
    page_url: str
    excerpt: str
    """What matched, cut to EXCERPT_CHARS and with e-mail addresses redacted."""
    version: str = ""
    account: str = ""
    """The customer's public id with the vendor (GTM-..., a pixel id), where the signal captures it."""
    place: str = ""
    """The part of the page that matched; signals on one place are not independent."""
    kind: str = ""
    """Resource kind for host and url signals, else empty."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One technology concluded for a site."""

    slug: str
    name: str
    category: str
    categories: tuple[str, ...]
    """The primary category first."""
    state: DetectionState
    confidence: float
    version: str = ""
    accounts: tuple[str, ...] = ()
    implied_by: str = ""
    """Slug of the technology that implies this one; empty when observed. What is implied has no evidence, or
    some that does not prove it."""
    scope: str = "site"
    """`site`, or `embed` when only embedded media or links speak for a platform."""
    pricing: str = "unknown"
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """One category of a site."""

    category: str
    state: AssessmentState
    reason: Reason
    confidence: float | None = None
    """0..1 for present and absent; None for unknown."""
    checked: tuple[str, ...] = ()
    """What was looked at: page kinds, `dns`, `container:GTM-...`, `rendered`."""
    missing: tuple[str, ...] = ()
    """What would have to be looked at to turn an unknown into an answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """One fetched response of a target; bodies are not kept."""

    url: str
    kind: PageKind
    outcome: Outcome
    status: int | None = None
    body_bytes: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedHost:
    """A third-party host that pages of a site load something from."""

    host: str
    kinds: tuple[ResourceKind, ...]
    """How, over all pages; sorted."""
    pages: tuple[PageKind, ...]
    """On which kinds of page; sorted."""


@dataclass(frozen=True, slots=True)
class Record:
    """One target's result in one crawl, also when it failed. One per (crawl, domain), always."""

    domain: str
    """Registrable domain in punycode, or the host where there is no public suffix."""
    outcome: Outcome
    detail: str = ""
    """One clause on why, as `Cloudflare challenge` or `connection refused`; empty when ok."""
    id: str = ""
    """The caller's own id of the input line; the domain when it gave none."""
    url: str = ""
    """Where the start page was finally read from, or was last asked for."""
    redirected_to: str = ""
    http_status: int | None = None
    pages: tuple[Page, ...] = ()
    hosts: tuple[LoadedHost, ...] = ()
    """Third-party hosts the read pages load from, by name: new rules can be asked about them later."""
    detections: tuple[Detection, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    containers_found: tuple[str, ...] = ()
    containers_parsed: tuple[str, ...] = ()
    dns_ok: bool | None = None
    rendered: bool = False
    flags: tuple[str, ...] = ()
    coverage: float = 0.0
    """0..1: share of the assessable categories that are not unknown."""
    attrs: Mapping[str, str] = field(default_factory=dict)
    """The input row's other columns, carried through to exports."""
    scanned_at: str = ""
    """UTC, ISO 8601 with Z."""
    address: str = ""
    """IP address that was asked last; empty when the name led nowhere."""
    took_ms: int | None = None
    """From the first request until the last page was read; None when nothing was asked for."""
    requests: int | None = None
    """Sent to the site, robots.txt and redirects included; None when not counted."""
    ruleset: str = ""
    """Version and hash of the rules, as `2026.11.1+3f9c2a7b`."""
    tool_version: str = ""

    def detection(self, slug: str) -> Detection | None:
        return next((d for d in self.detections if d.slug == slug), None)

    def assessment(self, category: str) -> Assessment | None:
        return next((a for a in self.assessments if a.category == category), None)


@dataclass(frozen=True, slots=True)
class Category:
    """One row of categories.toml."""

    slug: str
    label: str
    observability: Observability
    pages: tuple[PageKind, ...] = ()
    """Page kinds that must have been read before the category can be absent."""
    dns: bool = False
    """Whether DNS lookups must have succeeded before the category can be absent."""
    primary: bool = True
    exclusive: bool = False
    """Whether a site normally has one such tool, so that two are worth a remark."""
    wappalyzer: tuple[int, ...] = ()
    """Nearest category ids of the Wappalyzer taxonomy."""


@dataclass(frozen=True, slots=True)
class Technology:
    """What the rule set knows about one technology, without its signals."""

    slug: str
    name: str
    category: str
    categories: tuple[str, ...]
    vendor: str = ""
    website: str = ""
    pricing: str = "unknown"
    status: str = "active"
    aliases: tuple[str, ...] = ()
    cpe: str = ""
    loads_others: bool = False
    """Whether it brings in other tools (a tag manager): unread, it leaves their absence unknown."""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Names that queries, profiles and exports may use, with their old names."""

    categories: Mapping[str, Category]
    technologies: Mapping[str, Technology]
    aliases: Mapping[str, str]
    """Old or alternative technology slug to the current one."""
    covered: frozenset[str] = frozenset()
    """Categories that at least one technology belongs to; the others can be neither present nor absent."""

    def resolve(self, slug: str) -> str | None:
        """Current slug of a technology, following a rename; None when unknown."""
        return slug if slug in self.technologies else self.aliases.get(slug)
