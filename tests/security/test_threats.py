"""The threat model of docs/security.md: a line for each threat, and a test that exists for each line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LINE = re.compile(
    r"- (?P<threat>.+?) -> (?P<measure>.+?) -> `(?P<test>tests/[\w/]+\.py::test_\w+(?:\[.+\])?)`"
)


def lines() -> list[str]:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    section = text.partition("\n## Threats\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.strip() and not line.startswith("#")]


def test_every_threat_says_what_stops_it_and_which_test_proves_it() -> None:
    assert len(lines()) > 50
    assert [line for line in lines() if not LINE.fullmatch(line)] == []


def test_every_threat_is_told_once() -> None:
    threats = [match["threat"] for line in lines() if (match := LINE.fullmatch(line))]
    assert sorted(set(threats)) == sorted(threats)


def test_every_named_test_is_there() -> None:
    named = {match["test"] for line in lines() if (match := LINE.fullmatch(line))}
    files = sorted({test.partition("::")[0] for test in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", *files]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stdout[-2_000:]
    found = set(listed.stdout.split("\n"))
    found |= {test.partition("[")[0] for test in found}
    assert sorted(named - found) == []
