"""Rule sets in the Wappalyzer JSON format, the field's common one, as rules of ours.

Tolerant where the format's files differ (scalar or list, both public dialects), exact in meaning; where the
reference implementation is broken (`\\/` never matches, `\\1?:b` prints itself, only the first node of a
selector is tested) the documented meaning is taken. What cannot be used is skipped and listed.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fingerprints.backtracking import explodes
from fingerprints.datafiles import data_file
from fingerprints.javascript import for_python, translate
from fingerprints.json_rules import is_number, kind_of, one_line, read_entries
from fingerprints.model import ResourceKind, Technology
from fingerprints.regexes import BACKTRACK_BYTES, uses_backtracking
from fingerprints.rules import Channel, Combine, Implied, Rule, Signal
from fingerprints.selectors import check_selector
from fingerprints.toml_rules import load_categories

OTHER = "other"
"""Category of technologies whose categories have no counterpart here; never assessed."""

_CATEGORY_OF = {
    5: OTHER,  # widgets
    16: OTHER,  # security
    32: "marketing_automation",
    41: "payments",
    52: "live_chat",
    54: "seo_wp_plugins",
    100: "merchandising_apps",
}
"""Numbers that several of our categories come near: the one that all technologies there fit, if any does.

The others go to the first category that names them; a wrong one would make a category present that is not.
"""

MERGED_STRENGTH = 0.8
"""What a certain pattern of another rule set is worth as evidence for a technology of ours."""

_KEYED = {
    "headers": Channel.HEADER,
    "cookies": Channel.COOKIE,
    "meta": Channel.META,
    "js": Channel.GLOBAL,
    "dns": Channel.DNS,
}
_PLAIN = {
    "scriptSrc": Channel.URL,
    "scripts": Channel.SCRIPT,
    "html": Channel.HTML,
    "text": Channel.TEXT,
    "css": Channel.CSS,
    "url": Channel.PATH,
    "robots": Channel.ROBOTS,
    "certIssuer": Channel.TLS_ISSUER,
    "xhr": Channel.URL,
}
NEEDS_BROWSER = ("js", "xhr", "dom.properties")
NEEDS_REQUESTS = ("probe",)
_DNS_TYPES = ("MX", "TXT", "NS", "SOA", "CNAME")
MAX_PATTERN_CHARS = 5_000
"""The longest pattern of the public sets has 1,115."""
_SHOWN_CHARS = 120
_PASSIVE = frozenset(
    {
        "$schema",
        "cats",
        "website",
        "description",
        "icon",
        "cpe",
        "pricing",
        "saas",
        "oss",
        "implies",
        "excludes",
    }
    | {"requires", "requiresCategory", "dom", "probe", "groups", "slug", "name"}
)


@dataclass(slots=True)
class Imported:
    """A rule set that was read: its rules, and what of it cannot be used here."""

    rules: list[Rule] = field(default_factory=list)
    patterns: Counter[str] = field(default_factory=Counter)
    """Patterns read, by field of the format."""
    skipped: list[str] = field(default_factory=list)
    """One line for each file, pattern, name or tag that was left out: technology, field, reason."""
    not_evaluable: Counter[str] = field(default_factory=Counter)
    """Patterns that a static scan can never evaluate, by field."""
    blind: Counter[str] = field(default_factory=Counter)
    """Technologies that only such patterns could show, by category."""

    def coverage(self) -> str:
        """One line on what of the rule set works here."""
        return (  # short, since it is said at every start; `rules import` says more
            f"{len(self.rules)} technologies, {sum(self.patterns.values())} patterns, "
            f"{len(self.skipped)} left out; need a browser or further requests: "
            f"{_counts(self.not_evaluable)}; technologies that only these show: {_counts(self.blind)}"
        )


def _counts(counter: Counter[str], shown: int = 12) -> str:
    listed = [f"{name} {count}" for name, count in counter.most_common(shown)]
    more = len(counter) - shown
    return ", ".join([*listed, f"{more} more"] if more > 0 else listed) or "none"


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: str
    confidence: float
    version: str
    backtracks: bool


def load_wappalyzer(source: Path, *, merge_names: bool) -> Imported:
    """The rule set in a `technologies/*.json` layout, a folder of JSON files, or one file.

    With `merge_names`, technologies that we know under another slug get ours. Raises RuleError when no file
    can be read; everything smaller is skipped and listed.
    """
    entries = read_entries(source)
    imported = Imported(skipped=entries.problems)
    reader = _SetReader(imported, _our_slugs() if merge_names else {}, entries.category_numbers)
    reader.read(entries.technologies, entries.paths)
    return imported


def _our_slugs() -> dict[str, str]:
    """Their technology names to our slugs, from data/reference/wappalyzer-names.toml; its first for a name counts."""
    try:
        table = tomllib.loads(data_file("reference/wappalyzer-names.toml").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    slugs: dict[str, str] = {}
    for slug, names in table.get("names", {}).items():
        for name in names:
            slugs.setdefault(name, slug)
    return slugs


def slug_of(name: str) -> str:
    """The slug the format itself gives a technology name.

    >>> slug_of("Vue.js"), slug_of("Google Analytics 4")
    ('vue-js', 'google-analytics-4')
    """
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", name.lower())).strip("-")


class _SetReader:
    def __init__(
        self, imported: Imported, our_slugs: Mapping[str, str], category_numbers: Mapping[str, int]
    ) -> None:
        self.imported = imported
        self.our_slugs = our_slugs
        self.category_numbers = category_numbers
        self.slugs: dict[str, str] = {}
        self.categories = dict(_CATEGORY_OF)
        self.near: dict[int, list[str]] = {}
        """Our categories that mean a number before all others."""
        for category in load_categories().values():
            for number in category.wappalyzer:
                self.categories.setdefault(number, category.slug)
            for number in category.wappalyzer[:1]:
                self.near.setdefault(number, []).append(category.slug)

    def read(self, technologies: Mapping[str, Mapping[str, Any]], paths: Mapping[str, Path]) -> None:
        taken: set[str] = set()
        for name in technologies:
            slug = self.our_slugs.get(name) or _free(slug_of(name) or "technology", taken)
            taken.add(slug)
            self.slugs[name] = slug
        for name, data in technologies.items():
            self.imported.rules.append(self._rule(name, data, str(paths[name])))

    def _rule(self, name: str, data: Mapping[str, Any], path: str) -> Rule:
        slug = self.slugs[name]
        numbers = tuple(self._numbers(name, "cats", data))
        near = dict.fromkeys(self.categories.get(number, OTHER) for number in numbers)
        categories = tuple(category for category in near if category != OTHER) or (OTHER,)
        before = sum(self.imported.not_evaluable.values())
        signals = tuple(self._signals(name, slug, data))
        has_blind_patterns = sum(self.imported.not_evaluable.values()) > before
        if has_blind_patterns and all(signal.live_only for signal in signals):
            self.imported.blind[categories[0]] += 1
        for key in data:
            if key not in _PASSIVE and key not in _KEYED and key not in _PLAIN:
                self._skip(name, key, "unknown field")
        website = data.get("website")
        required = tuple(self._numbers(name, "requiresCategory", data))
        return Rule(
            technology=Technology(
                slug, name, categories[0], categories, website=website if isinstance(website, str) else ""
            ),
            signals=signals,
            implies=tuple(self._implied(name, text) for text in self._names(name, "implies", data)),
            requires=tuple(map(self._slug, self._names(name, "requires", data))),
            requires_category=self._ours_near(required),
            excludes=tuple(map(self._slug, self._names(name, "excludes", data))),
            category_numbers=numbers,
            requires_numbers=required,
            combine=Combine.SUM,
            path=path,
        )

    def _skip(self, technology: str, key: str, reason: str) -> None:
        self.imported.skipped.append(f"{technology}: {_cut(one_line(key))}: {reason}")

    # --- other technologies and categories ---

    def _numbers(self, technology: str, key: str, data: Mapping[str, Any]) -> Iterator[int]:
        """Category numbers, which some sets write as text or by name."""
        for item in _listed(data.get(key)):
            if isinstance(item, int) and not isinstance(item, bool):
                yield item
            elif isinstance(item, str) and is_number(item.strip()):
                yield int(item)
            elif isinstance(item, str) and item.lower() in self.category_numbers:
                yield self.category_numbers[item.lower()]
            else:
                what = repr(_cut(item)) if isinstance(item, str) else kind_of(item)
                self._skip(technology, key, f"{what} is no number or name of a category of this set")

    def _ours_near(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Beside our rules, a technology of ours opens a gate as well: our categories for these numbers."""
        if not self.our_slugs:
            return ()
        return tuple(dict.fromkeys(slug for number in numbers for slug in self.near.get(number, ())))

    def _names(self, technology: str, key: str, data: Mapping[str, Any]) -> Iterator[str]:
        """Names of other technologies, with their tags."""
        for item in _listed(data.get(key)):
            if isinstance(item, str) and item:
                yield item
            else:
                self._skip(technology, key, f"{_shown(item)}, expected the name of a technology")

    def _slug(self, text: str) -> str:
        name = one_line(text.split("\\;")[0])
        return self.slugs.get(name) or self.our_slugs.get(name) or slug_of(name)

    def _implied(self, technology: str, text: str) -> Implied:
        name, tags = self._tags(technology, "implies", text)
        return Implied(self._slug(name), max(_confidence(tags), 0.01), tags.get("version", ""))

    # --- signals ---

    def _signals(self, name: str, slug: str, data: Mapping[str, Any]) -> Iterator[Signal]:
        seen: set[tuple[object, ...]] = set()
        for found in self._found(name, data):
            signal = Signal(id=f"{slug}#{len(seen) + 1}", **found)
            what = (signal.looks_for, signal.version)
            if what in seen:
                shown = _cut(signal.pattern or signal.name)
                self._skip(name, signal.on.value, f"{shown!r} is there twice; it counts once")
                continue
            seen.add(what)
            yield signal

    def _found(self, name: str, data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for key, channel in _KEYED.items():
            for inner, patterns in self._keys(name, key, data.get(key)):
                for text in self._texts(name, key, patterns):
                    yield from self._one(name, key, channel, text, name_=_name(key, inner))
        for key, channel in _PLAIN.items():
            for text in self._texts(name, key, data.get(key)):
                yield from self._one(name, key, channel, text)
        yield from self._dom(name, data.get("dom"))
        for key in NEEDS_REQUESTS:
            paths = len(list(self._keys(name, key, data.get(key))))
            if paths:
                self.imported.not_evaluable[key] += paths

    def _keys(self, technology: str, key: str, value: object) -> Iterable[tuple[str, Any]]:
        """Names and what belongs to them, of a field that is an object."""
        if isinstance(value, dict):
            return value.items()
        if value is not None:
            self._skip(technology, key, f"{_shown(value)}, expected an object of names and patterns")
        return ()

    def _texts(self, technology: str, key: str, value: object) -> Iterator[str]:
        """Patterns of a field that holds one or a list; numbers are what they look like."""
        for item in _listed(value):
            if isinstance(item, str):
                yield item
            elif isinstance(item, int | float) and not isinstance(item, bool):
                yield str(item)
            else:
                self._skip(technology, key, f"{kind_of(item)}, expected a pattern")

    def _one(
        self, technology: str, key: str, channel: Channel, source: str, *, name_: str = "", **more: Any
    ) -> Iterator[dict[str, Any]]:
        self.imported.patterns[key] += 1
        pattern = self._pattern(technology, key, source)
        if pattern is None:
            return
        if key in NEEDS_BROWSER:
            self.imported.not_evaluable[key] += 1
        if channel is Channel.DNS and name_ not in _DNS_TYPES:
            self._skip(technology, key, f"record type {name_!r} is not looked up")
            return
        if key == "scriptSrc":
            more["kinds"] = frozenset({ResourceKind.SCRIPT})
        elif key == "xhr":
            more["kinds"] = frozenset({ResourceKind.REQUEST})
            name_ = "host"
        yield {
            "on": channel,
            "strength": pattern.confidence,
            "pattern": pattern.regex or None
            if channel in (Channel.HEADER, Channel.COOKIE, Channel.META)
            else pattern.regex,
            "name": name_,
            "version": pattern.version,
            "live_only": channel is Channel.GLOBAL,
            "backtracks": pattern.backtracks,
            **more,
        }

    def _dom(self, technology: str, dom: object) -> Iterator[dict[str, Any]]:
        for item in _listed(dom):
            if isinstance(item, dict):
                for selector, specs in item.items():
                    yield from self._clauses(technology, selector, specs)
            elif isinstance(item, str):
                yield from self._selector(technology, item, "", {})
            else:
                self._skip(technology, "dom", f"{kind_of(item)}, expected a selector")

    def _clauses(self, technology: str, selector: str, specs: object) -> Iterator[dict[str, Any]]:
        for spec in _listed(specs):
            if not isinstance(spec, dict):
                self._skip(technology, "dom", f"{selector!r}: {_shown(spec)}, expected an object of clauses")
                continue
            for clause, patterns in spec.items():
                yield from self._clause(technology, selector, clause, patterns)

    def _clause(
        self, technology: str, selector: str, clause: str, patterns: object
    ) -> Iterator[dict[str, Any]]:
        if clause == "exists":
            for text in self._texts(technology, "dom", patterns):
                if text.split("\\;")[0]:
                    self._skip(technology, "dom", "exists takes no pattern")
                else:
                    yield from self._selector(technology, selector, text, {})
        elif clause == "text":
            for text in self._texts(technology, "dom", patterns):
                yield from self._selector(technology, selector, text, {"text": True})
        elif clause == "attributes":
            for attribute, texts in self._keys(technology, "dom", patterns):
                for text in self._texts(technology, "dom", texts):
                    yield from self._selector(technology, selector, text, {"attribute": attribute.lower()})
        elif clause == "properties":
            self.imported.patterns["dom"] += 1
            self.imported.not_evaluable["dom.properties"] += 1
        else:
            self._skip(technology, "dom", f"unknown clause {clause!r}")

    def _selector(
        self, technology: str, selector: str, text: str, more: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        try:
            check_selector(selector)
        except Exception as exc:  # noqa: BLE001 - any trouble of the selector library means: not usable
            self._skip(technology, "dom", str(exc))
            return
        yield from self._one(technology, "dom", Channel.SELECTOR, text, name_=selector, **more)

    # --- patterns ---

    def _pattern(self, technology: str, key: str, text: str) -> _Pattern | None:
        regex, tags = self._tags(technology, key, text)
        try:
            if len(regex) > MAX_PATTERN_CHARS:
                raise re.error(f"longer than {MAX_PATTERN_CHARS} characters")
            translated = translate(regex)
            backtracks = uses_backtracking(translated)
            if backtracks:
                translated = for_python(translated)
                _check_backtracking(translated)
        except (re.error, OverflowError, RecursionError, UnicodeEncodeError) as exc:
            self._skip(technology, key, f"{_cut(regex)!r}: {exc}")
            return None
        return _Pattern(translated, _confidence(tags), tags.get("version", ""), backtracks)

    def _tags(self, technology: str, key: str, text: str) -> tuple[str, dict[str, str]]:
        """What stands before the first `\\;`, and the tags after it; those that say nothing are listed."""
        regex, *pieces = text.split("\\;")
        tags = {tag: value for tag, colon, value in (piece.partition(":") for piece in pieces) if colon}
        for tag in sorted(tags.keys() - _TAGS):
            self._skip(technology, key, f"unknown tag {_cut(tag)!r}")
        if not re.match(_NUMBER, tags.get("confidence") or "100"):
            self._skip(technology, key, f"confidence {_cut(tags['confidence'])!r} is no number; 100 is taken")
        if _TAG_AS_PATTERN.search(regex):
            self._skip(
                technology, key, f"{_cut(regex)!r}: a tag begins with `\\;`; this one is part of the pattern"
            )
        return regex, tags


_TAGS = frozenset({"confidence", "version"})
_NUMBER = r"\s*(-?\d{1,9})"
_TAG_AS_PATTERN = re.compile(r";(?:confidence|version):")


def _confidence(tags: Mapping[str, str]) -> float:
    """0..1; 1 without the tag, or when it is no number."""
    number = re.match(_NUMBER, tags.get("confidence") or "100")
    return min(100, max(0, int(number[1]))) / 100 if number else 1.0


def _check_backtracking(pattern: str) -> None:
    """Raise re.error for a pattern that `re` cannot compile, or that a page could keep it busy with."""
    if explodes(pattern, BACKTRACK_BYTES):
        raise re.error("takes too long on text made for it")


def _free(slug: str, taken: Iterable[str]) -> str:
    """The slug, numbered when it is taken: C and C++ differ only in what a slug leaves out."""
    numbered = (f"{slug}-{number}" for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([slug], numbered) if candidate not in taken)


def _name(key: str, name: str) -> str:
    if key == "js":
        return re.sub(r"\[(\w+)\]", r".\1", name)
    return name.upper() if key == "dns" else name.lower()


def _listed(value: object) -> list[Any]:
    """A scalar, a list or nothing, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "..."


def _shown(value: object) -> str:
    """A value that is of the wrong kind, for messages."""
    return f"{kind_of(value)} {_cut(value)!r}" if isinstance(value, str) else kind_of(value)
