"""Compressed bodies, opened up to a limit: a bomb becomes a cut page, a false label does no harm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import brotli
from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

ACCEPTED = b"gzip, deflate, br, zstd"
MAX_ENCODINGS = 3
"""Stacked on one body; nobody honest needs more than two."""
_AUTO_WBITS = 47  # zlib and gzip, told apart by their headers
_RAW_WBITS = -15  # deflate without a header, as some old servers send it


def opened(body: bytes, encodings: Iterable[str], limit: int) -> tuple[bytes, bool]:
    """The body without its content encodings and whether it is cut: at `limit` bytes, or where it breaks.

    Encodings are given in the order they were applied. A body that is not what its header says comes back
    as it is, as browsers show plain pages that servers call compressed.

    >>> import gzip
    >>> opened(gzip.compress(b"page"), ["gzip"], 100), opened(b"page", ["gzip"], 100)
    ((b'page', False), (b'page', False))
    """
    is_cut = False
    known = [_OPENERS[name] for name in encodings if name in _OPENERS]
    for opener in list(reversed(known))[:MAX_ENCODINGS]:
        inner = opener(body, limit)
        if inner is None:
            return body, is_cut
        body, is_cut = inner[0], is_cut or not inner[1]
    return body, is_cut


_Opened = tuple[bytes, bool] | None
"""What came out and whether that is all of it; None for a body that is not in this encoding."""


def _inflate(body: bytes, limit: int) -> _Opened:
    """One or more gzip members, or one zlib or raw deflate stream."""
    wbits = _AUTO_WBITS if body[:1] in (b"\x1f", b"\x78", b"\x58", b"\x38", b"\x18") else _RAW_WBITS
    error: Any = isal_zlib.error  # its stub takes the class for an instance
    return _open_streams(body, limit, lambda: isal_zlib.decompressobj(wbits), error)


def _unzstd(body: bytes, limit: int) -> _Opened:
    """One or more frames, one after the other (RFC 8878, section 3)."""
    return _open_streams(body, limit, zstd.ZstdDecompressor, zstd.ZstdError)


def _open_streams(body: bytes, limit: int, begin: Callable[[], Any], error: type[Exception]) -> _Opened:
    """Compressed streams one after the other, each opened by what `begin` gives."""
    parts: list[bytes] = []
    room = limit
    while body and room > 0:
        stream = begin()
        try:
            parts.append(stream.decompress(body, room))
        except error:
            return (b"".join(parts), True) if parts else None  # rubbish after a whole stream is harmless
        room -= len(parts[-1])
        if not stream.eof:
            return b"".join(parts), False
        body = stream.unused_data
    return b"".join(parts), not body


def _unbrotli(body: bytes, limit: int) -> _Opened:
    stream = brotli.Decompressor()
    try:
        opened_body = stream.process(body, output_buffer_limit=limit)
    except brotli.error:
        return None
    return opened_body[:limit], stream.is_finished() and len(opened_body) <= limit


_OPENERS: dict[str, Callable[[bytes, int], _Opened]] = {
    "gzip": _inflate,
    "x-gzip": _inflate,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}


class DecompressionMiddleware:
    """In place of Scrapy's, which throws away whatever is larger than its limit or broken."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DecompressionMiddleware:
        return cls(crawler.settings.getint("TECHNOGRAPH_MAX_BODY_BYTES"))

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("Accept-Encoding", ACCEPTED)

    def process_response(self, request: Request, response: Response) -> Response:
        stated = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower()
        if not stated or not response.body:
            return response
        body, is_cut = opened(response.body, [name.strip() for name in stated.split(",")], self._limit)
        flags = [*response.flags, "dataloss"] if is_cut else response.flags
        return response.replace(body=body, flags=flags)
