"""Which of thousands of literals or patterns may occur in a text: one pass, whatever their number."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, Protocol

import ahocorasick_rs

from fingerprints.regexes import WHOLE_WORD

try:
    import hyperscan
except ImportError:  # no wheel for this platform
    hyperscan = None  # type: ignore[assignment]


class Scanner(Protocol):
    """Finds literals (lower-case ASCII) or patterns in bytes, without regard to ASCII case."""

    def scan(self, text: bytes) -> set[int]:
        """Indexes of what occurs."""
        ...

    def dump(self) -> bytes: ...


class HyperscanScanner:
    """Hyperscan: SIMD, about 500 MB/s for thousands of literals (measured 2026-11)."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._scratch = hyperscan.Scratch(database)

    @classmethod
    def build(cls, literals: Sequence[str]) -> HyperscanScanner:
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
        return cls(_compiled([_as_pattern(literal) for literal in literals], flags))

    @classmethod
    def of_patterns(cls, patterns: Sequence[str]) -> HyperscanScanner:
        """Finds every text that one of these patterns (ASCII) matches a line of, and a few more.

        What Hyperscan does not know exactly (look-around, large counts) it takes for less than it asks; a
        pattern that it cannot read at all is found everywhere.
        """
        flags = (
            hyperscan.HS_FLAG_CASELESS
            | hyperscan.HS_FLAG_SINGLEMATCH
            | hyperscan.HS_FLAG_MULTILINE
            | hyperscan.HS_FLAG_ALLOWEMPTY
            | hyperscan.HS_FLAG_PREFILTER
        )
        try:
            return cls(_compiled(patterns, flags))
        except hyperscan.error:
            return cls(_compiled([p if _is_readable(p, flags) else "" for p in patterns], flags))

    @classmethod
    def load(cls, dumped: bytes) -> HyperscanScanner:
        return cls(hyperscan.loadb(dumped, hyperscan.HS_MODE_BLOCK))

    def scan(self, text: bytes) -> set[int]:
        found: set[int] = set()
        self._database.scan(text, match_event_handler=_collect, context=found, scratch=self._scratch)
        return found

    def dump(self) -> bytes:
        dumped: bytes = hyperscan.dumpb(self._database)
        return dumped


def _as_pattern(literal: str) -> str:
    """The literal as a pattern in which no character means anything else."""
    text = literal.removeprefix(WHOLE_WORD)
    escaped = "".join(f"\\x{ord(char):02x}" for char in text)
    return escaped if text == literal else rf"\b{escaped}\b"


def _compiled(patterns: Sequence[str], flags: int) -> Any:
    database = hyperscan.Database()
    database.compile(
        expressions=[pattern.encode() for pattern in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[flags] * len(patterns),
    )
    return database


def _is_readable(pattern: str, flags: int) -> bool:
    try:
        _compiled([pattern], flags)
    except hyperscan.error:
        return False
    return True


def _collect(index: int, start: int, end: int, flags: int, found: set[int]) -> None:
    found.add(index)


class AhoCorasickScanner:
    """Aho-Corasick: two to three times slower than Hyperscan, available everywhere, and its oracle in tests."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._literals = tuple(literals)
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            [literal.removeprefix(WHOLE_WORD).encode() for literal in literals]
        )

    @classmethod
    def load(cls, dumped: bytes) -> AhoCorasickScanner:
        return cls(pickle.loads(dumped))  # noqa: S301 - our own cache, see cache.py

    def scan(self, text: bytes) -> set[int]:
        matches = self._automaton.find_matches_as_indexes(text.lower(), overlapping=True)
        return {index for index, _, _ in matches}

    def dump(self) -> bytes:
        return pickle.dumps(self._literals)


class NothingScanner:
    """For a channel without literals; both libraries refuse an empty set."""

    def scan(self, text: bytes) -> set[int]:
        return set()

    def dump(self) -> bytes:
        return b""


QUICK_TO_BUILD = "aho-corasick"
"""The engine for a handful of pages: ready ten times as soon, and two to three times slower from then on."""


def best_engine() -> str:
    """Name of the engine used on this platform: `hyperscan` or `aho-corasick`."""
    return "hyperscan" if hyperscan is not None else QUICK_TO_BUILD


def engine_version() -> str:
    """The engine and the version of its library: what a scanner that was dumped needs to be loaded again."""
    return f"{best_engine()} {getattr(hyperscan, '__version__', '')}"  # its stubs do not know the attribute


def scans_patterns(engine: str) -> bool:
    """Whether the engine can look for whole patterns, not only for literals."""
    return engine == "hyperscan"


def build_scanner(literals: Sequence[str], engine: str = "") -> Scanner:
    if not literals:
        return NothingScanner()
    if (engine or best_engine()) == "hyperscan":
        return HyperscanScanner.build(literals)
    return AhoCorasickScanner(literals)


def build_pattern_scanner(patterns: Sequence[str]) -> Scanner:
    return HyperscanScanner.of_patterns(patterns)


def load_scanner(dumped: bytes, engine: str) -> Scanner:
    if not dumped:
        return NothingScanner()
    return HyperscanScanner.load(dumped) if engine == "hyperscan" else AhoCorasickScanner.load(dumped)
