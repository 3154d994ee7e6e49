"""The hostile web counts the requests that are open: two are two, and one that was hung up on is none."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fingerprints.model import Outcome
from tests.hostile import CASES, Case, HostileWeb, certificates
from tests.hostile.web import Reply, Request

HOST = "never-answers.test"
HEAD = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n".encode()
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a close that is told as RST."""

Connect = Callable[[], socket.socket]


async def never_answers(_: Request, __: Reply) -> None:
    await asyncio.sleep(60)


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileWeb]:
    monkeypatch.setitem(CASES, HOST, Case(HOST, Outcome.TIMEOUT, never_answers, tls=certificates.good))
    with HostileWeb(folder=tmp_path) as web:
        yield web


@pytest.fixture(params=["http", "https"])
def connect(web: HostileWeb, request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Opens a connection whose request wants only its last line."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with ExitStack() as opened:

        def connected() -> socket.socket:
            port = web.http_port if request.param == "http" else web.https_port
            plain = socket.create_connection(("127.0.0.1", port), timeout=10)
            tls = request.param == "https"
            connection = trusting.wrap_socket(plain, server_hostname=HOST) if tls else plain
            opened.callback(connection.close)
            connection.sendall(HEAD)
            return connection

        yield connected


def until_asked(web: HostileWeb, times: int) -> None:
    """Return once the server has counted this many requests."""
    end_s = time.monotonic() + 10
    while web.requests[HOST, "/"] < times:
        assert time.monotonic() < end_s, "the request did not arrive"
        time.sleep(0.01)


def test_two_requests_that_are_open_together_are_two(web: HostileWeb, connect: Connect) -> None:
    first, second = connect(), connect()
    first.sendall(b"\r\n")
    until_asked(web, 1)
    with web.paused():
        second.sendall(b"\r\n")
    until_asked(web, 2)
    assert (web.most_at_once[HOST], web.most_at_address["127.0.0.1"]) == (2, 2)


@pytest.mark.parametrize("linger", [None, RESET], ids=["closed", "reset"])
def test_request_hung_up_on_before_the_next_one_is_not_open_beside_it(
    web: HostileWeb, connect: Connect, linger: bytes | None
) -> None:
    first, second = connect(), connect()
    first.sendall(b"\r\n")
    until_asked(web, 1)
    with web.paused():  # so that it learns of both together
        if linger:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        first.close()
        second.sendall(b"\r\n")
    until_asked(web, 2)
    assert (web.most_at_once[HOST], web.most_at_address["127.0.0.1"]) == (1, 1)


def test_request_that_was_answered_is_open_no_more(web: HostileWeb) -> None:
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", web.http_port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: tls-only.example\r\n\r\n")
            while connection.recv(4096):
                pass
    assert web.most_at_once["tls-only.example"] == 1
