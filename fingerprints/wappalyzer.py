"""Rule sets in the Wappalyzer JSON format, the field's common one, as rules of ours.

Tolerant where the format's files differ (scalar or list, both public dialects), exact in meaning; where the
reference implementation is broken (`\\/` never matches, `\\1?:b` prints itself, only the first node of a
selector is tested) the documented meaning is taken. What cannot be used is skipped and listed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fingerprints.backtracking import explodes
from fingerprints.datafiles import data_file
from fingerprints.model import ResourceKind, Technology
from fingerprints.regexes import BACKTRACK_BYTES, uses_backtracking
from fingerprints.rules import Channel, Combine, Implied, Rule, Signal
from fingerprints.selectors import check_selector
from fingerprints.sources import technology_files
from fingerprints.strict import RuleError
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
_PASSIVE = frozenset(
    {"cats", "website", "description", "icon", "cpe", "pricing", "saas", "oss", "implies", "excludes"}
    | {"requires", "requiresCategory", "dom", "probe", "groups", "slug", "name"}
)


@dataclass(slots=True)
class Imported:
    """A rule set that was read: its rules, and what of it cannot be used here."""

    rules: list[Rule] = field(default_factory=list)
    patterns: Counter[str] = field(default_factory=Counter)
    """Patterns read, by field of the format."""
    skipped: list[str] = field(default_factory=list)
    """One line per pattern that was left out: technology, field, reason."""
    not_evaluable: Counter[str] = field(default_factory=Counter)
    """Patterns that a static scan can never evaluate, by field."""
    blind: Counter[str] = field(default_factory=Counter)
    """Technologies that only such patterns could show, by category."""

    def coverage(self) -> str:
        """One line on what of the rule set works here."""
        return (
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

    With `merge_names`, technologies that we know under another slug get ours. Raises RuleError for a file
    that is not JSON; everything smaller is skipped and listed.
    """
    imported = Imported()
    reader = _SetReader(imported, _our_slugs() if merge_names else {})
    entries: dict[str, Any] = {}
    for path in technology_files(source):
        entries.update(_read(path))
    reader.read(entries, str(source))
    return imported


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except OSError as exc:
        raise RuleError(f"{path}: cannot read: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise RuleError(f"{path}: not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise RuleError(f"{path}: holds a {type(data).__name__}, expected an object of technologies")
    technologies = _mapping(data.get("technologies") or data.get("apps") or data)
    return {str(k): v for k, v in technologies.items() if isinstance(v, dict)}


def _our_slugs() -> dict[str, str]:
    """Their technology names to our slugs, from data/reference/wappalyzer-names.toml."""
    try:
        table = tomllib.loads(data_file("reference/wappalyzer-names.toml").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return {name: slug for slug, names in table.get("names", {}).items() for name in names}


def slug_of(name: str) -> str:
    """The slug the format itself gives a technology name.

    >>> slug_of("Vue.js"), slug_of("Google Analytics 4")
    ('vue-js', 'google-analytics-4')
    """
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", name.lower())).strip("-")


class _SetReader:
    def __init__(self, imported: Imported, our_slugs: Mapping[str, str]) -> None:
        self.imported = imported
        self.our_slugs = our_slugs
        self.slugs: dict[str, str] = {}
        self.categories = dict(_CATEGORY_OF)
        for category in load_categories().values():
            for number in category.wappalyzer:
                self.categories.setdefault(number, category.slug)

    def read(self, entries: Mapping[str, Any], path: str) -> None:
        taken: set[str] = set()
        for name in entries:
            slug = self.our_slugs.get(name) or slug_of(name) or "technology"
            while slug in taken and name not in self.our_slugs:
                slug += "-2"  # C and C++ differ only in what a slug leaves out
            taken.add(slug)
            self.slugs[name] = slug
        for name, data in entries.items():
            self.imported.rules.append(self._rule(name, data, path))

    def _rule(self, name: str, data: Mapping[str, Any], path: str) -> Rule:
        slug = self.slugs[name]
        near = dict.fromkeys(self._category(number) for number in _listed(data.get("cats")))
        categories = tuple(category for category in near if category != OTHER) or (OTHER,)
        before = sum(self.imported.not_evaluable.values())
        signals = tuple(self._signals(name, slug, data))
        has_blind_patterns = sum(self.imported.not_evaluable.values()) > before
        if has_blind_patterns and all(signal.live_only for signal in signals):
            self.imported.blind[categories[0]] += 1
        for key in data:
            if key not in _PASSIVE and key not in _KEYED and key not in _PLAIN:
                self.imported.skipped.append(f"{name}: {key}: unknown field")
        return Rule(
            technology=Technology(
                slug, name, categories[0], categories, website=str(data.get("website", ""))
            ),
            signals=signals,
            implies=tuple(self._implied(item) for item in _listed(data.get("implies"))),
            requires=tuple(self._slug(item) for item in _listed(data.get("requires"))),
            requires_category=tuple(self._category(item) for item in _listed(data.get("requiresCategory"))),
            excludes=tuple(self._slug(item) for item in _listed(data.get("excludes"))),
            combine=Combine.SUM,
            path=path,
        )

    def _category(self, number: object) -> str:
        return self.categories.get(number, OTHER) if isinstance(number, int) else OTHER

    def _slug(self, text: object) -> str:
        name = str(text).split("\\;")[0]
        return self.slugs.get(name) or slug_of(name)

    def _implied(self, text: object) -> Implied:
        _, confidence, version = _tags(str(text))
        return Implied(self._slug(text), max(confidence, 0.01), version)

    # --- signals ---

    def _signals(self, name: str, slug: str, data: Mapping[str, Any]) -> Iterator[Signal]:
        for number, found in enumerate(self._found(name, data), start=1):
            yield Signal(id=f"{slug}#{number}", **found)

    def _found(self, name: str, data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for key, channel in _KEYED.items():
            for inner, patterns in _mapping(data.get(key)).items():
                for text in _listed(patterns):
                    yield from self._one(name, key, channel, text, name_=_name(key, inner))
        for key, channel in _PLAIN.items():
            for text in _listed(data.get(key)):
                yield from self._one(name, key, channel, text)
        yield from self._dom(name, data.get("dom"))
        for key in NEEDS_REQUESTS:
            self.imported.not_evaluable[key] += len(_mapping(data.get(key)))

    def _one(
        self, technology: str, key: str, channel: Channel, source: object, *, name_: str = "", **more: Any
    ) -> Iterator[dict[str, Any]]:
        self.imported.patterns[key] += 1
        pattern = self._pattern(technology, key, source)
        if pattern is None:
            return
        if key in NEEDS_BROWSER:
            self.imported.not_evaluable[key] += 1
        if channel is Channel.DNS and name_ not in _DNS_TYPES:
            self.imported.skipped.append(f"{technology}: dns: record type {name_!r} is not looked up")
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
        if not isinstance(dom, dict):
            for selector in _listed(dom):
                yield from self._selector(technology, str(selector), "", {})
            return
        for selector, specs in dom.items():
            for spec in _listed(specs):
                for clause, patterns in _mapping(spec).items():
                    yield from self._clause(technology, selector, clause, patterns)

    def _clause(
        self, technology: str, selector: str, clause: str, patterns: object
    ) -> Iterator[dict[str, Any]]:
        if clause == "exists":
            for text in _listed(patterns):
                if str(text).split("\\;")[0]:
                    self.imported.skipped.append(f"{technology}: dom: exists takes no pattern")
                else:
                    yield from self._selector(technology, selector, text, {})
        elif clause == "text":
            for text in _listed(patterns):
                yield from self._selector(technology, selector, text, {"text": True})
        elif clause == "attributes":
            for attribute, texts in _mapping(patterns).items():
                for text in _listed(texts):
                    yield from self._selector(technology, selector, text, {"attribute": attribute.lower()})
        elif clause == "properties":
            self.imported.patterns["dom"] += 1
            self.imported.not_evaluable["dom.properties"] += 1
        else:
            self.imported.skipped.append(f"{technology}: dom: unknown clause {clause!r}")

    def _selector(
        self, technology: str, selector: str, text: object, more: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        try:
            check_selector(selector)
        except Exception as exc:  # noqa: BLE001 - any trouble of the selector library means: not usable
            self.imported.skipped.append(f"{technology}: dom: {exc}")
            return
        yield from self._one(technology, "dom", Channel.SELECTOR, text, name_=selector, **more)

    def _pattern(self, technology: str, key: str, text: object) -> _Pattern | None:
        regex, confidence, version = _tags(str(text))
        translated = translate(regex)
        try:
            backtracks = uses_backtracking(translated)
            if backtracks:
                translated = for_python(translated)
                _check_backtracking(translated)
        except (re.error, OverflowError, RecursionError, UnicodeEncodeError) as exc:
            self.imported.skipped.append(f"{technology}: {key}: {regex!r}: {exc}")
            return None
        return _Pattern(translated, confidence, version, backtracks)


def _check_backtracking(pattern: str) -> None:
    """Raise re.error for a pattern that `re` cannot compile, or that a page could keep it busy with."""
    if explodes(pattern, BACKTRACK_BYTES):
        raise re.error("takes too long on text made for it")


def _tags(text: str) -> tuple[str, float, str]:
    """Regex, confidence 0..1 and version template of a pattern string with its `\\;key:value` tags."""
    regex, *tags = text.split("\\;")
    values = {key: value for key, _, value in (tag.partition(":") for tag in tags) if _}
    digits = re.match(r"\s*(-?\d{1,9})", values.get("confidence") or "100")
    confidence = min(100, max(0, int(digits[1]))) / 100 if digits else 1.0
    return regex, confidence, values.get("version", "")


def translate(pattern: str) -> str:
    """A JavaScript regular expression in RE2's syntax, with the meaning its author documented.

    `\\/` is a slash, other escaped letters JavaScript takes literally are those letters, `[^]` is any
    character, `{,n}` is literal, `\\uXXXX` is that character.
    """
    out: list[str] = []
    index = 0
    in_class = False
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            piece, index = _escape(pattern, index)
            out.append(piece)
            continue
        if not in_class and pattern.startswith("[^]", index):
            out.append(r"[\s\S]")
            index += 3
            continue
        if not in_class and pattern.startswith("[]", index):
            out.append(r"[^\s\S]")
            index += 2
            continue
        if char == "[":
            out.append("\\[" if in_class else char)
            in_class = True
        elif char == "]":
            in_class = False
            out.append(char)
        elif char == "{" and not in_class and not re.match(r"\{\d+(?:,\d*)?\}", pattern[index:]):
            out.append("\\{")
        else:
            out.append(char)
        index += 1
    return "".join(out)


_KEPT_LETTERS = frozenset("dDwWsSbBnrtfv0123456789")


def _escape(pattern: str, index: int) -> tuple[str, int]:
    following = pattern[index + 1]
    unicode = re.match(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})", pattern[index:])
    if unicode:
        return re.escape(chr(int(unicode[1] or unicode[2], 16))), index + unicode.end()
    if following.isalnum() and following not in _KEPT_LETTERS:
        return following, index + 2
    if following in "/\"'`<>=!:;,#%&@~ _-" and following != "-":
        return following, index + 2
    return "\\" + following, index + 2


def for_python(pattern: str) -> str:
    """The pattern for `re` on bytes, where `$` must not match before a final newline."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\$(?=\)|\||\Z)", r"\1\\Z", pattern)


def _name(key: str, name: str) -> str:
    if key == "js":
        return re.sub(r"\[(\w+)\]", r".\1", name)
    return name.upper() if key == "dns" else name.lower()


def _listed(value: object) -> list[Any]:
    """A scalar, a list or nothing, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
