"""What the compiled module does for any text, and the same without it where there was no compiler."""

from __future__ import annotations

import codecs
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from fingerprints.tags import NOT_FETCHED

INTERFACE = 8
"""Of the compiled module as the code beside it expects it."""
IS_COMPILED = True
"""Whether there is one, of this interface."""

try:
    from fingerprints import native

    if getattr(native, "INTERFACE", 0) != INTERFACE:  # compiled before a `git pull`
        raise ImportError("fingerprints.native is of another version: install again")
    from fingerprints.native import (
        Lines,
        authority_of,
        breaks_off_url,
        find,
        holds,
        holds_each,
        is_utf8,
        lower,
        plain_slashes,
        unix_lines,
        urls_in,
        web_reference,
    )
except ImportError:
    IS_COMPILED = False

    def authority_of(url: str) -> str:
        """What stands between `//` at the begin of a URL, or after its scheme, and the next slash; else nothing."""
        start = url[:8].find("//") + 2
        return url[start:].partition("/")[0] if start > 1 else ""

    def breaks_off_url(text: str) -> bool:
        """Whether a URL stops in its host at the end of a string, where a script may add the rest."""
        return _BROKEN_OFF.search(text) is not None

    _BROKEN_OFF = re.compile(r"//[A-Za-z0-9_.-]{0,40}[\"']")

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

    def holds_each(text: bytes, needs: tuple[tuple[bytes, ...], ...]) -> bool:
        """Whether the text holds one literal of each group."""
        return all(any(literal in text for literal in literals) for literals in needs)

    def lower(text: bytes) -> bytes:
        return text.lower()

    def plain_slashes(text: str) -> str:
        """The text with its escaped slashes (`\\/`, `\\u002F`, `\\x2f`) as plain ones."""
        return _ESCAPED_SLASH.sub("/", text)

    _ESCAPED_SLASH = re.compile(r"\\(?:/|u002[Ff]|x2[Ff])")

    def unix_lines(text: bytes) -> bytes:
        """The text with each of its lines ended by `\\n` alone."""
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    class Lines:  # type: ignore[no-redef]
        """Texts joined to one, each on a line, for one search through all.

        A character that is not ASCII is one byte, which no pattern names: what `.` matches is one, too.
        """

        def __init__(self, texts: Sequence[str]) -> None:
            self.count = len(texts)
            encoded = "".join(text + "\n" for text in texts).encode("utf-8", "replace")
            self.joined = encoded.translate(_FIRST_BYTES, _OTHER_BYTES)
            self._folded = self.joined.lower()
            self._starts = list(itertools.accumulate((len(text) + 1 for text in texts), initial=0))

        def holding(self, literals: tuple[bytes, ...]) -> list[int]:
            """Numbers of the texts that hold one of these literals in lower case, in order."""
            return sorted({number for literal in literals for number in self._holding(literal)})

        def _holding(self, literal: bytes) -> Iterator[int]:
            at = self._folded.find(literal)
            while at >= 0:
                number = bisect_right(self._starts, at) - 1
                yield number
                at = self._folded.find(literal, self._starts[number + 1])

    _FIRST_BYTES = bytes(byte if byte < 0x80 else 0xFF for byte in range(256))
    _OTHER_BYTES = bytes(range(0x80, 0xC0))  # of a character in UTF-8

    def urls_in(text: str, limit: int) -> list[str]:
        """At most `limit` URLs that stand in a script after a quote, a bracket or their scheme.

        Without its scheme one is taken for secure. Comments such as `//example.com` are no URLs.
        """
        found = ((_scheme(text, match.start()), match[0]) for match in _URL_IN_TEXT.finditer(text))
        return list(itertools.islice((scheme + rest for scheme, rest in found if scheme), limit))

    def _scheme(text: str, at: int) -> str:
        before = text[at - 1 : at]
        if before == ":":
            return "https:" if text[max(0, at - 6) : at - 1].lower() == "https" else "http:"
        return "https:" if before and before in "\"'`(" else ""

    _URL_IN_TEXT = re.compile(
        # Starts with a literal `//` so that the search runs at memory speed; everything after is bounded.
        r"//(?:[A-Za-z0-9_-]{1,63}\.){1,8}[A-Za-z][A-Za-z0-9-]{1,62}(?::[0-9]{1,5})?"
        r"(?:[/?#][^\s\"'<>\\`|^{}]{0,1900})?"
    )

    def web_reference(raw: str, limit: int) -> tuple[str, str | None]:
        """What an attribute refers to, at most `limit` characters of it, and the authority unless it is relative.

        Empty for what cannot be asked for: nothing, a place in the page, a scheme of `NOT_FETCHED`.
        """
        written = raw.strip()[:limit]
        begin = written[:11].lower()
        if begin.startswith(("http://", "https://")):
            return written, authority_of(written)
        if not written or begin.startswith(("#", *NOT_FETCHED)):
            return "", None
        return written, None


__all__ = [
    "IS_COMPILED",
    "Lines",
    "authority_of",
    "breaks_off_url",
    "find",
    "holds",
    "holds_each",
    "is_utf8",
    "lower",
    "plain_slashes",
    "unix_lines",
    "urls_in",
    "web_reference",
]
