"""CSS selectors as rules write them: taken apart for the trees, and what a page must hold for them to match."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fingerprints.model import InputError
from fingerprints.regexes import MIN_LITERAL, WHOLE_WORD, Literals, rarity

if TYPE_CHECKING:
    from lxml.cssselect import CSSSelector

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
_TAG = re.compile(r"\*|[a-zA-Z](?:[\w-]|\\.)*")
_JOINT = re.compile(r"\s*[>~+]\s*|\s+")
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
    compound, end = _compound_at(text, 0)
    return compound if text and end == len(text) else None


def compounds(text: str) -> list[tuple[str, Compound]] | None:
    """The compounds of a selector, each after the combinator before it; None for one with pseudo-classes.

    >>> compounds("a > b"), compounds("a:first-child")
    ([('', Compound(tag='a', conditions=())), ('>', Compound(tag='b', conditions=()))], None)
    """
    found: list[tuple[str, Compound]] = []
    position, combinator = 0, ""
    while True:
        compound, end = _compound_at(text, position)
        if end == position:
            return None
        found.append((combinator, compound))
        if end == len(text):
            return found
        joint = _JOINT.match(text, end)
        if not joint:
            return None
        position, combinator = joint.end(), joint[0].strip() or " "


def _compound_at(text: str, position: int) -> tuple[Compound, int]:
    """The compound that begins at a position, and where it ends: right there when there is none."""
    tag = _TAG.match(text, position)
    position = tag.end() if tag else position
    conditions: list[Condition] = []
    while position < len(text):
        attribute = _ATTRIBUTE.match(text, position)
        simple = None if attribute else _CLASS_OR_ID.match(text, position)
        if attribute:
            name, operator, double, single, bare, flag = attribute.groups()
            value = next((v for v in (double, single, bare) if v is not None), "")
            value = re.sub(r"\\(.)", r"\1", value)
            conditions.append(Condition(name.lower(), operator or "", value, (flag or "").lower() == "i"))
            position = attribute.end()
        elif simple:
            name = re.sub(r"\\(.)", r"\1", simple[2])
            is_class = simple[1] == "."
            conditions.append(Condition("class", "~=", name) if is_class else Condition("id", "=", name))
            position = simple.end()
        else:
            break
    name = re.sub(r"\\(.)", r"\1", tag[0]).lower() if tag else "*"
    return Compound(name, tuple(conditions)), position


@functools.cache
def xpath_of(text: str) -> CSSSelector:
    """The selector for lxml. Raises SelectorSyntaxError."""
    # With the parser a fifth of what a start imports, for the few selectors that need it.
    from cssselect import SelectorError
    from lxml import etree
    from lxml.cssselect import CSSSelector

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
            xpath_of(part)


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
