"""kill -9 of a running crawl's processes, at random moments, again and again; nothing may be lost or doubled.

    python -m bench.kills [--kills 200] [--seed N] [--sites 80] [--workers 2]

The real command crawls copies of the demo web's sites. Killed are one worker, the process that writes, or
all at once; `power` also takes what a power cut may take: SQLite's log from the last sync on is cut off or
overwritten. The same command is then run again. After each kill, and when a crawl is done, every record
must equal that of an undisturbed crawl, there must be one a target, and the file must be sound. Plan and
damage follow from the seed; the moments do as far as the machine lets them. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.demo_sites import DemoSite, load_sites
from cli.demo_web import ADDRESS, DemoWeb
from crawler.settings import TECHNOGRAPH_MAX_BODY_BYTES
from fingerprints.model import Outcome
from fingerprints.model.wire import to_json
from store.database import Store
from tests.power import freeze, spoil
from tests.processes import children, is_running

KINDS = {"worker": 9, "main": 5, "all": 3, "power": 3}
"""What is killed, and how often of twenty times."""
PHASES = ("start", "crawl", "end")
"""Before the run's first record, between, and with the list's last record stored."""
LONGEST_S = 300.0
ORPHANS = "SELECT count(*) FROM site WHERE id NOT IN (SELECT site_id FROM record)"
DOUBLES = "SELECT count(*) FROM (SELECT 1 FROM record GROUP BY crawl_id, site_id HAVING count(*) > 1)"


@dataclass(slots=True)
class Tally:
    """What was done and what came of it."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(kind, phase) to how often."""
    resumes: int = 0
    crawls: int = 0
    forgotten: int = 0
    """Records that a power cut took, crawled again later."""
    given_up: int = 0
    """Targets whose worker was killed three times: they have a record that says so."""
    late: int = 0
    """Targets whose record says that they took too long, as they do on a busy machine."""
    violations: list[str] = field(default_factory=list)

    def table(self) -> str:
        lines = [f"{'killed':<8}" + "".join(f"{phase:>8}" for phase in (*PHASES, "all"))]
        for kind in KINDS:
            counts = [self.kills[kind, phase] for phase in PHASES]
            lines.append(f"{kind:<8}" + "".join(f"{count:>8}" for count in (*counts, sum(counts))))
        lines.append(
            f"{self.kills.total()} kills in {self.crawls} crawls, {self.resumes} resumes; "
            f"{self.forgotten} records lost with the power and crawled again, "
            f"{self.given_up} targets given up, {self.late} timed out"
        )
        return "\n".join([*lines, f"violations: {len(self.violations)}", *self.violations])


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: so long after the run's start, or with so many more records, and a little later."""

    seconds: float | None
    records: int
    jitter_s: float

    @classmethod
    def pick(cls, rng: random.Random, sites: int) -> Moment:
        by_clock = rng.random() < 0.3
        records = rng.choice([rng.randrange(sites), rng.randrange(sites), sites])
        return cls(rng.uniform(0, 2.5) if by_clock else None, records, rng.uniform(0, 0.05))


