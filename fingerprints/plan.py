"""All rules compiled into tables: hosts by look-up, patterns behind one literal scan a field.

A pattern is only run where one of its required literals occurs. That is exact, not heuristic: what a
literal cannot rule out is run, and `re`-free RE2 confirms it in linear time.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fingerprints.hosts import parent_domains
from fingerprints.model import Party, ResourceKind
from fingerprints.pattern_set import SCAN_FROM, PatternSet
from fingerprints.regexes import (
    MIN_LITERAL,
    WHOLE_WORD,
    Literals,
    Search,
    compile_search,
    crosses,
    from_rare_run,
    rarest,
    rarity,
    required_literals,
    without_look_around,
)
from fingerprints.rules import Channel, Rule, Signal
from fingerprints.scan import best_engine, scans_patterns
from fingerprints.selectors import selector_literals, selects_raw_text, split_list

COMMON = 0.1
"""Share of pages from which on a further literal is not worth the scan for it (measured 2026-11)."""
LONGEST_START = 60
"""Characters of a cookie's name that are looked up as what it begins with."""
SCAN_RUN = 6
"""Plain characters that a pattern to scan for begins with: what stands before them, as in
`//[a-z-]+\\.acme\\.com/`, begins at every URL and halves the speed (measured 2026-11)."""
LONG_RUN = 8
"""Plain characters, on few pages, that are scanned for without what follows them: half the tables, which stay
in the processor's caches, for five searches more a page (measured 2026-11)."""


class HostTable:
    """Signals by host, those of its parent domains included."""

    def __init__(self, by_domain: Mapping[str, tuple[Signal, ...]]) -> None:
        self._by_domain = by_domain
        self.signals_of = functools.lru_cache(maxsize=8_192)(self._signals_of)
        """Of a host, as a tuple: pages of all sites name the same few thousand."""

    def _signals_of(self, host: str) -> tuple[Signal, ...]:
        return tuple(signal for domain in parent_domains(host) for signal in self._by_domain.get(domain, ()))

    def __reduce__(self) -> tuple[type[HostTable], tuple[object, ...]]:
        return HostTable, (self._by_domain,)


@dataclass(frozen=True, slots=True)
class Plan:
    """The compiled rule set; picklable, so that a later start need not compile again."""

    hosts: HostTable
    containers: dict[str, tuple[Signal, ...]]
    urls: PatternSet
    scripts: PatternSet
    """Script and global signals."""
    body: PatternSet
    """html, selector, css and text signals: whatever they need stands in the page's bytes. Selector lists
    are split: as many signals of one id as the list has alternatives."""
    headers: dict[str, PatternSet]
    cookies: dict[str, PatternSet]
    cookie_starts: dict[str, tuple[Signal, ...]]
    """Signals by what the lower-case names of their cookies begin with."""
    cookie_patterns: tuple[tuple[str, Signal], ...]
    """Regex over lower-case cookie names, and its signal."""
    meta: dict[str, PatternSet]
    dns: dict[str, PatternSet]
    json_ld: PatternSet
    path: PatternSet
    robots: PatternSet
    tls_issuer: PatternSet
    live_globals: tuple[Signal, ...] = field(default=())


def compile_plan(rules: Iterable[Rule], engine: str = "") -> Plan:
    """The plan for these rules with the named scan engine, by default the best one here."""
    engine = engine or best_engine()
    by_channel: dict[Channel, list[Signal]] = {channel: [] for channel in Channel}
    for rule in rules:
        for signal in rule.signals:
            by_channel[signal.on].append(signal)
    patterns = functools.partial(_pattern_set, engine=engine)
    # Lists of short texts: a scan for whole patterns costs no more than one for their literals, and says more.
    lists = functools.partial(_pattern_set, engine=engine, scan_patterns=scans_patterns(engine))
    # Each alternative of a selector list is tried only where the page holds its own words.
    by_channel[Channel.SELECTOR] = [
        dataclasses.replace(signal, name=part)
        for signal in by_channel[Channel.SELECTOR]
        for part in split_list(signal.name)
    ]
    body = [s for c in (Channel.HTML, Channel.SELECTOR, Channel.CSS, Channel.TEXT) for s in by_channel[c]]
    cookies = by_channel[Channel.COOKIE]
    return Plan(
        hosts=HostTable(_grouped(by_channel[Channel.HOST], lambda signal: signal.hosts)),
        containers=_grouped(by_channel[Channel.CONTAINER], lambda signal: (signal.name,)),
        urls=lists(by_channel[Channel.URL]),
        scripts=lists(
            by_channel[Channel.SCRIPT] + [s for s in by_channel[Channel.GLOBAL] if not s.live_only]
        ),
        body=patterns(body),
        headers=_keyed(by_channel[Channel.HEADER], patterns),
        cookies=_keyed([s for s in cookies if not _is_pattern(s.name)], patterns),
        cookie_starts=_grouped(cookies, lambda signal: _starts(signal.name)),
        cookie_patterns=tuple(
            (_name_pattern(s.name), s) for s in cookies if _is_pattern(s.name) and not _starts(s.name)
        ),
        meta=_keyed(by_channel[Channel.META], patterns),
        dns=_keyed(by_channel[Channel.DNS], patterns),
        json_ld=patterns(by_channel[Channel.JSON_LD]),
        path=patterns(by_channel[Channel.PATH]),
        robots=patterns(by_channel[Channel.ROBOTS]),
        tls_issuer=patterns(by_channel[Channel.TLS_ISSUER]),
        live_globals=tuple(by_channel[Channel.GLOBAL]),
    )


