"""Which inner pages of a site are worth a request: those that can change its tier, once the home page is read.

Not a pipeline: the spider asks between the home page and the next one. What tag containers and DNS will
show is not known by then, so whatever they may still settle counts as open, too.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fingerprints.detector import Detector
from fingerprints.model import Assessment, Category, Observation, Outcome, PageKind, Reason
from fingerprints.records import make_record
from icp.criteria import Profile
from icp.profile import load_profile
from icp.reach import deciding_categories
from pipelines.detect import detector_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

NEVER_SETTLED = frozenset({Reason.NOT_OBSERVABLE, Reason.NO_RULES, Reason.IMPLAUSIBLE})
"""Unknowns that no page, container or lookup answers."""


class PageChoice:
    """The kinds of inner pages that can settle what a site's tier still hangs on."""

    def __init__(self, detector: Detector, profile: Profile) -> None:
        self._detector = detector
        self._profile = profile

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PageChoice:
        settings = crawler.settings
        detector = detector_of(settings)
        return cls(detector, load_profile(Path(settings["TECHNOGRAPH_ICP"]), detector.taxonomy))

    def __call__(self, home: Observation) -> frozenset[PageKind]:
        """Empty when no inner page can change the tier; without facts, as the crawl has none."""
        taxonomy = self._detector.taxonomy
        record = make_record(self._detector, domain="", outcome=Outcome.OK, observations=[home])
        deciding = deciding_categories(
            record,
            self._profile,
            may_be_settled,
            taxonomy=taxonomy,
            now=datetime.now(UTC),
        )
        return frozenset(
            kind
            for assessment in record.assessments
            if assessment.category in deciding
            for kind in kinds_that_settle(assessment, taxonomy.categories[assessment.category])
        )


def may_be_settled(assessment: Assessment) -> bool:
    return assessment.reason not in NEVER_SETTLED


def kinds_that_settle(assessment: Assessment, category: Category) -> Collection[PageKind]:
    """The pages on which the category's tools show; any page may confirm what was only hinted at."""
    if assessment.reason is Reason.WEAK_ONLY:
        return frozenset(PageKind)
    return frozenset(category.pages) - {PageKind.HOME}
