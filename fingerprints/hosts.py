"""Hosts of URLs: registrable domains and parties, from the bundled public suffix list only."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract


MAX_HOST_CHARS = 320
"""A name of the longest kind, with a user and a port."""


def host_of(url: str) -> str:
    """Lower-case host of an absolute or protocol-relative URL, without user and port; empty when there is none.

    >>> host_of("https://User@Shop.Example.com:8443/a?b=//c"), host_of("/relative")
    ('shop.example.com', '')
    """
    start = url.find("//")
    if start < 0 or (start > 0 and url[start - 1] != ":"):
        return ""
    rest = url[start + 2 : start + 2 + MAX_HOST_CHARS]
    for stop in "/?#\\":
        rest = rest.partition(stop)[0]
    rest = rest.rpartition("@")[2].lower()
    if rest.startswith("["):
        return rest.partition("]")[0] + "]"
    return rest.partition(":")[0].rstrip(".")


@functools.lru_cache(maxsize=8_192)
def registrable(host: str) -> str:
    """The registrable domain of a host, or the host itself when it has none.

    >>> registrable("www.shop.example.co.uk"), registrable("localhost")
    ('example.co.uk', 'localhost')
    """
    found = _suffix_list()(host)
    return found.top_domain_under_public_suffix or host


@functools.cache
def _suffix_list() -> TLDExtract:
    """No URL, no cache folder: the list inside the package is used and the network never is."""
    import tldextract  # with the HTTP client it does not use here, half of what all other imports take

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@functools.lru_cache(maxsize=8_192)
def parent_domains(host: str) -> tuple[str, ...]:
    """The host and its parents, longest first, without the bare top level.

    >>> parent_domains("js.hs-scripts.com")
    ('js.hs-scripts.com', 'hs-scripts.com')
    """
    labels = host.split(".")
    return tuple(".".join(labels[index:]) for index in range(max(1, len(labels) - 1)))
