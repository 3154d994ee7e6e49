"""When Python's garbage collector looks for what refers to itself, in the processes of a crawl."""

from __future__ import annotations

import gc

GARBAGE_AFTER = 100_000
"""Objects made and not freed before the collector looks. The sites under way have nearly as many, which are no
garbage, and it goes through all that are new: at 20,000 a tenth of a worker's time. Python's 700 is for programs
that make few."""


def spare_what_is_loaded() -> None:
    """Let the collector look at what the crawl leaves behind, and never again at what was loaded before it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
