"""The dependency audit of the build: a finding fails it, silence of the service is told and does not."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parent.parent.parent / ".ci" / "audit.py"
if not AUDIT.exists():
    pytest.skip("not a checkout", allow_module_level=True)
judged: Any = runpy.run_path(str(AUDIT))["judged"]

CLEAN = {"name": "attrs", "version": "26.1.0", "vulns": []}
SKIPPED = {"name": "yarl", "skip_reason": "Dependency not found on PyPI"}
VULNERABLE = {
    "name": "lxml",
    "version": "4.6.2",
    "vulns": [{"id": "PYSEC-2021-19", "fix_versions": ["4.6.3"], "aliases": [], "description": ""}],
}


@pytest.mark.parametrize(
    ("packages", "code", "message"),
    [
        ([CLEAN, SKIPPED], 0, "pypi knows of nothing in 1 of 2 packages"),
        ([SKIPPED], None, "pypi knows none of the 1 packages"),
        (
            [CLEAN, VULNERABLE],
            1,
            "vulnerable packages; raise them in constraints.txt\n  lxml 4.6.2: PYSEC-2021-19, fixed in 4.6.3",
        ),
    ],
    ids=["clean", "silent", "vulnerable"],
)
def test_answer_decides_the_build(packages: list[object], code: int | None, message: str) -> None:
    assert judged("pypi", json.dumps({"dependencies": packages, "fixes": []})) == (code, message)


@pytest.mark.parametrize("answer", ["", "<html>", "[]", "{}"])
def test_service_out_of_reach_is_told(answer: str) -> None:
    assert judged("osv", answer) == (None, "osv cannot be reached")
