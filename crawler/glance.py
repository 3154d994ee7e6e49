"""What a quick look at a fetched page tells, for deciding whether it is the site at all."""

from __future__ import annotations

import functools

from fingerprints.model import Observation, Party, ResourceKind

HEAD_BYTES = 64 * 1024
"""Challenge and parking pages are smaller; more of a page is never searched for their marks."""

TEXT_CHARS = 6_000
"""Text beyond this only says that the page is a real one."""

BARE_TEXT_CHARS = 1_500
BARE_LINKS = 12
"""Most text and own links of a page that may be a wall. The longest wall we know (Cloudflare's block
page) shows 900 characters; an article about walls shows more, and carries its site's navigation."""

_LOADED = frozenset(
    {ResourceKind.SCRIPT, ResourceKind.IFRAME, ResourceKind.IMG, ResourceKind.STYLESHEET, ResourceKind.INLINE}
)


class Glance:
    """Lazy views of one observation; nothing is computed before a rule asks for it."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation
        self.status = observation.status or 200
        self.title = observation.title.lower()

    @functools.cached_property
    def head(self) -> bytes:
        """The first HEAD_BYTES of the body in lower case."""
        return self.observation.body[:HEAD_BYTES].lower()

    @functools.cached_property
    def text(self) -> str:
        """What a reader sees, without the title, white space collapsed, at most TEXT_CHARS, in lower case.

        A page without markup is all text.
        """
        tree = self.observation.tree
        if tree is None:
            return " ".join(self.observation.body[:TEXT_CHARS].decode("utf-8", "replace").split()).lower()
        text: str = tree.seen_text(TEXT_CHARS)
        return text.lower()

    @functools.cached_property
    def link_count(self) -> int:
        """Own links that a visitor sees: a shell repeats its site's for search engines in a `<noscript>`."""
        links = len(self.observation.links)
        if not links or self.observation.tree is None:
            return links
        unseen: int = self.observation.tree.count_inside("a", "noscript", "noframes")
        return max(0, links - unseen)

    @functools.cached_property
    def is_bare(self) -> bool:
        """Whether so little is on the page that a wall may be all there is."""
        return len(self.text) <= BARE_TEXT_CHARS and self.link_count <= BARE_LINKS

    @functools.cached_property
    def foreign_urls(self) -> tuple[str, ...]:
        """URLs on other sites that the page loads or names in its scripts, in lower case; no links."""
        found = (r for r in self.observation.resources if r.kind in _LOADED and r.party is Party.THIRD)
        return tuple(resource.url.lower() for resource in found)

    def header(self, name: str) -> str:
        """All values of a header in lower case, empty when it is not there."""
        return ", ".join(self.observation.headers.get(name, ())).lower()

    def has(self, *marks: bytes) -> bool:
        """Whether the head of the body has one of the marks (lower case)."""
        return any(mark in self.head for mark in marks)
