"""Pages on which a site says, with status 200, that it will not show itself: errors, refusals, gates.

The words are in lists/notices.toml. They decide only where there is little beside them: on a page as bare
as a wall, or as a whole part of the title.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.glance import BARE_TEXT_CHARS, Glance
from fingerprints.model import Outcome

CHOICE_WITHIN_CHARS = 200
"""A choice of countries begins after a name and a welcome; a shop's footer offers one, too, but after its goods."""

_JOINT = re.compile(r"\s+[|·•»\N{EN DASH}\N{EM DASH}-]+\s+|\s*\|\s*")
"""Where a title is put together from a page's name and the site's."""
_APOSTROPHES = str.maketrans(dict.fromkeys("\N{RIGHT SINGLE QUOTATION MARK}\N{ACUTE ACCENT}`", "'"))


@dataclass(frozen=True, slots=True)
class Notice:
    """One kind of page and the words it is known by."""

    outcome: Outcome
    detail: str
    words: re.Pattern[str]
    scriptless: bool = False
    """Only on pages without scripts."""


def notice_on(glance: Glance) -> tuple[Outcome, str] | None:
    """What the page says in the site's place, as outcome and detail; None for a page that shows the site."""
    if any(words("not_found").fullmatch(part) for part in title_parts(glance)):
        return Outcome.HTTP_ERROR, "not found, with status 200"
    if not glance.is_bare:
        return None
    said = (*title_parts(glance), text_of(glance))
    has_scripts = glance.has(b"<script")
    for notice in _notices():
        if not (notice.scriptless and has_scripts) and any(notice.words.search(text) for text in said):
            return notice.outcome, notice.detail
    return None


def asks_for_scripts(glance: Glance) -> bool:
    """Whether a visitor without scripts, or with an old browser, is told to come back with better ones."""
    said = (*title_parts(glance), text_of(glance))
    return any(notice.words.search(text) for notice in _notices() if notice.scriptless for text in said)


def is_gate(glance: Glance) -> bool:
    """Whether the page only asks something before the site: an age, a country, a language."""
    if len(glance.text) > BARE_TEXT_CHARS:
        return False
    said = (*title_parts(glance), text_of(glance))
    if any(words("choice").search(text[:CHOICE_WITHIN_CHARS]) for text in said):
        return True
    return glance.is_bare and any(words("age").search(text) for text in said)


def title_parts(glance: Glance) -> tuple[str, ...]:
    """The title where it was joined, as `page not found` and `acme`."""
    title = glance.title.translate(_APOSTROPHES)
    return tuple(part.strip() for part in _JOINT.split(title) if part.strip())


def text_of(glance: Glance) -> str:
    """The page's text with one kind of apostrophe."""
    return glance.text.translate(_APOSTROPHES)


def words(name: str) -> re.Pattern[str]:
    """The expressions of one table of lists/notices.toml."""
    return _tables()[name]


@functools.cache
def _tables() -> dict[str, re.Pattern[str]]:
    return {name: _any(table["words"]) for name, table in _read().items() if name != "notice"}


@functools.cache
def _notices() -> tuple[Notice, ...]:
    return tuple(
        Notice(
            Outcome(stated["outcome"]),
            stated["detail"],
            _any(stated["words"]),
            stated.get("scriptless", False),
        )
        for stated in _read()["notice"]
    )


def _any(expressions: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{expression})" for expression in expressions))


def _read() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "lists" / "notices.toml").read_text(encoding="utf-8"))
