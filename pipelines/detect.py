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
    from scrapy.settings import BaseSettings

logger = logging.getLogger(__name__)


def detector_of(settings: BaseSettings) -> Detector:
    """The detector that TECHNOGRAPH_RULES, one path or a list of them, and TECHNOGRAPH_RULES_ONLY ask for."""
    given = settings.get("TECHNOGRAPH_RULES") or ()
    rules = (given,) if isinstance(given, str) else tuple(given)
    return detector_for(rules, only=settings.getbool("TECHNOGRAPH_RULES_ONLY"))


@functools.cache
def detector_for(rules: tuple[str, ...] = (), *, only: bool = False) -> Detector:
    """The detector with these rule sets beside ours, or with `only` instead of ours; loaded once a process."""
    return Detector.load(rules, ours=not only) if rules or only else Detector.default()


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
        return cls(detector_of(crawler.settings))

    def __call__(self, page: Observation) -> Observation:
        return self._detector.without_markup(page)


class DetectPipeline:
    """Fills `item.record`. Pages that break our rules cost one site its answer."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DetectPipeline:
        return cls(detector_of(crawler.settings))

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
