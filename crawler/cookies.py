"""Cookies, kept per site: many sites redirect for ever without them."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http.cookies import CookieJar

from crawler.signals import site_closed

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler

MAX_COOKIES = 100
"""In one jar. A site that sets thousands would make every following request megabytes long."""


class SiteCookiesMiddleware(CookiesMiddleware):
    """Scrapy's cookies with one jar a site (`cookiejar` in the request's meta), dropped with the site."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = super().from_crawler(crawler)
        crawler.signals.connect(middleware.site_closed, signal=site_closed)
        return middleware

    def site_closed(self, domain: str) -> None:
        self.jars.pop(domain, None)

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        # Scrapy's version asks the public suffix list whether a cookie reaches other sites, and would
        # download that list. A jar of ours only ever meets one registrable domain.
        for cookie in cookies:
            if len(jar) < MAX_COOKIES:
                jar.set_cookie_if_ok(cookie, request)
