"""The browser's way out: it connects where the resolver says and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest

from crawler.resolver import PublicResolver
from pipelines.egress import Egress, Endpoints, parse_head


def answer_through(endpoints: Endpoints, request: bytes, *asked: str) -> bytes:
    """What a client behind the proxy gets while a page is open that asked for these hosts."""

    async def run() -> bytes:
        egress = Egress(endpoints)
        await egress.start()
        port = int(egress.url.rpartition(":")[2])
        try:
            with egress.page() as hosts:
                hosts.update(asked)
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                answer = await reader.read()
                writer.close()
                return answer
        finally:
            await egress.close()

    return asyncio.run(run())


async def serve(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> asyncio.Server:
    return await asyncio.start_server(talk, "127.0.0.1", 0)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost.localdomain.127.0.0.1", "2130706433", "169.254.169.254", "[::1]", "10.0.0.8"],
)
@pytest.mark.parametrize(
    "request_line", ["GET http://{}/latest/meta-data HTTP/1.1", "CONNECT {}:443 HTTP/1.1"]
)
def test_private_addresses_are_refused(host: str, request_line: str) -> None:
    resolver = PublicResolver(
        reactor=None, timeout_s=0.2, allow_private=False, mapping=None, name_servers=["127.0.0.1:1"]
    )
    request = f"{request_line.format(host)}\r\nHost: {host}\r\n\r\n".encode()
    answer = answer_through(resolver.endpoints, request, host.strip("[]"))
    assert answer.startswith(b"HTTP/1.1 502 ")


def test_host_that_no_page_asked_for_is_not_even_looked_up() -> None:
    looked_up = []

    async def endpoints(host: str, _: int) -> list[tuple[object, int]]:
        looked_up.append(host)
        return []

    request = b"CONNECT update.browser.example:443 HTTP/1.1\r\n\r\n"
    assert answer_through(endpoints, request, "acme.example").startswith(b"HTTP/1.1 502 ")
    assert looked_up == []
    assert answer_through(endpoints, request, "update.browser.example").startswith(b"HTTP/1.1 502 ")
    assert looked_up == ["update.browser.example"]


def test_plain_request_goes_on_to_the_address_that_was_checked() -> None:
    async def run() -> tuple[bytes, bytes]:
        heads: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            writer.close()

        server = await serve(talk)
        port = server.sockets[0].getsockname()[1]

        async def endpoints(host: str, _: int) -> list[tuple[object, int]]:
            assert host == "acme.example"
            return [(ip_address("127.0.0.1"), port)]

        egress = Egress(endpoints)
        await egress.start()
        with egress.page() as hosts:
            hosts.add("acme.example")
            reader, writer = await asyncio.open_connection("127.0.0.1", int(egress.url.rpartition(":")[2]))
            writer.write(
                b"GET http://acme.example/a?b=1 HTTP/1.1\r\nHost: acme.example\r\nProxy-Connection: x\r\n\r\n"
            )
            answer = await reader.read()
            writer.close()
        await egress.close()
        server.close()
        return heads[0], answer

    head, answer = asyncio.run(run())
    assert head == b"GET /a?b=1 HTTP/1.1\r\nHost: acme.example\r\nConnection: close\r\n\r\n"
    assert answer.endswith(b"\r\n\r\nhi")


@pytest.mark.parametrize(
    "request_line", ["GET /a HTTP/1.1", "GET ftp://a/ HTTP/1.1", "GET file:///etc/passwd HTTP/1.1"]
)
def test_what_is_no_proxy_request_is_refused(request_line: str) -> None:
    with pytest.raises(ValueError, match="not a proxy request"):
        parse_head(f"{request_line}\r\n\r\n".encode())
