"""A web that misbehaves in every way we know of: real sockets on 127.0.0.1, one host name a failure.

Each case is a coroutine that answers one request, registered with the outcome a crawl must give its site.
The crawler's resolver is pointed here (`TECHNOGRAPH_RESOLVE_ALL_TO`), so `slow-header.test` reaches the
case `slow_header`. Hosts speak plain http; https is offered only by the cases that say so. Beside them
there are as many well-behaved sites as a test needs: `site1.test`, `site2.test`...
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import re
import ssl
import threading
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fingerprints.model import Outcome

GTM = "<script src='https://www.googletagmanager.com/gtm.js?id=GTM-ABC123'></script>"
WORDS = (
    "<h1>Acme makes anvils</h1>"
    + "<p>Our anvils are forged by hand and sent to you within two days.</p>" * 12
)
PAGE = (
    f"<!doctype html><html lang=en><head><title>Acme</title>{GTM}</head><body>{WORDS}</body></html>".encode()
)


@dataclass(slots=True)
class Request:
    """One request as the server read it."""

    host: str
    path: str
    headers: dict[str, str]
    number: int
    """1 for the first request of this path on this host."""
    is_tls: bool


class Reply:
    """Writes to the socket, well-behaved only when asked to be."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]
        await self.raw("\r\n".join(lines).encode("latin-1"))

    async def page(
        self, body: bytes = PAGE, *headers: str, status: str = "200 OK", content_type: str = "text/html"
    ) -> None:
        stated = [f"Content-Type: {content_type}"] if content_type else []
        await self.head(status, *stated, *headers, f"Content-Length: {len(body)}")
        await self.raw(body)

    async def redirect(self, location: str, *headers: str, status: str = "302 Found") -> None:
        await self.page(b"", f"Location: {location}", *headers, status=status)

    def reset(self) -> None:
        """Drop the connection with RST instead of an orderly end."""
        sock = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SOL_SOCKET, SO_LINGER: on, 0 s
        self.writer.transport.abort()


