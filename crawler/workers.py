"""Worker processes that share one list of targets, and the one place their records come together.

Targets are handed out one by one, to the worker with the least to do, so that the last ones do not queue
behind a busy process. Whatever a dead worker had under way is done again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import IO, Any

from crawler.items import Target
from crawler.protocol import LINE_BYTES, READY, STATS, target_to_line
from fingerprints.model import Outcome, Record, TechnographError
from fingerprints.model.wire import from_json

SUSPECTS_TOGETHER = {1: 8, 2: 1}
"""Targets whose worker died are done again in small company, then alone: a worker that dies with one
target names the culprit, and a kill from outside costs its bystanders little."""
MAX_DEATHS = 3
"""Of one target's workers; then the target gets an internal_error record."""
MAX_FAILED_STARTS = 3
"""Workers in a row that died before they were ready: not the targets' fault."""
WATCH_S = 5.0


class WorkerError(TechnographError):
    """Raised when workers cannot run at all."""


@dataclass(slots=True)
class _Task:
    target: Target
    deaths: int = 0
    """Workers that died while they had this target."""
    handed_out_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Worker:
    process: asyncio.subprocess.Process
    tasks: dict[str, _Task] = field(default_factory=dict)
    """Under way, by domain; all with the same number of deaths."""
    is_ready: bool = False

    @property
    def deaths(self) -> int:
        return next((task.deaths for task in self.tasks.values()), 0)

    def hand(self, task: _Task) -> None:
        assert self.process.stdin is not None
        task.handed_out_s = monotonic()
        self.tasks[task.target.domain] = task
        self.process.stdin.write(target_to_line(task.target))

    def finish(self) -> None:
        """No more targets: the worker ends by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()

    async def ended(self) -> None:
        """Wait for its end and let go of its pipes."""
        self.finish()
        await self.process.wait()


class Workers:
    """One crawl over several processes; stopped from the same event loop."""

    def __init__(
        self,
        *,
        count: int,
        concurrency: int,
        scrapy_settings: Mapping[str, Any],
        log_path: Path | None,
        stuck_after_s: float,
    ) -> None:
        self._count = count
        self._concurrency = concurrency
        # -P: a folder named `crawler` where the user stands must not be taken for ours.
        module = (sys.executable, "-P", "-m", "crawler.worker")
        self._command = (*module, json.dumps(dict(scrapy_settings)), str(os.getpid()))
        self._log_path = log_path
        self._stuck_after_s = stuck_after_s
        self._fresh: Iterator[Target] | None = None
        self._suspects: deque[_Task] = deque()
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._is_stopping = False
        self.stats: dict[str, float] = {}
        """Counters of the workers that ended by themselves, added up; `most_` ones are the largest."""

    def stop(self) -> None:
        """Hand out nothing more; `run` returns when what is under way is done."""
        self._is_stopping = True
        self._fresh = None
        self._suspects.clear()
        self._hand_out()

    def kill(self) -> None:
        """End every worker now; what was under way gets no record."""
        self.stop()
        for worker in self._workers:
            worker.tasks.clear()
            worker.kill()

    async def run(self, targets: Iterator[Target], sink: Callable[[Record], None]) -> None:
        """Crawl the targets and pass each record to the sink as it comes.

        Raises WorkerError when workers die before they are ready, and whatever the sink raises.
        """
        first = list(itertools.islice(targets, self._count))  # a short list needs few workers
        self._fresh = itertools.chain(first, targets)
        with _open_log(self._log_path) as log:
            watchdog = asyncio.create_task(self._watch())
            try:
                self._workers = [await self._start(log) for _ in first]
                self._hand_out()
                async with asyncio.TaskGroup() as group:
                    for worker in list(self._workers):
                        group.create_task(self._keep_working(worker, sink, log))
            except* Exception as errors:  # noqa: BLE001 - one caller, one plain exception
                raise errors.exceptions[0] from None
            finally:
                watchdog.cancel()
                self.kill()
                for worker in self._workers:
                    await worker.ended()

    async def _start(self, log: IO[bytes]) -> _Worker:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=log, limit=LINE_BYTES
        )
        return _Worker(process)

    async def _keep_working(self, worker: _Worker, sink: Callable[[Record], None], log: IO[bytes]) -> None:
        """Take the worker's records; when it dies, put another in its place and its targets back."""
        while True:
            await self._take_records(worker, sink)
            await worker.process.wait()
            self._workers.remove(worker)
            if self._is_stopping or (self._is_empty() and not worker.tasks):
                return
            self._put_back(worker, sink)
            worker = await self._start(log)
            self._workers.append(worker)
            self._hand_out()

    async def _take_records(self, worker: _Worker, sink: Callable[[Record], None]) -> None:
        assert worker.process.stdout is not None
        async for line in worker.process.stdout:
            if not line.endswith(b"\n"):
                return  # the worker died while writing it
            if line == READY:
                worker.is_ready, self._failed_starts = True, 0
                continue
            if line.startswith(STATS):
                self._add_stats(json.loads(line.removeprefix(STATS)))
                continue
            record = from_json(json.loads(line))
            if worker.tasks.pop(record.domain, None) is not None:
                sink(record)
            self._hand_out()

    def _add_stats(self, counted: Mapping[str, float]) -> None:
        for name, value in counted.items():
            known = self.stats.get(name, 0)
            self.stats[name] = max(known, value) if "/most_" in name else known + value

    # -- who gets what -------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Give every worker what it has room for; let the workers end when there is nothing left."""
        while any(self._hand_one(worker) for worker in sorted(self._workers, key=lambda w: len(w.tasks))):
            pass  # one target at a time, each to whoever has the fewest now
        if self._is_empty() and not any(worker.tasks for worker in self._workers):
            for worker in self._workers:
                worker.finish()

    def _hand_one(self, worker: _Worker) -> bool:
        room = SUSPECTS_TOGETHER.get(worker.deaths, self._concurrency)
        if len(worker.tasks) >= room or worker.process.returncode is not None:
            return False
        task = self._task_for(worker)
        if task is None:
            return False
        worker.hand(task)
        return True

    def _task_for(self, worker: _Worker) -> _Task | None:
        """A suspect for an idle worker or one that has such suspects already, else the next fresh target."""
        for task in self._suspects:
            if not worker.tasks or worker.deaths == task.deaths:
                self._suspects.remove(task)
                return task
        if worker.deaths or self._fresh is None:
            return None
        target = next(self._fresh, None)
        if target is None:
            self._fresh = None
            return None
        return _Task(target)

    def _is_empty(self) -> bool:
        return self._fresh is None and not self._suspects

    # -- when things go wrong --------------------------------------------------------------------------------

    def _put_back(self, worker: _Worker, sink: Callable[[Record], None]) -> None:
        if not worker.is_ready:
            self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            where = self._log_path or "the messages above"
            raise WorkerError(f"crawling processes end as soon as they start; see {where}")
        for task in worker.tasks.values():
            task.deaths += worker.is_ready
            if task.deaths < MAX_DEATHS:
                self._suspects.append(task)
            else:
                sink(_fatal_record(task.target))

    async def _watch(self) -> None:
        """Kill workers that have not answered for one of their targets in far more than its time."""
        while True:
            await asyncio.sleep(WATCH_S)
            latest_s = monotonic() - self._stuck_after_s
            for worker in self._workers:
                if any(task.handed_out_s < latest_s for task in worker.tasks.values()):
                    worker.kill()


def _fatal_record(target: Target) -> Record:
    return Record(
        domain=target.domain,
        outcome=Outcome.INTERNAL_ERROR,
        detail=f"{MAX_DEATHS} crawling processes died while they read this site",
        id=target.id,
        url=target.url,
        attrs=target.attrs,
        scanned_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _open_log(path: Path | None) -> IO[bytes]:
    return (
        open(sys.stderr.fileno(), "ab", buffering=0, closefd=False)
        if path is None
        else path.open("ab", buffering=0)
    )
