"""Worker processes that share one list of targets, and the one place their records come together.

Targets are handed out one by one, to the worker with the least to do, so that the last ones do not queue
behind a busy process. Whatever a dead worker had under way is done again (crawler/handout.py).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Any

from crawler.handout import MAX_DEATHS, Handout
from crawler.items import Target
from crawler.process import WorkerError, WorkerProcess
from crawler.protocol import GREETING, READY, STATS, record_from_line
from fingerprints.model import Outcome, Record
from fingerprints.model.times import timestamp_now

Sink = Callable[[Sequence[Record]], None]

MAX_FAILED_STARTS = 3
"""Workers in a row that died before they were ready: not the targets' fault."""
RESTART_PAUSE_S = 5.0
"""Before a worker is started again that was never ready, while others go on: memory may be short."""
MOST_WAITING = 1_000
"""Records that wait for the sink before nothing more is handed out: tens of megabytes."""
GATHER_S = 0.25
"""From the first record that comes until the sink gets it and those that came meanwhile: storing ten records
together costs half of what storing each for itself does."""
WATCH_S = 5.0


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
        self._handout = Handout(iter(()), room=concurrency)
        self._workers: list[WorkerProcess] = []
        self._records: asyncio.Queue[Record | None] = asyncio.Queue()
        """Not yet in the sink; None after the last one."""
        self._counted: list[dict[str, float]] = []
        """The counters of each worker there has been."""
        self._failed_starts = 0
        self._is_stopping = False

    def stats(self) -> dict[str, float]:
        """Counters of all workers, those that died included, added up; `most_` ones are the largest.

        They are those of finished sites: each record brings what its worker has counted.
        """
        totals: dict[str, float] = {}
        for name, value in itertools.chain.from_iterable(counted.items() for counted in self._counted):
            known = totals.get(name, 0)
            totals[name] = max(known, value) if "/most_" in name else known + value
        return totals

    def stop(self) -> None:
        """Hand out nothing more; `run` returns when what is under way is done."""
        self._is_stopping = True
        self._handout.drop()
        self._hand_out()

    def kill(self) -> None:
        """End every worker now; what was under way gets no record."""
        self.stop()
        for worker in self._workers:
            worker.tasks.clear()
            worker.kill()

    async def run(self, targets: Iterator[Target], sink: Sink) -> None:
        """Crawl the targets and pass the records to the sink as they come.

        Raises WorkerError when workers die before they are ready, and whatever the sink raises.
        """
        if self._is_stopping:
            return
        first = list(itertools.islice(targets, self._count))  # a short list needs few workers
        self._handout = Handout(itertools.chain(first, targets), room=self._concurrency)
        with _open_log(self._log_path) as log:
            watchdog = asyncio.create_task(self._watch())
            try:
                self._workers = [await self._start(log) for _ in first]
                self._hand_out()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass_on(sink))
                    working = [
                        group.create_task(self._keep_working(worker, log)) for worker in list(self._workers)
                    ]
                    if working:
                        await asyncio.wait(working)
                    self._records.put_nowait(None)
            except* Exception as errors:  # noqa: BLE001 - one caller, one plain exception
                raise errors.exceptions[0] from None
            finally:
                watchdog.cancel()
                self.kill()
                for worker in self._workers:
                    await worker.ended()

    async def _start(self, log: IO[bytes]) -> WorkerProcess:
        worker = await WorkerProcess.start(self._command, log)
        self._counted.append(worker.counted)
        return worker

    async def _keep_working(self, worker: WorkerProcess, log: IO[bytes]) -> None:
        """Take the worker's records; when it dies, put another in its place and its targets back."""
        while True:
            await self._take_records(worker)
            await worker.process.wait()
            self._workers.remove(worker)
            if self._is_stopping or (self._handout.is_empty and not worker.tasks):
                return
            self._put_back(worker)
            if not worker.is_ready and self._workers:
                await asyncio.sleep(RESTART_PAUSE_S)
                if self._is_stopping or self._handout.is_empty:
                    return
            worker = await self._start(log)
            self._workers.append(worker)
            self._hand_out()

    async def _take_records(self, worker: WorkerProcess) -> None:
        async for line in worker.output:
            if not line.endswith(b"\n"):
                return  # the worker died while writing it
            if line == READY:
                worker.is_ready, self._failed_starts = True, 0
            elif line.startswith(GREETING):
                raise WorkerError(
                    "technograph was changed while it crawled: run the same command again to go on"
                )
            elif line.startswith(STATS):
                worker.counted.update(json.loads(line.removeprefix(STATS)))
            else:
                self._take_record(line, worker)

    def _take_record(self, line: bytes, worker: WorkerProcess) -> None:
        try:
            record, counted = record_from_line(line)
        except ValueError:
            worker.kill()  # it is broken: a fresh one does its targets again
            return
        worker.counted.update(counted)
        worker.heard_s = monotonic()
        if worker.tasks.pop(record.domain, None) is not None:
            self._records.put_nowait(record)
        self._hand_out()

    async def _pass_on(self, sink: Sink) -> None:
        """Give the sink all records that have come, again and again, in a thread of its own.

        So a slow disk or a locked database stops neither the workers, who would miss their sites'
        answers, nor the reaction to Ctrl-C.
        """
        while True:
            batch = [await self._records.get()]
            if batch[-1] is not None:
                await asyncio.sleep(GATHER_S)
            while not self._records.empty():
                batch.append(self._records.get_nowait())
            records = [record for record in batch if record is not None]
            if records:
                await asyncio.to_thread(sink, records)
            if batch[-1] is None:
                return
            self._hand_out()

    def _hand_out(self) -> None:
        """Give every worker what it has room for; let the workers end when there is nothing left."""
        if self._records.qsize() < MOST_WAITING:
            while any(self._hand_one(worker) for worker in sorted(self._workers, key=lambda w: len(w.tasks))):
                pass  # one target at a time, each to whoever has the fewest now
        if self._handout.is_empty and not any(worker.tasks for worker in self._workers):
            for worker in self._workers:
                worker.finish()

    def _hand_one(self, worker: WorkerProcess) -> bool:
        if worker.has_ended:
            return False
        task = self._handout.task_for(worker.tasks.values())
        if task is not None:
            worker.hand(task)
        return task is not None

    def _put_back(self, worker: WorkerProcess) -> None:
        self._failed_starts += not worker.is_ready
        others_work = any(other.is_ready for other in self._workers)
        if self._failed_starts >= MAX_FAILED_STARTS and not others_work:
            where = self._log_path or "the messages above"
            raise WorkerError(f"crawling processes end as soon as they start; see {where}")
        for target in self._handout.put_back(worker.tasks.values(), is_suspect=worker.is_ready):
            self._records.put_nowait(_fatal_record(target))
        self._hand_out()

    async def _watch(self) -> None:
        """Kill workers that have given no record in far more than a target's time, although they have one.

        A single target may well wait longer: for its turn at an address that others are at (neighbours.py).
        """
        while True:
            await asyncio.sleep(WATCH_S)
            latest_s = monotonic() - self._stuck_after_s
            for worker in self._workers:
                is_silent = worker.heard_s < latest_s
                if is_silent and any(task.handed_out_s < latest_s for task in worker.tasks.values()):
                    worker.kill()


def _fatal_record(target: Target) -> Record:
    return Record(
        domain=target.domain,
        outcome=Outcome.INTERNAL_ERROR,
        detail=f"{MAX_DEATHS} crawling processes died while they read this site",
        id=target.id,
        url=target.url,
        attrs=target.attrs,
        scanned_at=timestamp_now(),
    )


def _open_log(path: Path | None) -> IO[bytes]:
    return (
        open(sys.stderr.fileno(), "ab", buffering=0, closefd=False)
        if path is None
        else path.open("ab", buffering=0)
    )
