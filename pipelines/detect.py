"""The pages of a site to its record: technologies found, categories present, absent or unknown."""

from __future__ import annotations

import functools
import logging
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

from crawler.items import SiteItem
from fingerprints.detector import Detector
from fingerprints.model import Observation, Outcome, Record
from fingerprints.records import make_record

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


@functools.cache
def detector_for(rules: str = "") -> Detector:
    """The detector with our rules, and those of a folder beside them when given; loaded once a process."""
    return Detector.load([rules]) if rules else Detector.default()


@functools.cache
def _tool_version() -> str:
    return version_of("technograph")


class Condense:
    """What the spider keeps of a page until its site is done: everything but the markup, matched already.

    A worker has hundreds of sites open with some pages each; their trees would take gigabytes.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Condense:
        return cls(detector_for(crawler.settings.get("TECHNOGRAPH_RULES", "")))

    def __call__(self, page: Observation) -> Observation:
        return self._detector.without_markup(page)


class DetectPipeline:
    """Fills `item.record`. Pages that break our rules cost one site its answer."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DetectPipeline:
        return cls(detector_for(crawler.settings.get("TECHNOGRAPH_RULES", "")))

    def process_item(self, item: SiteItem) -> SiteItem:
        try:
            item.record = record_of(item, self._detector)
        except Exception as exc:
            logger.exception("detection failed at %s", item.target.domain)
            item.outcome = Outcome.INTERNAL_ERROR
            item.detail = f"detection failed: {type(exc).__name__}"
            item.observations = ()
            item.record = record_of(item, self._detector)
        return item


def record_of(item: SiteItem, detector: Detector) -> Record:
    """The record a crawled site comes to."""
    return make_record(
        detector,
        domain=item.target.domain,
        outcome=item.outcome,
        detail=item.detail,
        id=item.target.id,
        url=item.url,
        redirected_to=item.redirected_to,
        http_status=item.http_status,
        observations=item.observations,
        pages=item.pages,
        dns_ok=item.dns_ok,
        containers_found=item.containers_found,
        containers_parsed=item.containers_parsed,
        flags=item.flags,
        attrs=item.target.attrs,
        scanned_at=item.scanned_at,
        address=item.address,
        took_ms=item.took_ms,
        requests=item.requests,
        tool_version=_tool_version(),
    )