Handler = Callable[[Request, Reply], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One way to misbehave and what a crawl must make of it."""

    host: str
    outcome: Outcome
    handler: Handler
    detail: str = ""
    """Asserted when not empty."""
    flags: frozenset[str] = frozenset()
    """Flags the record must have."""
    tls: bool = False
    plain: bool = True


CASES: dict[str, Case] = {}


def case(
    outcome: Outcome, *, detail: str = "", flags: tuple[str, ...] = (), tls: bool = False, plain: bool = True
) -> Callable[[Handler], Handler]:
    """Register a handler under its name with hyphens, as a host below `.test`."""

    def register(handler: Handler) -> Handler:
        host = handler.__name__.replace("_", "-") + ".test"
        CASES[host] = Case(host, outcome, handler, detail, frozenset(flags), tls, plain)
        return handler

    return register


@dataclass(slots=True)
class HostileWeb:
    """The running server. Use it as a context manager; it has its own thread and event loop."""

    http_port: int = 0
    https_port: int = 0
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(host, path) to how often it was asked for."""
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    """Host to the most requests that were open at the same time."""
    times: dict[str, list[float]] = field(default_factory=dict)
    """Host to when its pages were asked for, robots.txt apart."""
    folder: Path = Path("/tmp")
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None

    @property
    def resolve_all_to(self) -> str:
        return f"http=127.0.0.1:{self.http_port},https=127.0.0.1:{self.https_port}"

    def __enter__(self) -> HostileWeb:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10), "the hostile web did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, started: threading.Event) -> None:
        self._loop = loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # peers that hang up are what this server is for
        servers = loop.run_until_complete(self._listen())
        started.set()
        loop.run_forever()
        for server in servers:
            server.close()
        loop.run_until_complete(_ended(asyncio.all_tasks(loop)))
        loop.close()

    async def _listen(self) -> list[asyncio.Server]:
        plain = await asyncio.start_server(lambda r, w: self._serve(r, w, False), "127.0.0.1", 0, backlog=512)
        secure = await asyncio.start_server(
            lambda r, w: self._serve(r, w, True), "127.0.0.1", 0, ssl=self._tls_context(), backlog=512
        )
        self.http_port = plain.sockets[0].getsockname()[1]
        self.https_port = secure.sockets[0].getsockname()[1]
        return [plain, secure]

    def _tls_context(self) -> ssl.SSLContext:
        """Self-signed, for another host, expired: browsers would refuse it, a survey reads the page."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_bad_certificate(self.folder))

        def choose(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int | None:
            known = CASES.get((name or "").removeprefix("www."))
            return None if known and known.tls else ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE

        context.sni_callback = choose  # type: ignore[assignment]
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_tls: bool) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            request = self._parse(await reader.readuntil(b"\r\n\r\n"), is_tls)
            self.at_once[request.host] += 1
            self.most_at_once[request.host] = max(self.most_at_once[request.host], self.at_once[request.host])
            answer = asyncio.ensure_future(self._answer(request, Reply(writer)))
            hung_up = asyncio.ensure_future(reader.read(1))
            try:
                await asyncio.wait({answer, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.at_once[request.host] -= 1
                await _ended({answer, hung_up})
        writer.close()

    def _parse(self, head: bytes, is_tls: bool) -> Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host, path = headers.get("host", "").partition(":")[0], first.split(" ")[1]
        self.requests[host, path] += 1
        if path != "/robots.txt":
            self.times.setdefault(host, []).append(asyncio.get_running_loop().time())
        return Request(host, path, headers, self.requests[host, path], is_tls)

    async def _answer(self, request: Request, reply: Reply) -> None:
        known = CASES.get(request.host) or CASES.get(request.host.removeprefix("www."))
        if re.fullmatch(r"site\d+\.test", request.host) and not request.is_tls:
            await asyncio.sleep(0.1)
            await reply.page()
        elif known is None:
            await reply.page(status="404 Not Found")
        elif not (known.tls if request.is_tls else known.plain):
            reply.reset()
        elif request.path == "/robots.txt" and not known.handler.__name__.startswith("robots"):
            await reply.page(b"", status="404 Not Found")
        else:
            await known.handler(request, reply)


async def _ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _bad_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody-else.test")])
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(day)
        .not_valid_after(day + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "bad.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


# -- sites that are well --------------------------------------------------------------------------------


@case(Outcome.OK)
async def plain_only(_: Request, reply: Reply) -> None:
    await reply.page()


@case(Outcome.OK, tls=True, plain=False)
async def tls_only_with_a_bad_certificate(_: Request, reply: Reply) -> None:
    await reply.page()


@case(Outcome.OK)
async def only_www(request: Request, reply: Reply) -> None:
    if request.host.startswith("www."):
        await reply.page()
    else:
        reply.reset()


@case(Outcome.OK)
async def redirect_chain(request: Request, reply: Reply) -> None:
    step = int(request.path.strip("/") or 0)
    if step == 6:
        await reply.page()
    else:
        await reply.redirect(f"http://www.redirect-chain.test/{step + 1}", status="301 Moved Permanently")


@case(Outcome.OK)
async def needs_its_cookie(request: Request, reply: Reply) -> None:
    if "seen=1" in request.headers.get("cookie", ""):
        await reply.page()
    else:
        await reply.redirect("/", "Set-Cookie: seen=1; Path=/")


@case(Outcome.OK)
async def slow_down_once(request: Request, reply: Reply) -> None:
    if request.number == 1:
        await reply.page(b"", "Retry-After: 1", status="429 Too Many Requests")
    else:
        await reply.page()


@case(Outcome.OK)
async def lowercase_headers_without_crlf(_: Request, reply: Reply) -> None:
    await reply.raw(b"HTTP/1.1 200 OK\ncontent-type: text/html\nbad line\n\n" + PAGE)


@case(Outcome.OK)
async def early_hints(_: Request, reply: Reply) -> None:
    await reply.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
    await reply.page()


@case(Outcome.OK)
async def utf_16(_: Request, reply: Reply) -> None:
    await reply.page(PAGE.decode().encode("utf-16"), content_type="text/html; charset=utf-8")


@case(Outcome.OK)
async def null_bytes(_: Request, reply: Reply) -> None:
    await reply.page(PAGE.replace(b"forged", b"for\0ged"))


@case(Outcome.OK)
async def news_that_reloads_itself(_: Request, reply: Reply) -> None:
    await reply.page(PAGE.replace(b"<title>", b"<meta http-equiv=refresh content='0;url=/'><title>"))


@case(Outcome.OK)
async def three_thousand_cookies(_: Request, reply: Reply) -> None:
    await reply.page(PAGE, *(f"Set-Cookie: c{n}={n}" for n in range(3000)))


# -- sites that say no ------------------------------------------------------------------------------------


@case(Outcome.BLOCKED)
async def forbidden(_: Request, reply: Reply) -> None:
    await reply.page(b"<html><title>403</title></html>", status="403 Forbidden")


@case(Outcome.BLOCKED)
async def unauthorized(_: Request, reply: Reply) -> None:
    await reply.page(b"", "WWW-Authenticate: Basic", status="401 Unauthorized")


@case(Outcome.BLOCKED)
async def always_too_many(_: Request, reply: Reply) -> None:
    await reply.page(b"", "Retry-After: 1", status="429 Too Many Requests")


@case(Outcome.BLOCKED)
async def legal_reasons(_: Request, reply: Reply) -> None:
    await reply.page(b"", status="451 Unavailable For Legal Reasons")


@case(Outcome.HTTP_ERROR)
async def maintenance(_: Request, reply: Reply) -> None:
    await reply.page(b"<html>Back soon</html>", "Retry-After: 3600", status="503 Service Unavailable")


@case(Outcome.HTTP_ERROR)
async def server_error(_: Request, reply: Reply) -> None:
    await reply.page(b"oops", status="500 Internal Server Error")


@case(Outcome.ROBOTS_DISALLOWED)
async def robots_forbids(request: Request, reply: Reply) -> None:
    assert request.path == "/robots.txt", "a forbidden page was asked for"
    await reply.page(b"User-agent: *\nDisallow: /\n", content_type="text/plain")


@case(Outcome.OK)
async def robots_forbids_others(request: Request, reply: Reply) -> None:
    if request.path == "/robots.txt":
        await reply.page(
            b"User-agent: *\nDisallow: /\n\nUser-agent: technograph\nAllow: /\n", content_type="text/plain"
        )
    else:
        await reply.page()


@case(Outcome.TIMEOUT)
async def robots_hangs(request: Request, reply: Reply) -> None:
    assert request.path == "/robots.txt", "a page was asked for without its robots.txt"
    await asyncio.sleep(60)


@case(Outcome.HTTP_ERROR, detail="503 Service Unavailable")
async def robots_fails(request: Request, reply: Reply) -> None:
    assert request.path == "/robots.txt", "a page was asked for although robots.txt failed"
    await reply.page(b"", status="503 Service Unavailable")


@case(Outcome.OK)
async def robots_is_huge(request: Request, reply: Reply) -> None:
    if request.path == "/robots.txt":
        await reply.page(b"# nothing to see here\n" * 100_000, content_type="text/plain")
    else:
        await reply.page()


@case(Outcome.OK)
async def robots_goes_round_in_circles(request: Request, reply: Reply) -> None:
    if request.path == "/robots.txt":
        await reply.redirect("/robots.txt")
    else:
        await reply.page()


# -- sites that are no page -------------------------------------------------------------------------------


@case(Outcome.EMPTY)
async def no_content(_: Request, reply: Reply) -> None:
    await reply.head("204 No Content")


@case(Outcome.EMPTY)
async def empty(_: Request, reply: Reply) -> None:
    await reply.page(b"")


@case(Outcome.NOT_HTML)
async def image(_: Request, reply: Reply) -> None:
    await reply.page(b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), content_type="image/png")


@case(Outcome.NOT_HTML)
async def json_api(_: Request, reply: Reply) -> None:
    await reply.page(b'{"status": "up"}', content_type="application/json")


@case(Outcome.REDIRECTED_OFFSITE)
async def moved_away(_: Request, reply: Reply) -> None:
    await reply.redirect("https://plain-only.test/welcome")


@case(Outcome.REDIRECTED_OFFSITE)
async def redirect_to_metadata(_: Request, reply: Reply) -> None:
    await reply.redirect("http://169.254.169.254/latest/meta-data/")


@case(Outcome.REDIRECTED_OFFSITE)
async def redirect_to_loopback(_: Request, reply: Reply) -> None:
    await reply.redirect("http://[::ffff:127.0.0.1]:22/")


@case(Outcome.REDIRECTED_OFFSITE)
async def redirect_to_a_file(_: Request, reply: Reply) -> None:
    await reply.redirect("file:///etc/passwd")


@case(Outcome.HTTP_ERROR, detail="more than 8 redirects")
async def redirect_loop(request: Request, reply: Reply) -> None:
    await reply.redirect("/b" if request.path == "/a" else "/a")


@case(Outcome.HTTP_ERROR, detail="more than 8 redirects")
async def refresh_loop(request: Request, reply: Reply) -> None:
    onward = b"/b" if request.path == "/a" else b"/a"
    await reply.page(b"<html><meta http-equiv=refresh content='0;url=" + onward + b"'></html>")


# -- sites that break the protocol --------------------------------------------------------------------------


@case(Outcome.TIMEOUT)
async def slow_header(_: Request, reply: Reply) -> None:
    await reply.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        await reply.raw(b"X-Wait: 1\r\n")
        await asyncio.sleep(0.3)


@case(Outcome.TIMEOUT)
async def silent(_: Request, reply: Reply) -> None:
    await asyncio.sleep(60)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def dripping_body(_: Request, reply: Reply) -> None:
    await reply.head("200 OK", "Content-Type: text/html", "Content-Length: 900000")
    await reply.raw(PAGE)
    while True:
        await asyncio.sleep(0.2)
        await reply.raw(b" ")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def endless_body(_: Request, reply: Reply) -> None:
    await reply.head("200 OK", "Content-Type: text/html")
    await reply.raw(PAGE)
    while True:
        await reply.raw(b"<p>and so on</p>" * 4096)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def hundred_megabytes(_: Request, reply: Reply) -> None:
    await reply.head("200 OK", "Content-Type: text/html", f"Content-Length: {100 * 2**20}")
    await reply.raw(PAGE)
    for _n in range(1600):
        await reply.raw(b"<p>and so on</p>" * 4096)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def shorter_than_declared(_: Request, reply: Reply) -> None:
    await reply.head("200 OK", "Content-Type: text/html", f"Content-Length: {len(PAGE) + 500}")
    await reply.raw(PAGE)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def broken_chunks(_: Request, reply: Reply) -> None:
    await reply.head("200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked")
    await reply.raw(f"{len(PAGE):x}\r\n".encode() + PAGE + b"\r\nnot-a-size\r\n")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def reset_mid_body(_: Request, reply: Reply) -> None:
    await reply.head("200 OK", "Content-Type: text/html", "Content-Length: 900000")
    await reply.raw(PAGE)
    await asyncio.sleep(0.2)
    reply.reset()


@case(Outcome.HTTP_ERROR)
async def closes_at_once(_: Request, reply: Reply) -> None:
    reply.writer.close()


@case(Outcome.HTTP_ERROR)
async def resets_at_once(_: Request, reply: Reply) -> None:
    reply.reset()


@case(Outcome.HTTP_ERROR)
async def not_http(_: Request, reply: Reply) -> None:
    await reply.raw(b"SSH-2.0-OpenSSH_9.2\r\n")


@case(Outcome.HTTP_ERROR)
async def endless_head(_: Request, reply: Reply) -> None:
    await reply.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        await reply.raw(b"X-More: 0123456789\r\n" * 4096)


@case(Outcome.HTTP_ERROR)
async def one_megabyte_header(_: Request, reply: Reply) -> None:
    await reply.head(
        "200 OK", "Content-Type: text/html", "X-Long: " + "x" * 2**20, f"Content-Length: {len(PAGE)}"
    )
    await reply.raw(PAGE)


@case(Outcome.OK)
async def long_policy_header(_: Request, reply: Reply) -> None:
    await reply.page(PAGE, "Content-Security-Policy: " + "https://a.test " * 2000)


@case(Outcome.PARTIAL, flags=("body_cut",))
async def gzip_bomb(_: Request, reply: Reply) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = (
        packer.compress(PAGE) + b"".join(packer.compress(b" " * 2**20) for _n in range(100)) + packer.flush()
    )
    await reply.page(bomb, "Content-Encoding: gzip")


@case(Outcome.OK)
async def compressed(_: Request, reply: Reply) -> None:
    await reply.page(gzip.compress(PAGE), "Content-Encoding: gzip")


@case(Outcome.OK)
async def lies_about_its_encoding(_: Request, reply: Reply) -> None:
    await reply.page(PAGE, "Content-Encoding: gzip")


# -- sites with more than one page --------------------------------------------------------------------------

_SHOP = PAGE.replace(
    b"</body>",
    b"<a href='/products/anvil'>Anvil</a><a href='/cart'>Cart</a><a href='/pricing'>Pricing</a>"
    b"<a href='/contact'>Contact</a><script src='https://cdn.shopify.com/s/files/1/0001/t/1/theme.js'></script></body>",
)


@case(Outcome.OK)
async def shop(request: Request, reply: Reply) -> None:
    await reply.page(_SHOP)


@case(Outcome.PARTIAL, detail="product page: timeout")
async def shop_with_a_slow_product(request: Request, reply: Reply) -> None:
    if request.path.startswith("/products"):
        await asyncio.sleep(60)
    await reply.page(_SHOP)


@case(Outcome.OK)
async def robots_forbids_the_cart(request: Request, reply: Reply) -> None:
    assert request.path != "/cart", "a forbidden page was asked for"
    if request.path == "/robots.txt":
        await reply.page(b"User-agent: *\nDisallow: /cart\n", content_type="text/plain")
    else:
        await reply.page(_SHOP)
