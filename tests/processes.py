"""Finding the processes a test has started, without a dependency: Linux's /proc."""

from __future__ import annotations

from pathlib import Path


def children(parent: int, named: str) -> list[int]:
    """Process ids of the parent's running children whose command line holds `named`, oldest first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, ppid = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # ended while we looked
        if int(ppid) == parent and state != "Z" and named in command:
            found.append(int(folder.name))
    return sorted(found)


def peak_memory_mb(process_id: int) -> float:
    """The most memory the process has had resident so far; 0 when it has ended."""
    try:
        status = (Path("/proc") / str(process_id) / "status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line), 0.0)


def is_running(process_id: int) -> bool:
    try:
        return (Path("/proc") / str(process_id) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
