"""Pages on which a site does not show itself (notices.toml), and near misses: no false absence from either."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fingerprints.model import Outcome
from tests.crawler.test_walls import ARTICLE, NAVIGATION, REAL_PAGE, judge, page, script

EXAMPLES = tomllib.loads((Path(__file__).parent / "notices.toml").read_text(encoding="utf-8"))


WORDS = "<p>" + "We make things with care and send them to people who like them. " * 10 + "</p>"
"""More than a shell shows, less than a page that no wall is as long as."""


def verdict_on(example):
    body = example["body"].replace("{navigation}", NAVIGATION).replace("{words}", WORDS)
    return judge(page(body, example["title"]), url=example.get("url", "https://acme.com/"))


def examples(kind):
    return pytest.mark.parametrize("example", EXAMPLES[kind].values(), ids=EXAMPLES[kind])


@examples("errors")
def test_error_page_with_status_200_is_an_error(example):
    assert verdict_on(example).outcome is Outcome.HTTP_ERROR


@examples("no_site")
def test_site_that_is_not_there_or_not_now_is_parked(example):
    assert verdict_on(example).outcome is Outcome.PARKED


@examples("refusals")
def test_page_that_refuses_is_blocked(example):
    assert verdict_on(example).outcome is Outcome.BLOCKED


@examples("gates")
def test_gate_before_the_site_proves_no_absence(example):
    assert verdict_on(example).flags == {"shell"}


@examples("consent")
def test_consent_wall_proves_no_absence(example):
    assert "consent_gated" in verdict_on(example).flags


SHORT = "<p>" + "We forge anvils by hand, since 1950, and send them to you within two days. " * 5 + "</p>"
FEW_LINKS = "".join(
    f"<a href='/{name}'>{name}</a>" for name in ("shop", "about", "blog", "contact", "help", "jobs")
)
SMALL_SITE = FEW_LINKS + SHORT
"""More than a note, less than what a wall may show."""

REAL = {
    "article about error pages": REAL_PAGE.replace("Acme mugs", "Page not found: how to design it | Acme"),
    "magazine with a number for a name": page(NAVIGATION + ARTICLE, "404 Media"),
    "area code": page(SMALL_SITE, "404 Plumbing Atlanta"),
    "maintenance is what they sell": page(SMALL_SITE, "Acme | Lift maintenance in Leeds"),
    "new products coming soon": page(SMALL_SITE + "<p>New anvils coming soon.</p>", "Acme"),
    "locksmith": page(SMALL_SITE + "<p>Locked out? Access denied no more.</p>", "Acme Locksmiths"),
    "wine shop with an age note": page(NAVIGATION + ARTICLE + "<p>You must be over 18 to buy.</p>", "Acme"),
    "country selector on a real page": page("<p>Select your country</p>" + NAVIGATION + ARTICLE, "Acme"),
    "note to old browsers": page("<p>You use an outdated browser.</p>" + NAVIGATION + ARTICLE, "Acme"),
    "fresh WordPress": page(NAVIGATION + "<h1>Hello world!</h1><p>This is your first post.</p>", "Acme"),
    "error tracker": page(SMALL_SITE, "Acme: application error monitoring"),
    "private school": page(SMALL_SITE, "Acme private school"),
}


@pytest.mark.parametrize("html", REAL.values(), ids=REAL)
def test_site_that_only_uses_such_words_is_ok(html):
    verdict = judge(html)
    assert (verdict.outcome, verdict.detail, verdict.flags) == (Outcome.OK, "", frozenset())


def test_single_page_app_that_asks_for_javascript_meanwhile_is_a_shell():
    html = page("<div id=app>Please enable JavaScript to run this app.</div>" + script("/app.js"), "Acme")
    assert judge(html).flags == {"shell"}
