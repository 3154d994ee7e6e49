"""What each host of a bench web answers: it follows from the host's number alone."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

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
_KINDS = [kind for kind, count in MIX.items() for _ in range(count)]
_CONTAINER = b"""// <![CDATA[
var data = {"resource": {"version": "1", "macros": [], "tags": [{"function": "__html",
"vtp_html": "\\u003Cscript src=\\"https://static.ads-twitter.com/uwt.js\\"\\u003E\\u003C/script\\u003E"}],
"predicates": [], "rules": []}, "runtime": []};
"""
_PRODUCT = b'<script type="application/ld+json">{"@type": "Product"}</script>'


def kind_of(number: int) -> str:
    """What the host with this number does: a kind of MIX, or `site`."""
    place = (number * 7_919 + 13) % 1_000  # spread evenly over any stretch of numbers
    return _KINDS[place] if place < len(_KINDS) else "site"


def domain_of(number: int) -> str:
    """The crawler's resolver knows no name under `.invalid`."""
    return f"s{number}.{'invalid' if kind_of(number) == 'no_name' else 'test'}"


def number_in(host: str) -> int | None:
    """17 for `s17.test` and `www.s17.test`; None for hosts of others."""
    name = host.removeprefix("www.").partition(".")[0]
    return int(name[1:]) if name[:1] == "s" and name[1:].isdigit() else None


class Answers:
    """Every answer as the bytes that go out."""

    def __init__(self, pages: Sequence[bytes]) -> None:
        self.pages = [_packed(page) for page in pages]
        self.products = [_packed(page.replace(b"</head>", _PRODUCT + b"</head>")) for page in pages[:8]]
        self.robots = [_robots(rules) for rules in (0, 3, 3, 60)]
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
        """How many answers were asked for."""

    def to(self, host: str, path: str) -> bytes:
        """The answer for a path of a host; hosts without a number are where tag containers live."""
        self.given += 1
        number = number_in(host)
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
