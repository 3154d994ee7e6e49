"""A web that misbehaves in every way we know of, and what a crawl must make of each.

`python -m tests.hostile > docs/hostile-web.md` writes the table of all cases.
"""

from __future__ import annotations

from tests.hostile import breaking, markup, sites
from tests.hostile.web import CASES, GTM, PAGE, Case, HostileWeb

__all__ = ["CASES", "GTM", "PAGE", "Case", "HostileWeb", "breaking", "markup", "sites"]
