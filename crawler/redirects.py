"""Where a response sends us: redirects, meta refreshes and requests to come back later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urldefrag, urljoin

from fingerprints.model import Observation

MAX_REFRESH_S = 3.0
"""Longer meta refreshes reload a page (news, dashboards) rather than lead to another."""

_REFRESH = re.compile(
    r"\s*([0-9]{0,4}(?:\.[0-9]*)?)\s*[;,]\s*(?:url\s*=\s*)?['\"]?\s*([^'\"\s]+)", re.IGNORECASE
)


def is_within(host: str, domain: str) -> bool:
    """Whether the host is the registrable domain or below it.

    >>> is_within("www.acme.com", "acme.com"), is_within("notacme.com", "acme.com")
    (True, False)
    """
    host = host.rstrip(".").lower()
    return host == domain or host.endswith(f".{domain}")


def redirect_location(url: str, status: int, headers: Mapping[str, tuple[str, ...]]) -> str | None:
    """The absolute URL a redirect leads to, without its fragment; None for every other response."""
    if status not in (301, 302, 303, 307, 308) or not headers.get("location"):
        return None
    return _absolute(url, headers["location"][0])


def meta_refresh(observation: Observation) -> str | None:
    """The URL a page's meta refresh leads to at once; None when it stays, waits, or reloads itself."""
    for content in observation.meta.get("refresh", ()):
        found = _REFRESH.match(content)
        if found is None or float(found[1] or 0) > MAX_REFRESH_S:
            continue
        target = _absolute(observation.url, found[2])
        if target and target != urldefrag(observation.url)[0]:
            return target
    return None


def retry_after_s(headers: Mapping[str, tuple[str, ...]], now: datetime | None = None) -> float | None:
    """Seconds a Retry-After header asks to wait; None when there is none that can be read.

    >>> retry_after_s({"retry-after": ("120",)})
    120.0
    """
    value = next(iter(headers.get("retry-after", ())), "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max((at - (now or datetime.now(UTC))).total_seconds(), 0.0)


def patience_note(headers: Mapping[str, tuple[str, ...]], waited_s: float | None) -> str:
    """What became of a Retry-After, to end an outcome's detail with; empty when there was none.

    >>> patience_note({"retry-after": ("3600",)}, None), patience_note({}, 5.0)
    ('; asked to come back in 3600 s', '; still so after the 5 s it asked for')
    """
    if waited_s is not None:
        return f"; still so after the {waited_s:.0f} s it asked for"
    wait_s = retry_after_s(headers)
    return f"; asked to come back in {wait_s:.0f} s" if wait_s is not None else ""


def _absolute(base: str, location: str) -> str | None:
    # It is shown and stored, also where it is not followed: nothing in it may move a terminal's cursor.
    written = "".join(char for char in location if char.isprintable())
    try:
        return urldefrag(urljoin(base, written.strip()))[0]
    except ValueError:  # such as `http://[`
        return None
