"""A browser that looks at one page at a time in a fresh context, and never lives long.

Playwright is used directly rather than as Scrapy's download handler: whether a page is worth rendering is
only known after detection, when a site's item and not a request is at hand, and the crawl's own handler
keeps its limits that way.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import logging
import os
import shutil
import signal
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from fingerprints.hosts import host_of
from fingerprints.markup import MAX_BODY_BYTES
from fingerprints.model import InputError
from fingerprints.observe import MAX_RESOURCES
from fingerprints.resources import MAX_URL_CHARS
from pipelines.egress import Egress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Page, Playwright, Request, Response, Route

logger = logging.getLogger(__name__)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "TECHNOGRAPH_CHROMIUM"

PAGES_AT_ONCE = 2
"""More is no faster on two cores, and each page takes some hundred MB."""
PAGES_OF_A_BROWSER = 100
"""Then a new browser takes over: pages leak memory and caches that closing their context does not free."""
PAGE_TIMEOUT_S = 25.0
"""For everything about one page; the browser that could not keep it is killed."""
NAVIGATION_TIMEOUT_S = 12.0
SETTLE_S = 4.0
"""After the document was read, until its scripts fall silent; waiting for `load` would wait for dead hosts."""
END_TIMEOUT_S = 5.0
MAX_GLOBAL_CHARS = 200
MAX_COOKIES = 200

_NOT_LOADED = frozenset({"image", "media", "font", "ping", "eventsource"})
"""Noted as asked for and then refused: pictures show no tool, and beacons would count a visit."""

# `--no-sandbox` only for root, where Chromium does not start otherwise. Names are looked up by the proxy.
_ARGUMENTS = (
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

_READ_GLOBALS = """([names, limit]) => names.flatMap(name => {
  try {
    let value = window;
    for (const part of name.split('.')) value = value[part];
    if (value === undefined || value === null) return [];
    if (value instanceof Node || value instanceof HTMLCollection) return [];
    return [[name, ['string', 'number', 'boolean'].includes(typeof value) ? `${value}`.slice(0, limit) : '']];
  } catch { return []; }
})"""
"""An element's id makes a window property of the same name; those prove nothing."""
_READ_MARKUP = "limit => document.documentElement.outerHTML.slice(0, limit)"


@dataclass(slots=True)
class Rendered:
    """What a browser saw of one page."""

    url: str = ""
    """Where it ended up."""
    status: int = 0
    html: str = ""
    """The document after its scripts ran."""
    requests: list[str] = field(default_factory=list)
    """Every URL the page asked for, in order, also those that were refused or failed; a frame's own left out."""
    scripts_loaded: list[str] = field(default_factory=list)
    """URLs of the page's scripts that arrived."""
    globals: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)


