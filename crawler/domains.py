"""From the text of one input line to a domain that can be crawled, or the reason why not."""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

import idna
import tldextract

TEXT_CHARS = 2_083
"""Longest text looked at: the longest URL that is sent (URLLENGTH_LIMIT); a domain has at most 253."""

_TRIM = " \t\r\n\f\v\0\u00a0\u200b\u2060\ufeff\"'`\u201c\u201d\u201e\u2018\u2019()<>,;"
_AUTHORITY_END = re.compile(r"[/?#\\]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?=//|[^0-9])", re.IGNORECASE)
_ANGLE_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NotADomain(ValueError):  # noqa: N818 - reads as what it says
    """Raised for a text that names no site that may be crawled; the message is the reason, in few words."""


@dataclass(frozen=True, slots=True)
class Site:
    """What one input text points at."""

    domain: str
    """Registrable domain in punycode; the host itself where it has no public suffix."""
    host: str
    url: str
    """Where to start: `https://host/`, with the stated scheme only where a port was stated too."""


def parse_site(text: str, *, allow_private: bool = False) -> Site:
    """The site a URL, a host or an e-mail address points at.

    The path, the query and a plain `http:` are left out: the crawl reads the site's home page and
    tries https first. With `allow_private`, IP addresses, `localhost` and names without a public
    suffix (`acme.test`) are accepted too. Raises NotADomain with the reason.

    >>> parse_site("HTTP://Shop.Acme.co.uk:80/de?x=1").url
    'https://shop.acme.co.uk/'
    >>> parse_site("jane@faß.de").domain
    'xn--fa-hia.de'
    """
    scheme, host, port, is_mail = _split(text)
    host = ascii_host(host)
    domain = _domain_of(host, allow_private)
    if is_mail and is_free_mail(domain):
        raise NotADomain("an address at a free mail provider names no company")
    shown = f"[{host}]" if ":" in host else host
    if port is None or port in _DEFAULT_PORTS.values():
        return Site(domain, host, f"https://{shown}/")
    return Site(domain, host, f"{scheme}://{shown}:{port}/")


def parse_host(text: str) -> str:
    """The host a URL, a host or an e-mail address names, in punycode, public or not. Raises NotADomain."""
    return ascii_host(_split(text)[1])


@functools.lru_cache(maxsize=8_192)
def registrable_domain(host: str) -> str:
    """The part of a host that one owner registered; empty when it has no public suffix.

    Sites on shared hosting are their own (private suffixes and lists/site_hosts.txt count), while the hosting
    company's own site stays reachable.

    >>> registrable_domain("www.acme.co.uk"), registrable_domain("foo.myshopify.com")
    ('acme.co.uk', 'foo.myshopify.com')
    >>> registrable_domain("www.wordpress.com"), registrable_domain("localhost")
    ('wordpress.com', '')
    """
    found = _suffixes(private=True).extract_str(host)
    if not found.suffix:
        return ""
    if found.domain in ("", "www"):
        found = _suffixes(private=False).extract_str(host)
    return f"{found.domain}.{found.suffix}" if found.domain and found.suffix else ""


def site_of(host: str) -> str:
    """The registrable domain, or the host itself where there is none: what makes two hosts one site."""
    return registrable_domain(host) or host


def is_free_mail(domain: str) -> bool:
    """Whether addresses at the domain are handed out to anybody (lists/free_mail.txt)."""
    providers = _list("free_mail.txt")
    return domain in providers or domain.partition(".")[0] + ".*" in providers


def ascii_host(host: str) -> str:
    """The host in lower-case punycode without a trailing dot.

    Non-transitional, so that `faß.de` does not become somebody else's `fass.de`. Raises NotADomain.
    """
    host = host.strip().rstrip(".。")
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError) as exc:
        raise NotADomain("not a valid internationalised domain name") from exc
    name = name.lower()
    if ":" in name:
        return name  # an IPv6 address
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise NotADomain("not a domain name")
    return name


def _split(text: str) -> tuple[str, str, int | None, bool]:
    """Scheme, host, port and whether the text was an e-mail address; `https` when none is stated."""
    text = text[:TEXT_CHARS]
    address = _ANGLE_ADDRESS.search(text)
    text = address[1] if address else text.strip(_TRIM)
    if not text:
        raise NotADomain("empty")
    stated = _SCHEME.match(text)
    scheme = stated[1].lower() if stated and "." not in stated[1] else ""
    if scheme not in ("", "http", "https", "mailto"):
        raise NotADomain("not a web address")
    rest = text[stated.end() :] if stated and scheme else text
    authority = _AUTHORITY_END.split(rest.removeprefix("//"), maxsplit=1)[0]
    userinfo, at, place = authority.rpartition("@")
    host, port = _split_port(place)
    return scheme or "https", host, port, bool(at and userinfo and scheme not in ("http", "https"))


def _split_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif place.count(":") > 1:
        return place, None  # a bare IPv6 address
    else:
        host, _, port = place.partition(":")
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise NotADomain("not a port number")
    return host, int(port)


def _domain_of(host: str, allow_private: bool) -> str:
    if _is_ip(host):
        if allow_private:
            return host
        raise NotADomain("an IP address, not a domain")
    domain = registrable_domain(host)
    if domain:
        return domain
    if not allow_private:
        raise NotADomain(_why_not_public(host))
    # `www.acme.test` and `acme.test` are one site in the demo web and in tests too.
    return ".".join(host.split(".")[-2:])


def _why_not_public(host: str) -> str:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".lan")):
        return "a private name, not a public domain"
    if "." not in host:
        return "not a domain name: it has no dot"
    if _suffixes(private=False).extract_str(host).suffix:
        return "a public suffix, not a domain below it"
    return "its ending is not a public suffix"


def _is_ip(host: str) -> bool:
    if _NUMERIC_HOST.fullmatch(host):
        return True  # also 127.1 and 0x7f000001, which resolvers read as addresses
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if ":" in host:
            raise NotADomain("not a domain name") from None
        return False
    return True


@functools.cache
def _suffixes(*, private: bool) -> tldextract.TLDExtract:
    """The public suffix list that comes with tldextract: never the network, never a cache on disk."""
    return tldextract.TLDExtract(
        suffix_list_urls=(),
        cache_dir=None,
        include_psl_private_domains=private,
        extra_suffixes=sorted(_list("site_hosts.txt")) if private else (),
    )


@functools.cache
def _list(name: str) -> frozenset[str]:
    lines = (Path(__file__).parent / "lists" / name).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
