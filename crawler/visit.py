"""One site's crawl as decisions: what to ask for next, and what it all came to.

No network, no clock, no Scrapy: the spider tells a visit what happened and when, and does what it says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from crawler.answer import ROBOTS_TXT, ROBOTS_UNREACHABLE, Answer
from crawler.certificates import WRONG_HOST
from crawler.deadline import Deadline
from crawler.items import SiteItem, Target
from crawler.outcomes import ConnectTimeoutError, failure_outcome, furthest
from crawler.pages import WANTED, confirmed_kind, next_pages
from crawler.redirects import is_within, meta_refresh, patience_note, redirect_location, retry_after_s
from crawler.walls import Verdict, classify
from fingerprints.model import Observation, Outcome, Page, PageKind
from fingerprints.observe import observe, set_cookies

MAX_REDIRECTS = 8
"""For one page, meta refreshes included; real chains are one to four long."""
UNREACHED = (
    Outcome.DNS_ERROR,
    Outcome.TLS_ERROR,
    Outcome.REFUSED,
    Outcome.HTTP_ERROR,  # of a request without a response: closed during the TLS handshake looks like this
)
"""Failures after which another scheme or `www.` may still answer."""
BUSY = (429, 503)
"""Statuses that may come with a Retry-After."""
HARMLESS = (
    Outcome.OK,
    Outcome.ROBOTS_DISALLOWED,
    Outcome.REDIRECTED_OFFSITE,
    Outcome.HTTP_ERROR,
    Outcome.NOT_HTML,
    Outcome.EMPTY,
)
"""How a later page may end without making the site `partial`: there simply is no such page to read."""


ChooseKinds = Callable[[Observation], Collection[PageKind]]
"""The kinds of inner pages worth reading, told from the home page."""
Condense = Callable[[Observation], Observation]
"""A page without what takes much memory and is not needed to the end of the visit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one visit may cost."""

    pages: int = 4
    target_timeout_s: float = 60
    page_timeout_s: float = 15
    delay_s: float = 1.0
    """Between two pages, as the downloader keeps it; needed to know what still fits."""
    max_wait_s: float = 10
    any_port: bool = False
    """Follow redirects to ports other than 80 and 443."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The next request of a visit."""

    url: str
    timeout_s: float
    at_once: bool = False
    """Part of the page already asked for (a redirect, another rung): no pause before it."""
    wait_s: float = 0.0
    """Pause at least this long, because the site said so."""


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    detail: str = ""
    url: str = ""
    status: int | None = None
    redirected_to: str = ""


def ladder(target: Target) -> list[str]:
    """Where to look for the site, in order: https before http, the bare domain before `www.` or as given.

    >>> ladder(Target("acme.com", "https://acme.com/"))
    ['https://acme.com/', 'https://www.acme.com/', 'http://acme.com/', 'http://www.acme.com/']
    """
    parts = urlsplit(target.url)
    if parts.port is not None:
        return [target.url]
    hosts = [parts.netloc]
    bare = parts.netloc.removeprefix("www.")
    if bare == target.domain and "." in bare and not bare[-1].isdigit():
        hosts.append(bare if parts.netloc != bare else f"www.{bare}")
    return [f"{scheme}://{host}/" for scheme in ("https", "http") for host in hosts]


