"""The database of records: one SQLite file, one writer, many readers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from fingerprints.model import AssessmentState, Record, Taxonomy
from icp.model import Score
from store.errors import StoreBusyError, StoreError, told_plainly
from store.loading import load_records
from store.opening import open_database
from store.saving import Ids, save_record
from store.scores import load_score, save_score
from store.taxonomy import save_taxonomy

BATCH = 200
"""Records read at a time when streaming: a few megabytes, and few enough queries not to matter."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """One run over one list of targets."""

    id: int
    resumed: bool
    """Whether an earlier, unfinished crawl of the same input and settings goes on."""
    done: int
    """Domains that already have their record in it."""


class Store:
    """Records in, records and counts out. Everything else is asked through `store.queries`.

    Every method raises StoreError, with the path and a remedy, for a locked, full or damaged database.
    """

    def __init__(self, db: Database, path: Path) -> None:
        self.db = db
        self.path = path
        self.wait_on: Callable[[float], bool] = lambda waited_s: False
        """Asked when another process has kept the database locked for `waited_s`: whether to wait on."""
        self._ids = Ids(db.conn)

    @classmethod
    def open(cls, path: str | Path, *, create: bool = True, readonly: bool = False) -> Store:
        """The database at `path`, brought to this version's schema.

        Raises DatabaseFileError for a missing file when it may not be created, for a file that is not
        ours, and for one a newer version has written.
        """
        path = Path(path)
        with told_plainly(path):
            return cls(open_database(path, create=create, readonly=readonly), path)

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin_crawl(
        self,
        *,
        source: str,
        settings_hash: str,
        ruleset: str,
        tool_version: str,
        config: Mapping[str, Any],
        started_at: str,
        fresh: bool = False,
    ) -> Crawl:
        """The newest unfinished crawl of the same input, settings and rules, or else a new one.

        `fresh` starts a new one in any case; the unfinished one keeps its records.
        """
        with self.writing() as connection:
            found = connection.execute(_UNFINISHED, (source, settings_hash, ruleset)).fetchone()
            if found and not fresh:
                done = connection.execute("SELECT count(*) FROM record WHERE crawl_id = ?", found).fetchone()
                return Crawl(id=found[0], resumed=True, done=done[0])
            values = (source, settings_hash, ruleset, tool_version, json.dumps(dict(config)), started_at)
            crawl_id = connection.execute(_NEW_CRAWL, values).lastrowid
            assert crawl_id is not None
            return Crawl(id=crawl_id, resumed=False, done=0)

    def done(self, crawl_id: int, domains: Sequence[str]) -> set[str]:
        """Which of the domains already have a record in this crawl."""
        return {domain for (domain,) in self._rows(_DONE, (json.dumps(list(domains)), crawl_id))}

    def save(self, crawl_id: int, records: Sequence[Record]) -> int:
        """Store the records, all or none, and return how many were new.

        A domain that already has a record in this crawl is left as it is.
        """
        with self.writing() as connection:
            return sum(save_record(connection, self._ids, crawl_id, record) for record in records)

    def finish_crawl(self, crawl_id: int, finished_at: str) -> None:
        """Mark the crawl as complete, so that the same command starts a new one."""
        with self.writing() as connection:
            connection.execute("UPDATE crawl SET finished_at = ? WHERE id = ?", (finished_at, crawl_id))
        # Everything into the one file, which may now be copied or put where nobody can write. Where the
        # disk has no room for that, nothing is lost: the crawl is complete, and the next one tries again.
        with suppress(StoreError):
            self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def outcomes(self, crawl_id: int) -> dict[str, int]:
        """How many targets of the crawl ended how, the most frequent first."""
        return dict(self._rows(_OUTCOMES, (crawl_id,)))

    def assessable(self, crawl_id: int) -> dict[str, int]:
        """Category to the number of the crawl's sites where it is known to be present or absent."""
        return dict(self._rows(_ASSESSABLE, (AssessmentState.UNKNOWN, crawl_id)))

    def top_technologies(self, crawl_id: int, limit: int) -> list[tuple[str, int]]:
        """The crawl's most used technologies by slug, with the number of sites."""
        return self._rows(_TOP_TECHNOLOGIES, (crawl_id, limit))

    def record(self, domain: str, *, newest: bool = False) -> Record | None:
        """The record that speaks for the domain; None when it was never crawled.

        That is the newest answer: a failed rescan is passed over, unless `newest` asks for the last
        attempt whatever came of it.
        """
        found = self._rows(_NEWEST if newest else _CURRENT, (domain,))
        return self.load([found[0][0]])[0] if found else None

    def records(self, domains: Iterable[str] | None = None) -> Iterator[Record]:
        """The record that speaks for each domain, in domain order; of these domains only, if given."""
        if domains is not None:
            wanted = sorted(set(domains))
            for start in range(0, len(wanted), BATCH):
                yield from self.load(
                    [row[0] for row in self._rows(_CURRENT_OF, (json.dumps(wanted[start : start + BATCH]),))]
                )
            return
        after = ""
        while batch := self._rows(_CURRENT_AFTER, (after, BATCH)):
            yield from self.load([record_id for record_id, _ in batch])
            after = batch[-1][1]

    def load(self, record_ids: Sequence[int]) -> list[Record]:
        """The records with these ids, in this order."""
        with told_plainly(self.path):
            return load_records(self.db.conn, record_ids)

    def sync_taxonomy(self, taxonomy: Taxonomy) -> None:
        """Keep the names of technologies and categories beside the records, for queries and browsers."""
        with self.writing() as connection:
            save_taxonomy(connection, taxonomy)

    def save_scores(self, scores: Iterable[Score]) -> None:
        """Store each score in place of the same account's older one for the same profile.

        Scores of domains without a record here are passed over.
        """
        with self.writing() as connection:
            for score in scores:
                save_score(connection, score)

    def score(self, domain: str, icp: str) -> Score | None:
        """The account's newest stored score for the profile; None when it has none."""
        with told_plainly(self.path):
            return load_score(self.db.conn, domain, icp)

    def profiles(self) -> list[str]:
        """The profiles accounts were scored against, the one last used first."""
        return [slug for (slug,) in self._rows("SELECT slug FROM icp ORDER BY scored_at DESC, id DESC")]

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """The rows of a query as they come, by column name."""
        with told_plainly(self.path):
            yield from self.db.query(sql, parameters)

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with told_plainly(self.path):
            return self.db.conn.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, taken at once: a writer that starts by reading could not wait for another."""
        connection = self.db.conn
        self._begin(connection)
        with told_plainly(self.path):
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._ids.forget()
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _begin(self, connection: sqlite3.Connection) -> None:
        began_s = monotonic()
        while True:
            try:
                with told_plainly(self.path):
                    connection.execute("BEGIN IMMEDIATE")
                return
            except StoreBusyError:
                if not self.wait_on(monotonic() - began_s):
                    raise


_UNFINISHED = """
SELECT id FROM crawl
WHERE source = ? AND settings_hash = ? AND ruleset = ? AND finished_at IS NULL ORDER BY id DESC LIMIT 1
"""
_NEW_CRAWL = """
INSERT INTO crawl (source, settings_hash, ruleset, tool_version, config, started_at) VALUES (?, ?, ?, ?, ?, ?)
"""
_DONE = """
SELECT site.domain FROM json_each(?) AS wanted
JOIN site ON site.domain = wanted.value
JOIN record ON record.site_id = site.id AND record.crawl_id = ?
"""
_OUTCOMES = """
SELECT outcome, count(*) AS sites FROM record WHERE crawl_id = ?
GROUP BY outcome ORDER BY sites DESC, outcome
"""
_ASSESSABLE = """
SELECT category.slug, count(*) FROM record
JOIN assessment ON assessment.record_id = record.id AND assessment.state <> ?
JOIN category ON category.id = assessment.category_id
WHERE record.crawl_id = ? GROUP BY category.slug ORDER BY category.slug
"""
_TOP_TECHNOLOGIES = """
SELECT technology.slug, count(*) AS sites FROM record
JOIN detection ON detection.record_id = record.id AND detection.state = 'present'
JOIN technology ON technology.id = detection.technology_id
WHERE record.crawl_id = ? GROUP BY technology.slug ORDER BY sites DESC, technology.slug LIMIT ?
"""
_CURRENT = "SELECT record_id FROM site WHERE domain = ? AND record_id IS NOT NULL"
_NEWEST = """
SELECT record.id FROM site JOIN record ON record.site_id = site.id
WHERE site.domain = ? ORDER BY record.scanned_at DESC, record.id DESC LIMIT 1
"""
_CURRENT_OF = """
SELECT site.record_id FROM site
WHERE site.domain IN (SELECT value FROM json_each(?)) AND site.record_id IS NOT NULL ORDER BY site.domain
"""
_CURRENT_AFTER = """
SELECT record_id, domain FROM site
WHERE domain > ? AND record_id IS NOT NULL ORDER BY domain LIMIT ?
"""
