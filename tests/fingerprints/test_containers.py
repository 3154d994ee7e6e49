"""Tag containers: what is in them becomes what the page loads, and what cannot be read stays unread."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fingerprints.containers import container_url, parse_container, with_containers
from fingerprints.detector import Detector
from fingerprints.model import DetectionState, Observation, Outcome
from fingerprints.observe import observe
from fingerprints.records import make_record

GTM = "gtm:GTM-AB12CD"


def gtm_file(*tags: dict[str, Any], macros: tuple[dict[str, Any], ...] = ()) -> str:
    """A gtm.js as served: comments, one JSON object, then the library."""
    resource = {"version": "3", "macros": list(macros), "tags": list(tags), "predicates": [], "rules": []}
    return "// Container\n(function(){\nvar data = " + json.dumps({"resource": resource}) + ";\n})();"


def page_with(*named: str, html: str = "") -> Observation:
    loaders = "".join(f'<script>load("{name}")</script>' for name in named)
    return observe(f"<html>{loaders}{html}</html>", url="https://acme.com/")


def states(page: Observation) -> dict[str, DetectionState]:
    return {d.slug: d.state for d in Detector.default().detect([page]) if d.evidence}


def read(*tags: dict[str, Any], macros: tuple[dict[str, Any], ...] = ()) -> Observation:
    contents = parse_container(GTM, gtm_file(*tags, macros=macros))
    assert contents is not None
    return with_containers(page_with("GTM-AB12CD"), {GTM: contents})


def test_vendor_template_shows_the_tool() -> None:
    page = read({"function": "__hjtc", "vtp_siteId": "1234567"})
    assert page.containers_parsed == (GTM,)
    assert states(page)["hotjar"] is DetectionState.PRESENT


def test_custom_html_is_read_as_a_page() -> None:
    parts = [
        "template",
        '<script async src="https://static.klaviyo.com/onsite/js/',
        ["macro", 3],
        '/klaviyo.js"></script>',
    ]
    page = read({"function": "__html", "vtp_html": parts})
    assert states(page)["klaviyo"] is DetectionState.PRESENT


def test_inline_loader_in_custom_html_is_seen() -> None:
    page = read({"function": "__html", "vtp_html": "<script>fbq('init', '1234567890123456');</script>"})
    assert "meta-pixel" in states(page)


def test_paused_tag_is_weak_and_forbids_absence() -> None:
    page = read({"function": "__paused", "vtp_originalTagType": "hjtc"})
    assert states(page)["hotjar"] is DetectionState.WEAK
    record = make_record(Detector.default(), domain="acme.com", outcome=Outcome.OK, observations=[page])
    replay = record.assessment("session_replay")
    assert replay is not None
    assert (replay.state, replay.reason) == ("unknown", "weak_only")


def test_google_tag_id_is_what_the_tag_loads() -> None:
    page = read({"function": "__googtag", "vtp_tagId": "G-AB12CD34EF"})
    assert states(page)["google-analytics-4"] is DetectionState.PRESENT


def test_id_in_a_variable_counts() -> None:
    page = read(
        {"function": "__googtag", "vtp_tagId": ["macro", 0]},
        macros=({"function": "__c", "vtp_value": "G-AB12CD34EF"},),
    )
    assert "google-analytics-4" in states(page)


def test_container_in_a_container_is_a_container_of_the_page() -> None:
    page = read({"function": "__html", "vtp_html": "<script>load('GTM-INNER1')</script>"})
    assert page.containers == (GTM, "gtm:GTM-INNER1")
    assert page.containers_parsed == (GTM,)


@pytest.mark.parametrize(
    ("container", "body"),
    [
        (GTM, ""),
        (GTM, "<!doctype html><title>404</title>"),
        (GTM, 'var data = {"resource": {"tags": ['),
        (GTM, 'var data = {"resource": {"macros": []}}'),
        ("tealium:acme/main/prod", "<html>" + "Not found " * 40),
        ("tealium:acme/main/prod", ""),
        ("segment:abcdefabcdefabcdef12", "Not found"),
        ("segment:abcdefabcdefabcdef12", '{"message": "no such key"}'),
    ],
)
def test_body_that_is_no_container_stays_unread(container: str, body: str) -> None:
    assert parse_container(container, body) is None


def test_container_that_was_not_read_keeps_absence_unknown() -> None:
    page = with_containers(page_with("GTM-AB12CD"), {})
    record = make_record(Detector.default(), domain="acme.com", outcome=Outcome.OK, observations=[page])
    chat = record.assessment("live_chat")
    assert chat is not None
    assert (chat.state, chat.reason, chat.missing) == (
        "unknown",
        "container_unparsed",
        ("container:GTM-AB12CD",),
    )


def test_segment_settings_name_their_destinations() -> None:
    contents = parse_container("segment:x", json.dumps({"integrations": {"Mixpanel": {}, "Segment.io": {}}}))
    assert contents is not None
    assert contents.tags == ("segment:Mixpanel", "segment:Segment.io")


def test_other_containers_are_read_as_scripts() -> None:
    body = "/* utag */ var u = 'https://static.hotjar.com/c/hotjar-1234567.js';" + " " * 200
    contents = parse_container("tealium:acme/main/prod", body)
    assert contents is not None
    page = with_containers(
        page_with(html='<script src="https://tags.tiqcdn.com/utag/acme/main/prod/utag.js"></script>'),
        {"tealium:acme/main/prod": contents},
    )
    assert page.containers_parsed == ("tealium:acme/main/prod",)
    assert "hotjar" in states(page)


@pytest.mark.parametrize(
    ("html", "container", "url"),
    [
        (
            "<script>(function(w,d,s,l,i){})(window,document,'script','dataLayer','GTM-AB12CD')</script>",
            GTM,
            "https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD",
        ),
        # A server container or a renamed path serves the same public container.
        (
            '<script src="https://sgtm.acme.com/x7k.js?id=GTM-AB12CD"></script>',
            GTM,
            "https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD",
        ),
        (
            '<script src="//assets.adobedtm.com/launch-EN1a2b.min.js"></script>',
            "adobe:launch-EN1a2b",
            "https://assets.adobedtm.com/launch-EN1a2b.min.js",
        ),
        (
            '<script>analytics.load("AbCdEfGhIjKlMnOpQrStUvWx12345678")</script>',
            "segment:AbCdEfGhIjKlMnOpQrStUvWx12345678",
            "https://cdn.segment.com/v1/projects/AbCdEfGhIjKlMnOpQrStUvWx12345678/settings",
        ),
        (
            '<script src="https://acme.containers.piwik.pro/0a1b-2c3d.js"></script>',
            "piwik-pro:acme.containers.piwik.pro/0a1b-2c3d",
            "https://acme.containers.piwik.pro/0a1b-2c3d.js",
        ),
        # Matomo's containers lie on the site's own Matomo.
        (
            "<script>g.src='https://stats.acme.com/matomo/js/container_Ab12Cd34.js';</script>",
            "matomo:stats.acme.com/matomo/js/container_Ab12Cd34",
            "https://stats.acme.com/matomo/js/container_Ab12Cd34.js",
        ),
        # HubSpot's loader names the tools that are switched on: chat, forms, ads, banner.
        (
            '<script id="hs-script-loader" async defer src="//js-eu1.hs-scripts.com/1234567.js"></script>',
            "hubspot:js-eu1.hs-scripts.com/1234567",
            "https://js-eu1.hs-scripts.com/1234567.js",
        ),
        (
            '<script id="hs-script-loader" async defer src="/hs/scriptloader/1234567.js"></script>',
            "hubspot:acme.com/hs/scriptloader/1234567",
            "https://acme.com/hs/scriptloader/1234567.js",
        ),
    ],
    ids=["gtm", "gtm renamed", "adobe", "segment", "piwik-pro", "matomo", "hubspot", "hubspot's own pages"],
)
def test_container_is_named_by_its_loader_and_has_an_address(html: str, container: str, url: str) -> None:
    page = observe(html, url="https://acme.com/")
    assert page.containers == (container,)
    assert container_url(container) == url


@pytest.mark.parametrize("container", ["gtm:GTM AB12", "nobody:abc", "matomo:a b"])
def test_what_is_no_container_name_has_no_address(container: str) -> None:
    assert container_url(container) is None


def test_chat_that_a_vendors_loader_brings_is_seen() -> None:
    body = (
        "// HubSpot Script Loader.\n!function(e,t){var n=document.createElement('script');n.src=e}"
        '("https://js.hs-analytics.net/analytics/1234567.js");'
        'load("https://js.usemessages.com/conversations-embed.js",{"data-hsjs-portal":1234567});' + " " * 100
    )
    name = "hubspot:js.hs-scripts.com/1234567"
    page = page_with(html='<script src="//js.hs-scripts.com/1234567.js"></script>')
    contents = parse_container(name, body)
    assert contents is not None
    assert "hubspot-chat" not in states(page)
    assert states(with_containers(page, {name: contents}))["hubspot-chat"] is DetectionState.PRESENT


def test_link_to_a_container_is_not_a_load() -> None:
    assert (
        observe(
            '<a href="https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD">x</a>', url="https://a.com/"
        ).containers
        == ()
    )
