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
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "pages.jsonl": bytes,
    "pages.jsonl.gz": gzip.compress,
    "pages.jsonl.XZ": lzma.compress,
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Runner:
    monkeypatch.chdir(tmp_path)
    return Runner(monkeypatch, capsys)


@pytest.mark.parametrize("name", PACKED)
def test_pages_and_records_are_read_packed_or_not(run: Runner, name: str) -> None:
    Path(name).write_bytes(PACKED[name](PAGES))
    hosts = run("rules", "unknown-hosts", name)
    assert json.loads(hosts.out) == {"host": "cdn.widgetworks.example", "domains": 3, "example": TOOL}

    detected = run("detect", "--jsonl", name)
    assert [json.loads(line)["domain"] for line in detected.out.splitlines()] == [
        "anvils.com",
        "bellows.com",
        "chisels.com",
    ]

    records = name.replace("pages", "records")
    Path(records).write_bytes(PACKED[name](detected.out.encode()))
    assert len(run("score", DTC_REVIEWS, records).out.splitlines()) == 3


@pytest.mark.parametrize("name", ["pages.jsonl.gz", "pages.jsonl.XZ"])
@pytest.mark.parametrize(
    "broken", [lambda data: data[:-20], lambda data: b"not packed" + data], ids=["cut off", "not packed"]
)
def test_broken_archive_is_named_after_what_could_be_read(
    run: Runner, name: str, broken: Callable[[bytes], bytes]
) -> None:
    Path(name).write_bytes(broken(PACKED[name](PAGES)))
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