class Killer:
    """Crawls into one database after the other, and kills."""

    def __init__(self, folder: Path, command: list[str], sites: int, rng: random.Random) -> None:
        self.tally = Tally()
        self._folder = folder
        self._command = command
        self._sites = sites
        self._rng = rng
        self._expected: dict[str, Any] = {}
        self._db = folder / "undisturbed.db"

    def learn(self) -> None:
        """Keep the records of an undisturbed crawl: what all others must come to."""
        self._start().wait()
        with Store.open(self._db, readonly=True) as store:
            self._expected = {record.domain: comparable(to_json(record)) for record in store.records()}
        assert len(self._expected) == self._sites, f"only {len(self._expected)} records"

    def kill(self, times: int) -> None:
        while self.tally.kills.total() < times:
            self.tally.crawls += 1
            self._db = self._folder / f"crawl{self.tally.crawls}.db"
            while not self._run(times):
                self.tally.resumes += 1
            self._check("the end", is_done=True)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*self._command, "--db", str(self._db)]
        with (self._folder / "messages").open("ab") as messages:
            return subprocess.Popen(command, cwd=self._folder, stderr=messages)

    def _run(self, times: int) -> bool:
        """One run of the command with kills in it; whether it came to its own end."""
        process, before, began_s = self._start(), self._stored(), time.monotonic()
        while self.tally.kills.total() < times and before < self._sites:
            moment = Moment.pick(self._rng, self._sites)
            kind = self._rng.choices(list(KINDS), weights=list(KINDS.values()))[0]
            if not self._wait(process, moment, began_s):
                break
            if not self._kill(process, kind, before):
                continue
            if kind != "worker":
                self._check(kind, is_done=False)
                return False
        return self._ended_well(process)

    def _ended_well(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            code = process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            self._violated(f"did not end within {LONGEST_S:.0f} s")
            return process.wait() == 0
        if code:
            self._violated(f"ended with exit code {code}: {self._last_message()}")
        return True

    def _wait(self, process: subprocess.Popen[bytes], moment: Moment, began_s: float) -> bool:
        """Until the moment; False when the crawl ended before."""

        def has_come() -> bool:
            if moment.seconds is None:
                return self._stored() >= moment.records
            return time.monotonic() - began_s >= moment.seconds

        return until(lambda: process.poll() is not None or has_come(), moment.jitter_s) and (
            process.poll() is None
        )

    def _kill(self, process: subprocess.Popen[bytes], kind: str, before: int) -> bool:
        """Kill and take note; False when there was nothing of the kind to kill."""
        workers = children(process.pid, "crawler.worker")
        if kind == "worker" and not workers:
            time.sleep(0.05)
            return False
        stored = self._stored()
        phase = "end" if stored == self._sites else "crawl" if stored > before else "start"
        self.tally.kills[kind, phase] += 1
        if kind == "worker":
            os.kill(self._rng.choice(workers), signal.SIGKILL)
            return True
        kept_bytes = freeze(process.pid, self._db) if kind == "power" else 0
        for pid in [process.pid, *(workers if kind != "main" else [])]:
            os.kill(pid, signal.SIGKILL)
        process.wait()
        if not until(lambda: not any(map(is_running, workers))):
            self._violated(f"workers outlived a kill of {kind}")
        if kind == "power":
            spoil(self._db.with_name(f"{self._db.name}-wal"), kept_bytes, self._rng)
            self.tally.forgotten += max(stored - self._stored(), 0)
        return True

    def _stored(self) -> int:
        """Records in the database now; 0 as long as there is none."""
        if not self._db.exists():
            return 0
        connection = sqlite3.connect(f"file:{self._db}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM record").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # no such table yet
        finally:
            connection.close()

    def _check(self, when: str, *, is_done: bool) -> None:
        if not self._db.exists():
            return
        with Store.open(self._db) as store:
            for problem in problems(store):
                self._violated(f"after {when}: {problem}")
            found = {record.domain: comparable(to_json(record)) for record in store.records()}
        given_up = {
            domain for domain, record in found.items() if record["outcome"] == Outcome.INTERNAL_ERROR.value
        }
        self.tally.given_up += len(given_up) if is_done else 0
        late = {domain for domain, record in found.items() if record["outcome"] == Outcome.TIMEOUT.value}
        self.tally.late += len(late) if is_done else 0
        wrong = [d for d in found.keys() - given_up - late if found[d] != self._expected.get(d)]
        if wrong:
            what = difference(found[wrong[0]], self._expected.get(wrong[0], {}))
            self._violated(f"after {when}: {len(wrong)} records differ: {wrong[0]}: {what}")
        if is_done and (missing := self._expected.keys() - found.keys()):
            self._violated(f"after {when}: {len(missing)} records are missing")

    def _last_message(self) -> str:
        return (self._folder / "messages").read_text().rstrip().rpartition("\n")[2]

    def _violated(self, what: str) -> None:
        self.tally.violations.append(f"  {self._db.name}, kill {self.tally.kills.total()}: {what}")


def until(done: Callable[[], bool], then_s: float = 0.0) -> bool:
    """Wait for it, and a little longer; False when it takes too long."""
    deadline_s = time.monotonic() + LONGEST_S
    while not done():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.005)
    time.sleep(then_s)
    return True


def problems(store: Store) -> Iterable[str]:
    """What is wrong with the file, its keys, or its number of records."""
    for (text,) in store.db.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield str(text)
    for table, *_ in store.db.execute("PRAGMA foreign_key_check"):
        yield f"orphan row in {table}"
    for what, query in (("sites without a record", ORPHANS), ("second records", DOUBLES)):
        count = store.db.execute(query).fetchone()[0]
        if count:
            yield f"{count} {what}"


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    """The record's JSON object without what differs from run to run."""
    varying = ("scanned_at", "took_ms")
    return record | {"scan": {name: value for name, value in record["scan"].items() if name not in varying}}


def difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """Where two objects differ, one value each."""
    for name, value in found.items():
        other = expected.get(name)
        if isinstance(value, dict) and isinstance(other, dict) and value != other:
            return f"{name}.{difference(value, other)}"
        if value != other:
            return f"{name} is {str(value)[:200]}, not {str(other)[:200]}"
    return "something is lacking"


def copies(count: int) -> list[DemoSite]:
    """Sites to crawl, under names of their own; those whose record depends on the moment are left out."""
    models = [site for site in load_sites() if site.is_target and not site.behaviour and not is_cut(site)]
    return [copy(models[number % len(models)], f"site{number}.test") for number in range(count)]


def is_cut(site: DemoSite) -> bool:
    """Whether a page is too long to be read to its end; where it is cut depends on how it arrives."""
    return any(len(reply.body) > TECHNOGRAPH_MAX_BODY_BYTES for reply in site.replies.values())


def copy(site: DemoSite, host: str) -> DemoSite:
    replies = {(host if of == site.host else of, path): reply for (of, path), reply in site.replies.items()}
    return replace(site, host=host, replies=replies)


def crawl_command(port: int, source: Path, workers: int) -> list[str]:
    options = (
        f"--workers {workers} --concurrency 8 --delay 0 --allow-private --resolve-all-to {ADDRESS}:{port}"
    )
    return [sys.executable, "-m", "cli.main", "crawl", str(source), *options.split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sites", type=int, default=80)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    began_s = time.monotonic()
    sites = copies(given.sites)
    with tempfile.TemporaryDirectory() as name, DemoWeb(sites) as web:
        source = Path(name) / "list.txt"
        source.write_text("".join(f"{site.host}\n" for site in sites))
        command = crawl_command(web.port, source, given.workers)
        killer = Killer(Path(name), command, given.sites, random.Random(given.seed))
        killer.learn()
        with suppress(KeyboardInterrupt):  # what was found until then is worth telling, too
            killer.kill(given.kills)
    print(killer.tally.table())
    print(f"{time.monotonic() - began_s:.0f} s; again: --seed {given.seed} --kills {given.kills}")
    return bool(killer.tally.violations)


if __name__ == "__main__":
    sys.exit(main())
