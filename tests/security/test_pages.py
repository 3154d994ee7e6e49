"""Pages and targets: nothing they say makes us read a file, open a door or run away with the memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy.settings import Settings

from crawler.domains import NotADomain, parse_site
from fingerprints.containers import container_url
from fingerprints.detector import Detector
from fingerprints.markup import MAX_BODY_BYTES, visible_text
from fingerprints.observe import observe

LOCAL_FILE = Path(__file__)


@pytest.mark.parametrize(
    "page",
    [
        '<!DOCTYPE html [<!ENTITY x SYSTEM "file://{path}">]><html><body><p>&x;</p>',
        '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY % x SYSTEM "file://{path}"> %x;]><html><p>text',
        '<html xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file://{path}" parse="text"/><p>text',
    ],
    ids=["entity", "parameter entity", "include"],
)
def test_page_cannot_make_the_parser_read_a_file(page: str) -> None:
    seen = observe(page.format(path=LOCAL_FILE), url="https://acme.com/")
    assert "nothing they say" not in (visible_text(seen) + seen.body.decode()).lower()


def test_entities_that_multiply_stay_small() -> None:
    lines = ['<!ENTITY a0 "ha">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))]
    seen = observe(f"<!DOCTYPE html [{''.join(lines)}]><html><body>&a11;", url="https://acme.com/")
    assert len(visible_text(seen)) < 10_000


def test_page_of_any_size_is_cut_before_it_is_read() -> None:
    seen = observe(b"<p>" + b"x" * (MAX_BODY_BYTES + 1), url="https://acme.com/")
    assert len(seen.body) == MAX_BODY_BYTES
    assert "body_cut" in seen.flags


def test_crawl_opens_no_door_and_reads_no_file() -> None:
    settings = Settings()
    settings.setmodule("crawler.settings")
    handlers = settings.getdict("DOWNLOAD_HANDLERS")
    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}
    assert not settings.getbool("TELNETCONSOLE_ENABLED")
    assert not settings.getbool("REMOTE_CONTROL_ENABLED")
    assert not settings.getbool("HTTPPROXY_ENABLED")
    assert not settings.getbool("TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES")
    assert settings.getbool("ROBOTSTXT_OBEY")


@pytest.mark.parametrize(
    "text",
    ["../../etc/passwd", "..", "a/../../b", "C:\\x", "acme.com\0.evil", "file:///etc/passwd", "a b.com"],
)
def test_target_is_never_a_path(text: str) -> None:
    try:
        domain = parse_site(text).domain
    except NotADomain:
        return
    assert not {"/", "\\", "\0", ".."} & {domain, *domain}


@pytest.mark.parametrize(
    "name",
    [
        "gtm:GTM-A@evil.com",
        "gtm:GTM-A&x=1",
        "adobe:../../x?y",
        "matomo:evil.com#/js/container_x",
        "tealium:a\r\nHost: evil.com",
        "piwik-pro:a b",
        "unknown:x",
    ],
)
def test_container_name_cannot_bend_its_address(name: str) -> None:
    assert container_url(name) is None


def test_thousand_references_to_slow_patterns_end_in_a_flag_or_an_answer() -> None:
    scripts = "".join(
        f"<script src='https://cdn.example/{n}/jquery-{'1.' * 400}js'></script>" for n in range(2_500)
    )
    matched = Detector.default().match([observe(scripts, url="https://acme.com/")])
    assert matched.flags <= {"budget_spent"}
