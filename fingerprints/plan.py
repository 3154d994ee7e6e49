"""All rules compiled into tables: hosts by look-up, patterns behind one literal scan a field.

A pattern is only run where one of its required literals occurs. That is exact, not heuristic: what a
literal cannot rule out is run, and `re`-free RE2 confirms it in linear time.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fingerprints.model import Party, ResourceKind
from fingerprints.regexes import (
    MIN_LITERAL,
    Literals,
    Search,
    compile_search,
    rarest,
    rarity,
    required_literals,
)
from fingerprints.rules import Channel, Rule, Signal
from fingerprints.scan import LiteralScanner, best_engine, build_scanner, load_scanner
from fingerprints.selectors import selector_literals, selects_raw_text, split_list

SCAN_FROM = 6
"""Sets of fewer patterns are simply tried: starting a scan costs as much as that many searches."""


@dataclass(slots=True)
class PatternSet:
    """Signals that look at one kind of text, with the scan that says which of them may match it."""

    signals: tuple[Signal, ...]
    literals: tuple[str, ...]
    owners: tuple[tuple[int, ...], ...]
    """Per literal: positions in `signals` of those it is the rarest requirement of."""
    needs: tuple[tuple[tuple[int, ...], ...], ...]
    """Per signal: all its requirements, the rarest first, each as alternatives in `literals`."""
    always: tuple[int, ...]
    """Positions of signals that require no literal."""
    engine: str
    _dump: bytes | None = None
    _scanner: LiteralScanner | None = None

    def candidates(self, text: bytes) -> list[Signal]:
        """Signals that may match the text, in rule order: everything they require occurs in it."""
        if len(self.signals) < SCAN_FROM:
            return list(self.signals)
        return [self.signals[position] for position in self._positions(self._scan(text))]

    def candidates_among(self, texts: Sequence[bytes]) -> Iterator[tuple[Signal, Iterable[int]]]:
        """Signals, each with the indexes of the texts it may match, after one scan over all texts together."""
        if len(self.signals) < SCAN_FROM:
            yield from ((signal, range(len(texts))) for signal in self.signals)
            return
        joined = b"\n".join(texts).lower()
        starts = list(itertools.accumulate((len(text) + 1 for text in texts), initial=0))
        found = self._scan(joined)
        for position in self._positions(found):
            needs = self.needs[position]
            holders = self._holders(needs[0], found, joined, starts) if needs else range(len(texts))
            yield self.signals[position], holders

    def _holders(
        self, alternatives: Iterable[int], found: Mapping[int, int], joined: bytes, starts: Sequence[int]
    ) -> Iterable[int]:
        """Indexes of the joined texts that hold one of these literals, in order."""
        present = [number for number in alternatives if number in found]
        holders = [
            _holders_of(self.literals[number].encode(), found[number], joined, starts) for number in present
        ]
        # A single literal is looked for as far as it is asked for: often the first text will do.
        return holders[0] if len(holders) == 1 else sorted(set(itertools.chain(*holders)))

    def _scan(self, text: bytes) -> dict[int, int]:
        """Numbers of the literals that occur in the text, each with the offset where its first occurrence ends."""
        if self._scanner is None:
            self._scanner = (
                build_scanner(self.literals, self.engine)
                if self._dump is None
                else load_scanner(self._dump, self.engine)
            )
        return self._scanner.scan(text)

    def _positions(self, found: Mapping[int, int]) -> list[int]:
        """Positions of the signals whose every requirement is among the literals found."""
        positions = set(self.always)
        for literal in found:
            for position in self.owners[literal]:
                if all(not found.keys().isdisjoint(alternatives) for alternatives in self.needs[position]):
                    positions.add(position)
        return sorted(positions)

    def __reduce__(self) -> tuple[type[PatternSet], tuple[object, ...]]:
        dump = build_scanner(self.literals, self.engine).dump() if len(self.signals) >= SCAN_FROM else None
        state = (self.signals, self.literals, self.owners, self.needs, self.always, self.engine, dump)
        return PatternSet, state


def _holders_of(literal: bytes, first_end: int, joined: bytes, starts: Sequence[int]) -> Iterator[int]:
    """Indexes of the joined texts, which begin at `starts`, that hold the literal."""
    at = first_end - len(literal)
    while at >= 0:
        index = bisect_right(starts, at) - 1
        yield index
        at = joined.find(literal, starts[index + 1])


@dataclass(frozen=True, slots=True)
class Plan:
    """The compiled rule set; picklable, so that a later start need not compile again."""

    hosts: dict[str, tuple[Signal, ...]]
    containers: dict[str, tuple[Signal, ...]]
    urls: PatternSet
    scripts: PatternSet
    """Script and global signals."""
    body: PatternSet
    """html, selector, css and text signals: whatever they need stands in the page's bytes. Selector lists
    are split: as many signals of one id as the list has alternatives."""
    headers: dict[str, PatternSet]
    cookies: dict[str, PatternSet]
    cookie_globs: tuple[tuple[str, Signal], ...]
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
    # Each alternative of a selector list is tried only where the page holds its own words.
    by_channel[Channel.SELECTOR] = [
        dataclasses.replace(signal, name=part)
        for signal in by_channel[Channel.SELECTOR]
        for part in split_list(signal.name)
    ]
    body = [s for c in (Channel.HTML, Channel.SELECTOR, Channel.CSS, Channel.TEXT) for s in by_channel[c]]
    cookies = by_channel[Channel.COOKIE]
    return Plan(
        hosts=_grouped(by_channel[Channel.HOST], lambda signal: signal.hosts),
        containers=_grouped(by_channel[Channel.CONTAINER], lambda signal: (signal.name,)),
        urls=patterns(by_channel[Channel.URL]),
        scripts=patterns(
            by_channel[Channel.SCRIPT] + [s for s in by_channel[Channel.GLOBAL] if not s.live_only]
        ),
        body=patterns(body),
        headers=_keyed(by_channel[Channel.HEADER], patterns),
        cookies=_keyed([s for s in cookies if not _is_glob(s.name)], patterns),
        cookie_globs=tuple((_glob(s.name), s) for s in cookies if _is_glob(s.name)),
        meta=_keyed(by_channel[Channel.META], patterns),
        dns=_keyed(by_channel[Channel.DNS], patterns),
        json_ld=patterns(by_channel[Channel.JSON_LD]),
        path=patterns(by_channel[Channel.PATH]),
        robots=patterns(by_channel[Channel.ROBOTS]),
        tls_issuer=patterns(by_channel[Channel.TLS_ISSUER]),
        live_globals=tuple(by_channel[Channel.GLOBAL]),
    )


def _pattern_set(signals: Sequence[Signal], engine: str) -> PatternSet:
    numbers: dict[str, int] = {}
    owners: dict[int, list[int]] = {}
    needs: list[tuple[tuple[int, ...], ...]] = []
    for position, signal in enumerate(signals):
        required = sorted(signal_literals(signal), key=rarity)
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
    )


def signal_literals(signal: Signal) -> list[Literals]:
    """What a text must hold, as it is written there, for the signal to match; empty when nothing is certain.

    Selectors and visible text are looked for in the raw page, where entities and tags may stand between
    the characters of a value; only runs that nothing can interrupt are required of it.
    """
    if signal.on is Channel.GLOBAL:
        return [frozenset({signal.name.lower()})]
    found = required_literals(signal.pattern) if signal.pattern else []
    if signal.on is Channel.TEXT or (signal.text and not selects_raw_text(signal.name)):
        found = _runs(found, r"[^a-z0-9]+")
    elif signal.attribute:
        found = _runs([*found, frozenset({signal.attribute.lower()})], r"[&<>\"'\s]+")
    return found + (selector_literals(signal.name) if signal.on is Channel.SELECTOR else [])


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


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[](){}|\\^$+")


def _glob(name: str) -> str:
    """Regex text over whole cookie names: a trailing `*` as we write it, a regex as Wappalyzer rules do."""
    if re.fullmatch(r"[^*?\[\](){}|\\^$+]+\*", name):
        return re.escape(name[:-1]) + ".*"
    return f"{re.escape(name)}|(?:{name})"


@functools.cache
def search_of(signal: Signal) -> Search:
    """The compiled pattern of a signal; a signal without one matches anything."""
    if not signal.pattern:
        return compile_search("")
    return compile_search(signal.pattern, backtracks=signal.backtracks)


@functools.cache
def value_literals(signal: Signal) -> tuple[bytes, ...]:
    """Lower-case texts one of which stands in every value the signal's pattern matches; empty for any value."""
    options = required_literals(signal.pattern) if signal.pattern else []
    return tuple(literal.encode() for literal in sorted(rarest(options))) if options else ()


def kind_allows(signal: Signal, kind: ResourceKind, party: Party) -> bool:
    """Whether a host or url signal looks at resources of this kind and party."""
    return kind in signal.kinds and (signal.party is None or signal.party is party)
