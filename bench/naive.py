"""The matching engine without any of its tricks: every pattern over every text with `re`, every selector
with lxml. Slow and plainly right, it is the yardstick for speed and the oracle for results."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from lxml.cssselect import CSSSelector

from fingerprints.match import kind_cap
from fingerprints.model import Evidence, Observation
from fingerprints.observe import visible_text
from fingerprints.plan import kind_allows
from fingerprints.regexes import expand, plausible_version
from fingerprints.rules import Channel, Rule, Signal
from fingerprints.selectors import parse_compound, split_list
from fingerprints.wappalyzer import for_python

MAX_NODES = 200


@functools.cache
def compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(for_python(pattern).encode(), re.IGNORECASE)


@functools.cache
def css(part: str) -> CSSSelector:
    return CSSSelector(re.sub(r"([\"'])\s+[iIsS]\s*\]", r"\1]", part), translator="html")


def match(rules: Iterable[Rule], page: Observation) -> list[Evidence]:
    """Evidence for the channels a static page has: the best match of every signal that matches."""
    text = visible_text(page).encode()
    scripts = "\n;\n".join(page.scripts).encode("utf-8", "replace")
    styles = "\n".join(page.styles).encode("utf-8", "replace")
    found = []
    for rule in rules:
        for signal in rule.signals:
            best = max(
                _matches(signal, page, text, scripts, styles),
                default=None,
                key=lambda e: (e.strength, bool(e.version)),
            )
            if best is not None:
                found.append(best)
    return found


def _matches(
    signal: Signal, page: Observation, text: bytes, scripts: bytes, styles: bytes
) -> Iterator[Evidence]:
    pattern = compiled(signal.pattern or "")
    for strength, value, place in _values(signal, page, text, scripts, styles):
        matched = pattern.search(value[:2048] if signal.backtracks else value)
        if matched:
            version = plausible_version(expand(signal.version, matched)) if signal.version else ""
            slug = signal.id.rpartition("#")[0]
            yield Evidence(slug, signal.id, signal.on.value, strength, page.url, "", version, "", place)


def _values(
    signal: Signal, page: Observation, text: bytes, scripts: bytes, styles: bytes
) -> Iterator[tuple[float, bytes, str]]:
    """Strength, text and place of everything the signal looks at."""
    match signal.on:
        case Channel.URL:
            for resource in page.resources:
                if kind_allows(signal, resource.kind, resource.party):
                    strength = min(signal.strength, kind_cap(resource))
                    for url in filter(None, (resource.url, resource.raw)):
                        yield (
                            strength,
                            (resource.host if signal.name == "host" else url).encode(),
                            f"url:{resource.url}",
                        )
        case Channel.HEADER | Channel.META:
            values = page.headers if signal.on is Channel.HEADER else page.meta
            for value in values.get(signal.name, ()):
                yield signal.strength, value.encode("utf-8", "replace"), f"{signal.on}:{signal.name}"
        case Channel.COOKIE:
            for name, value in page.cookies.items():
                if name.lower() == signal.name or _is_whole(signal.name, name.lower()):
                    yield signal.strength, value.encode("utf-8", "replace"), f"cookie:{name.lower()}"
        case Channel.SELECTOR:
            yield from ((signal.strength, value, f"element:{signal.id}") for value in _elements(signal, page))
        case Channel.SCRIPT:
            if page.scripts:
                yield signal.strength, scripts, "script"
        case Channel.HTML:
            yield signal.strength, page.body, f"html:{signal.id}"
        case Channel.TEXT:
            yield signal.strength, text, f"text:{signal.id}"
        case Channel.CSS:
            yield signal.strength, styles, f"css:{signal.id}"
        case Channel.PATH:
            if page.url:
                yield signal.strength, page.url.encode(), "path"


def _selected(part: str, page: Observation) -> list[object]:
    try:
        return list(css(part)(page.root))
    except ValueError:  # control characters, which no page can hold either
        return []


@functools.cache
def _is_whole(pattern: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return False


def _elements(signal: Signal, page: Observation) -> Iterator[bytes]:
    if page.root is None:
        return
    count = 0
    for part in split_list(signal.name):
        compound = parse_compound(part)  # only for the case flag, which XPath does not know
        loose = compound is not None and any(c.ignore_case for c in compound.conditions)
        elements = (
            [
                e
                for e in page.root.iter()
                if isinstance(e.tag, str) and compound.tag in ("*", e.tag) and compound.matches(e)
            ]
            if loose and compound is not None
            else _selected(part, page)
        )
        for element in elements:
            count += 1
            if count > MAX_NODES:
                return
            if signal.attribute:
                value = element.get(signal.attribute)
                if value is not None:
                    yield value.encode("utf-8", "replace")
            elif signal.text:
                content = "".join(element.itertext()).strip()
                if content:
                    yield content.encode("utf-8", "replace")
            else:
                yield b""
