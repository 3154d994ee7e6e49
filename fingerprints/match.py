"""One observation against the compiled rules: evidence, with what a person needs to check it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from fingerprints.compiled import find, holds_each, lower
from fingerprints.containers import PAUSED
from fingerprints.markup import visible_text
from fingerprints.model import EMBED_KINDS, EXCERPT_CHARS, Evidence, Observation, Resource, ResourceKind
from fingerprints.pattern_set import PatternSet
from fingerprints.plan import (
    LONGEST_START,
    Plan,
    assignment_pattern,
    kind_allows,
    search_of,
    separator,
    value_literals,
)
from fingerprints.regexes import Match, Search, compile_search, expand, plausible_version
from fingerprints.resources import is_script_url
from fingerprints.rules import STRENGTH, Channel, Signal
from fingerprints.selectors import MAX_NODES
from fingerprints.tree import Element

SEARCH_BYTES = 48_000_000
"""Bytes searched for one page before matching stops with the flag `budget_spent`. An ordinary page needs
under 3 million; RE2 searches at least 500 MB a second, and where literals stand is found faster than that, so
the worst page takes less than half a second."""

SHORT = 500
"""Bytes of a text that is searched as a whole: looking for places in it costs as much."""
MAX_PLACES = 64
"""Where literals stand in more pieces of a text than that, the rest is searched as a whole."""

MAX_ACCOUNT_CHARS = 80
COOKIE_CHARS = 16
"""Of a cookie's value in an excerpt."""

_KIND_CAP = {
    ResourceKind.CSP: STRENGTH["weak"],
    ResourceKind.CONNECT: STRENGTH["weak"],
    ResourceKind.PRELOAD: STRENGTH["medium"],
}
_INLINE_DATA_CAP = STRENGTH["medium"]
"""A URL in a script that is not itself code may be a link, a setting or an allow-list."""

_EMAIL = re.compile(r"[\w.+%-]{1,64}(?:@|%(?:25)*40)[\w-]{1,63}(?:\.[\w-]{1,63})+")
"""Also as it stands in the query of a URL."""
_CONTEXT = 24


def match(plan: Plan, observation: Observation) -> tuple[list[Evidence], frozenset[str]]:
    """Evidence for one page, one piece a signal (its strongest match), and flags.

    `budget_spent` when cut short, `tree_cut` when a selector met a part of the page that could not be read,
    or more elements than it looks at.
    """
    return _matched(_Matcher(plan, observation), _Matcher.run)


def match_markup(plan: Plan, observation: Observation) -> tuple[list[Evidence], frozenset[str]]:
    """The part of `match` that looks at body, styles and tree."""
    return _matched(_Matcher(plan, observation), _Matcher.search_markup)


def _matched(matcher: _Matcher, search: Callable[[_Matcher], None]) -> tuple[list[Evidence], frozenset[str]]:
    flags: set[str] = set()
    try:
        search(matcher)
    except _BudgetSpentError:
        flags.add("budget_spent")
    if matcher.page.tree is not None:
        flags |= matcher.page.tree.flags
    if matcher.cut - matcher.found.keys():  # one element beyond might have matched
        flags.add("tree_cut")
    return list(matcher.found.values()), frozenset(flags)


class _BudgetSpentError(Exception):
    pass


