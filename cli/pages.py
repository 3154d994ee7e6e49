"""Pages that did not come from a crawl: HTML files, HAR files and JSON lines, into observations."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.pages import page_kind
from crawler.walls import classify
from fingerprints.hosts import host_of, registrable
from fingerprints.model import InputError, Observation, Page, PageKind
from fingerprints.observe import observe


class PageFormatError(InputError):
    """Raised when a JSON object or a HAR file does not hold a page; the message says what is wrong."""

    def __init__(self, message: str, id: str = "") -> None:
        super().__init__(message)
        self.id = id
        """The caller's own id of the object; empty when it gave none or could not be read."""


@dataclass(frozen=True, slots=True)
class GivenPage:
    """One page handed to `detect`, before anything is looked at."""

    html: str | bytes
    id: str = ""
    url: str = ""
    status: int | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    requests: tuple[str, ...] = ()
    """URLs a browser requested while it showed the page."""
    globals: Mapping[str, str] = field(default_factory=dict)
    dns: Mapping[str, tuple[str, ...]] | None = None
    robots: str | None = None
    tls_issuer: str | None = None
    attrs: Mapping[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        host = host_of(self.url)
        return registrable(host) if host else self.id


def observe_given(page: GivenPage) -> tuple[Observation, Page, str]:
    """The page's observation, its place in the record, and a clause on why it is not ok."""
    observation = observe(
        page.html,
        url=page.url,
        headers=page.headers,
        cookies=page.cookies,
        status=page.status,
        kind=_kind(page.url),
        requests=page.requests,
        globals=page.globals,
        dns=page.dns,
        robots=page.robots,
        tls_issuer=page.tls_issuer,
        rendered=bool(page.globals),
    )
    content_type = "".join(observation.headers.get("content-type", ())[:1])
    verdict = classify(observation, content_type=content_type)
    flags = sorted(observation.flags | verdict.flags)
    described = Page(
        page.url, observation.kind, verdict.outcome, page.status, len(observation.body), tuple(flags)
    )
    return observation, described, verdict.detail


def _kind(url: str) -> PageKind:
    """Home when nothing says otherwise: a page without an address is taken as the site's front page."""
    if not url or urlsplit(url).path in ("", "/"):
        return PageKind.HOME
    return page_kind(Observation(url=url))


def from_json_line(line: str | bytes, number: int) -> GivenPage:
    """The page in one JSON line, with `id`, `url`, `status`, `headers`, `cookies` and `html` (or `html_base64`).

    Optional beyond that: `requests`, `globals`, `dns`, `robots`, `tls_issuer`, `attrs`. Unknown keys are
    left alone: other programs add their own. Raises PageFormatError naming the line and the key.
    """
    try:
        data = parse_json(line)
    except (ValueError, RecursionError) as exc:
        raise PageFormatError(f"line {number}: not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise PageFormatError(f"line {number}: a {type(data).__name__}, expected an object with url and html")
    try:
        return _from_object(data)
    except (TypeError, ValueError, AttributeError, binascii.Error) as exc:
        raise PageFormatError(f"line {number}: {exc}", _id(data)) from exc


def _id(data: Mapping[str, Any]) -> str:
    return "" if data.get("id") is None else str(data["id"])


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises ValueError or RecursionError.

    Half of a surrogate pair is valid in JSON, but could never be written out again: it becomes `?`.
    """
    written = text if isinstance(text, str) else text.decode("utf-8-sig")
    data = json.loads(written)
    if "\\ud" in written or "\\uD" in written:
        data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return data


def _from_object(data: Mapping[str, Any]) -> GivenPage:
    status = data.get("status")
    if status is not None and not isinstance(status, int):
        raise TypeError(f"status: {status!r} is not a number")
    dns = _mapping(data, "dns")
    return GivenPage(
        html=_body(data),
        id=_id(data),
        url=_address(_text(data, "url")),
        status=status,
        headers={str(k): _values(v) for k, v in _mapping(data, "headers").items()},
        cookies={str(k): "" if v is None else str(v) for k, v in _mapping(data, "cookies").items()},
        requests=tuple(str(r[0] if isinstance(r, list) else r) for r in data.get("requests") or () if r),
        globals={str(k): str(v) for k, v in _mapping(data, "globals").items()},
        dns={str(k).upper(): tuple(_values(v)) for k, v in dns.items()} or None,
        robots=_text(data, "robots") or None,
        tls_issuer=_text(data, "tls_issuer") or None,
        attrs={str(k): str(v) for k, v in _mapping(data, "attrs").items()},
    )


def _body(data: Mapping[str, Any]) -> str | bytes:
    if data.get("html_base64"):
        return base64.b64decode(_text(data, "html_base64"))
    return _text(data, "html")


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{key}: {type(value).__name__}, expected a string")
    return value


def _address(url: str) -> str:
    """The URL as it is. Raises ValueError for one that no program can take apart, such as `http://[`."""
    urlsplit(url)
    return url


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key) or {}
    if not isinstance(value, dict):
        raise TypeError(f"{key}: {type(value).__name__}, expected an object")
    return value


def _values(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def from_har(path: Path) -> GivenPage:
    """The first HTML document of a HAR file, with every URL the browser requested beside it.

    Raises PageFormatError when the file is no HAR or holds no document body.
    """
    try:
        entries = list(parse_json(path.read_bytes())["log"]["entries"])
        document = next((entry for entry in entries if _is_document(entry)), None)
        if document is not None:
            return _from_entry(document, entries)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise PageFormatError(f"{path}: not a HAR file: {exc}") from exc
    raise PageFormatError(f"{path}: holds no HTML document with its body; save the HAR with content")


def _is_document(entry: Mapping[str, Any]) -> bool:
    response = entry.get("response", {})
    content = response.get("content", {})
    return (
        "html" in str(content.get("mimeType", ""))
        and response.get("status", 0) < 300
        and bool(content.get("text"))
    )


def _from_entry(entry: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> GivenPage:
    response, content = entry["response"], entry["response"]["content"]
    body = _text(content, "text")
    headers: dict[str, list[str]] = {}
    for header in response.get("headers", ()):
        headers.setdefault(str(header.get("name", "")), []).append(str(header.get("value", "")))
    return GivenPage(
        html=base64.b64decode(body) if content.get("encoding") == "base64" else body,
        url=_address(_text(entry["request"], "url")),
        status=response.get("status"),
        headers=headers,
        cookies={str(c.get("name")): str(c.get("value", "")) for c in response.get("cookies", ())},
        requests=tuple(str(e["request"]["url"]) for e in entries if e is not entry and "request" in e),
    )
