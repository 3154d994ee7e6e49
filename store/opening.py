"""Opening a database file: whose it is, which version wrote it, and how it is locked."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlite_utils import Database

from icp.predicates import compare_versions
from store.errors import DatabaseFileError, StoreError
from store.migrations import APPLICATION_ID, MIGRATIONS

BUSY_TIMEOUT_S = 5.0
"""How long to wait for another writer before giving up; a transaction of ours takes milliseconds."""

CACHE_KIB = 65_536
"""Page cache of one connection: the inner pages of the look-up tables of a million sites."""


def open_database(path: Path, *, create: bool, readonly: bool) -> Database:
    """A connection to our database at `path`, brought to this version's schema.

    Raises DatabaseFileError when the file is missing and may not be created, is not ours, or comes
    from a newer version; sqlite3's errors for the rest (store/errors.py words them).
    """
    is_new = not os.path.exists(path)  # unlike Path.exists: no error where the folder is closed
    if is_new and (readonly or not create):
        raise DatabaseFileError(
            f"{path}: no such database; `technograph crawl` makes one, --db names another"
        )
    if is_new:
        _make_folder(path.parent)
    db = _opened(path, readonly=readonly)
    if readonly and MIGRATIONS.pending(db):
        # Written by an older version: brought up to date first, by a connection that may write.
        db.close()
        _opened(path, readonly=False).close()
        db = _opened(path, readonly=True)
    return db


def _opened(path: Path, *, readonly: bool) -> Database:
    db = Database(_connect(path, readonly=readonly))
    try:
        _prepare(db, path, readonly=readonly)
    except BaseException:
        db.close()
        raise
    return db


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"{folder}: cannot create the folder for the database: {exc.strerror}") from exc


def _connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    mode = "rwc"
    if readonly:
        # In a folder that cannot be written, SQLite cannot make the shared-memory file WAL needs;
        # nobody can be writing there either, so the file may be read as it stands.
        mode = "ro" if os.access(path.parent, os.W_OK) else "ro&immutable=1"
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # A crawl stores from a thread of its own; one thread at a time, as SQLite asks.
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False)


def _prepare(db: Database, path: Path, *, readonly: bool) -> None:
    _check_ours(db, path)
    db.conn.create_function("compare_versions", 2, compare_versions, deterministic=True)
    db.conn.create_function("is_version", 2, is_version, deterministic=True)
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    db.execute("PRAGMA temp_store = MEMORY")
    if readonly:
        return
    db.enable_wal()
    # A power cut may cost the last commits, a killed process none; neither damages the file.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    if MIGRATIONS.pending(db):
        _migrate(db)


def is_version(version: str, wanted: str) -> bool | None:
    """Whether the version is the wanted one or under it; None when it is not known.

    >>> is_version("6.4.2", "6.4"), is_version("6.40", "6.4"), is_version("", "6")
    (True, False, None)
    """
    return f"{version}.".startswith(f"{wanted}.") if version else None


def _check_ours(db: Database, path: Path) -> None:
    """Refuse another program's database, and one with migrations this version does not know."""
    application_id = db.execute("PRAGMA application_id").fetchone()[0]
    if application_id != APPLICATION_ID and db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise DatabaseFileError(f"{path}: a database of another program; give another --db")
    unknown = {done.name for done in MIGRATIONS.applied(db)} - _migration_names()
    if unknown:
        raise DatabaseFileError(
            f"{path}: written by a newer technograph ({', '.join(sorted(unknown))}); update technograph"
        )


def _migration_names() -> set[str]:
    # `pending` on an empty database is the public way to the names of all migrations.
    empty = Database(memory=True)
    try:
        return {migration.name for migration in MIGRATIONS.pending(empty)}
    finally:
        empty.close()


def _migrate(db: Database) -> None:
    """Apply what is pending. The lock comes first: two processes may have opened the same new file."""
    db.execute("BEGIN IMMEDIATE")
    try:
        MIGRATIONS.apply(db)
        db.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise
