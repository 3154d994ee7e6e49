"""How much of an answer is read: pages that are too long or too slow are cut and kept, files are left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.robots import is_robots_txt

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_PAGE_TYPES = ("text/", "html", "xml", "json", "javascript")
"""Parts of a Content-Type whose body may matter: pages, the JSON that walls answer with, tag containers."""


def is_worth_reading(content_type: str) -> bool:
    """Whether a body of this type can tell anything; an unstated type may be anything.

    >>> is_worth_reading("text/html; charset=utf-8"), is_worth_reading(""), is_worth_reading("image/png")
    (True, True, False)
    """
    lowered = content_type.lower()
    return not lowered or any(part in lowered for part in _PAGE_TYPES)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What one answer's body may cost, as received."""

    page_bytes: int
    robots_bytes: int
    slow_after_s: float
    """A body that still comes then is cut: what is there is worth more than a time-out."""

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> BodyLimits:
        return cls(
            page_bytes=settings.getint("TECHNOGRAPH_MAX_BODY_BYTES"),
            robots_bytes=settings.getint("TECHNOGRAPH_MAX_ROBOTS_BYTES"),
            slow_after_s=settings.getfloat("DOWNLOAD_TIMEOUT") * 2 / 3,
        )

    def bytes_of(self, url: str, content_type: str) -> int:
        """The most that is read; 0 for a body that is no page."""
        if is_robots_txt(url):
            return self.robots_bytes
        return self.page_bytes if is_worth_reading(content_type) else 0
