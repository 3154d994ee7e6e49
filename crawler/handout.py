"""Which target a worker gets next: fresh ones in the order of the list, those of dead workers with care."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from time import monotonic

from crawler.items import Target

SUSPECTS_TOGETHER = {1: 16, 2: 1}
"""Targets whose worker died are done again in small company, then alone: a worker that dies with one
target names the culprit, and a kill from outside costs its bystanders little."""
MAX_DEATHS = 3
"""Of one target's workers; then it is given up."""


@dataclass(slots=True, eq=False)
class Task:
    """One target on its way to a record."""

    target: Target
    deaths: int = 0
    """Workers that died while they had this target."""
    handed_out_s: float = 0.0


class Handout:
    """The targets that are still to be handed out; a worker has at most `room` at a time.

    Targets with a different number of deaths are never under way in the same worker.
    """

    def __init__(self, targets: Iterator[Target], *, room: int) -> None:
        self._fresh: Iterator[Target] | None = targets
        self._suspects: deque[Task] = deque()
        self._room = room

    @property
    def is_empty(self) -> bool:
        return self._fresh is None and not self._suspects

    def drop(self) -> None:
        """Hand out nothing more."""
        self._fresh = None
        self._suspects.clear()

    def task_for(self, under_way: Collection[Task]) -> Task | None:
        """The next task for a worker that has these; None when it has no room or there is none for it."""
        deaths = next((task.deaths for task in under_way), 0)
        if len(under_way) >= SUSPECTS_TOGETHER.get(deaths, self._room):
            return None
        task = self._suspect_for(deaths if under_way else None)
        if task is None and not deaths:
            task = self._next_fresh()
        if task is not None:
            task.handed_out_s = monotonic()
        return task

    def put_back(self, tasks: Collection[Task], *, is_suspect: bool) -> list[Target]:
        """Keep a dead worker's tasks for later; the targets among them that have had their last chance.

        `is_suspect`: whether one of the targets may have killed the worker.
        """
        given_up = []
        for task in tasks:
            task.deaths += is_suspect
            if task.deaths < MAX_DEATHS:
                self._suspects.append(task)
            else:
                given_up.append(task.target)
        return given_up

    def _suspect_for(self, deaths: int | None) -> Task | None:
        """The first suspect, of those with this number of deaths if given."""
        for task in self._suspects:
            if deaths is None or task.deaths == deaths:
                self._suspects.remove(task)
                return task
        return None

    def _next_fresh(self) -> Task | None:
        if self._fresh is None:
            return None
        target = next(self._fresh, None)
        if target is None:
            self._fresh = None
            return None
        return Task(target)
