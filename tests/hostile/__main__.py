"""Prints the table of all cases: `python -m tests.hostile > docs/hostile-web.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from tests.hostile import breaking, markup, sites
from tests.hostile.names import REFUSED, SPELLINGS
from tests.hostile.web import CASES, Case

INTRODUCTION = """\
# The hostile web

What a list of strangers' sites does to a crawl, and what the crawl makes of it. Each line is a site of
`tests/hostile/`, served over real sockets; `tests/crawler/test_hostile_web.py` crawls them all at once, beside
healthy sites, and asserts the outcome, the flags and the detail given here. This page is written by
`python -m tests.hostile`; a test compares it.

Whatever the site does, these hold:
- it gets exactly one record, within the time of one target;
- the worker's memory stays bounded, and healthy sites in the same crawl keep their full records;
- an outcome other than `ok` and `partial` leaves every category unknown, and so does a page not seen whole: it
  can show a tool, but not that there is none;
- no address that the policy refuses is connected to (`tests/crawler/test_private_addresses.py` watches the sockets).
"""

NAMES = """\
## Names and addresses

These have their own crawl, with a real name server and a watch on every socket of the worker
(`tests/crawler/test_private_addresses.py`).

| site | outcome |
|---|---|
| its name does not exist, has no address, or its name server is silent | `dns_error` |
| its name leads to, or redirects to a name of its own that leads to: {refused} | `refused_private_address` |
| it stands in the list as {spellings} | `refused_private_address` |
| it redirects to one of those spellings | `redirected_offsite` |
| its name leads to a public address for robots.txt and to 127.0.0.1 after that | `refused_private_address` |
| port 443 drops connections, port 80 answers (`tests/crawler/test_politeness.py`) | `ok` |
"""

PARTS = {
    "Odd, unwilling, elsewhere, or no page": sites,
    "Breaking the protocol": breaking,
    "Hard to read": markup,
}


def table() -> str:
    """The page, generated from the cases."""
    names = NAMES.format(refused=_listed(REFUSED.values()), spellings=_listed(SPELLINGS.values()))
    return "\n".join([INTRODUCTION, *_parts(), names])


def _listed(addresses: Iterable[str]) -> str:
    return ", ".join(f"`{address}`" for address in addresses)


def _parts() -> Iterator[str]:
    for title, module in PARTS.items():
        yield f"## {title}\n"
        yield "| site | what it does | outcome | detail | flags |"
        yield "|---|---|---|---|---|"
        yield from (_row(case) for case in CASES.values() if case.handler.__module__ == module.__name__)
        yield ""


def _row(case: Case) -> str:
    flags = ", ".join(f"`{flag}`" for flag in sorted(case.flags))
    name = case.host.removesuffix(".test")
    return f"| {name} | {case.story} | `{case.outcome}` | {case.detail} | {flags} |"


if __name__ == "__main__":
    sys.stdout.write(table())
