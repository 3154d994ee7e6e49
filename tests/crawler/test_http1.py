"""Answers byte by byte: whatever way a server cuts them, the same answer comes out."""

from __future__ import annotations

import pytest

from crawler.http1 import MAX_HEAD_BYTES, Answer, ParseError

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(*pieces: bytes, limit: int = 1_000, in_order: bool = True) -> Answer:
    """The answer that these pieces make, the connection ended after them."""
    answer = Answer(lambda _: limit)
    for piece in pieces:
        if not answer.is_done:
            answer.feed(piece)
    answer.end(in_order=in_order)
    return answer


WHOLE = {
    "length": LENGTH,
    "until it closes": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "chunks": CHUNKED + b"2\r\nhe\r\n3;name=value\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "after an interim answer": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + LENGTH,
    "length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
}


@pytest.mark.parametrize("sent", WHOLE.values(), ids=WHOLE)
def test_answer_is_the_same_whole_or_byte_by_byte(sent: bytes) -> None:
    for pieces in ([sent], [bytes([byte]) for byte in sent]):
        answer = read(*pieces)
        assert (answer.status, answer.body, answer.is_short, answer.is_stopped) == (
            200,
            b"hello",
            False,
            False,
        )


SHORT = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "inside a chunk": CHUNKED + b"9\r\nhello",
    "size that is no size": CHUNKED + b"5\r\nhello\r\nnine\r\n",
    "chunk longer than its size": CHUNKED + b"5\r\nhelloooo\r\n0\r\n\r\n",
    "endless size": CHUNKED + b"5\r\nhello\r\n" + b"0" * 10_000,
}


@pytest.mark.parametrize("sent", SHORT.values(), ids=SHORT)
def test_broken_body_is_kept_and_marked(sent: bytes) -> None:
    answer = read(sent)
    assert (answer.body, answer.is_short, answer.leaves_open) == (b"hello", True, False)


def test_reset_marks_a_body_that_lasts_until_the_connection_ends() -> None:
    assert read(WHOLE["until it closes"], in_order=False).is_short


@pytest.mark.parametrize("sent", WHOLE.values(), ids=WHOLE)
def test_body_is_cut_at_the_limit_and_the_connection_given_up(sent: bytes) -> None:
    answer = read(sent, limit=3)
    assert (answer.is_stopped, answer.leaves_open) == (True, False)
    assert b"hello".startswith(answer.body)


def test_body_that_nobody_wants_is_not_waited_for() -> None:
    answer = Answer(lambda head: 0 if head.field(b"content-type") == b"image/png" else 1_000)
    answer.feed(b"HTTP/1.1 200 OK\r\nContent-Type: image/PNG\r\nContent-Length: 9000000\r\n\r\n")
    assert (answer.is_done, answer.is_stopped, answer.body) == (True, True, b"")


@pytest.mark.parametrize(
    ("sent", "leaves_open"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", False),
        (CHUNKED + b"0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", True),
    ],
)
def test_connection_is_used_again_only_where_both_sides_know_the_end(sent: bytes, leaves_open: bool) -> None:
    answer = Answer(lambda _: 1_000)
    answer.feed(sent)
    assert (answer.is_done, answer.leaves_open) == (True, leaves_open)


def test_headers_keep_every_value_and_skip_what_is_none() -> None:
    answer = read(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nbad line\r\nset-cookie: b=2\r\nX-Folded: one\r\n two\r\n\r\n"
    )
    assert answer.fields == [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"X-Folded", b"one two")]


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<!doctype html>",
        b"HTTP/1.1 FINE OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * MAX_HEAD_BYTES,
    ],
    ids=["ssh", "http 0.9", "status is a word", "endless head"],
)
def test_what_is_no_http_is_refused_at_once(sent: bytes) -> None:
    with pytest.raises(ParseError):
        read(sent)


def test_head_that_never_ends_is_no_answer() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n").status == 0
