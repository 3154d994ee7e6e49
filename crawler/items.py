"""What flows through the crawl: a target in, one item per target out to the pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fingerprints.model import Observation, Outcome, Page, Record


@dataclass(frozen=True, slots=True)
class Target:
    """One input line made into a registrable domain and a start URL."""

    domain: str
    """Registrable domain in punycode, lower case; the host itself where there is no public suffix."""
    url: str
    """Where the crawl starts: `https://domain/`, or the line's own URL when it named a host or a port."""
    line: int = 0
    """1-based line of the input."""
    id: str = ""
    """The row's own id when the input has such a column."""
    attrs: Mapping[str, str] = field(default_factory=dict)
    """The row's other columns, in order."""
    suppressed: bool = False
    """On the suppression list: gets its record without any request."""


@dataclass(slots=True)
class SiteItem:
    """One target's crawl, filled by the spider, then by the pipelines in their order."""

    target: Target
    outcome: Outcome
    detail: str = ""
    url: str = ""
    redirected_to: str = ""
    http_status: int | None = None
    pages: tuple[Page, ...] = ()
    observations: tuple[Observation, ...] = ()
    """Of the pages that were read; emptied once detection has seen them."""
    dns_ok: bool | None = None
    containers_found: tuple[str, ...] = ()
    containers_parsed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    scanned_at: str = ""
    address: str = ""
    took_ms: int | None = None
    requests: int | None = None
    record: Record | None = None
    """Set by the assess pipeline."""
