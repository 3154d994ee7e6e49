"""Sites that share an address: a hoster's server, a shop platform, a CDN.

The pace of each site says nothing about a server with a thousand of them, so the requests under way to one
address are limited, too. Those that wait are let in by turns: the pages of visits under way first, so that
sites are finished rather than begun.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from crawler.addresses import IP


@dataclass(slots=True)
class _Address:
    under_way: int = 0
    begun: deque[asyncio.Future[None]] = field(default_factory=deque)
    new: deque[asyncio.Future[None]] = field(default_factory=deque)

    def next_waiting(self) -> asyncio.Future[None] | None:
        for queue in (self.begun, self.new):
            while queue:
                waiting = queue.popleft()
                if not waiting.done():  # else its request was given up
                    return waiting
        return None


class Neighbours:
    """At most `limit` requests at a time to one address from this process; 0 for no limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._addresses: dict[IP, _Address] = {}

    @contextlib.asynccontextmanager
    async def turn(self, address: IP, *, is_new: bool) -> AsyncIterator[None]:
        """Waits until there is room at the address. `is_new`: the request would begin a visit."""
        if not self._limit:
            yield
            return
        await self._enter(address, is_new)
        try:
            yield
        finally:
            self._leave(address)

    async def _enter(self, address: IP, is_new: bool) -> None:
        place = self._addresses.setdefault(address, _Address())
        if place.under_way < self._limit:
            place.under_way += 1
            return
        waiting = asyncio.get_running_loop().create_future()
        (place.new if is_new else place.begun).append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():  # let in and given up at the same moment
                self._leave(address)
            raise

    def _leave(self, address: IP) -> None:
        """Give the place to whoever is next; nobody enters in between."""
        place = self._addresses[address]
        waiting = place.next_waiting()
        if waiting is not None:
            waiting.set_result(None)
            return
        place.under_way -= 1
        if not place.under_way:
            del self._addresses[address]
