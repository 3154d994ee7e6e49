"""robots.txt, read once per origin of a site and obeyed as RFC 9309 says.

- 2xx: the rules count, up to TECHNOGRAPH_MAX_ROBOTS_BYTES of them.
- 4xx: there are no rules; everything may be read. So with redirects that leave the site.
- 429 and 5xx: nothing may be read. That answer then stands for the page: a wall, an error, a Retry-After.
- No answer at all: the page's request fails the same way, without a second attempt at a dead host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http.request import NO_CALLBACK

from crawler.answer import ROBOTS_UNREACHABLE, text_headers
from crawler.deadline import META_KEY
from crawler.pace import Pace
from crawler.redirects import is_within, redirect_location
from crawler.signals import site_closed

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

MAX_REDIRECTS = 5
"""RFC 9309, section 2.3.1.2."""
KEPT_ROBOTS_CHARS = 64 * 1024
"""Of robots.txt handed on for detection (`Sitemap:` lines and platform names stand early)."""


class RobotsDisallowedError(IgnoreRequest):
    """Raised for a page that robots.txt asks not to read."""


def is_robots_txt(url: str) -> bool:
    return url.endswith("/robots.txt")


class RobotsMiddleware:
    """Downloader middleware in the place of Scrapy's, which keeps every site's rules for ever.

    Requests carry their site's domain as `download_slot`. The text of robots.txt is left in the request's
    meta as `robots_txt`, because it is evidence too.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        if not settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured("ROBOTSTXT_OBEY is off.")
        self._crawler = crawler
        self._pace = Pace(crawler)
        self._agent: str = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]
        self._max_delay_s = settings.getfloat("TECHNOGRAPH_MAX_CRAWL_DELAY")
        self._rules: dict[str, dict[str, tuple[Protego, str]]] = {}
        """Site to origin to its rules and their text."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        middleware = cls(crawler)
        crawler.signals.connect(middleware.site_closed, signal=site_closed)
        return middleware

    def site_closed(self, domain: str) -> None:
        for rules, _ in self._rules.pop(domain, {}).values():
            # They refer to themselves, and were two thirds of what waited for the garbage collector.
            vars(rules).clear()

    async def process_request(self, request: Request) -> Response | None:
        if request.meta.get("dont_obey_robotstxt"):
            return None
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        domain = request.meta.get("download_slot") or parts.netloc
        if origin not in self._rules.setdefault(domain, {}):
            response = await self._fetch(f"{origin}/robots.txt", request, domain)
            if response.status == 429 or response.status >= 500:
                flags = [*response.flags, ROBOTS_UNREACHABLE]
                return response.replace(url=request.url, request=request, flags=flags)
            self._rules[domain][origin] = _rules_in(response)
        rules, text = self._rules[domain][origin]
        if not rules.can_fetch(request.url, self._agent):
            self._crawler.stats.inc_value("robotstxt/forbidden")
            raise RobotsDisallowedError("robots.txt asks not to read this page")
        request.meta["robots_txt"] = text
        request.meta["crawl_delay_s"] = self._keep_pace(domain, rules)
        return None

    async def _fetch(self, url: str, page: Request, domain: str) -> Response:
        """The answer to a request for robots.txt, after the redirects that stay on the site."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._crawler.engine.download_async(_robots_request(url, page))
            self._crawler.stats.inc_value(f"robotstxt/response_status_count/{response.status}")
            self._pace.at_once(domain)  # robots.txt and the page after it count as one visit
            onward = _onward(response, domain)
            if onward is None:
                break
            url = onward
        return response

    def _keep_pace(self, domain: str, rules: Protego) -> float:
        """The Crawl-delay that is kept from now on, in seconds; 0 when none is asked for."""
        wanted_s = min(float(rules.crawl_delay(self._agent) or 0), self._max_delay_s)
        self._pace.at_least(domain, wanted_s)
        return wanted_s


def _robots_request(url: str, page: Request) -> Request:
    kept = ("download_slot", "cookiejar", "download_timeout", META_KEY)
    meta = {key: page.meta[key] for key in kept if key in page.meta}
    return Request(url, callback=NO_CALLBACK, meta={**meta, "dont_obey_robotstxt": True})


def _rules_in(response: Response) -> tuple[Protego, str]:
    """The rules and their text; no rules unless the answer is 2xx."""
    text = response.body.decode("utf-8-sig", errors="ignore") if 200 <= response.status < 300 else ""
    return Protego.parse(text), text[:KEPT_ROBOTS_CHARS]


def _onward(response: Response, domain: str) -> str | None:
    location = redirect_location(response.url, response.status, text_headers(response))
    if location is None:
        return None
    parts = urlsplit(location)
    return location if parts.scheme in ("http", "https") and is_within(parts.hostname or "", domain) else None
