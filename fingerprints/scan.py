"""Which of thousands of literals occur in a text: one pass, whatever their number."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, Protocol

import ahocorasick_rs

try:
    import hyperscan
except ImportError:  # no wheel for this platform
    hyperscan = None  # type: ignore[assignment]


class LiteralScanner(Protocol):
    """Finds literals (lower-case ASCII) in bytes, without regard to ASCII case."""

    def scan(self, text: bytes) -> dict[int, int]:
        """Indexes of the literals that occur, each with the offset where its first occurrence ends."""
        ...

    def dump(self) -> bytes: ...


class HyperscanScanner:
    """Hyperscan: SIMD, about 500 MB/s for thousands of literals (measured 2026-11)."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._scratch = hyperscan.Scratch(database)

    @classmethod
    def build(cls, literals: Sequence[str]) -> HyperscanScanner:
        database = hyperscan.Database()
        database.compile(
            expressions=["".join(f"\\x{ord(char):02x}" for char in literal).encode() for literal in literals],
            ids=list(range(len(literals))),
            elements=len(literals),
            flags=[hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH] * len(literals),
        )
        return cls(database)

    @classmethod
    def load(cls, dumped: bytes) -> HyperscanScanner:
        return cls(hyperscan.loadb(dumped, hyperscan.HS_MODE_BLOCK))

    def scan(self, text: bytes) -> dict[int, int]:
        found: dict[int, int] = {}
        self._database.scan(text, match_event_handler=_collect, context=found, scratch=self._scratch)
        return found

    def dump(self) -> bytes:
        dumped: bytes = hyperscan.dumpb(self._database)
        return dumped


def _collect(index: int, start: int, end: int, flags: int, found: dict[int, int]) -> None:
    found[index] = end


class AhoCorasickScanner:
    """Aho-Corasick: two to three times slower than Hyperscan, available everywhere, and its oracle in tests."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._literals = tuple(literals)
        self._automaton = ahocorasick_rs.BytesAhoCorasick([literal.encode() for literal in literals])

    @classmethod
    def load(cls, dumped: bytes) -> AhoCorasickScanner:
        return cls(pickle.loads(dumped))  # noqa: S301 - our own cache, see cache.py

    def scan(self, text: bytes) -> dict[int, int]:
        found: dict[int, int] = {}
        for index, _, end in self._automaton.find_matches_as_indexes(text.lower(), overlapping=True):
            found.setdefault(index, end)
        return found

    def dump(self) -> bytes:
        return pickle.dumps(self._literals)


class NothingScanner:
    """For a channel without literals; both libraries refuse an empty set."""

    def scan(self, text: bytes) -> dict[int, int]:
        return {}

    def dump(self) -> bytes:
        return b""


def best_engine() -> str:
    """Name of the engine used on this platform: `hyperscan` or `aho-corasick`."""
    return "hyperscan" if hyperscan is not None else "aho-corasick"


def engine_version() -> str:
    """The engine and the version of its library: what a scanner that was dumped needs to be loaded again."""
    return f"{best_engine()} {getattr(hyperscan, '__version__', '')}"  # its stubs do not know the attribute


def build_scanner(literals: Sequence[str], engine: str = "") -> LiteralScanner:
    if not literals:
        return NothingScanner()
    if (engine or best_engine()) == "hyperscan":
        return HyperscanScanner.build(literals)
    return AhoCorasickScanner(literals)


def load_scanner(dumped: bytes, engine: str) -> LiteralScanner:
    if not dumped:
        return NothingScanner()
    return HyperscanScanner.load(dumped) if engine == "hyperscan" else AhoCorasickScanner.load(dumped)
