"""The third-party hosts a site loads from: what a rule that does not exist yet could be asked about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from fingerprints.model import LoadedHost, Observation, PageKind, Party, ResourceKind

MAX_HOSTS = 150
"""Of one site. Measured over 1,760 pages in 2026: 8 on average, 55 at most; a hostile page may name thousands."""

LOADING_KINDS = (
    ResourceKind.REQUEST,
    ResourceKind.SCRIPT,
    ResourceKind.CONTAINER,
    ResourceKind.IFRAME,
    ResourceKind.FORM,
    ResourceKind.STYLESHEET,
    ResourceKind.PRELOAD,
    ResourceKind.INLINE,
    ResourceKind.MEDIA,
    ResourceKind.IMG,
)
"""Kinds that load or send something, what says most about a tool first; links and allow-lists do neither."""

_RANK = {kind: rank for rank, kind in enumerate(LOADING_KINDS)}
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")


def loaded_hosts(observations: Iterable[Observation]) -> tuple[LoadedHost, ...]:
    """The third-party hosts these pages load from, sorted by name, at most MAX_HOSTS.

    Where there are more, those stay that are loaded in the way that says most.
    """
    kinds: dict[str, set[ResourceKind]] = defaultdict(set)
    pages: dict[str, set[PageKind]] = defaultdict(set)
    for page in observations:
        for resource in page.resources:
            if resource.party is Party.THIRD and resource.kind in _RANK:
                kinds[resource.host].add(resource.kind)
                pages[resource.host].add(page.kind)
    names = [host for host in kinds if _HOST_NAME.fullmatch(host)]
    if len(names) > MAX_HOSTS:
        names = sorted(names, key=lambda host: (min(_RANK[kind] for kind in kinds[host]), host))[:MAX_HOSTS]
    return tuple(
        LoadedHost(host, tuple(sorted(kinds[host])), tuple(sorted(pages[host]))) for host in sorted(names)
    )
