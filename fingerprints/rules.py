"""The one internal form of a rule, whatever file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter

from fingerprints.model import Party, ResourceKind, Technology


class Channel(StrEnum):
    """Where a signal looks; docs/rules.md says what each holds."""

    HOST = "host"
    URL = "url"
    HEADER = "header"
    COOKIE = "cookie"
    META = "meta"
    HTML = "html"
    SELECTOR = "selector"
    SCRIPT = "script"
    GLOBAL = "global"
    TEXT = "text"
    CSS = "css"
    JSON_LD = "json_ld"
    DNS = "dns"
    TLS_ISSUER = "tls_issuer"
    ROBOTS = "robots"
    PATH = "path"
    CONTAINER = "container"


STRENGTH = {"certain": 0.95, "strong": 0.8, "medium": 0.5, "weak": 0.3}
"""0..1 by word; chosen so that two mediums are enough and one is not (records and scoring, state rules)."""

DEFAULT_KINDS = frozenset(ResourceKind) - {ResourceKind.LINK}
"""A link to a vendor is not use of it, so links take part only where a signal names them."""


class Combine(StrEnum):
    """How a technology's evidence becomes its confidence."""

    INDEPENDENT = "independent"
    """1 minus the product of (1 - strength); our own rules. Present from 0.70 on, weak from 0.30."""
    SUM = "sum"
    """Sum, at most 1; the Wappalyzer format. Present from 0.50 on, weak above 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One pattern of a rule: where to look, what must be there, how strong it is.

    Compared and hashed by identity: matching looks signals up in caches thousands of times a page.
    """

    id: str
    """Rule slug and position from 1, as `hubspot#2`."""
    on: Channel
    strength: float
    """0..1; 0 only tells a version and is never evidence of presence."""
    pattern: str | None = None
    """RE2 text, searched without regard to case; None means that being there is enough."""
    name: str = ""
    """Header, cookie, meta, global or template name, selector, or DNS record type."""
    hosts: tuple[str, ...] = ()
    kinds: frozenset[ResourceKind] = DEFAULT_KINDS
    party: Party | None = None
    attribute: str = ""
    """For selectors: the attribute the pattern is searched in."""
    text: bool = False
    """For selectors: search the element's text."""
    version: str = ""
    """Template over the pattern's groups, as `\\1`."""
    account: int = 0
    """Group that holds the customer's public id; 0 for none."""
    live_only: bool = False
    """For globals: only a browser can tell; never guessed from script text."""
    backtracks: bool = False
    """Uses look-around, which RE2 has not: confirmed by `re`, on short texts only."""

    @property
    def looks_for(self) -> tuple[object, ...]:
        """What has to be where: two signals that agree in this fire on the same pages."""
        name = self.name if self.on in (Channel.GLOBAL, Channel.SELECTOR) else self.name.lower()
        where = (self.on, name, self.attribute, self.text, self.hosts, self.kinds, self.party)
        return *where, self.pattern or ""

    def __reduce__(self) -> tuple[type[Signal], tuple[object, ...]]:
        # A start reads thousands; what a slotted dataclass does by itself takes four times as long.
        return Signal, _values(self)


_values = attrgetter(*(field.name for field in fields(Signal)))


@dataclass(frozen=True, slots=True)
class Implied:
    """A technology that another one cannot be without."""

    slug: str
    confidence: float = 1.0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be present, any of it, before something counts. Never evidence."""

    requires: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    """Categories of the Wappalyzer format."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One technology with all its signals."""

    technology: Technology
    signals: tuple[Signal, ...]
    implies: tuple[Implied, ...] = ()
    requires: tuple[str, ...] = ()
    """A gate, any of: without one of these the technology is not reported. Never evidence."""
    requires_category: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    category_numbers: tuple[int, ...] = ()
    """Categories of the Wappalyzer format, which only its own gates ask for: ours are fewer."""
    requires_numbers: tuple[int, ...] = ()
    """A gate like `requires_category`, by these numbers."""
    gated: Mapping[str, Gate] = field(default_factory=dict)
    """Signals, by id, that another rule set added and that count only behind its gate."""
    combine: Combine = Combine.INDEPENDENT
    path: str = ""
    """The file it came from, for messages."""

    @property
    def slug(self) -> str:
        return self.technology.slug

    @property
    def gate(self) -> Gate | None:
        """What the whole rule waits for; None when it waits for nothing."""
        waits = self.requires or self.requires_category or self.requires_numbers
        return Gate(self.requires, self.requires_category, self.requires_numbers) if waits else None
