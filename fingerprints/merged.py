"""Scripts into which an optimiser has merged others, inline snippets included: named on the page, never read.

Such a file may hold any tool's loader, and hides which plugins' files the page would have named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fingerprints.model import Observation, ResourceKind

_MERGED = re.compile(
    # Addresses that end in a hash instead of a name, as seen on public pages; minified single files keep theirs.
    r"/cache/autoptimize/(?:\d+/)?js/autoptimize_[0-9a-f]{32}\.js"
    r"|/cache/min/\d+/[0-9a-f]{32,40}\.js"  # WP Rocket
    r"|/litespeed/js/[0-9a-f]{32}\.js"
    r"|/cache/minify/[0-9a-f]{5}(?:\.[\w.-]+)?\.js"  # W3 Total Cache
    r"|/siteground-optimizer-combined-js-[0-9a-f]{32}"
    r"|/cache/fvm/(?:\d+/out/|min/)"
    r"|/wpo-minify-(?:header|footer)-[\w-]+\.js"  # WP-Optimize
    r"|/hummingbird-assets/[0-9a-f]{32}\.js"
    r"|/breeze-minification/js/[\w/]*breeze_[\w-]+\.js"
    r"|/asset-cleanup/(?:one/)?js/(?:item/)?(?:head|body)-[0-9a-f]{20,40}\.js"
    r"|jchoptimize/(?:assets|cache)/[\w/]*[0-9a-f]{32}"
    r"|/cache/wpfc-minified/[\w-]{4,20}/[\w-]{4,20}\.js"  # WP Fastest Cache
    r"|/cache/swift-performance/[\w./-]*/js/[0-9a-f]{32}\.js"
    r"|/cache/wmac/(?:\d+/)?js/wmac_[0-9a-f]{32}\.js"  # Clearfy
    r"|img1\.wsimg\.com/blobby/go/[\w-]+/gpub/[\w-]+/script\.js"  # GoDaddy's builder: all of a site, its tags included
    r"|/_jb_static/\?\?|/boost-cache/static/[0-9a-f]{8,40}\.min\.js"  # Jetpack Boost
)
MAX_NAME_CHARS = 80


def merged_scripts(pages: Sequence[Observation]) -> tuple[str, ...]:
    """File names of the merged scripts the pages load, sorted; many sites serve theirs from a CDN."""
    urls = {
        resource.url for page in pages for resource in page.resources if resource.kind is ResourceKind.SCRIPT
    }
    return tuple(sorted({_name(url) for url in urls if _MERGED.search(url)}))


def _name(url: str) -> str:
    path, _, query = url.partition("?")
    return (path.rpartition("/")[2] or query.lstrip("?"))[:MAX_NAME_CHARS]
