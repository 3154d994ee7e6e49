"""Where a crawling process spends its CPU, told by a timer: put this folder on PYTHONPATH to switch it on.

Python runs this file when it starts. Every few milliseconds of CPU the time since the last look is added
to what is running then, so that a long call into C counts in full. The counts are written when the process
ends, as one JSON file a process in the folder that BENCH_SAMPLES names.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.002

counts: Counter[str] = Counter()
last_s = 0.0


def look(_: int, frame: FrameType | None) -> None:
    global last_s
    now_s = time.process_time()
    stack = []
    while frame is not None:
        code = frame.f_code
        stack.append(f"{code.co_filename}:{code.co_qualname}")
        frame = frame.f_back
    counts[";".join(reversed(stack))] += round((now_s - last_s) * 1e6)
    last_s = now_s


def write() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    path = Path(os.environ["BENCH_SAMPLES"]) / f"{os.getpid()}.json"
    path.write_text(json.dumps(counts))


if "crawler.worker" in sys.orig_argv:
    atexit.register(write)
    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
