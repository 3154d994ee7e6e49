"""The matching engine without any of its tricks: every pattern over every text with `re`, every selector
with lxml. Slow and plainly right, it is the yardstick for speed and the oracle for results.

Independent of the engine are the searching, the selecting, and the making of versions. Shared is what says
which question is asked rather than how it is answered: the loaded rules (with JavaScript's syntax already
translated), the observation and its visible text, and which kinds of resource a signal looks at and how
much each proves.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

from lxml import etree
from lxml.cssselect import CSSSelector

from fingerprints import native
from fingerprints.javascript import for_python
from fingerprints.lxml_tree import LxmlElement
from fingerprints.markup import visible_text
from fingerprints.match import kind_cap
from fingerprints.model import Evidence, Observation
from fingerprints.plan import kind_allows
from fingerprints.rules import Channel, Rule, Signal
from fingerprints.tree import Element


@functools.cache
def compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(for_python(pattern).encode(), re.IGNORECASE)


@functools.cache
def css(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def match(rules: Iterable[Rule], page: Observation) -> list[Evidence]:
    """Evidence for the channels a static page has: the best match of every signal that matches."""
    text = visible_text(page).encode()
    styles = "\n".join(page.styles).encode("utf-8", "replace")
    found = []
    for rule in rules:
        for signal in rule.signals:
            best = max(
                _matches(signal, page, text, styles),
                default=None,
                key=lambda e: (e.strength, bool(e.version)),
            )
            if best is not None:
                found.append(best)
    return found


def _matches(signal: Signal, page: Observation, text: bytes, styles: bytes) -> Iterator[Evidence]:
    pattern = compiled(signal.pattern or "")
    for strength, value, place in _values(signal, page, text, styles):
        matched = pattern.search(value)
        if matched:
            version = _version(signal.version, matched)
            slug = signal.id.rpartition("#")[0]
            yield Evidence(slug, signal.id, signal.on.value, strength, page.url, "", version, "", place)


def _values(
    signal: Signal, page: Observation, text: bytes, styles: bytes
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
            for script in page.scripts:
                yield signal.strength, script.encode("utf-8", "replace"), "script"
        case Channel.HTML:
            yield signal.strength, page.body, f"html:{signal.id}"
        case Channel.TEXT:
            yield signal.strength, text, f"text:{signal.id}"
        case Channel.CSS:
            yield signal.strength, styles, f"css:{signal.id}"
        case Channel.PATH:
            if page.url:
                yield signal.strength, page.url.encode(), "path"


@functools.cache
def _is_whole(pattern: str, name: str) -> bool:
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return False


def _elements(signal: Signal, page: Observation) -> Iterator[bytes]:
    """What the signal searches in every element its selector chooses."""
    for element in selected(signal.name, page):
        if signal.attribute:
            value = element.get(signal.attribute)
            if value is not None:
                yield value.encode("utf-8", "replace")
        elif signal.text:
            content = element.content.strip()
            if content:
                yield content
        else:
            yield b""


_CASE_FLAG = re.compile(r"([\"'])\s+[iI]\s*\]")


def selected(selector: str, page: Observation) -> list[Element]:
    """Every element the selector chooses, in page order."""
    root, elements = _tree_of(page)
    if root is None:
        return []
    try:
        if _CASE_FLAG.search(selector):
            chosen = _selected_in_any_case(_CASE_FLAG.sub(r"\1]", selector), root)
        else:
            chosen = cast("list[Any]", css(selector)(root))
    except ValueError:  # control characters, which no page can hold either
        return []
    return [elements[node] for node in chosen]


@functools.lru_cache(maxsize=1)
def _tree_of(page: Observation) -> tuple[Any, dict[Any, Element]]:
    """The page's elements as an lxml tree, for selectors to be answered by XPath alone; and whose nodes are whose."""
    if not isinstance(page.tree, native.Tree):
        return (None, {}) if page.tree is None else (page.tree.root, _Wrapped())
    nodes: list[Any] = []
    elements: dict[Any, Element] = {}
    for element in page.tree.select("*", limit=len(page.body)):
        try:
            node = etree.Element(element.tag)
        except ValueError:  # a name that no selector can have
            node = etree.Element("unnamed")
        if element.parent >= 0:
            nodes[element.parent].append(node)
        for name, value in element.items():
            with suppress(ValueError):
                node.set(name, value)
        nodes.append(node)
        elements[node] = element
    return nodes[0], elements


class _Wrapped(dict[Any, Element]):
    def __missing__(self, node: Any) -> Element:
        return LxmlElement(node)


def _selected_in_any_case(selector: str, root: Any) -> list[Any]:
    """XPath knows no case flag: the selector and a copy of the page in lower case, mapped back by position."""
    lower = copy.deepcopy(root)
    for element in lower.iter("*"):
        for name, value in element.items():
            element.set(name, value.lower())
    chosen = set(cast("list[Any]", css(selector.lower())(lower)))
    return [own for own, twin in zip(root.iter("*"), lower.iter("*"), strict=True) if twin in chosen]


def _version(template: str, matched: re.Match[bytes]) -> str:
    """The version by the documented grammar, if it can be one (docs/detection.md says what cannot)."""
    groups = [(matched[n] or b"").decode("utf-8", "replace") for n in range(matched.re.groups + 1)]
    groups += [""] * 10  # a group the pattern does not have is empty
    before, is_ternary, choices = template.partition("?")
    if is_ternary and ":" in choices and re.search(r"\\\d\Z", before):
        yes, _, no = choices.partition(":")
        template = before[:-2] + (yes if groups[int(before[-1])] else no)
    for number in range(10):
        template = template.replace(f"\\{number}", groups[number])
    return template.strip().strip(".") if _can_be_version(template.strip().strip(".")) else ""


def _can_be_version(text: str) -> bool:
    is_date = re.match(r"(?:19|20)\d\d\d\d\d\d(?:\d{2,6})?$", text)
    is_hash = re.fullmatch(r"(?i)(?=.*\d)(?=.*[a-f])[0-9a-f]{7,}", text)
    is_count = text.isdigit() and int(text) >= 10_000
    return text.isprintable() and len(text) <= 32 and not (is_date or is_hash or is_count)
