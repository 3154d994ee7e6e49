"""Sites looked at once more in a browser: all of them, or those where it can change a decision.

Runs after detection, because the static record says what a browser could still settle. What it saw is
added to what was fetched, never put in its place: a page may show a browser less than it showed us.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import NotConfigured

from crawler.items import SiteItem
from fingerprints.assess import CONSENT
from fingerprints.detector import Detector
from fingerprints.hosts import host_of, registrable
from fingerprints.markup import visible_text
from fingerprints.model import Assessment, AssessmentState, Observation, Reason, Record
from fingerprints.observe import observe
from fingerprints.pixels import PIXEL
from fingerprints.records import RENDERED_KINDS
from fingerprints.resources import container_of
from icp.criteria import Profile, supplied_layers
from icp.model import Tier
from icp.profile import load_profile
from icp.reach import could_change_tier
from icp.score import score_record
from pipelines.browser import Browser, Rendered, find_chromium
from pipelines.detect import detector_of, record_of
from pipelines.egress import Egress

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

BARE_TEXT_CHARS = 200
"""A rendered page with less to read is still a shell, or a wall: it cannot show that something is lacking."""


def settles(assessment: Assessment) -> bool:
    """Whether a browser can turn this unknown into an answer."""
    if assessment.missing == ("shell",):
        return True
    if any(item.startswith(PIXEL) for item in assessment.missing):
        return False  # its sandbox is out of sight there, too
    return assessment.reason in (Reason.CONTAINER_UNPARSED, Reason.WEAK_ONLY)


class RenderPipeline:
    """Renders a site's home and product page and detects again."""

    def __init__(self, crawler: Crawler, detector: Detector, profile: Profile | None) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._detector = detector
        self._profile = profile
        self._is_auto: bool = settings["TECHNOGRAPH_RENDER"] == "auto"
        self._user_agent: str = settings["USER_AGENT"]
        self._executable = find_chromium()
        self._names = sorted({signal.name for signal in detector.plan.live_globals})
        self._egress: Egress | None = None
        self._browser: Browser | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RenderPipeline:
        settings = crawler.settings
        if settings["TECHNOGRAPH_RENDER"] == "never":
            raise NotConfigured  # without a word: it is the default
        detector = detector_of(settings)
        icp = settings.get("TECHNOGRAPH_ICP", "")
        return cls(crawler, detector, load_profile(Path(icp), detector.taxonomy) if icp else None)

    async def open_spider(self) -> None:
        from twisted.internet import reactor

        resolver: Any = reactor.nameResolver
        self._egress = Egress(resolver.endpoints)
        await self._egress.start()
        self._browser = Browser(self._executable, self._egress, user_agent=self._user_agent)

    async def close_spider(self) -> None:
        if self._browser is not None:
            self._crawler.stats.set_value("render/browsers", self._browser.started)
            self._crawler.stats.set_value("render/seconds", round(self._browser.busy_s, 1))
            await self._browser.close()
        if self._egress is not None:
            await self._egress.close()

    async def process_item(self, item: SiteItem) -> SiteItem:
        before = item.record
        if before is None or not item.observations or not self._is_worth(before):
            return item
        try:
            await self._render(item, before)
        except Exception:  # no browser trouble may cost a site its record
            logger.exception("rendering failed at %s", item.target.domain)
            item.record = before
        self._count(before, item.record or before)
        return item

    def _is_worth(self, record: Record) -> bool:
        if not self._is_auto:
            return True
        if self._profile is None:
            return any(a.state is AssessmentState.UNKNOWN and settles(a) for a in record.assessments)
        return could_change_tier(
            record,
            self._profile,
            settles,
            taxonomy=self._detector.taxonomy,
            now=datetime.now(UTC),
        )

    async def _render(self, item: SiteItem, before: Record) -> None:
        """Add what a browser sees to the item's pages, and make its record anew."""
        assert self._browser is not None
        consent = before.assessment(CONSENT)
        holds_back = consent is not None and consent.state is AssessmentState.PRESENT
        pages: list[Observation] = []
        for page in item.observations:
            seen = await self._browser.look(page.url, self._names) if page.kind in RENDERED_KINDS else None
            pages += [page] if seen is None else with_rendering(page, seen, holds_back=holds_back)
            self._crawler.stats.inc_value("render/pages", int(page.kind in RENDERED_KINDS))
        item.observations = tuple(pages)
        item.record = record_of(item, self._detector)

    def _count(self, before: Record, after: Record) -> None:
        stats = self._crawler.stats
        stats.inc_value("render/sites")
        stats.inc_value("render/not_loaded", int(not after.rendered))
        if self._profile is not None:
            changed = self._tier(before) is not self._tier(after)
            stats.inc_value("render/tiers_changed", int(changed))

    def _tier(self, record: Record) -> Tier:
        assert self._profile is not None
        return score_record(
            record,
            self._profile,
            facts=None,
            basis=supplied_layers(self._profile, ()),
            taxonomy=self._detector.taxonomy,
            now=datetime.now(UTC),
        ).tier


def with_rendering(page: Observation, seen: Rendered, *, holds_back: bool = False) -> Sequence[Observation]:
    """The page as fetched and as rendered; only as fetched where the browser was led away or shown nothing.

    A container counts as read when its script arrived, unless a consent manager `holds_back` its tags.
    """
    if registrable(host_of(seen.url)) != registrable(host_of(page.url)):
        return [page]
    rendered = observe(
        seen.html,
        url=seen.url,
        headers=page.headers,
        cookies=seen.cookies,
        status=seen.status,
        kind=page.kind,
        requests=seen.requests,
        globals=seen.globals,
        rendered=True,
    )
    if len(visible_text(rendered, BARE_TEXT_CHARS)) < BARE_TEXT_CHARS:
        return [page, replace(rendered, rendered=False, flags=rendered.flags | page.flags)]
    run = frozenset() if holds_back else {name for url in seen.scripts_loaded for name in container_of(url)}
    return [
        replace(page, rendered=True, flags=page.flags - {"shell"}),
        replace(rendered, containers_parsed=tuple(sorted(run))),
    ]
