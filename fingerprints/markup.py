"""Received bytes into text, whatever they were sent in and however broken they are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from fingerprints.compiled import is_utf8, unix_lines
from fingerprints.model import Observation

MAX_BODY_BYTES = 2 * 1024 * 1024
"""99.9% of homepages are smaller; the crawler stops reading there too."""


def to_utf8(html: str | bytes, headers: Mapping[str, tuple[str, ...]], flags: set[str]) -> bytes:
    """The body as UTF-8, at most MAX_BODY_BYTES; `body_cut` is flagged.

    Without NUL bytes, and lines end in `\\n` alone, as in browsers.

    Order of belief: byte order mark, strict UTF-8, the HTTP header, the document's own declaration,
    then windows-1252, which never fails. Strict UTF-8 comes early because text that happens to be valid
    UTF-8 is not anything else, whatever it declares.
    """
    if isinstance(html, str):
        data = html[:MAX_BODY_BYTES].encode("utf-8", "replace")
        cut = len(html) > MAX_BODY_BYTES or len(data) > MAX_BODY_BYTES
        data = data[:MAX_BODY_BYTES]
    else:
        cut = len(html) > MAX_BODY_BYTES
        data = _decode(html[:MAX_BODY_BYTES], _charset(headers))
    if cut:
        flags.add("body_cut")
    if b"\0" in data:
        data = data.replace(b"\0", b"")
    return unix_lines(data) if b"\r" in data else data


def _charset(headers: Mapping[str, tuple[str, ...]]) -> str:
    for value in headers.get("content-type", ()):
        match = re.search(r"charset=[\"']?([\w.:-]{1,40})", value, re.IGNORECASE)
        if match:
            return match[1]
    return ""


def _decode(data: bytes, http_charset: str) -> bytes:
    is_marked = data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not is_marked and is_utf8(data) and data.count(b"\0", 0, 512) < 8:  # not UTF-16 without its mark
        return data
    from bs4.dammit import EncodingDetector, UnicodeDammit  # 50 ms, which most pages can do without

    declared = EncodingDetector.find_declared_encoding(data[:4096], is_html=True)
    candidates = [name for name in (http_charset, declared) if name]
    if data[1:2] == b"\0" and data[3:4] == b"\0":
        candidates.insert(0, "utf-16-le")
    dammit = UnicodeDammit(data, known_definite_encodings=candidates, user_encodings=["windows-1252"])
    text = dammit.unicode_markup if dammit.unicode_markup is not None else data.decode("latin-1")
    return text.encode("utf-8", "replace")


def visible_text(observation: Observation, limit: int = 200_000) -> str:
    """Text a reader sees, white space collapsed, at most `limit` characters; scripts and styles left out."""
    if observation.tree is None:
        return ""
    text: str = observation.tree.shown_text(limit)
    return text
