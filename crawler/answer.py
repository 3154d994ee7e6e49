"""A Scrapy response as plain data: what the decisions about a site are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import Response

CUT_FLAGS = frozenset({"download_stopped", "dataloss"})
"""Scrapy's marks for a body that ended early: at our limits, or before its declared length."""


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
    robots: str | None = None

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
        is_cut=not CUT_FLAGS.isdisjoint(response.flags),
        robots=response.meta.get("robots_txt"),
    )


def text_headers(response: Response) -> dict[str, tuple[str, ...]]:
    """Lower-case names to every value, in order. Bytes that are not UTF-8 become replacement characters."""
    return {
        name.decode("latin-1").lower(): tuple(value.decode("utf-8", errors="replace") for value in values)
        for name, values in response.headers.items()
    }
