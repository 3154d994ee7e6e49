"""Rendering in a real Chromium, on pages of this machine only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

import pipelines.browser
from bench.render import tiers_in
from cli.demo import crawl_demo
from cli.demo_sites import load_sites
from cli.demo_web import DemoWeb
from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from fingerprints.model import InputError, Observation, Outcome
from fingerprints.observe import observe
from fingerprints.records import make_record
from pipelines.browser import Browser, Rendered, find_chromium
from pipelines.egress import Egress
from pipelines.render import with_rendering
from store.database import Store
from tests.pipelines.test_containers import Web, crawled, web

__all__ = ["web"]

try:
    CHROMIUM = find_chromium()
    WHY_NOT = ""
except InputError as exc:
    CHROMIUM, WHY_NOT = "", str(exc)

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason=WHY_NOT)

TEXT = "Hand-thrown mugs, bowls and plates from a small workshop by the sea. " * 5
PAGES = {
    "/": f"""<h1>Mugs</h1><p>{TEXT}</p><div id="Clobbered"></div><img src="/pixel.gif"><script>
        window.Shop = {{theme: {{name: "Dawn"}}, items: 3}};
        document.cookie = "seen=1";
        document.body.insertAdjacentHTML("beforeend", "<p class='late'>late</p>");
        fetch("/beacon.json");
        fetch("http://metadata.internal/latest").catch(() => 0);
        </script><script src="/late.js"></script><iframe src="/frame"></iframe>""",
    "/frame": "<script src='/inside.js'></script>",
    "/inside.js": "window.inside = true;",
    "/late.js": "window.late = true;",
    "/busy": "<script>for (;;) {}</script>",
    "/gone": "",
    "/form": f"<p>{TEXT}</p><form><input name='email'><input type='password'></form>",
    "/moved": "http://www.mugs.example/form",
    "/chat": f"<p>{TEXT}</p><script src='http://chat.mugs.example/chat.js'></script>",
    "/chat.js": "window.chat = true;",
}


class Handler(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - of the one server of a test

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = PAGES.get(self.path, "")
        self.send_response(302 if body.startswith("http:") else 200 if body else 404)
        self.send_header("Location", body.partition("\n")[0])
        if self.path.startswith("/chat"):
            self.send_header("Set-Cookie", f"{'widget' if self.path.endswith('.js') else 'own'}=1")
        self.send_header("Content-Type", "text/javascript" if self.path.endswith(".js") else "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    Handler.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def looked_at(
    port: int, *paths: str, hosts: list[str] | None = None
) -> tuple[list[Rendered | None], Browser, Egress]:
    """The pages of mugs.example as a browser sees them, one after the other; other hosts are refused.

    `hosts` gets every host that was to be reached.
    """
    hosts = [] if hosts is None else hosts

    async def endpoints(host: str, _: int) -> list[tuple[object, int]]:
        hosts.append(host)
        if not host.endswith("mugs.example"):
            raise ValueError(f"{host} is not public")
        return [(ip_address("127.0.0.1"), port)]

    async def run() -> tuple[list[Rendered | None], Browser, Egress]:
        egress = Egress(endpoints)
        await egress.start()
        browser = Browser(CHROMIUM, egress, user_agent="technograph")
        names = ["Shop.theme.name", "Shop.items", "late", "Clobbered", "not.there"]
        try:
            return [await browser.look(f"http://mugs.example{p}", names) for p in paths], browser, egress
        finally:
            await browser.close()
            await egress.close()

    return asyncio.run(run())


@needs_chromium
def test_browser_sees_globals_requests_cookies_and_the_late_document(port: int) -> None:
    (seen,), _, egress = looked_at(port, "/")
    assert seen is not None
    assert seen.globals == {"Shop.theme.name": "Dawn", "Shop.items": "3", "late": "true"}
    assert seen.cookies == {"seen": "1"}
    assert 'class="late"' in seen.html
    paths = {url.removeprefix("http://mugs.example") for url in seen.requests}
    assert {"/", "/late.js", "/beacon.json", "/pixel.gif", "/frame"} <= paths
    assert "/inside.js" in Handler.asked
    assert "/inside.js" not in paths  # the frame's own, not the site's
    assert seen.scripts_loaded == ["http://mugs.example/late.js"]
    assert "/pixel.gif" not in Handler.asked  # noted, not loaded
    assert "http://metadata.internal/latest" in seen.requests
    assert egress.refused >= 1


@needs_chromium
def test_cookie_of_a_widgets_host_is_not_the_pages(port: int) -> None:
    (seen,), _, _ = looked_at(port, "/chat")
    assert seen is not None
    assert seen.scripts_loaded == ["http://chat.mugs.example/chat.js"]
    assert seen.cookies == {"own": "1"}


@needs_chromium
def test_browser_reaches_only_what_pages_asked_for(port: int) -> None:
    hosts: list[str] = []
    (moved, page), _, _ = looked_at(port, "/moved", "/", hosts=hosts)
    assert moved is not None
    assert moved.url == "http://www.mugs.example/form"
    assert page is not None
    assert set(hosts) == {"mugs.example", "www.mugs.example", "metadata.internal"}


@needs_chromium
def test_page_that_never_rests_costs_its_time_and_its_browser(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.browser, "PAGE_TIMEOUT_S", 3.0)
    busy, _, _ = looked_at(port, "/busy")
    assert busy == [None]
    monkeypatch.setattr(pipelines.browser, "PAGE_TIMEOUT_S", 25.0)
    (gone, good), browser, _ = looked_at(port, "/gone", "/")
    assert gone is None
    assert good is not None
    assert browser.started == 1


@needs_chromium
def test_browser_is_renewed_and_none_is_left_behind(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.browser, "PAGES_OF_A_BROWSER", 2)
    seen, browser, _ = looked_at(port, "/", "/", "/", "/")
    assert all(seen)
    assert browser.started == 2
    assert browsers_of_this_process() == []


def browsers_of_this_process() -> list[str]:
    """Command names of the browsers and drivers below this process."""
    children = Path("/proc/self/task").glob("*/children")
    found = [Path(f"/proc/{pid}/comm").read_text().strip() for c in children for pid in c.read_text().split()]
    return [name for name in found if name.startswith(("chrom", "node"))]


DOUBTFUL = ("drift-and-tide", "glass-and-linen", "paper-lantern", "datacove")
SETTLED = (
    "copper-kettle",
    "harbour-soap",
    "alder-moss",
    "juniper-tea",
    "fern-hollow",
    "kiln-and-clay",
    "gale-knits",
    "opal-rings",
)


@needs_chromium
def test_auto_comes_to_the_tiers_of_always_with_less_browser(tmp_path: Path) -> None:
    wanted = {f"{name}.example" for name in (*DOUBTFUL, *SETTLED)}
    sites = [s for s in load_sites() if s.host in wanted or not s.is_target]
    icp = data_file("icp/dtc-reviews.yaml")
    tiers, stats = {}, {}
    for mode, profile in (("auto", str(icp)), ("always", "")):
        database = tmp_path / f"{mode}.db"
        with DemoWeb(sites) as web:
            stats[mode] = crawl_demo(web, sites, database, tmp_path, quiet=True, render=mode, icp=profile)
        tiers[mode] = tiers_in(database, icp)
    assert tiers["auto"] == tiers["always"]
    assert (stats["auto"]["render/sites"], stats["auto"]["render/tiers_changed"]) == (len(DOUBTFUL), 2)
    assert stats["always"]["render/sites"] == len(wanted)
    with Store.open(tmp_path / "auto.db") as store:
        record = store.record("glass-and-linen.example")
    assert record is not None
    assert record.rendered
    assert {"shopify", "judge-me", "klaviyo"} <= {d.slug for d in record.detections}


def test_site_keeps_its_record_when_the_browser_does_not_start(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("playwright")
    monkeypatch.setenv("TECHNOGRAPH_CHROMIUM", "/bin/false")
    records = crawled(web, "one.example", TECHNOGRAPH_RENDER="always", LOG_LEVEL="CRITICAL")
    assert (records["one.example"].outcome, records["one.example"].rendered) == (Outcome.OK, False)


# --- what a rendering is worth; no browser needed


def page(html: str = "", **more: object) -> Observation:
    return observe(f"<p>{TEXT}</p>{html}", url="https://acme.com/", **more)  # type: ignore[arg-type]


def seen_as(html: str, *scripts: str, url: str = "https://acme.com/") -> Rendered:
    return Rendered(url=url, status=200, html=html, requests=list(scripts), scripts_loaded=list(scripts))


def test_what_was_fetched_is_kept_beside_what_was_rendered() -> None:
    both = with_rendering(page("<script>fbq('init', '1234567890123456')</script>"), seen_as(f"<p>{TEXT}</p>"))
    assert [o.rendered for o in both] == [True, True]
    assert "meta-pixel" in {d.slug for d in Detector.default().detect(both)}


@pytest.mark.parametrize("html", ["", "<h1>Just a moment...</h1>"])
def test_browser_that_was_shown_nothing_proves_no_absence(html: str) -> None:
    both = with_rendering(page(), seen_as(html))
    assert not any(o.rendered for o in both)
    record = make_record(Detector.default(), domain="acme.com", outcome=Outcome.OK, observations=both)
    assert not record.rendered


def test_browser_that_was_led_to_another_site_adds_nothing() -> None:
    static = page()
    assert with_rendering(static, seen_as(f"<p>{TEXT}</p>", url="https://elsewhere.com/")) == [static]


LOADER = "<script>load('GTM-AB12CD')</script>"
GTM_URL = "https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD"


@pytest.mark.parametrize(
    ("scripts", "holds_back", "state"),
    [((GTM_URL,), False, "absent"), ((), False, "unknown"), ((GTM_URL,), True, "unknown")],
    ids=["the container ran", "its script did not arrive", "a consent manager holds its tags back"],
)
def test_container_counts_as_read_only_when_the_browser_ran_its_tags(
    scripts: tuple[str, ...], holds_back: bool, state: str
) -> None:
    both = with_rendering(page(LOADER), seen_as(f"<p>{TEXT}</p>{LOADER}", *scripts), holds_back=holds_back)
    record = make_record(Detector.default(), domain="acme.com", outcome=Outcome.OK, observations=both)
    chat = record.assessment("live_chat")
    assert chat is not None
    assert chat.state == state


def test_missing_browser_is_one_line_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("TECHNOGRAPH_CHROMIUM", raising=False)
    monkeypatch.setattr(pipelines.browser.importlib.util, "find_spec", lambda _: object())
    with pytest.raises(InputError) as raised:
        find_chromium()
    assert str(raised.value) == (
        "--render needs Chromium: none of chromium, chromium-browser, google-chrome, google-chrome-stable is "
        "in PATH; install it (Debian: apt-get install chromium) or set TECHNOGRAPH_CHROMIUM to its path"
    )


def test_missing_extra_is_one_line_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.browser.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'technograph\[render\]'"):
        find_chromium()
