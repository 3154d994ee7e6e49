"""The decisions about one site, without a network: what happened goes in, what to ask for next comes out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
)

from crawler.answer import Answer
from crawler.certificates import Certificate
from crawler.items import Target
from crawler.outcomes import ConnectTimeoutError
from crawler.resolver import PrivateAddressError
from crawler.robots import RobotsDisallowedError
from crawler.visit import Limits, Visit, ladder
from fingerprints.model import Outcome, PageKind
from tests.hostile import PAGE

HTML = {"content-type": ("text/html",)}
SHOP = PAGE.replace(
    b"</body>",
    b"<a href='/pricing'>Pricing</a><a href='/contact'>Contact</a><a href='/careers'>Careers</a></body>",
)


def visit(domain: str = "acme.com", url: str = "", **limits: float) -> Visit:
    return Visit(Target(domain, url or f"https://{domain}/"), Limits(**limits), 0.0)  # type: ignore[arg-type]


def page(url: str = "https://acme.com/", body: bytes = PAGE, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return Answer(url, status, HTML | named, body)


@pytest.mark.parametrize(
    ("domain", "url", "rungs"),
    [
        (
            "acme.com",
            "https://acme.com/",
            ["https://acme.com/", "https://www.acme.com/", "http://acme.com/", "http://www.acme.com/"],
        ),
        ("acme.com", "https://shop.acme.com/", ["https://shop.acme.com/", "http://shop.acme.com/"]),
        ("acme.com", "http://acme.com:8080/", ["http://acme.com:8080/"]),
        ("127.0.0.1", "https://127.0.0.1/", ["https://127.0.0.1/", "http://127.0.0.1/"]),
    ],
)
def test_site_is_looked_for_where_it_may_be(domain: str, url: str, rungs: list[str]) -> None:
    assert ladder(Target(domain, url)) == rungs


def test_refused_connection_leads_to_the_next_rung() -> None:
    site = visit()
    asked = [site.begin(0.0)]
    while (ask := site.failed(DownloadConnectionRefusedError(), 1.0)) is not None:
        asked.append(ask)
    assert [ask.url for ask in asked] == ladder(site.target)
    assert site.item("").outcome is Outcome.REFUSED


def test_dead_name_is_not_tried_again_under_another_scheme() -> None:
    site = visit()
    assert site.failed(CannotResolveHostError(), 1.0).url == "https://www.acme.com/"  # type: ignore[union-attr]
    assert site.failed(CannotResolveHostError(), 1.0) is None
    assert site.item("").outcome is Outcome.DNS_ERROR


def test_failure_that_got_furthest_is_the_outcome() -> None:
    site = visit()
    site.failed(DownloadConnectionRefusedError(), 1.0)
    site.failed(CannotResolveHostError(), 1.0)
    assert site.failed(CannotResolveHostError(), 1.0) is None
    assert site.item("").outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DownloadTimeoutError(), Outcome.TIMEOUT),
        (RobotsDisallowedError(), Outcome.ROBOTS_DISALLOWED),
        (PrivateAddressError("acme.com leads to 10.0.0.1"), Outcome.REFUSED_PRIVATE_ADDRESS),
    ],
)
def test_site_that_was_reached_or_must_not_be_is_asked_once(error: Exception, outcome: Outcome) -> None:
    site = visit()
    assert site.failed(error, 1.0) is None
    assert site.item("").outcome is outcome


def test_silent_port_leads_to_the_other_scheme_once() -> None:
    site = visit()
    asked = [site.begin(0.0)]
    while (ask := site.failed(ConnectTimeoutError(), 1.0)) is not None:
        asked.append(ask)
    assert [ask.url for ask in asked] == ["https://acme.com/", "http://acme.com/"]
    assert (site.item("").outcome, site.item("").detail) == (Outcome.TIMEOUT, "no connection in time")


WRONG_HOST = Certificate("Authority", frozenset({"tls_wrong_host"}))


def test_page_shown_with_the_certificate_of_another_site_is_read_last() -> None:
    site = visit(pages=1)
    asked = [site.begin(0.0)]
    for _ in range(3):
        last = asked[-1].url
        is_tls = last.startswith("https:")
        ask = (
            site.answered(replace(page(last), certificate=WRONG_HOST), 1.0)
            if is_tls
            else site.failed(DownloadConnectionRefusedError(), 1.0)
        )
        assert ask is not None
        asked.append(ask)
    assert [ask.url for ask in asked] == ladder(site.target)
    assert site.failed(DownloadConnectionRefusedError(), 1.0).url == "https://acme.com/"  # type: ignore[union-attr]
    assert site.answered(replace(page(), certificate=WRONG_HOST), 2.0) is None
    assert site.item("").outcome is Outcome.OK
    assert "tls_wrong_host" in site.item("").flags


def test_site_that_redirects_to_a_page_with_a_wrong_certificate_means_it() -> None:
    site = visit(pages=1)
    for _ in range(2):
        assert site.failed(DownloadConnectionRefusedError(), 1.0) is not None
    ask = site.answered(page("http://acme.com/", b"", 302, location="https://acme.com/"), 1.0)
    assert ask is not None
    assert site.answered(replace(page(ask.url), certificate=WRONG_HOST), 1.0) is None
    assert site.item("").outcome is Outcome.OK


def test_time_of_a_target_begins_when_its_first_request_is_sent() -> None:
    site = visit(target_timeout_s=30)
    site.deadline.begin(100.0)  # it was waiting for others at its address
    site.deadline.begin(120.0)
    assert site.answered(page(body=SHOP), 128.0) is not None
    with pytest.raises(DownloadTimeoutError, match="the 30 s of this site are over"):
        site.deadline.allowed_s(15, 130.0)


def test_page_that_does_not_fit_behind_its_crawl_delay_is_not_waited_for() -> None:
    site = visit(target_timeout_s=30)
    assert site.answered(replace(page(body=SHOP), crawl_delay_s=10.0), 21.0) is None
    assert site.item("").detail == "stopped after 30 s"


def test_ladder_ends_with_the_time_of_the_target() -> None:
    assert visit(target_timeout_s=10).failed(DownloadConnectionRefusedError(), 11.0) is None


def test_redirect_on_the_site_is_followed_without_a_pause() -> None:
    ask = visit().answered(page(status=301, body=b"", location="https://www.acme.com/de"), 1.0)
    assert ask is not None
    assert (ask.url, ask.at_once) == ("https://www.acme.com/de", True)


@pytest.mark.parametrize(
    "location",
    [
        "https://notacme.com/",
        "https://acme.com.evil.com/",
        "https://acme.com:8443/",
        "ftp://acme.com/",
        "javascript:alert(1)",
        "//169.254.169.254/",
    ],
)
def test_redirect_to_anywhere_else_is_recorded_and_not_followed(location: str) -> None:
    site = visit()
    assert site.answered(page(status=302, body=b"", location=location), 1.0) is None
    assert site.item("").outcome is Outcome.REDIRECTED_OFFSITE
    assert site.item("").redirected_to.endswith(location.removeprefix("//"))


def test_redirect_to_the_port_of_the_line_is_followed() -> None:
    site = visit(url="http://acme.com:8080/")
    ask = site.answered(page("http://acme.com:8080/", b"", 302, location="/home"), 1.0)
    assert ask is not None
    assert ask.url == "http://acme.com:8080/home"


@pytest.mark.parametrize(
    ("content", "onward"),
    [
        ("0;url=/shop", "https://acme.com/shop"),
        ("2; URL='https://www.acme.com/'", "https://www.acme.com/"),
        ("0, /shop", "https://acme.com/shop"),
        ("30;url=/shop", None),
        ("0;url=/", None),
        ("5", None),
    ],
)
def test_meta_refresh_is_followed_when_it_is_at_once_and_elsewhere(content: str, onward: str | None) -> None:
    body = PAGE.replace(b"<title>", f'<meta http-equiv="refresh" content="{content}"><title>'.encode())
    ask = visit(pages=1).answered(page(body=body), 1.0)
    assert (ask.url if ask else None) == onward


def test_site_that_asks_for_patience_is_asked_once_more_and_no_more() -> None:
    site = visit()
    ask = site.answered(page(status=429, body=b"", retry_after="5"), 1.0)
    assert ask is not None
    assert (ask.url, ask.wait_s) == ("https://acme.com/", 5.0)
    assert site.answered(page(status=429, body=b"", retry_after="5"), 7.0) is None
    assert site.item("").outcome is Outcome.BLOCKED
    assert site.item("").detail == "429 Too Many Requests; still so after the 5 s it asked for"


@pytest.mark.parametrize("wait", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT", "soon", "-5"])
def test_pause_that_is_too_long_or_unreadable_is_not_waited_for(wait: str) -> None:
    assert visit().answered(page(status=503, body=b"", retry_after=wait), 1.0) is None


def test_pages_are_read_until_the_limit() -> None:
    site = visit(pages=3)
    first = site.answered(page(body=SHOP), 1.0)
    assert first is not None
    second = site.answered(page(first.url), 2.0)
    assert second is not None
    assert site.answered(page(second.url), 3.0) is None
    item = site.item("2026-11-22T05:00:00Z")
    assert [p.kind for p in item.pages] == [PageKind.HOME, PageKind.PRICING, PageKind.CAREERS]
    assert len(item.observations) == 3
    assert item.outcome is Outcome.OK


def test_later_page_that_times_out_makes_the_site_partial() -> None:
    site = visit(pages=2)
    site.answered(page(body=SHOP), 1.0)
    assert site.failed(DownloadTimeoutError(), 20.0) is None
    assert (site.item("").outcome, site.item("").detail) == (Outcome.PARTIAL, "pricing page: timeout")


def test_later_page_that_is_not_there_leaves_the_site_ok() -> None:
    site = visit(pages=2)
    ask = site.answered(page(body=SHOP), 1.0)
    assert ask is not None
    site.answered(page(ask.url, b"gone", 404), 2.0)
    item = site.item("")
    assert item.outcome is Outcome.OK
    assert [p.outcome for p in item.pages] == [Outcome.OK, Outcome.HTTP_ERROR]
    assert len(item.observations) == 1


def test_only_inner_pages_worth_reading_are_asked_for_and_the_others_counted() -> None:
    site = Visit(Target("acme.com", "https://acme.com/"), Limits(), 0.0, lambda _: {PageKind.CAREERS})
    ask = site.answered(page(body=SHOP), 1.0)
    assert ask is not None
    assert ask.url == "https://acme.com/careers"
    assert site.answered(page(ask.url, body=SHOP), 2.0) is None
    assert site.spared == 2


def test_wall_on_a_later_page_ends_the_visit() -> None:
    site = visit()
    ask = site.answered(page(body=SHOP), 1.0)
    assert ask is not None
    assert site.answered(page(ask.url, b"<title>403</title>", 403), 2.0) is None
    assert site.item("").outcome is Outcome.PARTIAL


def test_link_that_leads_back_home_has_shown_no_other_page() -> None:
    site = visit(pages=2)
    site.answered(page(body=SHOP), 1.0)
    site.answered(page(status=302, body=b"", location="/"), 2.0)
    site.answered(page(body=SHOP), 3.0)
    assert [p.kind for p in site.item("").pages] == [PageKind.HOME, PageKind.HOME]


def test_visit_out_of_time_keeps_what_it_has_read() -> None:
    site = visit(target_timeout_s=30)
    assert site.answered(page(body=SHOP), 29.5) is None
    item = site.item("")
    assert (item.outcome, item.detail) == (Outcome.PARTIAL, "stopped after 30 s")
    assert len(item.observations) == 1


def test_no_request_may_outlast_the_target() -> None:
    site = visit(target_timeout_s=20, page_timeout_s=15)
    assert site.begin(0.0).timeout_s == 15
    ask = site.failed(DownloadConnectionRefusedError(), 12.0)
    assert ask is not None
    assert ask.timeout_s == 8


def test_cookies_of_redirects_belong_to_the_page() -> None:
    site = visit(pages=1)
    site.answered(page(status=302, body=b"", location="/home", set_cookie="_shopify_y=1; Path=/"), 1.0)
    site.answered(page("https://acme.com/home"), 2.0)
    assert site.item("").observations[0].cookies == {"_shopify_y": "1"}


def test_bug_of_ours_costs_the_site_its_pages_but_not_its_record() -> None:
    site = visit()
    site.answered(page(body=SHOP), 1.0)
    site.broken(ValueError("oh"))
    item = site.item("")
    assert (item.outcome, item.detail, item.observations) == (Outcome.INTERNAL_ERROR, "ValueError: oh", ())
