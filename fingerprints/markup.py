"""Received bytes into text and a tree, whatever they were sent in and however broken they are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

from fingerprints.model import Observation

MAX_BODY_BYTES = 2 * 1024 * 1024
"""99.9% of homepages are smaller; the crawler stops reading there too."""


def to_utf8(html: str | bytes, headers: Mapping[str, tuple[str, ...]], flags: set[str]) -> bytes:
    """The body as UTF-8 without NUL bytes, at most MAX_BODY_BYTES; `body_cut` is flagged.

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
    return data.replace(b"\0", b"") if b"\0" in data else data


def _charset(headers: Mapping[str, tuple[str, ...]]) -> str:
    for value in headers.get("content-type", ()):
        match = re.search(r"charset=[\"']?([\w.:-]{1,40})", value, re.IGNORECASE)
        if match:
            return match[1]
    return ""


def _decode(data: bytes, http_charset: str) -> bytes:
    if not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            # A cut body may end inside a character, hence the incremental decoder.
            codecs.getincrementaldecoder("utf-8")().decode(data)
        except UnicodeDecodeError:
            pass
        else:
            if data.count(b"\0", 0, 512) < 8:  # not UTF-16 without its mark
                return data
    from bs4.dammit import EncodingDetector, UnicodeDammit  # 50 ms, which most pages can do without

    declared = EncodingDetector.find_declared_encoding(data[:4096], is_html=True)
    candidates = [name for name in (http_charset, declared) if name]
    if data[1:2] == b"\0" and data[3:4] == b"\0":
        candidates.insert(0, "utf-16-le")
    dammit = UnicodeDammit(data, known_definite_encodings=candidates, user_encodings=["windows-1252"])
    text = dammit.unicode_markup if dammit.unicode_markup is not None else data.decode("latin-1")
    return text.encode("utf-8", "replace")


def parse(body: bytes, flags: set[str]) -> Any:
    """The lxml tree, or None for a page without markup. Flags `tree_cut` when the parser gave up.

    libxml2 stops at a nesting depth of 2,048; real pages stay below 300.
    """
    if b"<" not in body:
        return None
    body = _without_early_end(body)
    if _has_long_run(body):
        body = _LONG_TAG.sub(lambda tag: _without_surplus_attributes(tag[0], flags), body)
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, collect_ids=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        flags.add("tree_cut")
        return None
    if any(
        "xcessive depth" in entry.message or entry.type_name == "ERR_RESOURCE_LIMIT"
        for entry in parser.error_log
    ):
        flags.add("tree_cut")
    return root


def _without_early_end(body: bytes) -> bytes:
    """The page with its `</html>` made a comment where elements follow: libxml2 would stop there, browsers go on.

    One page in forty has scripts after its end (measured 2026-11 on 1,704 pages).
    """
    first = _END.search(body)
    return _END.sub(b"</ html", body) if first and _ELEMENT.search(body, first.end()) else body


_END = re.compile(rb"</html", re.IGNORECASE)
_ELEMENT = re.compile(rb"<[a-zA-Z]")
_LONG_TAG_BYTES = 20_000
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{%d,}" % _LONG_TAG_BYTES)
"""Start tags of unusual length; runs between `<` do not overlap, so the search is linear."""
_MAX_ATTRIBUTES = 1_000


def _has_long_run(body: bytes) -> bool:
    """Whether a tag of unusual length is possible: somewhere no `<` and no `>` stands for that long.

    Looks from the far end of one window to the next, so an ordinary page costs a dozen steps.
    """
    position, end = 0, len(body) - _LONG_TAG_BYTES
    while position < end:
        window = position, position + _LONG_TAG_BYTES
        last = max(body.rfind(b"<", *window), body.rfind(b">", *window))
        if last < position:
            return True
        position = last + 1
    return False


def _without_surplus_attributes(tag: bytes, flags: set[str]) -> bytes:
    """The start tag, cut when it has thousands of attributes: libxml2 compares each with all before it."""
    if tag.count(b"=") <= _MAX_ATTRIBUTES and len(tag.split()) <= _MAX_ATTRIBUTES:
        return tag
    flags.add("tree_cut")
    return b" ".join(tag.split()[:_MAX_ATTRIBUTES])[:20_000]


def visible_text(observation: Observation, limit: int = 200_000) -> str:
    """Text a reader sees, white space collapsed, at most `limit` characters; scripts and styles left out."""
    if observation.root is None:
        return ""
    return " ".join(" ".join(_shown(observation.root)).split())[:limit]


_shown: Any = etree.XPath(
    # `/descendant::` rather than `//`, which libxml2 evaluates in half the time.
    "/descendant::text()[not(parent::script or parent::style or parent::noscript or parent::template or parent::head)]",
    smart_strings=False,
)
