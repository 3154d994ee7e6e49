from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError

from crawler.resolver import Mapping, PrivateAddressError, PublicResolver
from tests.nameserver import NameServer

NAMES: dict[str, list[str] | None] = {
    "acme.com": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "mixed.com": ["10.0.0.1", "93.184.215.14"],
    "intranet.com": ["192.168.1.7"],
    "metadata.com": ["169.254.169.254"],
    "mapped.com": ["::ffff:127.0.0.1"],
    "sixtofour.com": ["2002:7f00:1::"],
    "nat64.com": ["64:ff9b::a00:1"],
    "multicast.com": ["224.0.0.1"],
    "empty.com": [],
    "silent.com": None,
    "many.com": [f"93.184.215.{n}" for n in range(1, 30)],
}


def ask(
    question: Callable[[PublicResolver, NameServer], Awaitable[object]],
    *,
    allow_private: bool = False,
    mapping: str = "",
) -> object:
    async def run() -> object:
        async with NameServer(NAMES) as server:
            resolver = PublicResolver(
                reactor=None,
                timeout_s=0.5,
                allow_private=allow_private,
                mapping=Mapping.parse(mapping),
                name_servers=[server.address],
            )
            try:
                return await question(resolver, server)
            finally:
                await resolver.close()

    return asyncio.run(run())


def addresses(host: str, **options: object) -> list[str]:
    found = ask(lambda resolver, _: resolver.endpoints(host, 443), **options)  # type: ignore[arg-type]
    return [str(address) for address, _ in found]  # type: ignore[attr-defined]


def test_public_addresses_of_both_families_come_ipv4_first() -> None:
    assert addresses("acme.com") == ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]


def test_only_the_public_addresses_of_a_mixed_name_are_connected_to() -> None:
    assert addresses("mixed.com") == ["93.184.215.14"]


def test_name_with_many_addresses_is_tried_at_four() -> None:
    assert len(addresses("many.com")) == 4


@pytest.mark.parametrize(
    "host",
    [
        "intranet.com",
        "metadata.com",
        "mapped.com",
        "sixtofour.com",
        "nat64.com",
        "multicast.com",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "::1",
        "::ffff:10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "fe80::1",
    ],
)
def test_private_address_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(PrivateAddressError, match="which is not a public address"):
        addresses(host)


def test_private_address_is_connected_to_when_the_setting_allows_it() -> None:
    assert addresses("intranet.com", allow_private=True) == ["192.168.1.7"]


@pytest.mark.parametrize("host", ["no-such-name.com", "empty.com", "silent.com"])
def test_name_that_leads_nowhere_does_not_resolve(host: str) -> None:
    with pytest.raises(CannotResolveHostError) as caught:
        addresses(host)
    assert not isinstance(caught.value, PrivateAddressError)


def test_name_that_changes_to_a_private_address_is_refused_the_second_time() -> None:
    async def question(resolver: PublicResolver, server: NameServer) -> None:
        server.names = {"rebind.com": ["93.184.215.14"]}
        assert len(await resolver.endpoints("rebind.com", 80)) == 1
        server.names = {"rebind.com": ["127.0.0.1"]}
        resolver._answers.clear()  # as when the cached answer has expired
        with pytest.raises(PrivateAddressError):
            await resolver.endpoints("rebind.com", 80)

    ask(question)


def test_dead_name_is_asked_for_once_however_many_requests_want_it() -> None:
    async def question(resolver: PublicResolver, server: NameServer) -> int:
        for _ in range(3):
            await asyncio.gather(
                *(resolver.endpoints("no-such-name.com", 443) for _ in range(5)), return_exceptions=True
            )
        return server.queries["no-such-name.com"]

    assert ask(question) == 2  # one for each address family


def test_mapped_web_gets_every_name_and_port() -> None:
    mapping = "http=127.0.0.1:8080,https=127.0.0.1:8443"
    for host, port, expected in [("acme.com", 80, 8080), ("10.0.0.1", 9000, 8080), ("acme.com", 443, 8443)]:
        found = ask(lambda resolver, _, h=host, p=port: resolver.endpoints(h, p), mapping=mapping)  # type: ignore[misc]
        assert [end for _, end in found] == [expected]  # type: ignore[attr-defined]


def test_mapped_web_without_https_refuses_it() -> None:
    with pytest.raises(DownloadConnectionRefusedError):
        ask(lambda resolver, _: resolver.endpoints("acme.com", 443), mapping="127.0.0.1:8080")


@pytest.mark.parametrize("text", ["8080", "localhost:80", "ftp=127.0.0.1:21", "127.0.0.1:x"])
def test_mapping_that_cannot_be_read_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected IP:PORT or http=IP:PORT,https=IP:PORT"):
        Mapping.parse(text)
