"""Tag containers: what is in them becomes what the page loads, and what cannot be read stays unread."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from fingerprints.containers import container_url, parse_container, with_containers
from fingerprints.detector import Detector
from fingerprints.model import DetectionState, Observation, Outcome
from fingerprints.observe import observe
from fingerprints.records import make_record

GTM = "gtm:GTM-AB12CD"


def gtm_file(
    *tags: dict[str, Any], macros: tuple[dict[str, Any], ...] = (), runtime: tuple[list[Any], ...] = ()
) -> str:
    """A gtm.js as served: comments, one JSON object, then the library."""
    resource = {"version": "3", "macros": list(macros), "tags": list(tags), "predicates": [], "rules": []}
    data = {"resource": resource, "runtime": list(runtime)}
    return "// Container\n(function(){\nvar data = " + json.dumps(data) + ";\n})();"


def page_with(*named: str, html: str = "") -> Observation:
    loaders = "".join(f'<script>load("{name}")</script>' for name in named)
    return observe(f"<html>{loaders}{html}</html>", url="https://acme.com/")


def states(page: Observation) -> dict[str, DetectionState]:
    return {d.slug: d.state for d in Detector.default().detect([page]) if d.evidence}


def read(
    *tags: dict[str, Any], macros: tuple[dict[str, Any], ...] = (), runtime: tuple[list[Any], ...] = ()
) -> Observation:
    contents = parse_container(GTM, gtm_file(*tags, macros=macros, runtime=runtime))
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


def compiled(name: str, url: str) -> list[Any]:
    """A template's code as a container carries it: nested lists of operations."""
    return [50, name, [46, "a"], [52, "b", ["require", "injectScript"]], [3, "b", [7, [15, "a"], url]]]


def test_template_of_the_gallery_shows_in_its_code_what_it_loads() -> None:
    page = read(
        {"function": "__cvt_12_3", "vtp_pixelId": "C0FFEE"},
        runtime=(
            compiled("__cvt_12_3", "https://analytics.tiktok.com/i18n/pixel/events.js"),
            compiled("__cvt_12_4", "https://static.hotjar.com/c/hotjar-1234567.js"),
        ),
    )
    found = states(page)
    assert found["tiktok-pixel"] is DetectionState.PRESENT
    assert "hotjar" not in found  # no tag uses that template


def test_zone_names_the_containers_of_others() -> None:
    page = read({"function": "__zone", "vtp_childContainers": ["list", ["map", "publicId", "GTM-CHILD1"]]})
    assert page.containers == (GTM, "gtm:GTM-CHILD1")


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


TAG = "d.src='https://static.hotjar.com/c/hotjar-1234567.js';" + " " * 200
PARTLY_READ = {
    "tealium, tags in files of their own": (
        "tealium:acme/main/prod",
        'utag.loader.cfg={"7":{load:1,send:1,v:202611,wait:1,tid:7117},"9":{load:4,send:1,tid:20010}};' + TAG,
    ),
    "tealium, on a condition": (
        "tealium:acme/main/prod",
        'utag.loader.cfg={"7":{load:((utag.cond[3]==1)),send:1,wait:1,tid:7117}};' + TAG,
    ),
    "adobe, custom code in a file of its own": (
        "adobe:launch-EN1a2b",
        f"rules=[{{source:'https://assets.adobedtm.com/a/b/c/RC{'0a' * 16}-source.min.js'}}];" + TAG,
    ),
    "segment, with destinations": (
        "segment:abcdefabcdefabcdef12",
        json.dumps({"integrations": {"Mixpanel": {}, "Segment.io": {}}}),
    ),
}
WHOLLY_READ = {
    "tealium, all tags bundled": (
        "tealium:acme/main/prod",
        'utag.loader.cfg={"7":{load:4,send:1,v:202611,wait:1,tid:7117}};' + TAG,
    ),
    "adobe": ("adobe:launch-EN1a2b", TAG),
    "segment, alone": ("segment:abcdefabcdefabcdef12", json.dumps({"integrations": {"Segment.io": {}}})),
}


@pytest.mark.parametrize(
    ("container", "body", "whole"),
    [(*held, False) for held in PARTLY_READ.values()] + [(*held, True) for held in WHOLLY_READ.values()],
    ids=[*PARTLY_READ, *WHOLLY_READ],
)
def test_container_whose_tags_lie_elsewhere_is_read_in_part_and_forbids_absence(
    container: str, body: str, whole: bool
) -> None:
    contents = parse_container(container, body)
    assert contents is not None
    page = replace(page_with(html="<p>Mugs</p>"), containers=(container,))
    page = with_containers(page, {container: contents})
    assert page.containers_parsed == ((container,) if whole else ())
    assert contents.tags or "hotjar" in states(page)  # what was read counts
    record = make_record(Detector.default(), domain="acme.com", outcome=Outcome.OK, observations=[page])
    chat = record.assessment("live_chat")
    assert chat is not None
    assert chat.state == ("absent" if whole else "unknown")


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


@pytest.mark.parametrize(
    "html",
    [
        '<div data-gtm-id="GTM-AB12CD"></div>',
        '<meta name="gtm" content="GTM-AB12CD">',
        "<body onload=\"start('GTM-AB12CD')\">",
        '<div data-config="{&quot;gtm&quot;:&quot;GTM-AB12CD&quot;}"></div>',
        f"<script>load(atob('{base64.b64encode(b'https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD').decode()}'))</script>",
    ],
    ids=["an attribute", "a meta tag", "a handler", "settings in an attribute", "base64"],
)
def test_container_that_a_script_of_the_sites_own_loads_is_named(html: str) -> None:
    assert observe(html, url="https://acme.com/").containers == (GTM,)


@pytest.mark.parametrize(
    "html",
    [
        '<!-- <div data-gtm-id="GTM-AB12CD"></div> -->',
        "<p>Our container GTM-AB12CD</p><i>GTM-AB12CD</i>",
        "<code>&lt;div data-gtm-id=&quot;GTM-AB12CD&quot;&gt;</code>",
        '<div class="GTM-AB12CDEFGHIJKLMN"></div>',
        "<script>rudderanalytics.load('1aBcDeFgHiJkLmNoPqRsTuVwXyZ')</script>",
    ],
    ids=["a comment", "text", "code that is shown", "no id", "another vendor's key"],
)
def test_what_is_only_written_names_no_container(html: str) -> None:
    assert observe(html, url="https://acme.com/").containers == ()


def test_link_to_a_container_is_not_a_load() -> None:
    assert (
        observe(
            '<a href="https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD">x</a>', url="https://a.com/"
        ).containers
        == ()
    )
