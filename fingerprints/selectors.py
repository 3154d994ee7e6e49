"""CSS selectors against one page: simple ones from cached columns, the rest through lxml's XPath.

A compiled selector call walks the whole tree; a column is walked once and then serves every rule.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector

from fingerprints.model import InputError
from fingerprints.regexes import MIN_LITERAL, Literals

MAX_NODES = 200
"""Nodes one selector looks at on one page; a page with more repeats itself."""


class SelectorSyntaxError(InputError):
    """Raised for a selector that is not valid CSS; the message holds it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One attribute condition, as `[src*="x" i]`; an empty operator means that it is there."""

    attribute: str
    operator: str = ""
    value: str = ""
    ignore_case: bool = False

    def holds(self, value: str | None) -> bool:
        if value is None:
            return False
        if not self.operator:
            return True
        wanted = self.value
        if self.ignore_case:
            value, wanted = value.lower(), wanted.lower()
        match self.operator:
            case "=":
                return value == wanted
            case "*=":
                return wanted != "" and wanted in value
            case "^=":
                return wanted != "" and value.startswith(wanted)
            case "$=":
                return wanted != "" and value.endswith(wanted)
            case "~=":
                return wanted in value.split()
            case _:
                return value == wanted or value.startswith(wanted + "-")


@dataclass(frozen=True, slots=True)
class Compound:
    """A selector without combinators: a tag, or `*`, and conditions that must all hold."""

    tag: str
    conditions: tuple[Condition, ...]

    def matches(self, element: Any) -> bool:
        return all(condition.holds(element.get(condition.attribute)) for condition in self.conditions)


_ATTRIBUTE = re.compile(
    r"\[\s*([\w:-]+)\s*(?:([*^$~|]?=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|([^\s\]\"']+))\s*([iIsS])?)?\s*\]"
)
_CLASS_OR_ID = re.compile(r"([.#])((?:[\w-]|\\.)+)")
_TAG = re.compile(r"\*|[a-zA-Z][\w-]*")
_CASE_FLAG = re.compile(r"([\"'])\s+[iIsS]\s*\]")


def split_list(selector: str) -> list[str]:
    """The alternatives of a selector list, split at commas outside brackets and quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for index, char in enumerate(selector):
        if quote:
            quote = "" if char == quote and selector[index - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(selector[start:index].strip())
            start = index + 1
    return [*parts, selector[start:].strip()]


def parse_compound(text: str) -> Compound | None:
    """The selector as a compound, or None when it has combinators or pseudo-classes."""
    tag = _TAG.match(text)
    position = tag.end() if tag else 0
    conditions: list[Condition] = []
    while position < len(text):
        attribute = _ATTRIBUTE.match(text, position)
        if attribute:
            name, operator, double, single, bare, flag = attribute.groups()
            value = next((v for v in (double, single, bare) if v is not None), "")
            value = re.sub(r"\\(.)", r"\1", value)
            conditions.append(Condition(name.lower(), operator or "", value, (flag or "").lower() == "i"))
            position = attribute.end()
            continue
        simple = _CLASS_OR_ID.match(text, position)
        if not simple:
            return None
        name = re.sub(r"\\(.)", r"\1", simple[2])
        conditions.append(Condition("class", "~=", name) if simple[1] == "." else Condition("id", "=", name))
        position = simple.end()
    return Compound((tag[0] if tag else "*").lower(), tuple(conditions)) if text else None


@functools.lru_cache(maxsize=None)
def _xpath(text: str) -> CSSSelector:
    try:
        return CSSSelector(_CASE_FLAG.sub(r"\1]", text), translator="html")
    except (SelectorError, etree.XPathError) as exc:
        raise SelectorSyntaxError(f"{text!r}: not a valid CSS selector: {exc}") from exc


def check_selector(selector: str) -> None:
    """Raise SelectorSyntaxError unless every alternative can be evaluated."""
    for part in split_list(selector):
        if parse_compound(part) is None:
            _xpath(part)


def selector_literals(selector: str) -> list[Literals]:
    """Literals the raw page must contain for the selector to match, as for patterns; may be empty."""
    union: set[str] = set()
    for part in split_list(selector):
        words = _words(part)
        if not words:
            return []
        union.add(max(words, key=len))
    return [frozenset(union)]


def _words(part: str) -> list[str]:
    """Plain ASCII runs a page must contain for one alternative to match."""
    found = [v for match in _ATTRIBUTE.finditer(part) for v in match.groups()[2:5] if v is not None]
    without_attributes = _ATTRIBUTE.sub("", part)
    if "(" in without_attributes:  # :not(.x) requires the opposite
        return []
    found += [match[2] for match in _CLASS_OR_ID.finditer(without_attributes)]
    found += [match[1] for match in _ATTRIBUTE.finditer(part) if len(match[1]) > 5]
    # White space, ampersands and escapes may be written differently in the page.
    runs = [run.lower() for word in found for run in re.split(r"[^!#$%'()*+,./0-9:;=?@A-Z_a-z{}~-]+", word)]
    return [run for run in runs if len(run) >= MIN_LITERAL]


class Columns:
    """The elements of one page by tag and by attribute, each walked at most once."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._tags: dict[str, list[Any]] = {}
        self._attributes: dict[str, list[Any]] | None = None

    def select(self, selector: str) -> Iterator[Any]:
        """Elements that match, at most MAX_NODES, in no particular order; nothing for a page without markup."""
        if self._root is None:
            return
        count = 0
        for part in split_list(selector):
            for element in self._select_one(part):
                yield element
                count += 1
                if count >= MAX_NODES:
                    return

    def _select_one(self, part: str) -> Iterator[Any]:
        compound = _compound(part)
        if compound is None:
            yield from _xpath(part)(self._root)
            return
        for element in self._candidates(compound):
            if compound.matches(element):
                yield element

    def _candidates(self, compound: Compound) -> list[Any]:
        if compound.tag != "*":
            if compound.tag not in self._tags:
                self._tags[compound.tag] = list(self._root.iter(compound.tag))
            return self._tags[compound.tag]
        if not compound.conditions:
            return list(self._root.iter(etree.Element))
        if self._attributes is None:
            self._attributes = {}
            for element in self._root.iter(etree.Element):
                for name in element.keys():  # noqa: SIM118 - an lxml element is not a dict
                    self._attributes.setdefault(name, []).append(element)
        return self._attributes.get(compound.conditions[0].attribute, [])


@functools.lru_cache(maxsize=None)
def _compound(part: str) -> Compound | None:
    return parse_compound(part)