def _pattern_set(signals: Sequence[Signal], engine: str, *, scan_patterns: bool = False) -> PatternSet:
    numbers: dict[str, int] = {}
    owners: dict[int, list[int]] = {}
    needs: list[tuple[tuple[int, ...], ...]] = []
    for position, signal in enumerate(signals):
        rarest_first = sorted(signal_literals(signal), key=rarity)
        required = rarest_first[:1] + [more for more in rarest_first[1:] if rarity(more)[0] < COMMON]
        needs.append(
            tuple(
                tuple(numbers.setdefault(text, len(numbers)) for text in sorted(literals))
                for literals in required
            )
        )
        for number in needs[-1][0] if required else ():
            owners.setdefault(number, []).append(position)
    return PatternSet(
        signals=tuple(signals),
        literals=tuple(numbers),
        owners=tuple(tuple(owners.get(number, ())) for number in range(len(numbers))),
        needs=tuple(needs),
        always=tuple(position for position, required in enumerate(needs) if not required),
        engine=engine,
        patterns=tuple(map(_scan_pattern, signals)) if scan_patterns and len(signals) >= SCAN_FROM else (),
    )


def _scan_pattern(signal: Signal) -> str:
    """A pattern that matches a line wherever the signal does: its own where it can be had, else its rarest literals.

    Lines are scanned joined together, one byte a character.
    """
    if signal.on is Channel.GLOBAL:
        return _loose_assignment(signal.name)
    pattern = signal.pattern or ""
    if signal.name != "host" and pattern.isascii() and not _NOT_FOR_LINES.search(pattern):
        return from_rare_run(_uncounted(pattern), SCAN_RUN, LONG_RUN, COMMON)
    required = signal_literals(signal)
    return "|".join(re.escape(literal) for literal in sorted(rarest(required))) if required else ""


_NOT_FOR_LINES = re.compile(r"\\[AzZ]|\\[xpP]\{")
"""Begin or end of all lines together rather than of each; characters by number or property."""

_COUNT = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\{(\d+)(?:,\d*)?\}", re.DOTALL)
"""How often something is repeated; and escapes and classes, in which the same characters mean others."""


def _uncounted(pattern: str) -> str:
    """The pattern with `{2,5}` as `+`: it matches more, and compiles in half the time to half the size.

    >>> _uncounted(r"[0-9a-f]{32}/x{0,9}\\.js[{1}]")
    '[0-9a-f]+/x*\\\\.js[{1}]'
    """
    return _COUNT.sub(lambda found: found[1] or ("*" if found[2] == "0" else "+"), pattern)


def _loose_assignment(name: str) -> str:
    """Matches wherever `assignment_pattern` does."""
    escaped, last = re.escape(name), re.escape(name.rpartition(".")[2])
    return rf"{escaped}\s*=|['\"]{last}['\"]\]\s*="


def assignment_pattern(name: str) -> str:
    """Matches an assignment to a window property in script text, up to the value.

    The name is matched as it is written, for so are names in JavaScript: `lithium = 3` is not Khoros' `LITHIUM`.
    """
    escaped, last = (f"(?-i:{re.escape(part)})" for part in (name, name.rpartition(".")[2]))
    return (
        rf"(?:^|[^\w$.'\"])(?:(?:window|self|globalThis|top)\.)?{escaped}\s*=[^=>]"
        rf"|(?:window|self|globalThis)\[['\"]{last}['\"]\]\s*=[^=]"
    )


