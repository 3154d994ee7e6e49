"""Where a crawl may connect: no spelling and no kind of address leads inside."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from crawler.addresses import is_public, literal_address
from crawler.domains import NotADomain, parse_site

INSIDE = {
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "this machine": "0.0.0.0",
    "private": "192.168.1.1",
    "carrier": "100.64.0.1",
    "Alibaba's metadata": "100.100.100.200",
    "metadata": "169.254.169.254",
    "Oracle's metadata": "192.0.0.192",
    "Azure's host": "168.63.129.16",
    "benchmark": "198.18.0.1",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "loopback 6": "::1",
    "unspecified 6": "::",
    "mapped": "::ffff:127.0.0.1",
    "translated": "::ffff:0:127.0.0.1",
    "compatible": "::10.0.0.1",
    "NAT64": "64:ff9b::a9fe:a9fe",
    "NAT64 of a network's own": "64:ff9b:1::a00:1",
    "6to4": "2002:7f00:1::",
    "Teredo": "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "unique local": "fd00:ec2::254",
    "link-local": "fe80::1",
    "site-local": "fec0::1",
    "multicast 6": "ff02::1",
    "segment routing": "5f00::1",
    "documentation": "2001:db8::1",
}


@pytest.mark.parametrize("address", INSIDE.values(), ids=INSIDE)
def test_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("2852039166", "169.254.169.254"),
        ("[::ffff:169.254.169.254]", "::ffff:a9fe:a9fe"),
        ("fe80::1%25eth0", "fe80::1"),
    ],
)
def test_every_spelling_of_an_address_is_seen_through(spelling: str, address: str) -> None:
    assert literal_address(spelling) == ip_address(address)


@pytest.mark.parametrize(
    "text", ["http://127.1/", "http://0x7f000001", "http://①②⑦.0.0.1/", "http://127。0。0。1", "[::1]"]
)
def test_no_line_of_a_list_is_an_address(text: str) -> None:
    with pytest.raises(NotADomain):
        parse_site(text)


@pytest.mark.parametrize(
    ("written", "domain"),
    [("аpple.com", "xn--pple-43d.com"), ("paypаl.com", "xn--paypl-7ve.com"), ("GOOGLE.com", "google.com")],  # noqa: RUF001 - Cyrillic a
)
def test_look_alike_name_is_shown_in_punycode(written: str, domain: str) -> None:
    assert parse_site(written).domain == domain
