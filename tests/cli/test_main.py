"""The command line as a process: exit codes, and what happens when nobody reads on."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from cli.main import technograph
from tests.cli.running import Runner
from tests.store.records import filled, site

TECHNOGRAPH = f"{sys.executable} -m cli.main"
MANY = [site(f"shop-{number:04}.com", "shopify", absent_in=("reviews",)) for number in range(1_500)]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "t.db"
    filled(path, MANY).close()
    return path


@pytest.mark.parametrize(
    "command",
    [
        "find domain:*.com --include-stale --format csv",
        "find domain:*.com --include-stale --format table",
        "export technologies --format csv",
        "score data/icp/dtc-reviews.yaml",
        "--help",
    ],
)
def test_a_reader_that_leaves_early_is_no_failure(command, database):
    shell = f"set -o pipefail; {TECHNOGRAPH} {command} | head -n 1"
    env = {**os.environ, "TECHNOGRAPH_DB": str(database)}
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, env=env)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 1)
    assert "error" not in ran.stderr.lower()
    assert "pipe" not in ran.stderr.lower()


@pytest.mark.parametrize("code", [0, 3, 4])
def test_exit_code_a_command_asks_for_is_the_programs(monkeypatch, capsys, code):
    @click.command()
    @click.pass_context
    def leave(ctx: click.Context) -> None:
        ctx.exit(code)

    monkeypatch.setattr(technograph, "get_command", lambda ctx, name: leave)
    assert Runner(monkeypatch, capsys)("leave").code == code
