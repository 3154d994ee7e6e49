"""Self-tests made from the rules themselves: a text that each pattern matches, put where its signal looks.

A rule that such a page does not fire is dead, looks in the wrong place, or is lost by the prefilter.
"""

from __future__ import annotations

import html
import re
import re._constants as sre
import re._parser as sre_parser
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from fingerprints.hosts import host_of
from fingerprints.model import Observation, Party, Resource, ResourceKind
from fingerprints.observe import observe
from fingerprints.plan import search_of
from fingerprints.rules import Channel, Signal
from fingerprints.selectors import parse_compound, split_list

PAGE = "https://www.example.com/"
VOID = frozenset({"base", "br", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
"""Elements that never hold text, so that no page fires a rule that looks for some in them."""
_CLASS_SAMPLES: dict[object, str] = {
    sre.CATEGORY_DIGIT: "7",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_DIGIT: "x",
    sre.CATEGORY_NOT_WORD: "-",
    sre.CATEGORY_NOT_SPACE: "x",
}


def matching_text(pattern: str) -> str | None:
    """A short text the pattern matches, from its parse tree; None when none was found."""
    try:
        tree = sre_parser.parse(pattern, re.IGNORECASE | re.ASCII)
    except (re.error, OverflowError, RecursionError):
        return None
    search = search_of(Signal("selftest#1", Channel.HTML, 1.0, pattern))
    for writer in _WRITERS:
        text = writer.sequence(tree)
        for candidate in (text, f" {text} ", f"{text} ", f" {text}", f'"{text}"'):
            if search(candidate.encode("utf-8", "replace")):
                return candidate
    return None


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes texts for parse trees."""

    fillers: str
    """What stands where several characters may, the best first."""
    repeats: int = 0
    """How often something optional is written."""

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> str:
        return "".join(self._item(op, argument) for op, argument in items)

    def _item(self, op: Any, argument: Any) -> str:
        if op is sre.LITERAL:
            return chr(argument)
        if op is sre.NOT_LITERAL:
            return next(char for char in self.fillers if ord(char) != argument)
        if op is sre.ANY:
            return self.fillers[0]
        if op is sre.IN:
            return self._member(argument)
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, inner = argument
            return self.sequence(inner) * min(int(most), max(int(least), self.repeats))
        if op is sre.SUBPATTERN:
            return self.sequence(argument[3])
        if op is sre.BRANCH:
            return self.sequence(argument[1][0])
        return ""

    def _member(self, items: list[tuple[Any, Any]]) -> str:
        """A character the class contains."""
        if items[0][0] is sre.NEGATE:
            return next(char for char in self.fillers if not any(_contains(item, char) for item in items[1:]))
        op, argument = items[0]
        if op is sre.LITERAL:
            return chr(argument)
        if op is sre.RANGE:
            return chr(argument[0])
        return _CLASS_SAMPLES.get(argument, "a")


_WRITERS = (_Writer(".xy71 -_/A'\""), _Writer("xy71 -_/.A'\""), _Writer(" xy71-_/.A'\"", repeats=1))
"""A full stop first: an unescaped one was most likely meant to be one. A space parts words last."""


def _contains(item: tuple[Any, Any], char: str) -> bool:
    op, argument = item
    if op is sre.LITERAL:
        return chr(argument).lower() == char.lower()
    if op is sre.RANGE:
        return any(argument[0] <= ord(c) <= argument[1] for c in (char.lower(), char.upper()))
    kinds = {
        sre.CATEGORY_DIGIT: char.isdigit(),
        sre.CATEGORY_WORD: char.isalnum() or char == "_",
        sre.CATEGORY_SPACE: char.isspace(),
    }
    return kinds.get(
        argument,
        not {
            sre.CATEGORY_NOT_DIGIT: char.isdigit(),
            sre.CATEGORY_NOT_WORD: char.isalnum() or char == "_",
            sre.CATEGORY_NOT_SPACE: char.isspace(),
        }.get(argument, True),
    )


def page_for(signal: Signal) -> Observation | None:
    """A page that must fire the signal, or None when none can be made from its parts alone."""
    text = matching_text(signal.pattern) if signal.pattern else ""
    if text is None:
        return None
    if signal.on in (Channel.HOST, Channel.URL):
        return _resource_page(signal, text)
    if signal.on is Channel.SELECTOR:
        return _selector_page(signal, text)
    name = signal.name
    if signal.on in (Channel.HEADER, Channel.META, Channel.DNS):
        values = {name: (text,)}
        field = {Channel.HEADER: "headers", Channel.META: "meta", Channel.DNS: "dns"}[signal.on]
        return replace(Observation(url=PAGE), **{field: values})  # type: ignore[arg-type]
    if signal.on is Channel.COOKIE:
        literal = (
            matching_text(name)
            if re.search(r"[\\\[({|+^$]", name)
            else name.rstrip("*") + "x" * name.endswith("*")
        )
        return Observation(url=PAGE, cookies={literal: text}) if literal is not None else None
    if signal.on is Channel.GLOBAL:
        return Observation(url=PAGE, globals={name: text})
    if signal.on is Channel.CONTAINER:
        return Observation(url=PAGE, container_tags=(name,))
    return _text_page(signal, text)


def _resource_page(signal: Signal, text: str) -> Observation:
    url = f"https://{signal.hosts[0]}/w.js" if signal.hosts else text
    kind = ResourceKind.SCRIPT if ResourceKind.SCRIPT in signal.kinds else min(signal.kinds)
    host = text if signal.name == "host" else host_of(url)
    return Observation(url=PAGE, resources=(Resource(url, host, kind, signal.party or Party.THIRD),))


def _text_page(signal: Signal, text: str) -> Observation:
    page = Observation(url=PAGE)
    match signal.on:
        case Channel.SCRIPT:
            return replace(page, scripts=(text,))
        case Channel.HTML:
            return replace(page, body=text.encode())
        case Channel.TEXT:
            return observe(f"<p>{html.escape(text)}</p>", url=PAGE)
        case Channel.CSS:
            return replace(page, styles=(text,), body=text.encode())
        case Channel.JSON_LD:
            return replace(page, json_ld_types=(text,))
        case Channel.PATH:
            return replace(page, url=text)
        case Channel.ROBOTS:
            return replace(page, robots=text)
        case _:
            return replace(page, tls_issuer=text)


def _selector_page(signal: Signal, text: str) -> Observation | None:
    """A page with one element for the first alternative of the selector, if that is a simple one."""
    compound = parse_compound(split_list(signal.name)[0])
    if compound is None:
        return None
    attributes: dict[str, str] = {}
    for condition in compound.conditions:
        known = attributes.get(condition.attribute)
        separator = " " if condition.attribute == "class" else ""
        attributes[condition.attribute] = (
            condition.value if known is None else f"{known}{separator}{condition.value}"
        )
    if signal.attribute:
        given = attributes.get(signal.attribute, "")
        attributes[signal.attribute] = text if given.lower() in text.lower() else f"{given} {text}".strip()
    tag = "div" if compound.tag == "*" else compound.tag
    if signal.text and tag in VOID:
        return None
    written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())
    content = text if tag in ("script", "style") else html.escape(text)  # raw text knows no entities
    content = (content or "x") * signal.text
    return observe(f"<{tag}{written}>{content}</{tag}>", url=PAGE)
