from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from crawler.decompress import opened, zstd

PAGE = b"<html>" + b"Acme makes anvils. " * 500
RAW_DEFLATE = zlib.compressobj(wbits=-15)

COMPRESSED = {
    "gzip": gzip.compress(PAGE),
    "two gzip members": gzip.compress(PAGE[:4000]) + gzip.compress(PAGE[4000:]),
    "deflate": zlib.compress(PAGE),
    "raw deflate": RAW_DEFLATE.compress(PAGE) + RAW_DEFLATE.flush(),
    "br": brotli.compress(PAGE),
    "zstd": zstd.compress(PAGE),
    "two frames of zstd": zstd.compress(PAGE[:4000]) + zstd.compress(PAGE[4000:]),
}


def encoding(name: str) -> str:
    return name.split()[-1] if name != "two gzip members" else "gzip"


@pytest.mark.parametrize("name", COMPRESSED)
def test_whole_body_is_opened(name: str) -> None:
    assert opened(COMPRESSED[name], [encoding(name)], 1 << 20) == (PAGE, False)


@pytest.mark.parametrize("name", COMPRESSED)
def test_body_is_cut_at_the_limit(name: str) -> None:
    body, is_cut = opened(COMPRESSED[name], [encoding(name)], 5000)
    assert (body, is_cut) == (PAGE[:5000], True)


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "zstd"])
def test_beginning_of_a_truncated_body_is_kept(name: str) -> None:
    page = PAGE + bytes(range(256)) * 2000
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}
    if name == "raw deflate":
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(page) + packer.flush()
    else:
        body = packed[name](page)
    half, is_cut = opened(body[: len(body) * 3 // 4], [encoding(name)], 1 << 20)
    assert is_cut
    assert page.startswith(half)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "x-gzip"])
def test_plain_page_under_a_false_label_stays_readable(name: str) -> None:
    assert opened(PAGE, [name], 1 << 20) == (PAGE, False)


def test_encodings_are_undone_in_reverse() -> None:
    assert opened(brotli.compress(gzip.compress(PAGE)), ["gzip", "br"], 1 << 20) == (PAGE, False)


def test_unknown_encoding_is_left_alone() -> None:
    assert opened(PAGE, ["identity", "utf-8"], 1 << 20) == (PAGE, False)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_bomb_costs_no_more_than_the_limit(name: str) -> None:
    packer = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}[name]
    body, is_cut = opened(packer(bytes(50 << 20)), [name], 1 << 20)
    assert (len(body), is_cut) == (1 << 20, True)
