"""Sites that break the protocol: too slow, too long, cut off, falsely labelled, or not HTTP at all."""

from __future__ import annotations

import asyncio
import functools
import gzip
import zlib

import brotli
from backports import zstd

from fingerprints.model import Outcome
from tests.hostile.web import PAGE, Reply, Request, case

FILLER = b"<p>and so on</p>" * 4096
"""64 KB."""
MB = 2**20

# -- slow, endless, cut off ---------------------------------------------------------------------------------


async def _begin(reply: Reply) -> None:
    """A page, of which more is declared than it has."""
    await reply.head("200 OK", "Content-Type: text/html", "Content-Length: 900000")
    await reply.raw(PAGE)


async def _drip(reply: Reply, pause_s: float) -> None:
    while True:
        await asyncio.sleep(pause_s)
        await reply.raw(b" ")


@case(Outcome.TIMEOUT)
async def silent(_: Request, reply: Reply) -> None:
    """Accepts the connection and says nothing."""
    await asyncio.sleep(60)


@case(Outcome.TIMEOUT)
async def slow_header(_: Request, reply: Reply) -> None:
    """A header every 0.3 seconds, for ever."""
    await reply.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        await reply.raw(b"X-Wait: 1\r\n")
        await asyncio.sleep(0.3)


@case(Outcome.TIMEOUT)
async def head_and_no_body(_: Request, reply: Reply) -> None:
    """Proper headers, then nothing."""
    await reply.head("200 OK", "Content-Type: text/html", "Content-Length: 900000")
    await asyncio.sleep(60)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def stalls_mid_body(_: Request, reply: Reply) -> None:
    """A page, then nothing more of what was declared."""
    await _begin(reply)
    await asyncio.sleep(60)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def late_head_and_slow_body(_: Request, reply: Reply) -> None:
    """The page begins when half of its time is over, and does not end."""
    await asyncio.sleep(5)
    await _begin(reply)
    await asyncio.sleep(60)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def slow_body(_: Request, reply: Reply) -> None:
    """A page, then a byte every 2.5 seconds."""
    await _begin(reply)
    await _drip(reply, 2.5)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def dripping_body(_: Request, reply: Reply) -> None:
    """A page, then a byte every 0.2 seconds."""
    await _begin(reply)
    await _drip(reply, 0.2)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def endless_body(_: Request, reply: Reply) -> None:
    """A body without a length that never ends."""
    await reply.head("200 OK", "Content-Type: text/html")
    await reply.raw(PAGE)
    while True:
        await reply.raw(FILLER)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def endless_chunks(_: Request, reply: Reply) -> None:
    """Chunks without end."""
    await reply.head("200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked")
    await reply.raw(f"{len(PAGE):x}\r\n".encode() + PAGE + b"\r\n")
    while True:
        await reply.raw(b"10000\r\n" + FILLER + b"\r\n")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def hundred_megabytes(_: Request, reply: Reply) -> None:
    """A page of 100 MB."""
    await reply.head("200 OK", "Content-Type: text/html", f"Content-Length: {100 * MB}")
    await reply.raw(PAGE)
    for _n in range(1600):
        await reply.raw(FILLER)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def shorter_than_declared(_: Request, reply: Reply) -> None:
    """Its Content-Length says 500 bytes more than come."""
    await reply.head("200 OK", "Content-Type: text/html", f"Content-Length: {len(PAGE) + 500}")
    await reply.raw(PAGE)


