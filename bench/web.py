"""A web on this machine for measuring crawls: any number of https hosts on one port, in a process of its own.

    python -m bench.web --corpus DIR

Hosts are `s0.test`, `s1.test`...; what one does follows from its number alone, so that a list of any
length has the same mix (bench/web_answers.py). Answers are built before the first request, and the protocol
is as thin as asyncio allows: what is measured beside it should be the crawler. It prints its ports as one
JSON line and ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import uvloop

from bench.web_answers import Answers, kind_of, number_in
from bench.web_certificates import Certificates
from bench.web_pages import made_pages, real_pages

LATENCY_S = (0.1, 0.3)
"""Of each answer, evenly spread; connecting and the TLS handshake come on top."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running bench web listens, on 127.0.0.1."""

    http: int
    https: int
    dns: int

    @property
    def resolve_all_to(self) -> str:
        return f"http=127.0.0.1:{self.http},https=127.0.0.1:{self.https}"


class BenchWeb:
    """The web in a process of its own while the `with` block runs."""

    def __init__(self, corpus: Path | None = None) -> None:
        chosen = [] if corpus is None else ["--corpus", str(corpus)]
        self._command = [sys.executable, "-m", "bench.web", *chosen]

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the bench web did not start; see the messages above")
        self.at = Addresses(**json.loads(line))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        told, _ = self.process.communicate("")
        self.told: dict[str, float] = json.loads(told or "{}")
        """When it has ended: `answers` given and `cpu_s` used."""


class _Connection(asyncio.Protocol):
    """Answers one request after the other, each after its latency; a `silent` host never does."""

    __slots__ = ("answers", "dice", "loop", "received", "transport")

    def __init__(self, answers: Answers, dice: random.Random) -> None:
        self.answers = answers
        self.dice = dice
        self.received = b""
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            self._asked(head.decode("latin-1"))

    def _asked(self, head: str) -> None:
        path = head.split(" ", 2)[1]
        if path.startswith("/~"):  # for programs that cannot be told where names lead: /~17/ is s17.test
            number, _, rest = path[2:].partition("/")
            host, path = f"www.s{number}.test", f"/{rest}"
        else:
            host = head.lower().partition("\r\nhost:")[2].partition("\r\n")[0].strip().partition(":")[0]
        number = number_in(host)
        kind = "site" if number is None else kind_of(number)
        if kind == "silent":
            return
        if kind == "reset":
            self.transport.abort()  # type: ignore[attr-defined]
            return
        self.loop.call_later(self.dice.uniform(*LATENCY_S), self._send, self.answers.to(host, path))

    def _send(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)  # type: ignore[attr-defined]


class _Names(asyncio.DatagramProtocol):
    """A name server: every domain has mail at Google and no other record."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        end = data.index(b"\0", 12) + 5
        has_mail = data[end - 4 : end - 2] == b"\0\x0f"
        head = data[:2] + b"\x81\x80\0\1\0" + bytes([has_mail]) + b"\0\0\0\0"
        self.transport.sendto(head + data[12:end] + _MAIL * has_mail, address)  # type: ignore[attr-defined]


_MAIL = b"\xc0\x0c\0\x0f\0\1\0\0\1\x2c\0\x13\0\1\x04smtp\x06google\x03com\0"
"""An MX record for the name asked about: priority 1, smtp.google.com."""


async def _serve(pages: list[bytes], folder: Path) -> None:
    loop = asyncio.get_running_loop()
    answers = Answers(pages)
    connection = partial(_Connection, answers, random.Random(1))
    plain = await loop.create_server(connection, "127.0.0.1", 0, backlog=4096)
    secure = await loop.create_server(
        connection, "127.0.0.1", 0, backlog=4096, ssl=Certificates(folder).context()
    )
    names, _ = await loop.create_datagram_endpoint(_Names, local_addr=("127.0.0.1", 0))
    ports = {
        "http": plain.sockets[0].getsockname()[1],
        "https": secure.sockets[0].getsockname()[1],
        "dns": names.get_extra_info("sockname")[1],
    }
    print(json.dumps(ports), flush=True)
    started_s = time.process_time()
    await loop.run_in_executor(None, sys.stdin.read)
    told = {"answers": answers.given, "cpu_s": time.process_time() - started_s}
    print(json.dumps(told), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, help="serve real pages of this folder (bench/README.md)")
    arguments = parser.parse_args()
    pages = real_pages(arguments.corpus) if arguments.corpus else made_pages()
    with tempfile.TemporaryDirectory(prefix="bench-web-") as folder:
        uvloop.run(_serve(pages, Path(folder)))


if __name__ == "__main__":
    main()
