"""CSS selectors against one page: simple ones from cached columns, the rest through lxml's XPath.

A compiled selector call walks the whole tree; a column is walked once and then serves every rule.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector

from fingerprints.model import InputError
from fingerprints.regexes import MIN_LITERAL, WHOLE_WORD, Literals, rarity

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
        return value is not None and bool(self.holding((value,)))

    def holding(self, values: Iterable[str]) -> list[str]:
        """Those of the values that meet the condition, in their order."""
        wanted = self.value
        if self.ignore_case and self.operator:
            exact = Condition(self.attribute, self.operator, wanted.lower())
            return [value for value in values if exact.holding((value.lower(),))]
        match self.operator:
            case "":
                return list(values)
            case "=":
                return [value for value in values if value == wanted]
            case "|=":
                return [value for value in values if value == wanted or value.startswith(wanted + "-")]
            case _ if not wanted:
                return []
            case "*=":
                return [value for value in values if wanted in value]
            case "^=":
                return [value for value in values if value.startswith(wanted)]
            case "$=":
                return [value for value in values if value.endswith(wanted)]
            case _:  # ~=
                return [value for value in values if wanted in value and wanted in value.split()]


@dataclass(frozen=True, slots=True)
class Compound:
    """A selector without combinators: a tag, or `*`, and conditions that must all hold."""

    tag: str
    conditions: tuple[Condition, ...]


_ATTRIBUTE = re.compile(
    r"\[\s*([\w:-]+)\s*(?:([*^$~|]?=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|([^\s\]\"']+))\s*([iIsS])?)?\s*\]"
)
_CLASS_OR_ID = re.compile(r"([.#])((?:[\w-]|\\.)+)")
_TAG_NAME = re.compile(r"(?<![\w:-])[a-zA-Z](?:[\w-]|\\.)*")
_IMPLIED_TAGS = ("html", "head", "body", "p", "tbody", "tr", "colgroup")
"""Elements the parser may add to the tree although the page does not write them."""
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


@functools.cache
def _xpath(text: str) -> CSSSelector:
    try:
        compiled = CSSSelector(_CASE_FLAG.sub(r"\1]", text), translator="html")
        compiled(etree.Element("html"))  # a namespace prefix is only missed when it is looked up
    except (SelectorError, etree.XPathError, ValueError) as exc:  # ValueError: control characters
        raise SelectorSyntaxError(f"{text!r}: not a valid CSS selector: {exc}") from exc
    return compiled


def check_selector(selector: str) -> None:
    """Raise SelectorSyntaxError unless every alternative can be evaluated."""
    for part in split_list(selector):
        if parse_compound(part) is None:
            _xpath(part)


def selects_raw_text(selector: str) -> bool:
    """Whether all it selects are scripts and styles, whose text stands in the page as it is."""
    compounds = [parse_compound(part) for part in split_list(selector)]
    return all(compound is not None and compound.tag in ("script", "style") for compound in compounds)


def selector_literals(selector: str) -> list[Literals]:
    """Literals the raw page must contain for the selector to match, as for patterns; may be empty."""
    words_by_part = [_words(part) for part in split_list(selector)]
    if len(words_by_part) == 1:
        return [frozenset({word}) for word in words_by_part[0]]
    if not all(words_by_part):
        return []
    return [frozenset(min(words, key=lambda word: rarity(frozenset({word}))) for words in words_by_part)]


def _words(part: str) -> list[str]:
    """Plain ASCII runs a page must contain for one alternative to match."""
    without_attributes = _ATTRIBUTE.sub("", part)
    if "(" in without_attributes:  # :not(.x) requires the opposite
        return []
    found: list[str] = []
    for name, operator, *values, _ in (match.groups() for match in _ATTRIBUTE.finditer(part)):
        value = next((value for value in values if value is not None), "")
        found += [name.lower()] if len(name) >= MIN_LITERAL else []
        found += _runs(value, is_word=operator in ("=", "~="))
    for match in _CLASS_OR_ID.finditer(without_attributes):
        found += _runs(match[2], is_word=True)
    for tag in _TAG_NAME.findall(_CLASS_OR_ID.sub("", without_attributes)):
        if tag.lower() not in _IMPLIED_TAGS:
            found += _runs("<" + tag.replace("\\", ""), is_word=False)
    return found


def _runs(text: str, *, is_word: bool) -> list[str]:
    """Parts of the text that stand in a page as they are; all of it as one word where it is a value by itself."""
    # White space, ampersands and escapes may be written differently in the page.
    runs = [run.lower() for run in re.split(r"[^!#$%'()*+,./0-9:;<=?@A-Z_a-z{}~-]+", text)]
    if is_word and len(runs) == 1 and re.fullmatch(r"\w(?:.*\w)?", text, re.ASCII | re.DOTALL):
        return [WHOLE_WORD + runs[0]] if len(text) > 1 else []
    return [run for run in runs if len(run) >= MIN_LITERAL]


class Columns:
    """The elements of one page by tag and by attribute value, made as selectors ask for them."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._everything: list[Any] = []
        self._columns: dict[tuple[str, str], dict[str, list[Any]]] = {}

    def select(self, selector: str) -> Iterator[Any]:
        """Elements the selector list matches, at most MAX_NODES. Raises SelectorSyntaxError."""
        if self._root is None:
            return
        matches = (element for part in _parts(selector) for element in self._select_one(part))
        yield from itertools.islice(matches, MAX_NODES)

    def _select_one(self, part: str) -> Iterable[Any]:
        compound = _compound(part)
        if compound is None:
            return cast("list[Any]", _xpath(part)(self._root))
        if not compound.conditions:
            return self._tagged(compound.tag)
        return self._by_conditions(compound)

    def _by_conditions(self, compound: Compound) -> Iterator[Any]:
        first = min(compound.conditions, key=_cost)
        others = [condition for condition in compound.conditions if condition is not first]
        column = self._column(compound.tag, first.attribute)
        for value in first.holding(column):
            for element in column[value]:
                if all(condition.holds(element.get(condition.attribute)) for condition in others):
                    yield element

    def _column(self, tag: str, attribute: str) -> dict[str, list[Any]]:
        """Values of one attribute of one tag (`*` for any), each with its elements."""
        column = self._columns.get((tag, attribute))
        if column is None:
            column = self._columns[tag, attribute] = {}
            for element in self._tagged(tag):
                value = element.get(attribute)
                if value is None:
                    continue
                if value in column:
                    column[value].append(element)
                else:
                    column[value] = [element]
        return column

    def _tagged(self, tag: str) -> Iterable[Any]:
        """Elements of one tag, `*` for all of them, in page order."""
        if tag == self._root.tag:
            return [self._root]
        if tag != "*":
            return cast("Iterable[Any]", self._root.iter(tag))
        # An element that nobody holds is made anew each time it is asked for.
        self._everything = self._everything or list(self._root.iter("*"))
        return self._everything


_parts = functools.cache(split_list)


def _cost(condition: Condition) -> int:
    """Which condition to look up first: ids and data attributes have few values, links have many."""
    return {"id": 0, "class": 2, "href": 3, "src": 3, "style": 4}.get(condition.attribute, 1)


@functools.cache
def _compound(part: str) -> Compound | None:
    return parse_compound(part)
