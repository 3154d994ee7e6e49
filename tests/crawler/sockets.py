"""Scrapy extensions for tests that watch a worker's sockets."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from scrapy.crawler import Crawler

import crawler.resolver
from crawler.addresses import IP, is_public

OUTSIDE = "127.0.0.2"
"""Stands for the whole public internet, which no test may reach."""


class WatchedConnections:
    """Writes down every address this process connects a socket to, and takes OUTSIDE for a public one.

    Names are asked for again at every lookup, as if each answer had expired.
    """

    @classmethod
    def from_crawler(cls, _: Crawler) -> WatchedConnections:
        log = os.open(os.environ["CONNECTIONS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "socket.connect" and isinstance(arguments[1], tuple):
                os.write(log, json.dumps(arguments[1][:2]).encode() + b"\n")

        sys.addaudithook(watch)
        crawler.resolver.is_public = _is_outside  # type: ignore[attr-defined]
        crawler.resolver.KEPT_S = 0.0  # type: ignore[misc]
        return cls()


def _is_outside(address: IP) -> bool:
    return str(address) == OUTSIDE or is_public(address)