@case(Outcome.OK)
async def longer_than_declared(_: Request, reply: Reply) -> None:
    """Bytes come after the end that its Content-Length states."""
    await reply.head("200 OK", "Content-Type: text/html", f"Content-Length: {len(PAGE)}")
    await reply.raw(PAGE + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nextra")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def broken_chunks(_: Request, reply: Reply) -> None:
    """A chunk size that is no number."""
    await reply.head("200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked")
    await reply.raw(f"{len(PAGE):x}\r\n".encode() + PAGE + b"\r\nnot-a-size\r\n")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def chunks_cut_off(_: Request, reply: Reply) -> None:
    """The connection ends inside a chunk."""
    await reply.head("200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked")
    await reply.raw(f"{len(PAGE):x}\r\n".encode() + PAGE + b"\r\nff\r\n<p>")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def reset_mid_body(_: Request, reply: Reply) -> None:
    """Resets the connection in the middle of the body."""
    await _begin(reply)
    await asyncio.sleep(0.2)
    reply.reset()


@case(Outcome.HTTP_ERROR)
async def closes_at_once(_: Request, reply: Reply) -> None:
    """Closes the connection without an answer."""
    reply.writer.close()


@case(Outcome.HTTP_ERROR)
async def resets_at_once(_: Request, reply: Reply) -> None:
    """Resets the connection without an answer."""
    reply.reset()


# -- not HTTP, or barely --------------------------------------------------------------------------------------


@case(Outcome.HTTP_ERROR)
async def not_http(_: Request, reply: Reply) -> None:
    """Answers as an SSH server."""
    await reply.raw(b"SSH-2.0-OpenSSH_9.2\r\n")


@case(Outcome.HTTP_ERROR)
async def http_0_9(_: Request, reply: Reply) -> None:
    """HTTP/0.9: the page without a status line or headers."""
    await reply.raw(PAGE)


@case(Outcome.HTTP_ERROR)
async def status_is_a_word(_: Request, reply: Reply) -> None:
    """`HTTP/1.1 FINE OK`."""
    await reply.raw(b"HTTP/1.1 FINE OK\r\nContent-Type: text/html\r\n\r\n" + PAGE)


@case(Outcome.HTTP_ERROR)
async def status_line_is_binary(_: Request, reply: Reply) -> None:
    """256 different bytes where the status line should be."""
    await reply.raw(bytes(range(256)) * 8 + b"\r\n\r\n" + PAGE)


@case(Outcome.OK)
async def status_without_a_reason(_: Request, reply: Reply) -> None:
    """`HTTP/1.1 200` and nothing after it."""
    await reply.raw(b"HTTP/1.1 200\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + PAGE)


@case(Outcome.HTTP_ERROR, detail="999999")
async def status_out_of_range(_: Request, reply: Reply) -> None:
    """`HTTP/1.1 999999 Odd`."""
    await reply.page(status="999999 Odd")


@case(Outcome.OK)
async def lowercase_headers_without_crlf(_: Request, reply: Reply) -> None:
    """Lines end with LF alone, and one header has no colon."""
    await reply.raw(b"HTTP/1.1 200 OK\ncontent-type: text/html\nbad line\n\n" + PAGE)


@case(Outcome.HTTP_ERROR)
async def endless_head(_: Request, reply: Reply) -> None:
    """Headers without end."""
    await reply.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        await reply.raw(b"X-More: 0123456789\r\n" * 4096)


@case(Outcome.HTTP_ERROR)
async def fifty_thousand_headers(_: Request, reply: Reply) -> None:
    """50,000 headers."""
    await reply.page(PAGE, *(f"X-Header-{n}: {n}" for n in range(50_000)))


@case(Outcome.HTTP_ERROR)
async def one_megabyte_header(_: Request, reply: Reply) -> None:
    """One header of 1 MB."""
    await reply.page(PAGE, "X-Long: " + "x" * MB)


@case(Outcome.OK)
async def long_policy_header(_: Request, reply: Reply) -> None:
    """A Content-Security-Policy of 30 KB."""
    await reply.page(PAGE, "Content-Security-Policy: " + "https://a.test " * 2000)


# -- encodings ------------------------------------------------------------------------------------------------


@case(Outcome.OK)
async def compressed(_: Request, reply: Reply) -> None:
    """gzip, properly."""
    await reply.page(gzip.compress(PAGE), "Content-Encoding: gzip")


@case(Outcome.OK)
async def zstd_in_two_frames(_: Request, reply: Reply) -> None:
    """zstd in two frames: the second holds all but the first 30 bytes of the page."""
    body = zstd.compress(PAGE[:30]) + zstd.compress(PAGE[30:])
    await reply.page(body, "Content-Encoding: zstd")


@case(Outcome.OK)
async def lies_about_its_encoding(_: Request, reply: Reply) -> None:
    """Says gzip and sends the page as it is."""
    await reply.page(PAGE, "Content-Encoding: gzip")


@case(Outcome.OK)
async def encoding_nobody_knows(_: Request, reply: Reply) -> None:
    """Says `Content-Encoding: klingon` and sends the page as it is."""
    await reply.page(PAGE, "Content-Encoding: klingon")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def gzip_cut_off(_: Request, reply: Reply) -> None:
    """gzip that ends in the middle."""
    body = gzip.compress(PAGE + FILLER)
    await reply.page(body[:-30], "Content-Encoding: gzip")


@functools.cache
def _gzip_blocks(wbits: int) -> tuple[bytes, bytes]:
    """The page, and 1 MB of spaces that may be repeated: each ends on a full flush."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    page = packer.compress(PAGE) + packer.flush(zlib.Z_FULL_FLUSH)
    return page, packer.compress(b" " * MB) + packer.flush(zlib.Z_FULL_FLUSH)


def gzip_gigabyte(wbits: int = 31) -> bytes:
    """1 GB in 1 MB; the stream has no end, which nobody should come to see."""
    page, spaces = _gzip_blocks(wbits)
    return page + spaces * 1024


@functools.cache
def brotli_gigabyte() -> bytes:
    """1 GB in under 1 KB: one meta-block of 16 MB that copies what was before it, 64 times."""
    packer = brotli.Compressor(quality=5, lgwin=24)
    page: bytes = packer.process(PAGE) + packer.flush()
    first, again = (bytes(packer.process(b" " * 16 * MB) + packer.flush()) for _ in range(2))
    return page + first + again * 63


@functools.cache
def zstd_gigabyte() -> bytes:
    """1 GB in 33 KB."""
    packer = zstd.ZstdCompressor()
    page = packer.compress(PAGE, packer.FLUSH_BLOCK)
    first, again = (packer.compress(b" " * MB, packer.FLUSH_BLOCK) for _ in range(2))
    return page + first + again * 1023


@case(Outcome.PARTIAL, flags=("body_cut",))
async def gzip_bomb(_: Request, reply: Reply) -> None:
    """gzip: 1 MB that become 1 GB."""
    await reply.page(gzip_gigabyte(), "Content-Encoding: gzip")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def deflate_bomb(_: Request, reply: Reply) -> None:
    """deflate: 1 MB that become 1 GB."""
    await reply.page(gzip_gigabyte(15), "Content-Encoding: deflate")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def brotli_bomb(_: Request, reply: Reply) -> None:
    """brotli: 1 KB that become 1 GB."""
    await reply.page(brotli_gigabyte(), "Content-Encoding: br")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def zstd_bomb(_: Request, reply: Reply) -> None:
    """zstd: 33 KB that become 1 GB."""
    await reply.page(zstd_gigabyte(), "Content-Encoding: zstd")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def bomb_in_a_bomb(_: Request, reply: Reply) -> None:
    """gzip in gzip: 3 KB that become 1 GB."""
    await reply.page(gzip.compress(gzip_gigabyte(), 9), "Content-Encoding: gzip, gzip")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def robots_is_a_bomb(request: Request, reply: Reply) -> None:
    """robots.txt is a gzip bomb; so is the page."""
    await reply.page(gzip_gigabyte(), "Content-Encoding: gzip")
