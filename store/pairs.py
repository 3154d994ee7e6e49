"""Sites that were crawled both with and without a browser: what an audit compares."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from fingerprints.model import Outcome, Record
from store.database import Store

_BATCH = 200
_PAIRS = f"""
WITH newest AS (
    SELECT site_id, rendered, max(id) AS id FROM record
    WHERE outcome IN ({", ".join(f"'{outcome}'" for outcome in Outcome if outcome.is_assessable)})
    GROUP BY site_id, rendered
)
SELECT fetched.id AS fetched, seen.id AS seen FROM newest AS fetched
JOIN newest AS seen ON seen.site_id = fetched.site_id AND seen.rendered = 1
JOIN site ON site.id = fetched.site_id
WHERE fetched.rendered = 0 ORDER BY site.domain
"""


def rendered_pairs(store: Store) -> Iterator[tuple[Record, Record]]:
    """The newest readable record without and with a browser of each site that has both, in domain order."""
    found = store.ask(_PAIRS)
    while batch := list(islice(found, _BATCH)):
        fetched = store.load([row["fetched"] for row in batch])
        yield from zip(fetched, store.load([row["seen"] for row in batch]), strict=True)
