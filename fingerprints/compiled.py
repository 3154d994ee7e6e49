"""What the compiled module does for any text, and the same without it where there was no compiler."""

from __future__ import annotations

import codecs

INTERFACE = 1
"""Of the compiled module as the code beside it expects it."""
IS_COMPILED = True
"""Whether there is one, of this interface."""

try:
    from fingerprints import native

    if getattr(native, "INTERFACE", 0) != INTERFACE:  # compiled before a `git pull`
        raise ImportError("fingerprints.native is of another version: install again")
    from fingerprints.native import find, holds, is_utf8, lower, unix_lines
except ImportError:
    IS_COMPILED = False

    def find(text: bytes, wanted: bytes, start: int = 0) -> int:
        return text.find(wanted, start)

    def is_utf8(text: bytes) -> bool:
        """Whether the bytes are UTF-8, perhaps cut inside its last character."""
        try:
            codecs.getincrementaldecoder("utf-8")().decode(text)
        except UnicodeDecodeError:
            return False
        return not (text[-2:-1] == b"\xed" and text[-1:] >= b"\xa0")  # half of a pair: no rest makes it right

    def holds(text: str, wanted: str) -> bool:
        return wanted in text

    def lower(text: bytes) -> bytes:
        return text.lower()

    def unix_lines(text: bytes) -> bytes:
        """The text with each of its lines ended by `\\n` alone."""
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


__all__ = ["IS_COMPILED", "find", "holds", "is_utf8", "lower", "unix_lines"]
