"""A Scrapy response as plain data: what the decisions about a site are made from."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.certificates import Certificate, read_certificate

if TYPE_CHECKING:
    from scrapy.http import Response

CUT_FLAGS = frozenset({"download_stopped", "dataloss"})
"""Scrapy's marks for a body that ended early: at our limits, or before its declared length."""
ROBOTS_UNREACHABLE = "robots_unreachable"
"""Our mark for an answer that robots.txt gave and that stands for the page: nothing of it may be read."""

ROBOTS_TXT = "robots.txt: "
"""Before the detail of such an answer's outcome, as `robots.txt: 503 Service Unavailable`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, as received and decompressed."""

    url: str
    status: int
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case name to every value."""
    body: bytes = b""
    is_cut: bool = False
    """The body is shorter than what the site would have sent."""
    is_of_robots: bool = False
    """The answer is robots.txt's own failure, which stands for the page."""
    robots: str | None = None
    crawl_delay_s: float = 0.0
    """What robots.txt asks to leave between two pages, as far as we go along with it."""
    certificate: Certificate | None = None
    """None for plain http, and for an answer that was cut before it was looked at."""

    @property
    def content_type(self) -> str:
        return next(iter(self.headers.get("content-type", ())), "")


def answer_of(response: Response) -> Answer:
    """What a visit needs to know of a response."""
    return Answer(
        url=response.url,
        status=response.status,
        headers=text_headers(response),
        body=response.body,
        # 206: nobody asked for a part, but a part is all that came.
        is_cut=response.status == 206 or not CUT_FLAGS.isdisjoint(response.flags),
        is_of_robots=ROBOTS_UNREACHABLE in response.flags,
        robots=response.meta.get("robots_txt"),
        crawl_delay_s=response.meta.get("crawl_delay_s", 0.0),
        certificate=_certificate_of(response),
    )


def _certificate_of(response: Response) -> Certificate | None:
    if response.certificate is None:
        return None
    return _read_once(response.certificate, urlsplit(response.url).hostname or "")


@functools.lru_cache(maxsize=1_000)
def _read_once(der: bytes, host: str) -> Certificate:
    """The pages of a site come with the same certificate within seconds."""
    return read_certificate(der, host)


def text_headers(response: Response) -> dict[str, tuple[str, ...]]:
    """Lower-case names to every value, in order. Bytes that are not UTF-8 become replacement characters."""
    return {
        name.decode("latin-1").lower(): tuple(value.decode("utf-8", errors="replace") for value in values)
        for name, values in response.headers.items()
    }
