"""Public tag containers: where each is fetched, and what the tags inside it would load.

A site whose tools come through a container shows none of them in its own HTML, so a container that is
named but not read leaves every managed category unknown (assess.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fingerprints.hosts import host_of
from fingerprints.model import Observation, Party, Resource, ResourceKind
from fingerprints.observe import observe
from fingerprints.resources import containers_named, script_urls

MAX_CONTAINER_BYTES = 1_500_000
PAUSED = "paused:"
"""Prefix of the template id of a tag that exists but is switched off; it counts as weak."""

_URLS = {
    "gtm": "https://www.googletagmanager.com/gtm.js?id={}",
    "tealium": "https://tags.tiqcdn.com/utag/{}/utag.js",
    "adobe": "https://assets.adobedtm.com/{}.min.js",
    "segment": "https://cdn.segment.com/v1/projects/{}/settings",
    "piwik-pro": "https://{}.js",
    "matomo": "https://{}.js",
    "hubspot": "https://{}.js",
}

LOADER_KINDS = {
    "google-tag-manager": "gtm",
    "gtm-server-side": "gtm",
    "tealium-iq": "tealium",
    "adobe-experience-platform-tags": "adobe",
    "segment": "segment",
    "piwik-pro-tag-manager": "piwik-pro",
    "matomo-tag-manager": "matomo",
}
"""Technologies whose containers can be read, and the kind their ids carry."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What one container holds."""

    tags: tuple[str, ...]
    """Template ids in use, sorted; those switched off carry the prefix `paused:`."""
    markup: str = ""
    """The custom HTML of the tags in use."""
    urls: tuple[str, ...] = ()


def container_url(container: str) -> str | None:
    """Where a container, as `gtm:GTM-AB12`, is fetched; None for one without a public address."""
    kind, _, name = container.partition(":")
    template = _URLS.get(kind)
    return template.format(name) if template and re.fullmatch(r"[\w.:/-]{3,200}", name) else None


def parse_container(container: str, body: str) -> Contents | None:
    """The contents of a fetched container, or None when the body is not one (an error page, an empty file)."""
    body = body[:MAX_CONTAINER_BYTES]
    kind = container.partition(":")[0]
    if kind == "gtm":
        return _google(body)
    if kind == "segment":
        return _segment(body)
    if len(body) < 200 or body.lstrip().startswith("<"):
        return None
    return Contents((), f"<script>{body}</script>", tuple(script_urls(body)))


def with_containers(page: Observation, contents: Mapping[str, Contents]) -> Observation:
    """The page with what its containers would load; those missing from `contents` stay unparsed.

    A container that names another one makes that a container of the page, too.
    """
    parsed = {name: contents[name] for name in page.containers if name in contents}
    if not parsed:
        return page
    inner = observe("".join(held.markup for held in parsed.values()), url=page.url)
    urls = {r.url for r in inner.resources if r.kind is not ResourceKind.LINK}
    urls.update(url for held in parsed.values() for url in held.urls)
    resources = tuple(_resource(url) for url in sorted(urls))
    nested = containers_named(inner.resources, inner.scripts)
    return replace(
        page,
        resources=page.resources + resources,
        scripts=page.scripts + inner.scripts,
        containers=tuple(sorted({*page.containers, *nested})),
        container_tags=tuple(sorted({tag for held in parsed.values() for tag in held.tags})),
        containers_parsed=tuple(sorted(parsed)),
        flags=page.flags | (inner.flags & {"scripts_cut", "resources_cut"}),
    )


def _resource(url: str) -> Resource:
    return Resource(url, host_of(url), ResourceKind.CONTAINER, Party.THIRD)


_GOOGLE_TAG = re.compile(r"(?:G|GT|AW|DC)-[A-Z0-9]{5,15}")


# --- Google Tag Manager ---------------------------------------------------------------------------


def _google(body: str) -> Contents | None:
    """A gtm.js file: the `resource` object in it lists macros, tags and rules."""
    start = body.find('"resource"')
    brace = body.find("{", start + 10)
    if start < 0 or brace < 0:
        return None
    try:
        resource, _ = json.JSONDecoder().raw_decode(body, brace)
        tags = [tag for tag in resource["tags"] if isinstance(tag, dict)]
        macros = [macro for macro in resource.get("macros", ()) if isinstance(macro, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    live = [tag for tag in tags if tag.get("function") != "__paused"]
    names = {str(tag.get("function", "")) for tag in live}
    names |= {f"{PAUSED}__{tag.get('vtp_originalTagType', '')}" for tag in tags if tag not in live}
    values = [text for tag in live for text in _strings(tag)]
    values += [text for macro in macros for text in _strings(macro)]
    return Contents(
        tags=tuple(sorted(names)),
        markup="".join(_markup(tag) for tag in live if tag.get("function") == "__html"),
        urls=tuple(dict.fromkeys(_urls(values))),
    )


def _markup(tag: Mapping[str, Any]) -> str:
    """Custom HTML, whose variables are left out: `["template", "<script>", ["macro", 3], "</script>"]`."""
    return "".join(_strings({"html": tag.get("vtp_html", "")})).removeprefix("template")


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    """Every text inside a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif depth < 20 and isinstance(value, dict):
        for item in value.values():
            yield from _strings(item, depth + 1)
    elif depth < 20 and isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)


def _urls(values: list[str]) -> Iterator[str]:
    for text in values:
        if "<" in text:
            continue  # custom HTML is read as a page
        if _GOOGLE_TAG.fullmatch(text):
            yield f"https://www.googletagmanager.com/gtag/js?id={text}"  # what such a tag loads
            continue
        if re.match(r"(?:https?:)?//", text):
            yield from script_urls(f'"{text}"')
        else:
            yield from script_urls(text, links_too=False)


def _segment(body: str) -> Contents | None:
    """Segment's settings: the destinations that the library loads in the browser."""
    try:
        integrations = json.loads(body)["integrations"]
        names = sorted(f"segment:{name}" for name in integrations)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Contents(tuple(names))
