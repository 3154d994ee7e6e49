"""A power cut takes what was not synced: whatever is missing or garbled then, the rest is sound."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from fingerprints.model import Record
from store.database import Store
from tests.power import freeze, spoil
from tests.store.records import NOW, site

WRITER = """
import sys
from store.database import Store
from tests.store.test_power_cut import a_record, begin
store = Store.open(sys.argv[1])
crawl_id = begin(store)
for number in range(100_000):
    store.save(crawl_id, [a_record(number)])
    print(number, flush=True)
"""
MORE = 5
"""Records that the crawl stores after it has been resumed."""


def a_record(number: int) -> Record:
    return site(f"site{number}.com", "shopify", "klaviyo", absent_in=("reviews",))


def begin(store: Store) -> int:
    """The crawl as every attempt begins it: resumed where there is one."""
    values = {"source": "x", "settings_hash": "s", "ruleset": "r", "tool_version": "0"}
    return store.begin_crawl(**values, config={}, started_at=NOW).id


@pytest.fixture
def writer(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "t.db")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    yield process
    process.kill()
    process.communicate()


def test_database_recovers_from_a_power_cut_at_any_moment(tmp_path, writer):
    rng = random.Random(7)
    for cut in range(12):
        for _ in range(rng.randrange(1, 60)):
            writer.stdout.readline()
        copy = tmp_path / f"cut{cut}.db"
        kept_bytes = freeze(writer.pid, tmp_path / "t.db")
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"t.db{suffix}", f"{copy}{suffix}")
        writer.send_signal(signal.SIGCONT)
        spoil(Path(f"{copy}-wal"), kept_bytes, rng)
        check_and_resume(copy)


def check_and_resume(path: Path) -> None:
    """What is left is whole and in order; the same crawl once more gives each target one record."""
    with Store.open(path) as store:
        assert is_sound(store)
        left = list(store.records())
        assert left == in_order(a_record(number) for number in range(len(left)))
        targets = in_order(a_record(number) for number in range(len(left) + MORE))
        assert store.save(begin(store), targets) == MORE
        assert is_sound(store)
        assert list(store.records()) == targets


def in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.domain)


def is_sound(store: Store) -> bool:
    return (
        store.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        and store.db.execute("PRAGMA foreign_key_check").fetchall() == []
    )
