"""How the reference engine reads a pattern and a page, as far as that differs from ours.

Only to explain differences: `bench.agreement` asks what would have come of one pattern on one text under the
reference's reading, and so tells its limits from mistakes of ours. Written from its documented and measured
behaviour.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from fingerprints.javascript import translate
from fingerprints.lxml_tree import lxml_tree
from fingerprints.model import Observation
from fingerprints.sources import technology_files

ROW_CHARS = 2_000
ROWS = 3_000
"""A page longer than this many rows loses its middle."""
TEXT_CHARS = 25_000
ELEMENTS = 50
"""How many elements it looks at for one technology."""
FIELDS = {
    "scriptSrc": "url",
    "scripts": "script",
    "html": "html",
    "text": "text",
    "css": "css",
    "meta": "meta",
    "headers": "header",
    "cookies": "cookie",
    "dom": "selector",
    "url": "path",
}
"""Fields of the format and our channels for them."""

Patterns = Mapping[tuple[str, str], tuple[str, ...]]


def patterns_of(rules: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """The regular expressions of a rule set as written, by technology name and channel of ours."""
    found = {}
    for path in technology_files(rules):
        for name, rule in json.loads(path.read_bytes()).items():
            for key, channel in FIELDS.items():
                found[name, channel] = tuple(text.split("\\;")[0] for text in _strings(rule.get(key)))
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


@functools.cache
def as_read(pattern: str) -> re.Pattern[str]:
    """The pattern after the reference's rewriting: `\\/` becomes a backslash and a slash, repeats end at 250."""
    return re.compile(_bounded(pattern.replace("/", r"\/")), re.IGNORECASE | re.ASCII)


@functools.cache
def bounded(pattern: str) -> re.Pattern[str]:
    """The pattern with repeats that end at 250, but slashes as they were meant."""
    return re.compile(_bounded(translate(pattern)), re.IGNORECASE | re.ASCII)


@functools.cache
def as_meant(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE | re.ASCII)


def _bounded(pattern: str) -> str:
    kept = pattern.replace(r"\+", "\0")
    return kept.replace("+", "{1,250}").replace("*", "{0,250}").replace("\0", r"\+")


def html(page: Observation) -> str:
    """The page as a browser writes it out again (quotes, case), in rows, without its middle."""
    return in_rows(written_again(page))


def written_again(page: Observation) -> str:
    tree = lxml_tree(page.body, set())
    if tree is None:
        return ""
    # Browsers leave the angle brackets of attributes as they are.
    written = etree.tostring(tree.root, encoding="unicode", method="html")
    return written.replace("&lt;", "<").replace("&gt;", ">")


def is_near_row_end(pattern: str, page: Observation) -> bool:
    """Whether every match stands where another way of writing the page may put the end of a row.

    A browser's page and ours differ by some characters for each element before a place.
    """
    texts = page.body.decode("utf-8", "replace"), written_again(page)
    spans = [[match.span() for match in as_read(pattern).finditer(text)] for text in texts]
    if len(spans[0]) != len(spans[1]):
        return False
    return all(
        (min(a[0], b[0]) - _SHIFT) // ROW_CHARS != (max(a[1], b[1]) + _SHIFT) // ROW_CHARS
        for a, b in zip(*spans, strict=True)
    )


_SHIFT = 250


def in_rows(text: str) -> str:
    rows = [text[start : start + ROW_CHARS] for start in range(0, len(text), ROW_CHARS)]
    half = ROWS // 2
    return "\n".join(rows if len(rows) <= ROWS else rows[:half] + rows[-half:])


def all_text(page: Observation) -> str:
    """All text of the body, that of scripts included, white space collapsed and cut."""
    tree = lxml_tree(page.body, set())
    body = tree.root.find("body") if tree is not None else None
    return "" if body is None else " ".join("".join(body.itertext()).split())[:TEXT_CHARS]


def scripts(page: Observation) -> str:
    """Every inline script, also those that are data."""
    if page.tree is None:
        return ""
    return ",".join(script.text for script in page.tree.elements("script") if script.text)


TEXTS = {"html": html, "text": all_text, "script": scripts}
"""What it searches where ours differs, by channel."""
