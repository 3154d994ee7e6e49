"""What a crawl asked of each site, counted."""

from __future__ import annotations

import json

import pytest

from crawler.protocol import STATS
from tests.pipelines.test_containers import Web, web, worker_output

__all__ = ["web"]


@pytest.mark.parametrize(("pages", "most"), [(1, 1), (4, 2)], ids=["home page only", "home page and cart"])
def test_requests_of_a_site_are_counted_and_stay_within_its_pages(web: Web, pages: int, most: int) -> None:
    output = worker_output(web, "one.example", "two.example", TECHNOGRAPH_PAGES=pages)
    last = output.splitlines()[-1]
    assert last.startswith(STATS.decode())
    stats = json.loads(last.removeprefix(STATS.decode()))
    asked = {place: count for place, count in web.asked.items() if place[0] == "one.example"}
    assert sum(count for (_, path), count in asked.items() if path != "/robots.txt") == most
    assert stats["requests/sites"] == 2
    assert stats["requests/all"] >= sum(asked.values())
    assert stats["requests/containers"] == 2  # https first, which this web does not speak
