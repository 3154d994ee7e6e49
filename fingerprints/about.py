"""Pages about technologies: they compare, list or sell tools, and what they name is not what they run."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from fingerprints.detector import Detector
from fingerprints.hosts import host_of
from fingerprints.model import Observation, ResourceKind

MANY_VENDORS = 25
"""More vendors of technologies than a footer or a list of partners links to."""


def is_about_technologies(detector: Detector, pages: Iterable[Observation]) -> bool:
    """Whether one of the pages links to the sites of at least MANY_VENDORS vendors."""
    for page in pages:
        hosts = {r.host.removeprefix("www.") for r in page.resources if r.kind is ResourceKind.LINK}
        if len(hosts) < MANY_VENDORS:
            continue
        homes = _vendor_homes(detector)
        if len({homes[host] for host in hosts & homes.keys()}) >= MANY_VENDORS:
            return True
    return False


@functools.lru_cache(maxsize=4)
def _vendor_homes(detector: Detector) -> Mapping[str, str]:
    """Host of each vendor's own site to the vendor."""
    homes = {}
    for technology in detector.taxonomy.technologies.values():
        host = host_of(technology.website).removeprefix("www.")
        if host:
            homes[host] = technology.vendor or technology.slug
    return homes
