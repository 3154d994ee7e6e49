"""DNS records of a site, added to its first page: mailboxes, verification tokens, name servers, aliases.

A lookup that fails is kept apart from a record that is not there: only when every lookup was answered may
the absence of a record mean anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import aiodns
import pycares
from scrapy.exceptions import NotConfigured

from crawler.items import SiteItem
from fingerprints.hosts import host_of
from pipelines.detect import detector_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

DOMAIN_TYPES = ("MX", "TXT", "NS", "SOA")
DMARC = "TXT:_dmarc"
"""Names the service that reads a domain's mail reports; handed on among the TXT records."""
MAX_VALUES = 50
"""Of one type; domains with more TXT records exist and say nothing more."""
AT_ONCE = 64
"""Lookups under way in one process: a name server is somebody's machine, too."""
_NO_RECORD = frozenset({pycares.errno.ARES_ENODATA, pycares.errno.ARES_ENOTFOUND})

Question = tuple[str, str]
"""Name and record type."""


@dataclass(frozen=True, slots=True)
class _Answer:
    values: tuple[str, ...]
    is_known: bool


def questions(domain: str, host: str, sub_domains: Iterable[str]) -> dict[str, Question]:
    """What to ask, by the key that `dns` signals use.

    >>> questions("acme.com", "shop.acme.com", ["help"])["CNAME:help"]
    ('help.acme.com', 'CNAME')
    """
    asked = {kind: (domain, kind) for kind in DOMAIN_TYPES}
    asked[DMARC] = (f"_dmarc.{domain}", "TXT")
    asked["CNAME"] = (host or domain, "CNAME")
    asked |= {f"CNAME:{name}": (f"{name}.{domain}", "CNAME") for name in ("www", *sub_domains)}
    return asked


class DnsPipeline:
    """Looks up a readable site's records and sets `dns_ok`."""

    def __init__(self, *, name_servers: list[str], timeout_s: float, sub_domains: list[str]) -> None:
        self._name_servers = name_servers
        self._timeout_s = timeout_s
        self._sub_domains = sub_domains
        self._dns: aiodns.DNSResolver | None = None
        self._room = asyncio.Semaphore(AT_ONCE)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> DnsPipeline:
        settings = crawler.settings
        servers = settings.getlist("TECHNOGRAPH_NAME_SERVERS")
        if not settings.getbool("TECHNOGRAPH_DNS", True):
            raise NotConfigured  # a message would be a warning in every worker
        if settings.get("TECHNOGRAPH_RESOLVE_ALL_TO") and not servers:
            raise NotConfigured
        rules = detector_of(settings).plan.dns
        asked_for = sorted(key.partition(":")[2] for key in rules if key.startswith("CNAME:"))
        return cls(
            name_servers=servers,
            timeout_s=settings.getfloat("DNS_TIMEOUT"),
            sub_domains=[name for name in asked_for if name != "www"],
        )

    async def close_spider(self) -> None:
        if self._dns is not None:
            await self._dns.close()

    async def process_item(self, item: SiteItem) -> SiteItem:
        if not item.observations:
            return item
        first, *others = item.observations
        asked = questions(item.target.domain, host_of(first.url), self._sub_domains)
        answers = dict(zip(asked, await asyncio.gather(*map(self._ask, asked.values())), strict=True))
        item.dns_ok = all(answer.is_known for answer in answers.values())
        records = {key: answer.values for key, answer in answers.items() if answer.values}
        if DMARC in records:
            records["TXT"] = records.get("TXT", ()) + records.pop(DMARC)
        item.observations = (replace(first, dns=records), *others)
        return item

    async def _ask(self, question: Question) -> _Answer:
        name, kind = question
        if self._dns is None:  # not before: it belongs to the running loop
            self._dns = aiodns.DNSResolver(
                timeout=self._timeout_s / 2, tries=2, nameservers=self._name_servers or None
            )
        try:
            async with self._room, asyncio.timeout(self._timeout_s):
                result = await self._dns.query_dns(name, kind)
        except aiodns.error.DNSError as exc:
            return _Answer((), is_known=exc.args[0] in _NO_RECORD)
        except (TimeoutError, UnicodeError):
            return _Answer((), is_known=False)
        values = [text for record in result.answer if (text := _text(record.data))]
        return _Answer(tuple(sorted(values)[:MAX_VALUES]), is_known=True)


def _text(data: Any) -> str:
    """A record's value as one text, names without their final dot; empty for other record types."""
    match data:
        case pycares.MXRecordData():
            return f"{data.priority} {data.exchange.rstrip('.')}".lower()
        case pycares.TXTRecordData():
            return data.data.decode("utf-8", "replace")[:1_000]
        case pycares.NSRecordData():
            return data.nsdname.rstrip(".").lower()
        case pycares.SOARecordData():
            return f"{data.mname.rstrip('.')} {data.rname.rstrip('.')}".lower()
        case pycares.CNAMERecordData():
            return data.cname.rstrip(".").lower()
        case _:
            return ""