class Visit:
    """The state of one target between its first request and its item."""

    def __init__(
        self,
        target: Target,
        limits: Limits,
        now_s: float,
        choose: ChooseKinds | None = None,
        condense: Condense | None = None,
    ) -> None:
        self.target = target
        self.spared = 0
        """Inner pages that there was room for, and that `choose` left alone."""
        self._limits = limits
        self._choose = choose
        self._condense = condense
        self.deadline = Deadline.after(limits.target_timeout_s, now_s)
        self._delay_s = limits.delay_s
        self._rungs = deque(ladder(target))
        self._wanted: deque[tuple[PageKind, str]] = deque()
        self._url = self._rungs.popleft()
        self._kind = PageKind.HOME
        self._redirects = 0
        self._waited_s: float | None = None
        self._put_off: set[str] = set()
        self._unreached: list[_Ending] = []
        self._home: _Ending | None = None
        self._pages: list[Page] = []
        self._observations: list[Observation] = []
        self._cookies: dict[str, str] = {}
        self._flags: set[str] = set()

    def begin(self, now_s: float) -> Ask:
        return self._ask(self._url, now_s, at_once=True)

    def answered(self, answer: Answer, now_s: float) -> Ask | None:
        """What to ask for after a response; None when the visit is over."""
        self._delay_s = max(self._delay_s, answer.crawl_delay_s)
        if self._may_be_another_site(answer):
            return self._put_it_off(now_s)
        self._cookies.update(set_cookies(answer.headers))
        location = redirect_location(answer.url, answer.status, answer.headers)
        if location:
            return self._follow(location, answer, now_s)
        wait_s = self._pause_asked_for(answer, now_s)
        if wait_s is not None:
            self._waited_s = wait_s
            self._delay_s = max(self._delay_s, wait_s)
            return self._ask(self._url, now_s, wait_s=wait_s)
        observation = self._observe(answer)
        refresh = meta_refresh(observation)
        if refresh:
            return self._follow(refresh, answer, now_s)
        return self._page_read(answer, observation, now_s)

    def failed(self, exception: BaseException, now_s: float) -> Ask | None:
        """What to ask for when a request got no response; None when the visit is over."""
        outcome, detail = failure_outcome(exception)
        ending = _Ending(outcome, detail, self._url, getattr(exception, "status", None))
        if self._kind is not PageKind.HOME:
            self._pages.append(Page(self._url, self._kind, outcome))
            return self._next_page(outcome, now_s)
        if outcome in UNREACHED or isinstance(exception, ConnectTimeoutError):
            self._unreached.append(ending)
            rung = self._next_rung(exception, outcome)
            if rung and not self.deadline.is_over(now_s):
                self._url, self._redirects = rung, 0
                return self._ask(rung, now_s, at_once=True)
            ending = furthest(self._unreached, key=lambda e: e.outcome)
        self._home = ending
        return None

    def broken(self, exception: BaseException) -> None:
        """Our own code failed on this site; what was read so far is not trusted."""
        self._home = _Ending(
            Outcome.INTERNAL_ERROR, f"{type(exception).__name__}: {exception}"[:200], self._url
        )
        self._observations.clear()

    def item(self, scanned_at: str) -> SiteItem:
        """The result; call it once, when there is nothing left to ask."""
        home = self._home or _Ending(
            Outcome.INTERNAL_ERROR, "the visit ended before its first page", self._url
        )
        outcome, detail = home.outcome, home.detail
        trouble = next((page for page in self._pages[1:] if page.outcome not in HARMLESS), None)
        if outcome is Outcome.OK and trouble is not None:
            outcome, detail = Outcome.PARTIAL, f"{trouble.kind} page: {trouble.outcome}"
        elif outcome is Outcome.OK and "out_of_time" in self._flags:
            outcome, detail = Outcome.PARTIAL, f"stopped after {self._limits.target_timeout_s:g} s"
        return SiteItem(
            target=self.target,
            outcome=outcome,
            detail=detail,
            url=home.url,
            redirected_to=home.redirected_to,
            http_status=home.status,
            pages=tuple(self._pages),
            observations=tuple(self._observations),
            flags=tuple(sorted(self._flags)),
            scanned_at=scanned_at,
            address=self.deadline.address,
        )

    def took_ms(self, now_s: float) -> int:
        """How long the visit has been going on, without the queue before its first request."""
        return round(1000 * self.deadline.elapsed_s(now_s))

    # -- decisions -------------------------------------------------------------------------------------

    def _ask(self, url: str, now_s: float, *, at_once: bool = False, wait_s: float = 0.0) -> Ask:
        left_s = max(self.deadline.ends_s - now_s, 1.0)
        return Ask(url, min(self._limits.page_timeout_s, left_s), at_once, wait_s)

    def _next_rung(self, exception: BaseException, outcome: Outcome) -> str | None:
        """The next place to look: not under a name that does not resolve, nor at a port that is silent."""
        failed = urlsplit(self._url)
        if outcome is Outcome.DNS_ERROR:
            self._rungs = deque(rung for rung in self._rungs if urlsplit(rung).netloc != failed.netloc)
        if isinstance(exception, ConnectTimeoutError):
            self._rungs = deque(rung for rung in self._rungs if urlsplit(rung).scheme != failed.scheme)
        return self._rungs.popleft() if self._rungs else None

    def _may_be_another_site(self, answer: Answer) -> bool:
        """Whether the server may have shown its default site, for want of a certificate for this one.

        A site that redirects to such a page has chosen it; else it is read only when no other rung answers.
        """
        return (
            answer.certificate is not None
            and WRONG_HOST in answer.certificate.problems
            and self._kind is PageKind.HOME
            and self._redirects == 0
            and self._url not in self._put_off
        )

    def _put_it_off(self, now_s: float) -> Ask:
        """The next rung, and this one again after all others."""
        self._put_off.add(self._url)
        self._rungs.append(self._url)
        self._url = self._rungs.popleft()
        return self._ask(self._url, now_s, at_once=True)

    def _follow(self, location: str, answer: Answer, now_s: float) -> Ask | None:
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            return self._page_missed(
                answer, Outcome.HTTP_ERROR, f"more than {MAX_REDIRECTS} redirects", now_s
            )
        if not self._may_read(location):
            return self._page_missed(answer, Outcome.REDIRECTED_OFFSITE, "", now_s, redirected_to=location)
        if self.deadline.is_over(now_s):
            return self._page_missed(answer, Outcome.TIMEOUT, "out of time while following redirects", now_s)
        self._url = location
        return self._ask(location, now_s, at_once=True)

    def _may_read(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not is_within(parts.hostname or "", self.target.domain):
            return False
        return self._limits.any_port or parts.port in (None, 80, 443, urlsplit(self.target.url).port)

    def _pause_asked_for(self, answer: Answer, now_s: float) -> float | None:
        """Seconds to wait before asking once more, when the site asked for that and there is time."""
        if self._waited_s is not None or answer.status not in BUSY:
            return None
        wait_s = retry_after_s(answer.headers)
        if wait_s is None or wait_s > self._limits.max_wait_s or self.deadline.is_over(now_s + wait_s):
            return None
        return wait_s

    def _observe(self, answer: Answer) -> Observation:
        observation = observe(
            answer.body,
            url=answer.url,
            headers=answer.headers,
            cookies=self._cookies,
            status=answer.status,
            kind=self._kind,
            robots=answer.robots if self._kind is PageKind.HOME else None,
            tls_issuer=answer.certificate.issuer if answer.certificate else None,
            flags=_flags(answer),
        )
        if self._kind is PageKind.HOME:
            return observation
        return replace(observation, kind=confirmed_kind(self._kind, observation))

    def _page_read(self, answer: Answer, observation: Observation, now_s: float) -> Ask | None:
        verdict = classify(observation, content_type=answer.content_type)
        flags = tuple(sorted({*observation.flags, *verdict.flags}))
        page = Page(answer.url, observation.kind, verdict.outcome, answer.status, len(answer.body), flags)
        self._pages.append(page)
        if verdict.outcome.is_assessable:
            observation = replace(observation, flags=frozenset(flags))
            self._observations.append(self._condense(observation) if self._condense else observation)
        if self._kind is PageKind.HOME:
            self._flags.update(flags)
            self._home = self._home_ending(answer, verdict)
            if verdict.outcome.is_assessable and self._limits.pages > 1:
                self._plan_inner_pages(observation, self._observations[-1])
        return self._next_page(verdict.outcome, now_s)

    def _plan_inner_pages(self, home: Observation, condensed: Observation) -> None:
        found = next_pages(home, limit=len(WANTED))
        if found and self._choose is not None:
            worth_it = self._choose(condensed)
            affordable = min(len(found), self._limits.pages - 1)
            found = [(kind, url) for kind, url in found if kind in worth_it]
            self.spared = max(affordable - len(found), 0)
        self._wanted.extend(found)

    def _home_ending(self, answer: Answer, verdict: Verdict) -> _Ending:
        if verdict.outcome is Outcome.OK and answer.is_cut:
            return _Ending(Outcome.PARTIAL, "the page was cut short", answer.url, answer.status)
        detail = f"{ROBOTS_TXT}{verdict.detail}" if answer.is_of_robots else verdict.detail
        if answer.status in BUSY:
            detail += patience_note(answer.headers, self._waited_s)
        return _Ending(verdict.outcome, detail, answer.url, answer.status)

    def _page_missed(
        self, answer: Answer, outcome: Outcome, detail: str, now_s: float, *, redirected_to: str = ""
    ) -> Ask | None:
        """A response that leads to no page of this site."""
        self._pages.append(Page(answer.url, self._kind, outcome, answer.status, len(answer.body)))
        if self._kind is PageKind.HOME:
            self._home = _Ending(outcome, detail, answer.url, answer.status, redirected_to)
        return self._next_page(outcome, now_s)

    def _next_page(self, last: Outcome, now_s: float) -> Ask | None:
        """The next page worth reading; none after a wall, which more requests would only annoy."""
        asked = sum(page.outcome is not Outcome.ROBOTS_DISALLOWED for page in self._pages)
        if last is Outcome.BLOCKED or not self._wanted or asked >= self._limits.pages:
            return None
        if self.deadline.is_over(now_s + self._delay_s):
            self._flags.add("out_of_time")
            return None
        self._kind, self._url = self._wanted.popleft()
        self._redirects = 0
        return self._ask(self._url, now_s)


def _flags(answer: Answer) -> tuple[str, ...]:
    marks = (("body_cut", answer.is_cut), (ROBOTS_UNREACHABLE, answer.is_of_robots))
    problems = answer.certificate.problems if answer.certificate else ()
    return (*(flag for flag, is_set in marks if is_set), *problems)
