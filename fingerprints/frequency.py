"""How common a run of characters is on web pages, to search for the rarest part of each pattern."""

from __future__ import annotations

import functools
import json

from fingerprints.datafiles import data_file


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, float]:
    grams_by_share = json.loads(data_file("reference/four-grams.json").read_text("utf-8"))["grams_by_share"]
    return {gram: float(share) for share, grams in grams_by_share.items() for gram in grams}


@functools.cache
def document_frequency(literal: str) -> float:
    """Estimated share of pages, 0..1, that contain the lower-case literal.

    No more pages contain a text than contain its rarest run of four; runs missing from the table are
    taken as rare. Shorter texts count as being everywhere.
    """
    if len(literal) < 4:
        return 1.0
    table = _table()
    rarest = min(table.get(literal[i : i + 4], 0.05) for i in range(len(literal) - 3))
    return rarest / (1 + (len(literal) - 4) / 8)
