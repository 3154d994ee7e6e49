from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fingerprints.model import LoadedHost, PageKind, ResourceKind
from store.database import Store
from store.errors import DatabaseFileError, StoreError
from tests.store.records import NOW, site

NOBODY = 65534


def a_crawl(store: Store) -> int:
    return store.begin_crawl(
        source="x", settings_hash="s", ruleset="r", tool_version="0.1.0", config={}, started_at=NOW
    ).id


@pytest.fixture
def path(tmp_path) -> Path:
    """A database with one record."""
    path = tmp_path / "t.db"
    with Store.open(path) as store:
        store.save(a_crawl(store), [site("acme.com", "shopify")])
    return path


@contextmanager
def as_an_ordinary_user():
    """Rights of files mean nothing to root, who becomes somebody else meanwhile."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def shared_folder():
    """A folder others may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


def test_folder_of_a_new_database_is_made(tmp_path):
    with Store.open(tmp_path / "data" / "new" / "t.db") as store:
        assert list(store.records()) == []


def test_schema_is_there_once_and_opening_again_changes_nothing(path):
    before = path.read_bytes()
    with Store.open(path, create=False, readonly=True) as store:
        assert store.record("acme.com") is not None
    with Store.open(path):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [True, False])
def test_missing_database_says_how_one_is_made(tmp_path, readonly):
    path = tmp_path / "missing.db"
    with pytest.raises(DatabaseFileError) as caught:
        Store.open(path, create=False, readonly=readonly)
    assert str(caught.value) == f"{path}: no such database; `technograph crawl` makes one, --db names another"
    assert caught.value.exit_code == 2
    assert not path.exists()


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "prospects.csv"
    path.write_text("domain,company\nacme.com,Acme\n" * 100)
    before = path.read_bytes()
    with pytest.raises(DatabaseFileError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{path}: not a technograph database; give another --db"
    assert path.read_bytes() == before


def test_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "browser.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE history (url TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseFileError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{path}: a database of another program; give another --db"
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [True, False])
def test_database_from_a_newer_version_is_refused(path, readonly):
    newer = sqlite3.connect(path)
    newer.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('technograph', '0099_graphs', '')"
    )
    newer.commit()
    newer.close()
    with pytest.raises(DatabaseFileError) as caught:
        Store.open(path, readonly=readonly)
    assert str(caught.value) == f"{path}: written by a newer technograph (0099_graphs); update technograph"


def test_database_from_an_older_version_is_brought_up_to_date_before_it_is_read(path):
    older = sqlite3.connect(path)
    older.execute("DELETE FROM _sqlite_migrations WHERE name = '0002_scores'")
    for table in ("score_line", "score", "icp"):
        older.execute(f"DROP TABLE {table}")
    older.commit()
    older.close()
    with Store.open(path, create=False, readonly=True) as store:
        assert store.profiles() == []
        assert store.record("acme.com") is not None


def test_database_of_before_hosts_were_kept_takes_them_from_now_on(path):
    older = sqlite3.connect(path)
    older.execute("DELETE FROM _sqlite_migrations WHERE name = '0004_hosts'")
    older.execute("DROP VIEW latest_host")
    for table in ("record_host", "host_use", "host"):
        older.execute(f"DROP TABLE {table}")
    older.commit()
    older.close()
    seen = LoadedHost("cdn.widget.example", (ResourceKind.SCRIPT,), (PageKind.HOME,))
    with Store.open(path) as store:
        store.save(a_crawl(store), [replace(site("beta.com"), hosts=(seen,))])
        assert [record.hosts for record in store.records()] == [(), (seen,)]


def test_locked_database_says_so_and_loses_nothing(path, monkeypatch):
    monkeypatch.setattr("store.opening.BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    with Store.open(path) as store:
        crawl_id = a_crawl(store)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            store.save(crawl_id, [site("beta.com", "klaviyo")])
        assert (
            str(caught.value)
            == f"{path}: in use by another program; wait for it to end, or give another --db"
        )
        assert caught.value.exit_code == 1
        other.execute("ROLLBACK")
        other.close()
        assert store.save(crawl_id, [site("beta.com", "klaviyo")]) == 1


def test_reader_is_not_stopped_by_a_writer(path):
    with Store.open(path) as writer, Store.open(path, create=False, readonly=True) as reader:
        writer.db.execute("BEGIN IMMEDIATE")
        assert reader.record("acme.com") is not None
        writer.db.execute("ROLLBACK")


def test_full_disk_keeps_what_was_stored(path):
    with Store.open(path) as store:
        crawl_id = a_crawl(store)
        pages = store.db.execute("PRAGMA page_count").fetchone()[0]
        store.db.execute(f"PRAGMA max_page_count = {pages}")
        many = [site(f"site{number}.com", "shopify", "klaviyo") for number in range(1000)]
        with pytest.raises(StoreError) as caught:
            deque(store.save(crawl_id, [record]) for record in many)
        assert str(caught.value) == (
            f"{path}: the disk is full; free some space and run the same command again"
        )
    with Store.open(path) as store:
        stored = {record.domain for record in store.records()}
        assert stored == {"acme.com", *(f"site{number}.com" for number in range(len(stored) - 1))}
        assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_damaged_database_says_so(path):
    with sqlite3.connect(path) as plain:
        plain.execute("PRAGMA journal_mode = DELETE")
    plain.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught, Store.open(path, create=False, readonly=True) as store:
        store.record("acme.com")
    assert str(caught.value) == f"{path}: damaged; restore a copy, or give another --db"


def test_folder_that_may_not_be_written_is_named(shared_folder):
    shared_folder.chmod(0o555)
    path, deeper = shared_folder / "t.db", shared_folder / "data" / "t.db"
    with as_an_ordinary_user(), pytest.raises(StoreError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{path}: cannot be opened; check the rights of the file and its folder"
    with as_an_ordinary_user(), pytest.raises(StoreError) as caught:
        Store.open(deeper)
    assert str(caught.value) == (
        f"{deeper.parent}: cannot create the folder for the database: Permission denied"
    )


def test_folder_that_may_not_be_entered_is_named(shared_folder):
    shared_folder.chmod(0o600)
    path = shared_folder / "data" / "t.db"
    with as_an_ordinary_user(), pytest.raises(StoreError) as caught:
        Store.open(path)
    assert str(caught.value) == f"{path.parent}: cannot create the folder for the database: Permission denied"


def test_database_in_a_read_only_folder_can_be_read(shared_folder, path):
    copy = shared_folder / "t.db"
    shutil.copy(path, copy)
    copy.chmod(0o444)
    shared_folder.chmod(0o555)
    with as_an_ordinary_user(), Store.open(copy, create=False, readonly=True) as store:
        assert store.record("acme.com").detections[0].slug == "shopify"
    with as_an_ordinary_user(), pytest.raises(StoreError) as caught:
        Store.open(copy)
    assert str(caught.value) == f"{copy}: cannot be written; check the rights of the file and its folder"


def test_folder_given_as_database_is_refused(tmp_path):
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be opened; check the rights of the file and its folder"
