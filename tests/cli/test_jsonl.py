"""Pages and records in JSON lines, packed or not: every command that reads them reads all."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Runner
from tests.icp.world import DTC_REVIEWS

TOOL = "https://cdn.widgetworks.example/loader.js"
HTML = f"<!doctype html><title>Acme</title>{'<p>Forged by hand.</p>' * 40}<script src='{TOOL}'></script>"
PAGES = "".join(
    json.dumps({"id": host, "url": f"https://{host}/", "html": HTML}) + "\n"
    for host in ("anvils.com", "bellows.com", "chisels.com")
).encode()
PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("pages.jsonl", bytes),
    ("pages.jsonl.gz", gzip.compress),
    ("pages.jsonl.XZ", lzma.compress),
    ("pages.jsonl", gzip.compress),
    ("pages.jsonl.gz", bytes),
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    monkeypatch.chdir(tmp_path)
    return Runner(monkeypatch, capsys)


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_pages_and_records_are_read_packed_or_not_whatever_the_name(
    run: Runner, name: str, pack: Callable[[bytes], bytes]
) -> None:
    Path(name).write_bytes(pack(PAGES))
    hosts = run("rules", "unknown-hosts", name)
    assert json.loads(hosts.out) == {"host": "cdn.widgetworks.example", "domains": 3, "example": TOOL}

    detected = run("detect", "--jsonl", name)
    assert [json.loads(line)["domain"] for line in detected.out.splitlines()] == [
        "anvils.com",
        "bellows.com",
        "chisels.com",
    ]

    records = name.replace("pages", "records")
    Path(records).write_bytes(pack(detected.out.encode()))
    assert len(run("score", DTC_REVIEWS, records).out.splitlines()) == 3


def test_packed_standard_input_is_unpacked(run: Runner) -> None:
    hosts = run("rules", "unknown-hosts", "-", stdin=gzip.compress(PAGES))
    assert json.loads(hosts.out)["domains"] == 3


@pytest.mark.parametrize(("name", "pack"), PACKED[1:3])
def test_archive_that_was_cut_is_named_after_what_could_be_read(
    run: Runner, name: str, pack: Callable[[bytes], bytes]
) -> None:
    Path(name).write_bytes(pack(PAGES)[:-20])
    for command in (
        ["rules", "unknown-hosts", name],
        ["detect", "--jsonl", name],
        ["score", DTC_REVIEWS, name],
    ):
        ran = run(*command)
        assert ran.code == 2
        assert f"technograph: {name}: cannot read on after line " in ran.err


def test_file_that_is_not_there_is_named(run: Runner) -> None:
    for command in (["rules", "unknown-hosts"], ["detect", "--jsonl"], ["score", DTC_REVIEWS]):
        ran = run(*command, "none.jsonl.xz")
        assert (ran.code, ran.err) == (
            2,
            "technograph: none.jsonl.xz: cannot read: No such file or directory\n",
        )
