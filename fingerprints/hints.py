"""Vendors' hosts that a page allows or connects to ahead, and from which nothing is seen to come.

Such a host is no evidence, and most rules want a path that a policy or a preconnect does not have. But
somebody expects the vendor's tool there, brought in by a script that was not read: the site's own bundle,
mostly. A category with such a hint cannot be absent.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fingerprints.detector import Detector
from fingerprints.hosts import host_of, parent_domains, registrable
from fingerprints.model import Observation, Party, ResourceKind
from fingerprints.rules import Channel, Signal

MOST_CATEGORIES = 3
"""A host that serves tools of more kinds (www.google.com) says nothing about any of them."""

_LOADERS = {"googletagmanager.com": "google-tag-manager"}
"""Its container may come from any host, so that its rules name none."""
_EXPECTED = frozenset({ResourceKind.CSP, ResourceKind.CONNECT})
_NOT_LOADED = _EXPECTED | {ResourceKind.LINK}
_HOST_IN_PATTERN = re.compile(r"(?:https\??:)?(?:\\?/){0,2}((?:[a-z0-9-]+\\\.)+[a-z]{2,})\\?/")


def hinted(detector: Detector, pages: Sequence[Observation]) -> Mapping[str, tuple[str, ...]]:
    """Slug of each hinted technology to the hosts that hint at it."""
    found: dict[str, set[str]] = {}
    for host in _unexplained(pages):
        # These read all rules: only where a host asks.
        slugs = {slug for suffix in parent_domains(host) for slug in _vendor_hosts(detector).get(suffix, ())}
        for slug in slugs or _vendor_domains(detector).get(host, set()):
            found.setdefault(slug, set()).add(host)
    return {slug: tuple(sorted(hosts)) for slug, hosts in sorted(found.items())}


def _unexplained(pages: Iterable[Observation]) -> Iterator[str]:
    """Hosts of other sites that are expected but load nothing, neither themselves nor one below or above."""
    resources = [r for page in pages for r in page.resources if r.party is Party.THIRD]
    expected = sorted({r.host for r in resources if r.kind in _EXPECTED})
    loading = {r.host for r in resources if r.kind not in _NOT_LOADED} if expected else set()
    loaded = {suffix for host in loading for suffix in parent_domains(host)}
    for host in expected:
        if loaded.isdisjoint(parent_domains(host)):
            yield host


@functools.lru_cache(maxsize=4)
def _vendor_domains(detector: Detector) -> Mapping[str, frozenset[str]]:
    """Domain above hosts that rules name to the technologies of its one vendor: policies allow `*.vendor.com`.

    Only one that bears the vendor's name: below a hoster's stand the files of everybody.
    """
    users: dict[str, set[str]] = {}
    for rule in detector.rules.values():
        technology = detector.taxonomy.technologies[rule.slug]
        names = f"{technology.slug} {technology.vendor} {host_of(technology.website)}".replace("-", "")
        for signal in rule.signals:
            for host in (*signal.hosts, *_hosts_in_pattern(signal)):
                if registrable(host).partition(".")[0].replace("-", "") in names:
                    for domain in parent_domains(host)[1:]:
                        users.setdefault(domain, set()).add(rule.slug)
    return {domain: frozenset(slugs) for domain, slugs in users.items() if _is_telling(detector, slugs)}


@functools.lru_cache(maxsize=4)
def _vendor_hosts(detector: Detector) -> Mapping[str, frozenset[str]]:
    """Host at the start of URL patterns to the technologies of its one vendor; shared hosts are left out."""
    users = {host: {slug} for host, slug in _LOADERS.items() if slug in detector.rules}
    for rule in detector.rules.values():
        for signal in rule.signals:
            for host in _hosts_in_pattern(signal):
                users.setdefault(host, set()).add(rule.slug)
    return {host: frozenset(slugs) for host, slugs in users.items() if _is_telling(detector, slugs)}


def _hosts_in_pattern(signal: Signal) -> tuple[str, ...]:
    """The host at the start of a URL pattern, if any."""
    match = _HOST_IN_PATTERN.match(signal.pattern or "") if signal.on is Channel.URL else None
    return (match[1].replace("\\", ""),) if match else ()


def _is_telling(detector: Detector, slugs: Iterable[str]) -> bool:
    technologies = [detector.taxonomy.technologies[slug] for slug in slugs]
    vendors = {technology.vendor or technology.slug for technology in technologies}
    categories = {category for technology in technologies for category in technology.categories}
    return len(vendors) == 1 and len(categories) <= MOST_CATEGORIES
