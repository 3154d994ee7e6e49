"""What a power cut does to a database that is being written, without cutting any power."""

from __future__ import annotations

import os
import random
import signal
import struct
import time
from pathlib import Path


def freeze(pid: int, db: Path) -> int:
    """Stop the process, and tell how many bytes of the database's log it has made sure of.

    https://www.sqlite.org/walformat.html: a checkpoint syncs the log before it copies from it, and keeps
    `nBackfillAttempted`, the frames it may copy, at byte 128 of the -shm file.
    """
    os.kill(pid, signal.SIGSTOP)
    while (
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZ"
    ):  # or it has just ended
        time.sleep(0.001)
    try:
        header = Path(f"{db}-shm").read_bytes()[:136]
        (page_bytes,) = struct.unpack_from("=H", header, 14)
        (frames,) = struct.unpack_from("=I", header, 128)
    except (OSError, struct.error):
        return 0
    return int(32 + frames * (24 + page_bytes))


def spoil(log: Path, kept_bytes: int, rng: random.Random) -> None:
    """Cut the file off somewhere behind what is kept, or overwrite a part there."""
    if not log.exists() or log.stat().st_size <= kept_bytes:
        return
    size = log.stat().st_size
    start = rng.randrange(kept_bytes, size)
    with log.open("r+b") as file:
        if rng.random() < 0.5:
            file.truncate(start)
            return
        file.seek(start)
        file.write(rng.randbytes(rng.randrange(1, size - start + 1)))