class _Matcher:
    """The state of one page's matching."""

    def __init__(self, plan: Plan, observation: Observation) -> None:
        self.plan = plan
        self.page = observation
        self.found: dict[str, Evidence] = {piece.signal: piece for piece in observation.evidence}
        self.worth: dict[str, tuple[float, bool, bool, bool]] = {}
        """How good the evidence kept for each signal is; a better match replaces it."""
        self.cut: set[str] = set()
        """Signals whose selector met more elements than it looks at."""
        self.budget = SEARCH_BYTES
        self.texts: dict[Element, tuple[bytes, bytes]] = {}
        """All text inside an element, for those that were asked: several rules ask every script."""

    def run(self) -> None:
        self._hosts()
        self._urls()
        self._scripts()
        self._keyed("header", self.plan.headers, self.page.headers)
        self._keyed("meta", self.plan.meta, self.page.meta)
        self._cookies()
        self._small()
        self._live_globals()
        self.search_markup()

    # --- resources ---

    def _hosts(self) -> None:
        signals_of = self.plan.hosts.signals_of
        for resource in self.page.resources:
            if signals := signals_of(resource.host):
                self._host(resource, signals)
        for template in self.page.container_tags:
            name = template.removeprefix(PAUSED)
            cap = STRENGTH["weak"] if name != template else 1.0
            for signal in self.plan.containers.get(name, ()):
                self._add(signal, min(signal.strength, cap), template, f"container:{template}")

    def _host(self, resource: Resource, signals: Iterable[Signal]) -> None:
        cap = kind_cap(resource)
        for signal in signals:
            strength = min(signal.strength, cap)
            if not self._settled(signal, strength, resource.kind) and kind_allows(
                signal, resource.kind, resource.party
            ):
                self._add(signal, strength, resource.url, f"url:{resource.url}", kind=resource.kind)

    def _urls(self) -> None:
        urls = [
            (url, resource) for resource in self.page.resources for url in (resource.url, resource.raw) if url
        ]
        if urls:
            texts = [url for url, _ in urls]
            size = sum(map(len, texts))
            for signal, indexes in self.plan.urls.candidates_among(texts):
                self._spend(size // 8)  # for the search of the texts that hold its literals
                for index in indexes:
                    self._url(signal, *urls[index])
                    if self._settled(signal):
                        break

    def _url(self, signal: Signal, url: str, resource: Resource) -> None:
        if not kind_allows(signal, resource.kind, resource.party):
            return
        strength = min(signal.strength, kind_cap(resource))
        if self._settled(signal, strength, resource.kind):
            return
        text = (resource.host if signal.name == "host" else url).encode("utf-8", "replace")
        self._spend(len(text))
        matched = search_of(signal)(text)
        if matched:
            self._hit(signal, matched, text, f"url:{resource.url}", strength, kind=resource.kind)

    # --- scripts ---

    def _scripts(self) -> None:
        encoded: dict[int, bytes] = {}
        size = sum(map(len, self.page.scripts))
        for signal, indexes in self.plan.scripts.candidates_among(self.page.scripts):
            self._spend(size // 8)
            look = self._static_global if signal.on is Channel.GLOBAL else self._script
            for index in indexes:
                script = encoded.get(index)
                if script is None:
                    script = encoded[index] = self.page.scripts[index].encode("utf-8", "replace")
                self._spend(len(script))
                look(signal, script, f"script:{index + 1}")
                if self._settled(signal):
                    break

    def _script(self, signal: Signal, script: bytes, place: str) -> None:
        matched = search_of(signal)(script)
        if matched:
            self._hit(signal, matched, script, place)

    def _static_global(self, signal: Signal, script: bytes, place: str) -> None:
        matched = _assignment(signal.name)(script)
        if not matched:
            return
        if signal.pattern is None:
            self._hit(signal, matched, script, place)
            return
        value = script[matched.span()[1] : matched.span()[1] + 200].lstrip(b" \"'")
        inner = search_of(signal)(value)
        if inner:
            self._hit(signal, inner, value, place)

    def _live_globals(self) -> None:
        if not self.page.globals:
            return
        for signal in self.plan.live_globals:
            value = self.page.globals.get(signal.name)
            if value is None:
                continue
            text = value.encode("utf-8", "replace")
            matched = search_of(signal)(text)
            if matched:
                self._hit(
                    signal, matched, text, f"global:{signal.name}", shown=f"window.{signal.name} = {value}"
                )

    # --- named values ---

    def _keyed(
        self, what: str, sets: Mapping[str, PatternSet], values: Mapping[str, tuple[str, ...]]
    ) -> None:
        for name, texts in values.items():
            patterns = sets.get(name)
            if patterns is None:
                continue
            for text in texts:
                self._try(patterns, text, f"{what}:{name}", prefix=f"{name}: ")

    def _cookies(self) -> None:
        for name, value in self.page.cookies.items():
            lower, text = name.lower(), value.encode("utf-8", "replace")
            patterns = self.plan.cookies.get(lower)
            for signal in patterns.candidates(text) if patterns is not None else ():
                self._cookie(signal, name, text)
            for length in range(1, min(len(lower), LONGEST_START) + 1):
                for signal in self.plan.cookie_starts.get(lower[:length], ()):
                    self._cookie(signal, name, text)
            for pattern, signal in self.plan.cookie_patterns:
                if _whole(pattern)(lower.encode("utf-8", "replace")):
                    self._cookie(signal, name, text)

    def _cookie(self, signal: Signal, name: str, text: bytes) -> None:
        self._spend(len(text))
        matched = search_of(signal)(text)
        if matched:
            # Never more of the value than proves something: in a saved page it may be somebody's login.
            proof = matched.group(0)[:COOKIE_CHARS].decode("utf-8", "ignore")
            self._hit(signal, matched, text, f"cookie:{name.lower()}", shown=f"{name}={proof}")

    def _small(self) -> None:
        page, plan = self.page, self.plan
        for kind in page.json_ld_types:
            self._try(plan.json_ld, kind, "json_ld", prefix="@type ")
        if page.url:
            self._try(plan.path, page.url.partition("#")[0], "path")
        if page.robots:
            self._try(plan.robots, page.robots, "robots")
        if page.tls_issuer:
            self._try(plan.tls_issuer, page.tls_issuer, "tls_issuer")
        for record_type, values in (page.dns or {}).items():
            patterns = plan.dns.get(record_type)
            if patterns is not None:
                for value in values:
                    self._try(patterns, value, f"dns:{record_type}:{value}", prefix=f"{record_type} ")

    def _try(self, patterns: PatternSet, value: str, place: str, prefix: str = "") -> None:
        text = value.encode("utf-8", "replace")
        for signal in patterns.candidates(text):
            self._spend(len(text))
            matched = search_of(signal)(text)
            if matched:
                self._hit(signal, matched, text, place, prefix=prefix)

    # --- the body ---

    def search_markup(self) -> None:
        if not self.page.body:
            return
        for signal in self.plan.body.candidates(self.page.body):
            if signal.on is Channel.SELECTOR:
                if not self._settled(signal):
                    self._selector(signal)
                continue
            text, folded = self._text_for(signal.on)
            matched = self._search(signal, text, folded)
            if matched:
                self._hit(signal, matched, text, f"{signal.on}:{matched.span()[0] // 200}")

    def _search(self, signal: Signal, text: bytes, folded: bytes) -> Match:
        """The first match, looked for near what it requires where the pattern cannot leave a piece of the text."""
        search = search_of(signal)
        border = separator(signal) if len(text) > SHORT else b""
        self._spend(len(text) // 8)
        needs = value_literals(signal)
        near = _pieces(text, folded, needs, border) if border else [(0, len(text))]
        for start, end in near:
            self._spend(end - start)
            if matched := search(text, start, end):
                return matched
        return None

    def _text_for(self, channel: Channel) -> tuple[bytes, bytes]:
        """The text that the signals of a channel are searched in, and the same in lower case."""
        if channel is Channel.HTML:
            return self._body
        return self._styles if channel is Channel.CSS else self._text

    @functools.cached_property
    def _body(self) -> tuple[bytes, bytes]:
        return _with_lower(self.page.body)

    @functools.cached_property
    def _styles(self) -> tuple[bytes, bytes]:
        return _with_lower("\n".join(self.page.styles).encode("utf-8", "replace"))

    @functools.cached_property
    def _text(self) -> tuple[bytes, bytes]:
        return _with_lower(visible_text(self.page).encode("utf-8", "replace"))

    def _selector(self, signal: Signal) -> None:
        if self.page.tree is None:
            return
        needs = value_literals(signal)
        tried: set[bytes] = set()
        for number, element in enumerate(self.page.tree.select(signal.name, MAX_NODES + 1)):
            if number == MAX_NODES:
                self.cut.add(signal.id)
                return
            text, folded = self._element_text(signal, element)
            if text is None or text in tried:
                continue
            tried.add(text)
            self._spend(len(text))
            if not holds_each(folded, needs):
                continue
            matched = self._search(signal, text, folded)
            if matched:
                shown = _describe(element, signal.attribute)
                self._hit(signal, matched, text, f"element:{shown}", shown=shown)
                if self._settled(signal):
                    return

    def _element_text(self, signal: Signal, element: Element) -> tuple[bytes | None, bytes]:
        """What the signal's pattern is searched in: the attribute, the text, or nothing in particular.

        And the same in lower case.
        """
        if signal.attribute:
            value = element.get_bytes(signal.attribute)
            return value, lower(value or b"")
        if not signal.text:
            return b"", b""
        text = self.texts.get(element)
        if text is None:
            text = self.texts[element] = _with_lower(element.content.strip())
        return text if text[0] else (None, b"")

    # --- results ---

    def _settled(self, signal: Signal, strength: float | None = None, kind: str = "") -> bool:
        """Whether no other match, or none of this strength and kind, could replace the evidence kept for a signal."""
        kept = self.worth.get(signal.id)
        if kept is None:
            return False
        most = signal.strength if strength is None else strength
        return kept >= (most, kind not in EMBED_KINDS, bool(signal.version), bool(signal.account))

    def _spend(self, size: int) -> None:
        self.budget -= size + 64
        if self.budget < 0:
            raise _BudgetSpentError

    def _hit(
        self,
        signal: Signal,
        matched: Match,
        text: bytes,
        place: str,
        strength: float | None = None,
        *,
        kind: str = "",
        prefix: str = "",
        shown: str | None = None,
    ) -> None:
        version = plausible_version(expand(signal.version, matched)) if signal.version else ""
        account = (matched.group(signal.account) or b"").decode("utf-8", "replace") if signal.account else ""
        excerpt = shown if shown is not None else prefix + _around(text, *matched.span())
        self._add(
            signal, signal.strength if strength is None else strength, excerpt, place, version, account, kind
        )

    def _add(
        self,
        signal: Signal,
        strength: float,
        excerpt: str,
        place: str,
        version: str = "",
        account: str = "",
        kind: str = "",
    ) -> None:
        worth = (strength, kind not in EMBED_KINDS, bool(version), bool(account))
        if self.worth.get(signal.id, _NOTHING) >= worth:
            return
        self.worth[signal.id] = worth
        self.found[signal.id] = Evidence(
            technology=signal.id.rpartition("#")[0],
            signal=signal.id,
            channel=_CHANNEL_NAMES[signal.on],
            strength=strength,
            page_url=self.page.url,
            excerpt=excerpt_of(excerpt),
            version=version,
            account=excerpt_of(account)[:MAX_ACCOUNT_CHARS] if account else "",
            place=place,
            kind=kind,
        )


_CHANNEL_NAMES = {channel: channel.value for channel in Channel}
"""Reading `value` of an enumeration's member takes as long as ten look-ups."""

_NOTHING = (-1.0, False, False, False)
"""What the evidence for a signal without any is worth: less than a match of strength 0, which tells a version."""


def _with_lower(text: bytes) -> tuple[bytes, bytes]:
    return text, lower(text)


def _pieces(
    text: bytes, folded: bytes, needs: Sequence[tuple[bytes, ...]], border: bytes
) -> Iterator[tuple[int, int]]:
    """Begin and end of each piece of a text, between two borders, that holds one literal of each group.

    `folded` is the text in lower case. After MAX_PLACES pieces the rest counts as one.
    """
    literals, others = needs[0], tuple(needs[1:])
    nexts = [(find(folded, literal), literal) for literal in literals]
    end = 0
    for _ in range(MAX_PLACES):
        nexts = [
            (at if at >= end else find(folded, literal, end), literal) for at, literal in nexts if at >= 0
        ]
        place = min((at for at, _ in nexts if at >= 0), default=-1)
        if place < 0:
            return
        start = text.rfind(border, end, place) + 1 or end
        end = text.find(border, place) + 1 or len(text)
        if not others or holds_each(folded[start:end], others):
            yield start, end
    yield end, len(text)


def excerpt_of(text: str) -> str:
    """One line of at most EXCERPT_CHARS characters, e-mail addresses redacted, nothing unprintable.

    >>> excerpt_of("contact  jane@example.com\\n")
    'contact [e-mail]'
    """
    line = " ".join(text[: 4 * EXCERPT_CHARS].split())
    if not line.isprintable():
        line = "".join(char for char in line if char.isprintable())
    if "@" in line or "40" in line:
        line = _EMAIL.sub("[e-mail]", line)
    return line[:EXCERPT_CHARS]


def _around(text: bytes, start: int, end: int) -> str:
    """The match with a little of what stands around it."""
    end = min(end, start + EXCERPT_CHARS)
    return text[max(0, start - _CONTEXT) : end + _CONTEXT].decode("utf-8", "ignore")


def kind_cap(resource: Resource) -> float:
    """The most (0..1) that a reference of this kind proves."""
    if resource.kind is ResourceKind.INLINE and not is_script_url(resource.url):
        return _INLINE_DATA_CAP
    return _KIND_CAP.get(resource.kind, 1.0)


@functools.cache
def _assignment(name: str) -> Search:
    """Search for an assignment to a window property in script text; the match ends before the value."""
    return compile_search(assignment_pattern(name))


@functools.cache
def _whole(pattern: str) -> Search:
    return compile_search(rf"\A(?:{pattern})\z")


def _describe(element: Element, attribute: str) -> str:
    """The element's start tag, the interesting attribute first."""
    items = sorted(element.items(), key=lambda item: item[0] != attribute)
    attributes = "".join(f' {name}="{value[:100]}"' for name, value in items[:4])
    return f"<{element.tag}{attributes}>"
