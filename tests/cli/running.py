"""Runs the command line in this process, as a user would, and keeps what came out."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass

import pytest

from cli.main import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


class Runner:
    """`run("score", "icp.yaml", stdin=b"...")`; exit codes and streams are those of the real command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *args: object, stdin: bytes = b"") -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["technograph", *map(str, args)])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)
