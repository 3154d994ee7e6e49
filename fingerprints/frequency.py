"""How common a run of characters is on web pages, to search for the rarest part of each pattern."""

from __future__ import annotations

import functools
import json

from fingerprints.datafiles import data_file


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, float]:
    grams_by_share = json.loads(data_file("reference/four-grams.json").read_text("utf-8"))["grams_by_share"]
    return {gram: float(share) for share, grams in grams_by_share.items() for gram in grams}


@functools.lru_cache(maxsize=1)
def _runs_of_three() -> dict[str, float]:
    """As the table, for runs of three: at least as common as the commonest run of four around them."""
    shares: dict[str, float] = {}
    for gram, share in _table().items():
        for run in (gram[:3], gram[1:]):
            shares[run] = max(share, shares.get(run, 0.0))
    return shares


@functools.cache
def document_frequency(literal: str) -> float:
    """Estimated share of pages, 0..1, that contain the lower-case literal.

    No more pages contain a text than contain its rarest run of four; runs missing from the table are
    taken as rare. Texts of fewer than three characters count as being everywhere.
    """
    if len(literal) < 3:
        return 1.0
    if len(literal) == 3:
        return _runs_of_three().get(literal, 0.1)
    table = _table()
    rarest = min(table.get(literal[i : i + 4], 0.05) for i in range(len(literal) - 3))
    return rarest / (1 + (len(literal) - 4) / 8)
