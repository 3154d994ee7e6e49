"""One crawling process as its parent sees it: its pipes, what it has under way, what it has counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Self

from crawler.handout import Task
from crawler.protocol import LINE_BYTES, target_to_line
from fingerprints.model import TechnographError


class WorkerError(TechnographError):
    """Raised when workers cannot run at all."""


@dataclass(slots=True, eq=False)
class WorkerProcess:
    """Started by `start`; ends by itself after `finish`."""

    process: asyncio.subprocess.Process
    tasks: dict[str, Task] = field(default_factory=dict)
    """Under way, by domain."""
    is_ready: bool = False
    heard_s: float = 0.0
    """When its last record came."""
    counted: dict[str, float] = field(default_factory=dict)
    """Its counters as of its last record."""

    @classmethod
    async def start(cls, command: Sequence[str], log: IO[bytes]) -> Self:
        """Raises WorkerError when the system has no room for another process."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=log, limit=LINE_BYTES
            )
        except OSError as exc:
            raise WorkerError(
                f"cannot start a crawling process: {exc.strerror}; use fewer --workers and run the same command again"
            ) from exc
        return cls(process)

    @property
    def output(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def has_ended(self) -> bool:
        return self.process.returncode is not None

    def hand(self, task: Task) -> None:
        assert self.process.stdin is not None
        self.tasks[task.target.domain] = task
        self.process.stdin.write(target_to_line(task.target))

    def finish(self) -> None:
        """No more targets: the worker ends when it is through with those it has."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def kill(self) -> None:
        if not self.has_ended:
            self.process.kill()

    async def ended(self) -> None:
        """Wait for its end and let go of its pipes."""
        self.finish()
        await self.process.wait()
