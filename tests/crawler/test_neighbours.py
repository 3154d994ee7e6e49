"""Who may send a request to an address that many sites share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address

from crawler.neighbours import Neighbours

HERE, THERE = IPv4Address("93.184.215.14"), IPv4Address("93.184.215.15")


class Street:
    """Requests that stay at an address until they are told to go; keeps who was let in, in order."""

    def __init__(self, limit: int) -> None:
        self.neighbours = Neighbours(limit)
        self.let_in: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def comes(self, name: str, address: IPv4Address = HERE, *, is_new: bool = True) -> None:
        self._leave[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._stay(name, address, is_new))
        await asyncio.sleep(0)

    async def _stay(self, name: str, address: IPv4Address, is_new: bool) -> None:
        async with self.neighbours.turn(address, is_new=is_new):
            self.let_in.append(name)
            await self._leave[name].wait()

    async def leaves(self, name: str) -> None:
        self._leave[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def gives_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await asyncio.sleep(0)


def in_the(street: Callable[[Street], Awaitable[None]], limit: int = 2) -> list[str]:
    """Who was let in, in order."""

    async def run() -> list[str]:
        place = Street(limit)
        await street(place)
        return place.let_in

    return asyncio.run(run())


async def three_come(street: Street) -> None:
    for name in ("a", "b", "c"):
        await street.comes(name)


def test_one_more_than_the_limit_waits() -> None:
    assert in_the(three_come) == ["a", "b"]


def test_without_a_limit_nobody_waits() -> None:
    assert in_the(three_come, limit=0) == ["a", "b", "c"]


def test_another_address_is_another_matter() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        await street.comes("d", THERE)

    assert in_the(street) == ["a", "b", "d"]


def test_whoever_waits_is_let_in_when_somebody_leaves() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        await street.leaves("a")
        await street.comes("d")

    assert in_the(street) == ["a", "b", "c"]


def test_pages_of_visits_under_way_go_before_new_visits() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        await street.comes("second page", is_new=False)
        await street.leaves("a")
        await street.leaves("b")

    assert in_the(street) == ["a", "b", "second page", "c"]


def test_request_that_is_given_up_while_it_waits_takes_no_room() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        await street.comes("d")
        await street.gives_up("c")
        await street.leaves("a")

    assert in_the(street) == ["a", "b", "d"]


def test_request_that_is_given_up_under_way_makes_room() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        await street.gives_up("a")

    assert in_the(street) == ["a", "b", "c"]


def test_request_that_is_given_up_as_it_is_let_in_makes_room() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        await street.comes("d")
        street._leave["a"].set()
        asyncio.get_running_loop().call_soon(street._tasks["c"].cancel)  # after a has left, before c wakes up
        await street.leaves("a")

    assert in_the(street) == ["a", "b", "d"]


def test_address_nobody_is_at_is_forgotten() -> None:
    async def street(street: Street) -> None:
        await three_come(street)
        for name in ("a", "b", "c"):
            await street.leaves(name)
        assert street.neighbours._addresses == {}

    in_the(street)
