"""What sites send, and where their answers may lead us."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from scrapy.http import Response

from crawler.addresses import is_public, literal_address
from crawler.certificates import read_certificate
from crawler.decompress import opened
from crawler.domains import NotADomain, parse_site
from crawler.http1 import Answer, ParseError
from crawler.pages import next_pages, page_kind
from crawler.protocol import target_from_line
from crawler.redirects import meta_refresh, redirect_location, retry_after_s
from crawler.robots import _rules_in
from crawler.walls import classify
from fingerprints import observe as limits
from fingerprints.containers import container_url, parse_container, with_containers
from fingerprints.markup import MAX_BODY_BYTES, visible_text
from fingerprints.model import EXCERPT_CHARS, Observation
from fingerprints.observe import observe
from fingerprints.records import make_record
from fingerprints.resources import MAX_URL_CHARS
from pipelines.egress import parse_head
from tests.security.draw import Draw
from tests.security.fuzzing import assert_survives_the_wire, dumped, ours, target, words

NOW = datetime(2026, 11, 22, tzinfo=UTC)

HEADERS = words("set-cookie content-type content-security-policy report-to refresh location server link")
MARKUP = words(
    """<script> </script> <style> <!-- --> <![CDATA[ ]]> <a href=' <link rel=preconnect href=// <meta name=
    http-equiv=refresh content='0;url= <base href= <iframe src= <svg> <template> <noscript> <form action=
    <title> </title> < > ' " = / // https:// http://[ \\/\\/ \\u002F &#0; &#x110000; &amp; {"@type":[
    type=application/ld+json> window.dataLayer= GTM-ABC123 ga('create' https://js.hs-scripts.com/1.js
    cdn.shopify.com/s/files <html lang= <div class= ng-version= data-src= charset=utf-16 jane@example.com"""
)


def a_page(draw: Draw) -> Observation:
    headers = {sent(draw, HEADERS): [sent(draw, MARKUP) for _ in draw.some(2)] for _ in draw.some(4)}
    body: bytes | str = draw.text(MARKUP, 30) if draw.flag() else draw.bytes(8) + draw.rest()
    return observe(
        body,
        url=draw.pick(("", "https://acme.com/", "https://acme.com/caf\u00e9?q=<>")),
        headers=headers,
        cookies={sent(draw, MARKUP): sent(draw, MARKUP) for _ in draw.some(2)},
        status=draw.pick((None, 200, 403, 999)),
    )


def sent(draw: Draw, vocabulary: Sequence[str]) -> str:
    """A header's text as the crawl reads it: whatever is no UTF-8 was replaced."""
    return draw.text(vocabulary, 3).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@target
def page(draw: Draw, folder: Path) -> None:
    """A response of any bytes and headers is observed within the caps, and every decision about it is made."""
    seen = a_page(draw)
    assert len(seen.body) <= MAX_BODY_BYTES
    assert len(seen.resources) <= limits.MAX_RESOURCES
    assert all(len(resource.url) <= MAX_URL_CHARS + 200 for resource in seen.resources)
    assert len(seen.links) <= limits.MAX_LINKS
    assert len(seen.scripts) <= limits.MAX_SCRIPTS
    assert len(seen.json_ld_types) <= 50 * limits.MAX_SCRIPTS
    visible_text(seen)
    classify(seen)
    page_kind(seen)
    meta_refresh(seen)
    for _, url in next_pages(seen):
        assert parse_site(url).domain == "acme.com"


@target
def detection(draw: Draw, folder: Path) -> None:
    """What is found on any page can be stored and printed: short, printable, without e-mail addresses."""
    seen = a_page(draw)
    record = make_record(ours(), domain="acme.com", outcome=classify(seen).outcome, observations=[seen])
    for found in record.detections:
        for item in found.evidence:
            assert len(item.excerpt) <= EXCERPT_CHARS
            assert item.excerpt.isprintable()
            assert "jane@" not in item.excerpt
        assert all(text.isprintable() for text in (found.version, *found.accounts))
    assert_survives_the_wire(record)


@target
def compressed(draw: Draw, folder: Path) -> None:
    """No encoding gives more than the limit."""
    names = [draw.pick(("gzip", "deflate", "br", "zstd", "x-gzip", "identity", "")) for _ in draw.some(4)]
    body, _ = opened(draw.rest(), names, 4096)
    assert len(body) <= 4096 or not names or body


@target
def answer(draw: Draw, folder: Path) -> None:
    """Any bytes are an HTTP answer or ParseError, and the same one in whatever pieces they arrive."""
    data = b"HTTP/1." * draw.flag()
    data += b"".join(draw.pick(WIRE) if draw.flag() else draw.bytes() for _ in draw.some(30))
    size = 1 + draw.byte() % 7
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert received([data]) == received(pieces), (data, size)


WIRE = (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"\r\n", b"\n", b":", b" ", b"0", b"5", b"ff;x=y",
        b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Connection: close\r\n", b"abc")  # fmt: skip


def received(pieces: Sequence[bytes]) -> tuple[object, ...]:
    """What became of an answer that came in these pieces, until it was complete or the connection ended."""
    found = Answer(lambda head: 1_000_000)
    try:
        for piece in pieces:
            if not found.is_done:
                found.feed(piece)
    except ParseError:
        return ()
    found.end(in_order=True)
    return found.status, found.fields, found.body, found.is_done, found.is_short


@target
def certificate(draw: Draw, folder: Path) -> None:
    """Any certificate is read, however it breaks the standard."""
    der = bytearray(a_certificate() if draw.flag() else draw.rest())
    for _ in draw.some(8):
        if der:
            der[(draw.byte() * 256 + draw.byte()) % len(der)] = draw.byte()
    assert read_certificate(bytes(der), "acme.com", NOW).issuer.isprintable()


@functools.cache
def a_certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme.com")])
    names = x509.SubjectAlternativeName([x509.DNSName("acme.com"), x509.DNSName("*.acme.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + timedelta(days=9))
    return builder.add_extension(names, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@target
def robots(draw: Draw, folder: Path) -> None:
    """Any robots.txt gives an answer for any URL."""
    parts = ("User-agent: *\n", "Disallow: /", "Allow: ", "Crawl-delay: ", "Sitemap:", "*", "$", "%2", "\r\n")
    text = draw.text(parts, 30).encode("utf-8", "surrogateescape") if draw.flag() else draw.rest()
    rules, kept = _rules_in(Response("https://acme.com/robots.txt", status=200, body=text))
    kept.encode()
    assert rules.can_fetch("https://acme.com/a?b=%zz", "technograph") in (True, False)
    delay = rules.crawl_delay("technograph")
    assert delay is None or min(float(delay), 10) <= 10


@target
def redirect(draw: Draw, folder: Path) -> None:
    """Any Location, refresh or Retry-After is an absolute URL, a time, or nothing."""
    parts = ("http://", "https:", "//", "[", "]", "@", "\\", "#", "?", "..", "%00", "Sun, 22 Nov 2026", "GMT")
    text = draw.text(parts, 8)
    assert isinstance(redirect_location("https://acme.com/a", 302, {"location": (text,)}), str | None)
    wait = retry_after_s({"retry-after": (text,)}, NOW)
    assert wait is None or wait >= 0


@target
def container(draw: Draw, folder: Path) -> None:
    """A tag container of any content is read or is none; any name leads to a vendor's file or nowhere."""
    parts = ("resource", "tags", "macros", "function", "vtp_html", "__html", "__paused", "integrations",
             "<script src=//a.com/x.js>", "https://a.com/b.js", "G-ABCDE12345")  # fmt: skip
    kind = draw.pick(("gtm", "segment", "tealium", "adobe", "matomo", "none", ""))
    parts = ("GTM-A", "/", "..", "@", "\n", "?", "#", "%2f", ".evil.com")
    name = f"{kind}:{draw.text(parts, 5)}"
    url = container_url(name)
    assert url is None or url.startswith("https://")
    value = draw.json(parts)
    body = f'x={{"resource": {json.dumps(value)}}}' if draw.flag() else json.dumps(value)
    contents = parse_container(name, body)
    if contents is not None:
        with_containers(Observation(url="https://acme.com/", containers=(name,)), {name: contents})


@target
def proxy_request(draw: Draw, folder: Path) -> None:
    """What a page's script makes the browser ask of our proxy names a host, or is refused with ValueError."""
    parts = ("GET ", "CONNECT ", "http://", " HTTP/1.1", "\r\n", "Host: ", ":443", "[::1]", "@", "a.com")
    text = draw.text(parts, 10).encode("utf-8", "surrogateescape")
    head = (text + b"\r\n\r\n").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    with suppress(ValueError):
        host, port, forwarded = parse_head(head)
        assert host
        assert 0 <= port < 65_536
        assert forwarded is None or forwarded.count(b"\r\n\r\n") == 1


@target
def host(draw: Draw, folder: Path) -> None:
    """Every spelling of a host is a name, or an address that is judged as what it is."""
    parts = (
        "127",
        ".",
        "0x7f",
        "0177",
        "::",
        "ffff",
        "1",
        "[",
        "]",
        "%25eth0",
        "localhost",
        "。",
        "②",
        "64:ff9b::",
    )
    text = draw.text(parts, 8)
    address = literal_address(text)
    if address is not None:
        assert is_public(address) == is_public(ip_address(str(address)))
    with suppress(NotADomain):
        found = parse_site(text)
        assert literal_address(found.host) is None
        assert parse_site(found.url) == found


@target
def worker_line(draw: Draw, folder: Path) -> None:
    """A line between our own processes is a target, or TypeError or ValueError."""
    with suppress(TypeError, ValueError):
        target_from_line(dumped(draw.json(("domain", "url", "line", "id", "attrs", "suppressed"))))
