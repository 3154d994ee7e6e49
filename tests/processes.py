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


def is_running(process_id: int) -> bool:
    try:
        return (Path("/proc") / str(process_id) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
