"""A web on this machine for measuring crawls: any number of https hosts on one port, in a process of its own.

    python -m bench.web --corpus DIR

Hosts are `s0.test`, `s1.test`...; what one does follows from its number alone, so that a list of any
length has the same mix (`MIX`). Answers are built before the first request, and the protocol is as thin as
asyncio allows: what is measured beside it should be the crawler. It prints its ports as one JSON line and
ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import gzip
import json
import random
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.web_pages import made_pages, real_pages

MIX = {
    "no_name": 30,
    "silent": 15,
    "reset": 20,
    "plain_only": 40,
    "forbidden": 30,
    "unavailable": 10,
    "parked": 25,
    "offsite": 15,
    "to_www": 200,
}
"""Hosts of a thousand that are not simply a site on https: our estimate of a bought list after cleaning."""
LATENCY_S = (0.1, 0.3)
"""Of each answer, evenly spread; connecting and the TLS handshake come on top."""

NAMES_EACH = 50
"""Sites that share a certificate, each with and without `www.`."""

_KINDS = [kind for kind, count in MIX.items() for _ in range(count)]
_CONTAINER = b"""// <![CDATA[
var data = {"resource": {"version": "1", "macros": [], "tags": [{"function": "__html",
"vtp_html": "\\u003Cscript src=\\"https://static.ads-twitter.com/uwt.js\\"\\u003E\\u003C/script\\u003E"}],
"predicates": [], "rules": []}, "runtime": []};
"""


def kind_of(number: int) -> str:
    """What the host with this number does: a kind of MIX, or `site`."""
    place = (number * 7_919 + 13) % 1_000  # spread evenly over any stretch of numbers
    return _KINDS[place] if place < len(_KINDS) else "site"


def domain_of(number: int) -> str:
    """The crawler's resolver knows no name under `.invalid`."""
    return f"s{number}.{'invalid' if kind_of(number) == 'no_name' else 'test'}"


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


class _Answers:
    """Every answer as the bytes that go out."""

    def __init__(self, pages: Iterable[bytes]) -> None:
        self.pages = [_packed(page) for page in pages]
        self.products = [
            _packed(
                page.replace(
                    b"</head>", b'<script type="application/ld+json">{"@type": "Product"}</script></head>'
                )
            )
            for page in (gzip.decompress(answer.partition(b"\r\n\r\n")[2]) for answer in self.pages[:8])
        ]
        self.robots = [_robots(rules) for rules in (0, 3, 3, 60)]
        self.missing = _answer(b"<h1>Not found</h1>", status="404 Not Found")
        self.fixed = {
            "forbidden": _answer(
                b"<title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/h/g/orchestrate/x'></script>",
                "cf-mitigated: challenge",
                status="403 Forbidden",
            ),
            "unavailable": _answer(b"<h1>Back soon</h1>", status="503 Service Unavailable"),
            "parked": _answer(
                b"<html data-adblockkey='x'><script src='https://img1.wsimg.com/parking-lander/x.js'></script></html>"
            ),
            "offsite": _redirect("https://another-owner.example/"),
        }
        self.container = _answer(_CONTAINER, content_type="application/javascript")
        self.given = 0

    def to(self, host: str, path: str) -> bytes:
        """The answer for a path of a host; hosts without a number are where tag containers live."""
        self.given += 1
        number = _number_in(host)
        if number is None:
            return self.container
        kind = kind_of(number)
        if path == "/robots.txt":
            return self.robots[number % 4]
        if kind in self.fixed:
            return self.fixed[kind]
        if kind == "to_www" and not host.startswith("www."):
            return _redirect(f"https://www.{host}{path}")
        if path.startswith("/products/"):
            return self.products[number % len(self.products)]
        return self.pages[(number + len(path)) % len(self.pages)]


def _answer(body: bytes, *headers: str, status: str = "200 OK", content_type: str = "text/html") -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        "Date: Sun, 22 Nov 2026 04:00:00 GMT",
        "Server: nginx",
        f"Content-Type: {content_type}; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: keep-alive",
        "Vary: Accept-Encoding",
        "X-Frame-Options: SAMEORIGIN",
        "Strict-Transport-Security: max-age=31536000",
        *headers,
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def _packed(page: bytes) -> bytes:
    cookies = ("Set-Cookie: session=0123456789abcdef; path=/; HttpOnly", "Cache-Control: private")
    return _answer(gzip.compress(page, 6), "Content-Encoding: gzip", *cookies)


def _redirect(place: str) -> bytes:
    return _answer(b"", f"Location: {place}", status="301 Moved Permanently")


def _robots(rules: int) -> bytes:
    if not rules:
        return _answer(b"", status="404 Not Found")
    lines = ["User-agent: *", *(f"Disallow: /private-{n}/*?page=" for n in range(rules)), "Sitemap: /map.xml"]
    return _answer("\n".join(lines).encode(), content_type="text/plain")


class _Connection(asyncio.Protocol):
    """Answers one request after the other, each after its latency; a `silent` host never does."""

    __slots__ = ("answers", "dice", "loop", "received", "transport")

    def __init__(self, answers: _Answers, dice: random.Random) -> None:
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
        number = _number_in(host)
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


def _number_in(host: str) -> int | None:
    """17 for `s17.test` and `www.s17.test`; None for hosts of others."""
    name = host.removeprefix("www.").partition(".")[0]
    return int(name[1:]) if name[:1] == "s" and name[1:].isdigit() else None


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


class _Certificates:
    """TLS for every host: certificates of an authority of our own, each for 100 names, made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: dict[int, ssl.SSLContext] = {}

    def context(self) -> ssl.SSLContext:
        """The listener's; connections of hosts without https end in the handshake."""
        first = self._of(0)
        first.sni_callback = self._choose  # type: ignore[assignment]
        return first

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        number = _number_in(name or "")
        if number is not None:
            if kind_of(number) == "plain_only":
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
            tls.context = self._of(number // NAMES_EACH)
        return None

    def _of(self, group: int) -> ssl.SSLContext:
        if group not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate(group))
            self._contexts[group] = context
        return self._contexts[group]

    def _certificate(self, group: int) -> Path:
        numbers = range(group * NAMES_EACH, (group + 1) * NAMES_EACH)
        names = [x509.DNSName(f"{prefix}s{number}.test") for number in numbers for prefix in ("", "www.")]
        today = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(f"s{numbers[0]}.test"))
            .issuer_name(_named("Bench Authority"))
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        path = self._folder / "bench.pem"
        path.write_bytes(
            self._key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(pem)
        )
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


async def _serve(pages: list[bytes], folder: Path) -> None:
    loop = asyncio.get_running_loop()
    answers = _Answers(pages)
    connection = partial(_Connection, answers, random.Random(1))
    plain = await loop.create_server(connection, "127.0.0.1", 0, backlog=4096)
    secure = await loop.create_server(
        connection, "127.0.0.1", 0, backlog=4096, ssl=_Certificates(folder).context()
    )
    names, _ = await loop.create_datagram_endpoint(_Names, local_addr=("127.0.0.1", 0))
    ports = {
        "http": plain.sockets[0].getsockname()[1],
        "https": secure.sockets[0].getsockname()[1],
        "dns": names.get_extra_info("sockname")[1],
    }
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({"answers": answers.given, "cpu_s": time.process_time()}), flush=True)


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