def find_chromium() -> str:
    """Path of the browser. Raises InputError with the remedy when it or its driver is not installed."""
    if importlib.util.find_spec("playwright") is None:
        raise InputError("--render needs the extra of that name: pip install 'technograph[render]'")
    named = os.environ.get(VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        where = f"{VARIABLE}={named} is no program" if named else f"none of {', '.join(NAMES)} is in PATH"
        raise InputError(
            f"--render needs Chromium: {where}; install it (Debian: apt-get install chromium) "
            f"or set {VARIABLE} to its path"
        )
    return found


class Browser:
    """Renders pages, `PAGES_AT_ONCE` at a time; starts with the first page and is renewed now and then."""

    def __init__(self, executable: str, egress: Egress, *, user_agent: str) -> None:
        self._executable = executable
        self._egress = egress
        self._user_agent = user_agent
        self._room = asyncio.Semaphore(PAGES_AT_ONCE)
        self._starting = asyncio.Lock()
        self._session: _Session | None = None
        self.started = 0
        """Browsers started so far."""
        self.busy_s = 0.0
        """Seconds spent on pages, waiting for their turn left out; two pages at a time count twice."""

    async def look(self, url: str, names: Sequence[str]) -> Rendered | None:
        """What the page is in a browser, with the values of the named window properties that exist.

        None when it did not load, or not within PAGE_TIMEOUT_S.
        """
        from playwright.async_api import Error

        async with self._room:
            began_s = monotonic()
            session = await self._lease()
            try:
                async with asyncio.timeout(PAGE_TIMEOUT_S):
                    with self._egress.page() as hosts:
                        return await session.look(url, names, hosts, self._user_agent)
            except (TimeoutError, Error) as exc:
                session.is_spent = session.is_spent or isinstance(exc, TimeoutError) or not session.is_alive
                logger.debug("rendering %s: %s", url, exc)
                return None
            finally:
                await self._give_back(session)
                self.busy_s += monotonic() - began_s

    async def close(self) -> None:
        if self._session is not None:
            await self._session.end()
            self._session = None

    async def _lease(self) -> _Session:
        async with self._starting:
            if self._session is None or self._session.is_spent or not self._session.is_alive:
                self._session = await _Session.start(self._executable, self._egress.url)
                self.started += 1
            session = self._session
            session.users += 1
            session.pages += 1
            session.is_spent = session.pages >= PAGES_OF_A_BROWSER
            return session

    async def _give_back(self, session: _Session) -> None:
        """A spent browser takes no new page and ends with its last one."""
        session.users -= 1
        if session.is_spent and not session.users:
            if session is self._session:
                self._session = None
            await session.end()


class _Session:
    """One browser process with its driver."""

    def __init__(self, playwright: Playwright, chromium: Chromium, pid: int) -> None:
        self._playwright = playwright
        self._chromium = chromium
        self._pid = pid
        self.users = 0
        self.pages = 0
        self.is_spent = False

    @classmethod
    async def start(cls, executable: str, proxy: str) -> _Session:
        from playwright.async_api import async_playwright

        playwright = await async_playwright().start()
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        chromium = await playwright.chromium.launch(
            executable_path=executable,
            args=[*_ARGUMENTS, *(["--no-sandbox"] if root else [])],
            chromium_sandbox=not root,
            proxy={"server": proxy},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        probe = await chromium.new_browser_cdp_session()
        processes = await probe.send("SystemInfo.getProcessInfo")
        pid = next(p["id"] for p in processes["processInfo"] if p["type"] == "browser")
        return cls(playwright, chromium, pid)

    @property
    def is_alive(self) -> bool:
        return self._chromium.is_connected()

    async def look(self, url: str, names: Sequence[str], hosts: set[str], user_agent: str) -> Rendered | None:
        """As `Browser.look`; adds to `hosts` what the page asks for."""
        context = await self._chromium.new_context(
            user_agent=user_agent,
            locale="en-US",
            ignore_https_errors=True,
            accept_downloads=False,
            service_workers="block",  # they would ask for things behind our back
        )
        try:
            return await _look(context, url, names, hosts)
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(END_TIMEOUT_S):
                    await context.close()

    async def end(self) -> None:
        """Close the browser and its driver; kill it when it does not go by itself."""
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._chromium.close()
        except Exception:  # noqa: BLE001 - hung or dead: all the same
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._playwright.stop()


async def _look(context: BrowserContext, url: str, names: Sequence[str], hosts: set[str]) -> Rendered | None:
    from playwright.async_api import TimeoutError as TooSlow

    seen = Rendered()
    context.on("request", functools.partial(_asked, seen, hosts))
    context.on("response", functools.partial(_answered, seen))
    await context.route("**/*", _route)
    page: Page = await context.new_page()
    page.on("websocket", lambda socket: hosts.add(host_of(socket.url)))
    response = await page.goto(url, wait_until="domcontentloaded", timeout=NAVIGATION_TIMEOUT_S * 1000)
    with contextlib.suppress(TooSlow):
        await page.wait_for_load_state("networkidle", timeout=SETTLE_S * 1000)
    if response is None or response.status >= 400:
        return None
    seen.url, seen.status = page.url, response.status
    seen.html = str(await page.evaluate(_READ_MARKUP, MAX_BODY_BYTES))
    found: list[Any] = await page.evaluate(_READ_GLOBALS, [list(names), MAX_GLOBAL_CHARS])
    seen.globals = {str(name): str(value)[:MAX_GLOBAL_CHARS] for name, value in found}
    # Of the page's own host only: a widget's load balancer says nothing about where this site stands.
    for cookie in (await context.cookies(page.url))[:MAX_COOKIES]:
        seen.cookies[cookie.get("name", "")] = cookie.get("value", "")
    return seen


def _asked(seen: Rendered, hosts: set[str], request: Request) -> None:
    hosts.add(host_of(request.url))
    if request.url.startswith("http") and len(seen.requests) < MAX_RESOURCES and _is_of_the_page(request):
        seen.requests.append(request.url[:MAX_URL_CHARS])


def _is_of_the_page(request: Request) -> bool:
    """Whether the page itself asked, for a frame at most: what a video's frame runs is not the site's."""
    from playwright.async_api import Error

    try:
        return request.is_navigation_request() or request.frame.parent_frame is None
    except Error:  # its frame is not known
        return False


def _answered(seen: Rendered, response: Response) -> None:
    request = response.request
    if request.resource_type == "script" and response.ok and _is_of_the_page(request):
        seen.scripts_loaded.append(response.url[:MAX_URL_CHARS])


async def _route(route: Route) -> None:
    with contextlib.suppress(Exception):  # the page may be gone by now
        if route.request.resource_type in _NOT_LOADED:
            await route.abort()
        else:
            await route.continue_()
