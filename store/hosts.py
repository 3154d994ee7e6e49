"""Which third-party hosts the sites of a crawl load from: where the next rules come from."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from fingerprints.model import ResourceKind
from store.database import Store

Row = dict[str, Any]


def common_hosts(store: Store, crawl_id: int, kinds: Collection[ResourceKind], at_least: int) -> list[Row]:
    """Hosts that `at_least` sites of the crawl load from in one of these ways, the most frequent first.

    A row has `host`, `domains` and `example`, the first of these sites by name.
    """
    return list(store.ask(_COMMON, (crawl_id, json.dumps(sorted(kinds)), at_least)))


def recognised_urls(store: Store, crawl_id: int) -> Iterator[str]:
    """The URLs that a rule's pattern matched in the crawl, as far as evidence keeps them, each once."""
    return (row["excerpt"] for row in store.ask(_RECOGNISED, (crawl_id,)))


_COMMON = """
SELECT host.name AS host, count(*) AS domains, min(site.domain) AS example
FROM record
JOIN record_host AS loaded ON loaded.record_id = record.id
JOIN host_use ON host_use.id = loaded.use_id
JOIN host ON host.id = loaded.host_id
JOIN site ON site.id = record.site_id
WHERE record.crawl_id = ?
  AND EXISTS (SELECT 1 FROM json_each(host_use.kinds) AS kind WHERE kind.value IN (SELECT value FROM json_each(?)))
GROUP BY host.id HAVING count(*) >= ?
ORDER BY domains DESC, host.name
"""
_RECOGNISED = """
SELECT DISTINCT evidence.excerpt FROM record
JOIN evidence ON evidence.record_id = record.id
WHERE record.crawl_id = ? AND evidence.channel = 'url'
"""
