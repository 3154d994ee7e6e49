"""Signals that look at one kind of text, with the scan that says which of them may match it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from fingerprints.compiled import Lines
from fingerprints.rules import Signal
from fingerprints.scan import Scanner, build_pattern_scanner, build_scanner, load_scanner
from fingerprints.shelf import ShelvedList

SCAN_FROM = 6
"""Sets of fewer patterns are simply tried: starting a scan costs as much as that many searches."""


@dataclass(slots=True)
class PatternSet:
    """Immutable but for the scanner, which is made or loaded when the first text asks for it."""

    signals: Sequence[Signal]
    literals: tuple[str, ...]
    owners: tuple[tuple[int, ...], ...]
    """Per literal: positions in `signals` of those it is the rarest requirement of."""
    needs: tuple[tuple[tuple[int, ...], ...], ...]
    """Per signal: all its requirements, the rarest first, each as alternatives in `literals`."""
    always: tuple[int, ...]
    """Positions of signals that require no literal."""
    engine: str
    patterns: tuple[str, ...] = ()
    """Per signal a pattern that matches wherever the signal does; if there are any, lists of texts are
    scanned for these rather than for the literals."""
    _dump: bytes | None = None
    _scanner: Scanner | None = None
    _sought: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    """Per position of a signal that was a candidate: what it requires most, as texts hold it."""

    def candidates(self, text: bytes) -> list[Signal]:
        """Signals that may match the text, in rule order: everything they require occurs in it."""
        if len(self.signals) < SCAN_FROM:
            return list(self.signals)
        return [self.signals[position] for position in sorted(self._by_literals(self._scan(text)))]

    def candidates_among(self, texts: Sequence[str]) -> Iterator[tuple[Signal, Iterable[int]]]:
        """Signals, each with the indexes of the texts it may match, after one scan over all texts together."""
        if len(self.signals) < SCAN_FROM:
            yield from ((signal, range(len(texts))) for signal in self.signals)
            return
        lines = Lines(texts)
        found = self._scan(lines.joined)
        positions = found if self.patterns else self._by_literals(found)
        for position in sorted(positions):
            yield self.signals[position], self._holders(position, lines)

    def _holders(self, position: int, lines: Lines) -> Iterable[int]:
        """Indexes of the texts that hold what the signal requires most."""
        literals = self._sought.get(position)
        if literals is None:
            needs = self.needs[position]
            literals = tuple([self.literals[number].encode() for number in needs[0]]) if needs else ()
            self._sought[position] = literals
        return lines.holding(literals) if literals else range(lines.count)

    def _scan(self, text: bytes) -> set[int]:
        """Numbers of the literals or patterns that occur in the text."""
        return self._ready().scan(text)

    def _ready(self) -> Scanner:
        """The scanner, made or loaded once: making the largest takes seconds."""
        if self._scanner is None:
            self._scanner = self._build() if self._dump is None else load_scanner(self._dump, self.engine)
        return self._scanner

    def _build(self) -> Scanner:
        if self.patterns:
            return build_pattern_scanner(self.patterns)
        return build_scanner(self.literals, self.engine)

    def _by_literals(self, found: AbstractSet[int]) -> set[int]:
        """Positions of the signals whose every requirement is among the literals found."""
        positions = set(self.always)
        for literal in found:
            for position in self.owners[literal]:
                if all(not found.isdisjoint(alternatives) for alternatives in self.needs[position]):
                    positions.add(position)
        return positions

    def __reduce__(self) -> tuple[type[PatternSet], tuple[object, ...]]:
        is_scanned = len(self.signals) >= SCAN_FROM
        dump = self._ready().dump() if is_scanned else None
        signals = ShelvedList(self.signals) if is_scanned else self.signals
        fields = (signals, self.literals, self.owners, self.needs, self.always, self.engine)
        return PatternSet, (*fields, self.patterns, dump)
