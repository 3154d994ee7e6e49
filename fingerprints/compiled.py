"""What the compiled module does for any text, and the same without it where there was no compiler."""

from __future__ import annotations

import codecs

try:
    from fingerprints.native import find, holds, is_utf8, lower, unix_lines
except ImportError:

    def find(text: bytes, wanted: bytes, start: int = 0) -> int:
        return text.find(wanted, start)

    def is_utf8(text: bytes) -> bool:
        """Whether the bytes are UTF-8, perhaps cut inside its last character."""
        try:
            codecs.getincrementaldecoder("utf-8")().decode(text)
        except UnicodeDecodeError:
            return False
        return True

    def holds(text: str, wanted: str) -> bool:
        return wanted in text

    def lower(text: bytes) -> bytes:
        return text.lower()

    def unix_lines(text: bytes) -> bytes:
        """The text with each of its lines ended by `\\n` alone."""
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


__all__ = ["find", "holds", "is_utf8", "lower", "unix_lines"]
