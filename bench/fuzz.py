"""Long fuzzing of everything that reads what strangers write: executions, coverage and findings per target.

    pip install --group fuzz
    python -m bench.fuzz --seconds 60              # CPU seconds for each target
    python -m bench.fuzz --only har,wappalyzer
    python -m bench.fuzz --replay har FINDING      # one finding again, with its traceback

The targets and what must hold of them are those of the test suite (tests/security/targets.py). With atheris
the inputs grow by coverage and are kept in --corpus for the next run; without it hypothesis makes them up. A
finding is an exception that is no InputError, or an input that takes longer than SLOW_S.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import click

MAX_INPUT_BYTES = 2_000
SLOW_S = 1.0
WORKED_ON = ["fingerprints", "crawler", "pipelines", "store", "icp", "cli"]
PARSERS = ["bs4", "protego", "cssselect", "tomllib", "yaml", "w3lib", "idna"]
ROW = "{:<14} {:>9} {:>7} {:>9} {:>8}  {}"


class Session:
    """The inputs of one target: how many there were, and each different way in which they failed."""

    def __init__(self, name: str, folder: Path, seconds: float) -> None:
        from tests.security.targets import ours, run

        ours()  # loaded now: it must not count as the first input's time
        self._run = run
        self._name = name
        self._folder = folder
        self._end_s = time.process_time() + seconds
        self._files = Path(tempfile.mkdtemp())
        self.executions = 0
        self.findings: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        return time.process_time() > self._end_s

    def try_one(self, data: bytes) -> None:
        began_s = time.process_time()
        self.executions += 1
        try:
            self._run(self._name, data, self._files)
        except Exception as exc:  # noqa: BLE001 - this is what is looked for
            self._note(_place_of(exc), repr(exc), data)
        if time.process_time() - began_s > SLOW_S:
            self._note("slow", f"{time.process_time() - began_s:.1f} s", data)

    def _note(self, key: str, what: str, data: bytes) -> None:
        if key in self.findings:
            return
        path = self._folder / f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        path.write_bytes(data)
        self.findings[key] = f"{key}: {what[:160]} ({path})"

    def report(self) -> None:
        """The last line of standard output, which the parent reads."""
        print(json.dumps({"executions": self.executions, "findings": [*self.findings.values()]}), flush=True)


def _place_of(exc: Exception) -> str:
    """Exception class and the innermost line of ours: two inputs that agree in both are one finding."""
    frames = traceback.extract_tb(exc.__traceback__)
    ours = [frame for frame in frames if any(f"/{package}/" in frame.filename for package in WORKED_ON)]
    last = (ours or frames)[-1]
    return f"{type(exc).__name__} at {Path(last.filename).name}:{last.lineno}"


def fuzz_by_coverage(name: str, folder: Path, seconds: float) -> None:
    """Never returns: the fuzzer's own loop has no other end than that of the process."""
    import atheris

    with atheris.instrument_imports(include=[*WORKED_ON, *PARSERS, "tests.security"]):
        session = Session(name, folder, seconds)

    def try_one(data: bytes) -> None:
        session.try_one(data)
        if session.is_over:
            session.report()
            os._exit(0)

    corpus = folder / name
    corpus.mkdir(exist_ok=True)
    limits = [
        f"-max_len={MAX_INPUT_BYTES}",
        "-timeout=600",
        "-rss_limit_mb=3000",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], try_one)
    atheris.Fuzz()


def fuzz_at_random(name: str, folder: Path, seconds: float) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    session = Session(name, folder, seconds)
    patient = settings(
        max_examples=500,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    try_some: Callable[[], None] = patient(given(st.binary(max_size=MAX_INPUT_BYTES))(session.try_one))
    while not session.is_over:
        try_some()
    session.report()


def fuzz_in_a_process(name: str, folder: Path, seconds: float) -> int:
    """Fuzz one target in a process of its own, print its line, and return the number of findings."""
    command = [sys.executable, "-m", "bench.fuzz", "--inside", name, "--seconds", str(seconds)]
    done = subprocess.run([*command, "--corpus", str(folder)], capture_output=True, text=True, check=False)
    coverage = re.findall(r"cov: (\d+)", done.stderr)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        print(ROW.format(name, "died", "", "", "", done.stderr.strip()[-300:]))
        return 1
    result = json.loads(lines[-1])
    executions, findings = result["executions"], result["findings"]
    rate = f"{executions / seconds:,.0f}"
    edges = coverage[-1] if coverage else "-"
    print(ROW.format(name, f"{executions:,}", f"{seconds:.0f}", rate, edges, len(findings) or "none"))
    for finding in findings:
        print(f"    {finding}")
    return len(findings)


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="CPU seconds for each target.")
@click.option("--only", default="", metavar="NAME,...", help="Only these targets.")
@click.option(
    "--corpus", default=Path(tempfile.gettempdir(), "technograph-fuzz"), type=click.Path(path_type=Path)
)
@click.option("--replay", nargs=2, metavar="TARGET FILE", help="Run one finding again.")
@click.option("--inside", default="", hidden=True)
def main(seconds: float, only: str, corpus: Path, replay: tuple[str, str] | None, inside: str) -> None:
    """Fuzz every target, or the named ones."""
    corpus.mkdir(parents=True, exist_ok=True)
    has_atheris = importlib.util.find_spec("atheris") is not None
    if inside:
        (fuzz_by_coverage if has_atheris else fuzz_at_random)(inside, corpus, seconds)
        return
    from tests.security.targets import TARGETS, run

    if replay:
        run(replay[0], Path(replay[1]).read_bytes(), Path(tempfile.mkdtemp()))
        return
    print(f"inputs by {'atheris (coverage)' if has_atheris else 'hypothesis (atheris is not installed)'}")
    print(ROW.format("target", "inputs", "CPU s", "inputs/s", "edges", "findings"))
    found = sum(fuzz_in_a_process(name, corpus, seconds) for name in (only.split(",") if only else TARGETS))
    print(f"{found} findings")
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
