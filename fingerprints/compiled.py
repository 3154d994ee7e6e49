"""What the compiled module does for any text, and the same without it where there was no compiler."""

from __future__ import annotations

import codecs

try:
    from fingerprints.native import find, is_utf8
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


__all__ = ["find", "is_utf8"]
