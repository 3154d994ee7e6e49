"""Shopify's custom pixels: code of the shop's owner that runs in a sandbox, its text nowhere on the page.

Shopify moves what shops had pasted into their checkout there, as "Meta pixel (migrated)". A sandbox has no
page to show anything on, so only tools that merely listen can be inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fingerprints.model import Observation

LISTENING_CATEGORIES = frozenset(
    {"ads_pixels", "web_analytics", "attribution", "affiliate_influencer", "abm_visitor_id", "cdp"}
)
PIXEL = "pixel:"
"""Before the name of one, where an assessment says what would settle it."""
_CUSTOM = re.compile(r'\{"id":"\d{3,20}","[^{}]{0,300}"type":"CUSTOM"[^{}]{0,200}"name":"([^"{}]{1,80})"')
"""One of the owner's; the placeholder `shopify-custom-pixel` stands on every shop and has no number."""


def custom_pixels(pages: Iterable[Observation]) -> tuple[str, ...]:
    """What the owner has called them, as `pixel:Meta pixel (migrated)`, sorted."""
    scripts = (script for page in pages for script in page.scripts if "webPixelsConfigList" in script)
    return tuple(sorted({f"{PIXEL}{name}" for script in scripts for name in _CUSTOM.findall(script)}))
