"""What can go wrong with a database file, told in one line each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fingerprints.model import InputError, TechnographError


class StoreError(TechnographError):
    """Raised when the database cannot be read or written; the path comes first."""


class StoreBusyError(StoreError):
    """Raised when another process has kept the database locked for too long; trying again may help."""


class DatabaseFileError(StoreError, InputError):
    """Raised when the file given is missing, no database of ours, or from a newer version."""


_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_IN_USE = "in use by another program; wait for it to end, or give another --db"

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and run the same command again",
    sqlite3.SQLITE_READONLY: "cannot be written; check the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the rights of the file and its folder",
    sqlite3.SQLITE_IOERR: "the disk reports an error or is full; check it and run the same command again",
    sqlite3.SQLITE_CORRUPT: "damaged; restore a copy, or give another --db",
}
"""Primary result code of SQLite (https://www.sqlite.org/rescode.html) to what it means for a person."""

_PRIMARY_CODE = 0xFF


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a StoreError that names the file and the remedy.

    Mistakes of ours (a wrong column, a broken constraint) pass through: they are bugs, not trouble.
    """
    try:
        yield
    except sqlite3.DatabaseError as exc:
        # Errors that the Python module itself raises carry no code.
        code = getattr(exc, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code == sqlite3.SQLITE_NOTADB:
            raise DatabaseFileError(f"{path}: not a technograph database; give another --db") from exc
        if code in _BUSY:
            raise StoreBusyError(f"{path}: {_IN_USE}") from exc
        if code not in _REMEDIES:
            raise
        raise StoreError(f"{path}: {_REMEDIES[code]}") from exc
