"""Names to addresses, and the one place that decides where a crawl may connect.

Twisted asks the reactor's name resolver for every host, literals included, and connects to exactly what it
returns. Refusing addresses here therefore covers redirects, mixed answers and names that change between
two lookups; there is no second lookup to trick.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from time import monotonic
from typing import TYPE_CHECKING, Any

import aiodns
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError
from twisted.internet.address import IPv4Address as TCP4Address
from twisted.internet.address import IPv6Address as TCP6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from zope.interface import implementer

from crawler.addresses import IP, is_public, literal_address

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

CACHED_NAMES = 10_000
"""About 1 KB each; a site's names are asked for again within seconds or never."""
KEPT_S = 60.0
"""Also for names that do not exist: robots.txt, the page and the next rung ask for the same one."""
MAX_ADDRESSES = 4
"""Tried in turn; a name with more only makes a dead site slower."""

Endpoint = tuple[IP, int]


class PrivateAddressError(CannotResolveHostError):
    """Raised when a name leads only to addresses that a crawl must not connect to."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """`TECHNOGRAPH_RESOLVE_ALL_TO`: every name leads to our own servers, as the demo web needs."""

    http: Endpoint
    https: Endpoint | None = None

    @classmethod
    def parse(cls, text: str) -> Mapping | None:
        """None for an empty text.

        >>> Mapping.parse("http=127.0.0.1:8080,https=127.0.0.1:8443").https
        (IPv4Address('127.0.0.1'), 8443)
        """
        if not text:
            return None
        stated = (part.strip().rpartition("=") for part in text.split(","))
        try:
            return cls(**{scheme or "http": _endpoint(value) for scheme, _, value in stated})
        except (ValueError, TypeError) as exc:
            raise ValueError(
                f"TECHNOGRAPH_RESOLVE_ALL_TO={text!r}: expected IP:PORT or http=IP:PORT,https=IP:PORT"
            ) from exc

    def endpoint(self, host: str, port: int) -> Endpoint:
        """Raises CannotResolveHostError for names under `.invalid`, so that a demo can have a dead site."""
        if host.endswith(".invalid"):
            raise CannotResolveHostError(f"{host}: no such name")
        if port != 443:
            return self.http
        if self.https is None:
            raise DownloadConnectionRefusedError(f"{host}: the mapped web has no https")
        return self.https


def _endpoint(text: str) -> Endpoint:
    host, _, port = text.strip().rpartition(":")
    return ip_address(host.strip("[]")), int(port)


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: tuple[IP, ...]
    error: CannotResolveHostError | None
    expires_s: float


@implementer(IHostnameResolver)
class PublicResolver:
    """A Scrapy `TWISTED_DNS_RESOLVER` on c-ares: no threads, both address families, failures remembered.

    The download handler calls `endpoints` first, so that it fails with a precise error; Twisted's own
    question is then answered from the cache.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        timeout_s: float,
        allow_private: bool,
        mapping: Mapping | None,
        name_servers: Sequence[str],
    ) -> None:
        self._reactor = reactor
        self._timeout_s = timeout_s
        self._allow_private = allow_private
        self._mapping = mapping
        self._name_servers = list(name_servers)
        self._dns: aiodns.DNSResolver | None = None
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Answer]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> PublicResolver:
        settings = crawler.settings
        return cls(
            reactor=reactor,
            timeout_s=settings.getfloat("DNS_TIMEOUT"),
            allow_private=settings.getbool("TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES"),
            mapping=Mapping.parse(settings.get("TECHNOGRAPH_RESOLVE_ALL_TO", "")),
            name_servers=settings.getlist("TECHNOGRAPH_NAME_SERVERS"),
        )

    def install_on_reactor(self) -> None:
        self._reactor.installNameResolver(self)

    async def close(self) -> None:
        """Give up the lookups under way."""
        if self._dns is not None:
            await self._dns.close()

    async def endpoints(self, host: str, port: int) -> list[Endpoint]:
        """Where to connect for the host, never empty.

        Raises PrivateAddressError when every address is refused, CannotResolveHostError when there is none.
        """
        if self._mapping is not None:
            return [self._mapping.endpoint(host, port)]
        answer = self._remembered(host) or await self._ask_once(host)
        if answer.error is not None:
            raise answer.error
        return [(address, port) for address in answer.addresses]

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> _Resolution:
        """Twisted's question. No addresses is its way of saying that the name leads nowhere."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        task = asyncio.ensure_future(self.endpoints(hostName, portNumber))
        task.add_done_callback(_deliver_to(resolutionReceiver))
        return resolution

    def _remembered(self, host: str) -> _Answer | None:
        answer = self._answers.get(host)
        return answer if answer is not None and answer.expires_s > monotonic() else None

    async def _ask_once(self, host: str) -> _Answer:
        """One lookup for all that wait for the same name."""
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = asyncio.ensure_future(self._ask(host))
            task.add_done_callback(lambda _: self._asking.pop(host, None))
        return await asyncio.shield(task)

    async def _ask(self, host: str) -> _Answer:
        addresses: tuple[IP, ...] = ()
        error: CannotResolveHostError | None = None
        try:
            addresses = self._permitted(host, await self._lookup(host))
        except CannotResolveHostError as exc:
            error = exc
        answer = self._answers[host] = _Answer(addresses, error, monotonic() + KEPT_S)
        self._answers.move_to_end(host)
        if len(self._answers) > CACHED_NAMES:
            self._answers.popitem(last=False)
        return answer

    async def _lookup(self, host: str) -> list[IP]:
        literal = literal_address(host)
        if literal is not None:
            return [literal]
        if self._dns is None:  # not before: it belongs to the running loop
            self._dns = aiodns.DNSResolver(
                timeout=self._timeout_s / 2, tries=2, nameservers=self._name_servers or None
            )
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._dns.getaddrinfo(host, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as exc:
            raise CannotResolveHostError(f"{host}: {exc.args[1] if len(exc.args) > 1 else exc}") from exc
        except TimeoutError as exc:
            raise CannotResolveHostError(f"{host}: DNS timed out after {self._timeout_s:g} s") from exc
        return [ip_address(_text(node.addr[0])) for node in found.nodes]

    def _permitted(self, host: str, addresses: Sequence[IP]) -> tuple[IP, ...]:
        """The addresses to try, IPv4 first. Raises when none may be used."""
        if not addresses:
            raise CannotResolveHostError(f"{host}: the name has no address")
        allowed = [a for a in dict.fromkeys(addresses) if self._allow_private or is_public(a)]
        if not allowed:
            raise PrivateAddressError(f"{host} leads to {addresses[0]}, which is not a public address")
        return tuple(sorted(allowed, key=lambda a: a.version)[:MAX_ADDRESSES])


@implementer(IHostResolution)
@dataclass(slots=True)
class _Resolution:
    name: str

    def cancel(self) -> None:
        """Nothing to do: the lookup has its own time-out, and its answer serves the next request."""


def _deliver_to(receiver: Any) -> Callable[[asyncio.Task[list[Endpoint]]], None]:
    def deliver(task: asyncio.Task[list[Endpoint]]) -> None:
        if not task.cancelled() and task.exception() is None:
            for address, port in task.result():
                tcp = TCP6Address if isinstance(address, IPv6Address) else TCP4Address
                receiver.addressResolved(tcp("TCP", str(address), port))
        receiver.resolutionComplete()

    return deliver


def _text(value: str | bytes) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value
