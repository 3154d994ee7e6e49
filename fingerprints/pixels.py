"""Shopify's pixels: code of the shop's owner, or of an app, that runs in a sandbox, its text nowhere on the page.

Shopify moves what shops had pasted into their checkout there, as "Meta pixel (migrated)"; an app's pixel is
named by nothing but the app's number. A sandbox has no page to show anything on, so only tools that merely
listen can be inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fingerprints.model import Observation

LISTENING_CATEGORIES = frozenset(
    {"ads_pixels", "web_analytics", "attribution", "affiliate_influencer", "abm_visitor_id", "cdp"}
)
PIXEL = "pixel:"
"""Before the name of one, where an assessment says what would settle it."""
_LIST = "webPixelsConfigList"
_BEGINNING = re.compile(r'\{"id":"')
_NUMBERED = re.compile(r'\d{3,20}"')
"""The placeholders `shopify-custom-pixel` and `shopify-app-pixel` stand on every shop and have no number."""
_NAME = re.compile(r'"type":"CUSTOM".{0,400}?"name":"([^"]{1,80})"', re.DOTALL)
_APP = re.compile(r'"type":"APP".{0,100}?"apiClientId":(\d{3,20})', re.DOTALL)
_KNOWN_SETTINGS = ("facebook_pixel", "google_tag_ids")
"""In the settings of the pixels that run on the page and whose tools the rules read from here."""
MAX_PIXEL_CHARS = 5_000


def sandboxed_pixels(pages: Iterable[Observation]) -> tuple[str, ...]:
    """What they are called, as `pixel:Meta pixel (migrated)` and `pixel:app 7654321`, sorted."""
    scripts = (script for page in pages for script in page.scripts if _LIST in script)
    return tuple(sorted({f"{PIXEL}{name}" for script in scripts for name in _named(script)}))


def _named(script: str) -> Iterator[str]:
    for text in _BEGINNING.split(script.partition(_LIST)[2])[1:]:
        pixel = text[:MAX_PIXEL_CHARS]
        if not _NUMBERED.match(pixel):
            continue
        name, app = _NAME.search(pixel), _APP.search(pixel)
        if name:
            yield name[1]
        elif app and not any(setting in pixel for setting in _KNOWN_SETTINGS):
            yield f"app {app[1]}"