def signal_literals(signal: Signal) -> list[Literals]:
    """What a text must hold, as it is written there, for the signal to match; empty when nothing is certain.

    Selectors and visible text are looked for in the raw page, where entities and tags may stand between
    the characters of a value; only runs that nothing can interrupt are required of it.
    """
    if signal.on is Channel.GLOBAL:
        return [frozenset({signal.name.lower()})]
    if signal.on is Channel.TEXT and (words := _whole_words(signal.pattern or "")):
        return [frozenset({WHOLE_WORD + word}) for word in words]
    found = required_literals(signal.pattern) if signal.pattern else []
    if signal.on is Channel.TEXT or (signal.text and not selects_raw_text(signal.name)):
        found = _runs(found, r"[^a-z0-9]+")
    elif signal.attribute:
        found = _runs([*found, frozenset({signal.attribute.lower()})], r"[&<>\"'\s]+")
    return found + (selector_literals(signal.name) if signal.on is Channel.SELECTOR else [])


def _whole_words(pattern: str) -> list[str]:
    """The words of a pattern for plain words, as most for visible text are; empty for any other.

    >>> _whole_words(r"\\bRoyal Mail\\b"), _whole_words(r"\\bpost\\.at\\b"), _whole_words("Mail")
    (['royal', 'mail'], ['post.at'], [])
    """
    plain = (without_look_around(pattern) or "").replace("(?:)", "")
    found = re.fullmatch(r"\\b([a-z0-9]+(?:(?: |-|\\\.)[a-z0-9]+)*)\\b", plain.lower())
    return found[1].replace("\\", "").split(" ") if found else []


def _runs(options: Sequence[Literals], separator: str) -> list[Literals]:
    """The requirements cut at what may be written differently; runs that are too short require nothing.

    A single text requires each of its runs, alternatives require the longest run of one of them.
    """
    cut: list[Literals] = []
    for literals in options:
        if len(literals) == 1:
            (text,) = literals
            cut.extend(frozenset({run}) for run in re.split(separator, text))
        else:
            cut.append(frozenset(max(re.split(separator, text), key=len) for text in literals))
    return [literals for literals in cut if all(len(run) >= MIN_LITERAL for run in literals)]


def _grouped(
    signals: Iterable[Signal], keys: Callable[[Signal], Iterable[str]]
) -> dict[str, tuple[Signal, ...]]:
    groups: dict[str, list[Signal]] = {}
    for signal in signals:
        for key in keys(signal):
            groups.setdefault(key, []).append(signal)
    return {key: tuple(group) for key, group in groups.items()}


def _keyed(
    signals: Iterable[Signal], patterns: Callable[[Sequence[Signal]], PatternSet]
) -> dict[str, PatternSet]:
    grouped = _grouped(signals, lambda signal: (_key(signal),))
    return {key: patterns(group) for key, group in grouped.items()}


def _key(signal: Signal) -> str:
    return signal.name if signal.on is Channel.DNS else signal.name.lower()


def _is_pattern(name: str) -> bool:
    return any(char in name for char in "*?[](){}|\\^$+")


def _starts(name: str) -> tuple[str, ...]:
    """What names begin with that a trailing `*` stands for, as we write it; nothing for any other name."""
    return (name[:-1].lower(),) if _START.fullmatch(name) and len(name) <= LONGEST_START else ()


def _name_pattern(name: str) -> str:
    """Regex text over whole cookie names, as Wappalyzer rules write them; the name itself is meant, too."""
    return re.escape(name[:-1]) + ".*" if _START.fullmatch(name) else f"{re.escape(name)}|(?:{name})"


_START = re.compile(r"[^*?\[\](){}|\\^$+]+\*")


@functools.cache
def search_of(signal: Signal) -> Search:
    """The compiled pattern of a signal; a signal without one matches anything."""
    if not signal.pattern:
        return compile_search("")
    return compile_search(signal.pattern, backtracks=signal.backtracks)


@functools.cache
def value_literals(signal: Signal) -> tuple[tuple[bytes, ...], ...]:
    """Lower-case texts, the rarest first: of each group one stands in every value the signal's pattern matches."""
    options = sorted(required_literals(signal.pattern), key=rarity) if signal.pattern else []
    return tuple(tuple(literal.encode() for literal in sorted(literals)) for literals in options)


@functools.cache
def separator(signal: Signal) -> bytes:
    """A common character that a match of the signal's pattern holds at its end at most; empty when there is none."""
    if not value_literals(signal):
        return b""
    return next((char for char in _SEPARATORS if not crosses(signal.pattern or "", char.decode())), b"")


_SEPARATORS = (b" ", b'"', b">", b"'", b"\n")
"""The most common first: the pieces of a page between two of them are the shortest."""


def kind_allows(signal: Signal, kind: ResourceKind, party: Party) -> bool:
    """Whether a host or url signal looks at resources of this kind and party."""
    return kind in signal.kinds and (signal.party is None or signal.party is party)
