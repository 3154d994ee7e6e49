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
    whole: bool = True
    """Whether this is all: not when it names further tags whose code lies in files that were not read."""


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
    elsewhere = _TAGS_ELSEWHERE.get(kind)
    return Contents(
        (),
        f"<script>{body}</script>",
        tuple(script_urls(body)),
        whole=elsewhere is None or not elsewhere.search(body),
    )


_TAGS_ELSEWHERE = {
    "tealium": re.compile(
        r"[{,]load:(?!4\b)[^{}]{1,300},send:"
    ),  # each in its own utag.7.js, but those bundled: 4
    "adobe": re.compile(r"\bRC[0-9a-f]{32}-source(?:\.min)?\.js"),  # custom code
}


def with_containers(page: Observation, contents: Mapping[str, Contents]) -> Observation:
    """The page with what its containers would load; those missing from `contents` stay unparsed.

    A container that names another one makes that a container of the page, too. One that was read in part
    adds what was read and stays unparsed.
    """
    parsed = {name: contents[name] for name in page.containers if name in contents}
    if not parsed:
        return page
    inner = observe("".join(held.markup for held in parsed.values()), url=page.url)
    urls = {r.url for r in inner.resources if r.kind is not ResourceKind.LINK}
    urls.update(url for held in parsed.values() for url in held.urls)
    resources = tuple(_resource(url) for url in sorted(urls))
    nested = containers_named((*inner.resources, *resources), inner.scripts)
    return replace(
        page,
        resources=page.resources + resources,
        scripts=page.scripts + inner.scripts,
        containers=tuple(sorted({*page.containers, *nested})),
        container_tags=tuple(sorted({tag for held in parsed.values() for tag in held.tags})),
        containers_parsed=tuple(sorted(name for name, held in parsed.items() if held.whole)),
        flags=page.flags | (inner.flags & {"scripts_cut", "resources_cut"}),
    )


def _resource(url: str) -> Resource:
    return Resource(url, host_of(url), ResourceKind.CONTAINER, Party.THIRD)


_GOOGLE_TAG = re.compile(r"(?:G|GT|AW|DC)-[A-Z0-9]{5,15}")
_CHILD_CONTAINER = re.compile(r"GTM-[A-Z0-9]{4,10}")


# --- Google Tag Manager ---------------------------------------------------------------------------


def _google(body: str) -> Contents | None:
    """A gtm.js file: the `resource` object lists macros, tags and rules, `runtime` the code of templates."""
    start = body.find('"resource"')
    brace = body.rfind("{", 0, start)
    if start < 0 or brace < 0:
        return None
    try:
        data, _ = json.JSONDecoder().raw_decode(body, brace)
        resource = data["resource"]
        tags = [tag for tag in resource["tags"] if isinstance(tag, dict)]
        macros = [macro for macro in resource.get("macros", ()) if isinstance(macro, dict)]
        runtime = [code for code in data.get("runtime", ()) if isinstance(code, list) and len(code) > 1]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    live = [tag for tag in tags if tag.get("function") != "__paused"]
    names = {str(tag.get("function", "")) for tag in live}
    values = [text for tag in live for text in _strings(tag)]
    values += [text for macro in macros for text in _strings(macro)]
    values += [text for code in runtime if _is_template(code, names) for text in _strings(code, most=200)]
    names |= {f"{PAUSED}__{tag.get('vtp_originalTagType', '')}" for tag in tags if tag not in live}
    return Contents(
        tags=tuple(sorted(names)),
        markup="".join(_markup(tag) for tag in live if tag.get("function") == "__html"),
        urls=tuple(dict.fromkeys(_urls(values))),
    )


def _is_template(code: list[Any], tags_in_use: set[str]) -> bool:
    """Whether it is the code of a template from the gallery or of the owner's that a live tag uses.

    Such a template says what it loads in its code only; what Google's own load is known by their names.
    """
    return str(code[1]).startswith("__cvt_") and code[1] in tags_in_use


def _markup(tag: Mapping[str, Any]) -> str:
    """Custom HTML, whose variables are left out: `["template", "<script>", ["macro", 3], "</script>"]`."""
    return "".join(_strings({"html": tag.get("vtp_html", "")})).removeprefix("template")


def _strings(value: object, most: int = 20) -> Iterator[str]:
    """Every text inside a JSON value, in order, down to `most` levels."""
    if isinstance(value, str):
        yield value
    elif most and isinstance(value, dict):
        for item in value.values():
            yield from _strings(item, most - 1)
    elif most and isinstance(value, list):
        for item in value:
            yield from _strings(item, most - 1)


def _urls(values: list[str]) -> Iterator[str]:
    for text in values:
        if "<" in text:
            continue  # custom HTML is read as a page
        if _GOOGLE_TAG.fullmatch(text):
            yield f"https://www.googletagmanager.com/gtag/js?id={text}"  # what such a tag loads
            continue
        if _CHILD_CONTAINER.fullmatch(text):
            yield f"https://www.googletagmanager.com/gtm.js?id={text}"  # what a zone loads
            continue
        if re.match(r"(?:https?:)?//", text):
            yield from script_urls(f'"{text}"')
        else:
            yield from script_urls(text, links_too=False)


def _segment(body: str) -> Contents | None:
    """Segment's settings: the destinations, of which the library may load each in the browser."""
    try:
        integrations = json.loads(body)["integrations"]
        names = sorted(f"segment:{name}" for name in integrations)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Contents(tuple(names), whole=names in ([], ["segment:Segment.io"]))
