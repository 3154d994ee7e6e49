"""Detection as a user sees it: what is used, what is only mentioned, and how sure we are."""

from __future__ import annotations

from typing import Any

import pytest

from fingerprints.detector import Detector
from fingerprints.model import Detection, DetectionState, Party, ResourceKind, Technology
from fingerprints.observe import observe
from fingerprints.resolve import MAX_EVIDENCE
from fingerprints.rules import STRENGTH, Channel, Implied, Rule, Signal
from fingerprints.ruleset import build_detector

URL = "https://www.acme.com/"


def rule(slug: str, *signals: dict[str, Any], category: str = "live_chat", **more: Any) -> Rule:
    made = []
    for number, data in enumerate(signals, start=1):
        strength = STRENGTH[data.pop("strength", "strong")]
        made.append(Signal(id=f"{slug}#{number}", strength=strength, on=Channel(data.pop("on")), **data))
    technology = Technology(slug, slug.title(), category, (category,))
    return Rule(technology, tuple(made), path=f"{slug}.toml", **more)


def detect(rules: list[Rule], html: str = "", **page: Any) -> dict[str, Detection]:
    return {d.slug: d for d in build_detector(rules).detect([observe(html, url=URL, **page)])}


CHAT = rule("chat", {"on": "host", "hosts": ("js.chat.io",)})


@pytest.mark.parametrize(
    ("html", "state"),
    [
        ('<script src="https://js.chat.io/w.js"></script>', DetectionState.PRESENT),
        ('<script src="https://eu.js.chat.io/w.js"></script>', DetectionState.PRESENT),
        ("<script>load('https://js.chat.io/w.js')</script>", DetectionState.PRESENT),
        ("<script>allow('https://js.chat.io/')</script>", DetectionState.WEAK),
        ('<link rel=preload href="https://js.chat.io/w.js">', DetectionState.WEAK),
        ('<link rel=preconnect href="https://js.chat.io">', DetectionState.WEAK),
        ('<meta http-equiv="Content-Security-Policy" content="script-src js.chat.io">', DetectionState.WEAK),
        ('<a href="https://js.chat.io/">Chat</a>', None),
        ('<script src="https://notjs.chat.io/w.js"></script>', None),
        ('<script src="https://js.chat.io.evil.com/w.js"></script>', None),
        ('<script src="https://evil.com/js.chat.io/w.js"></script>', None),
    ],
)
def test_how_a_page_refers_to_a_host_decides_what_it_proves(html: str, state: DetectionState | None) -> None:
    found = detect([CHAT], html).get("chat")
    assert (found.state if found else None) is state


def test_signals_on_one_place_are_not_independent() -> None:
    both = rule(
        "chat",
        {"on": "host", "hosts": ("js.chat.io",), "strength": "medium"},
        {"on": "url", "pattern": r"chat\.io/w", "strength": "medium"},
    )
    one_place = detect([both], '<script src="https://js.chat.io/w.js"></script>')["chat"]
    assert (one_place.confidence, one_place.state) == (0.5, DetectionState.WEAK)
    two_places = detect(
        [both], '<script src="https://js.chat.io/a.js"></script><img src="https://x.chat.io/w">'
    )["chat"]
    assert (two_places.confidence, two_places.state) == (0.75, DetectionState.PRESENT)


def test_the_same_signal_on_three_pages_counts_once() -> None:
    weak = rule("chat", {"on": "html", "pattern": "chat-root", "strength": "medium"})
    pages = [observe(f"<p>{n}</p><div class=chat-root>", url=f"{URL}{n}") for n in range(3)]
    (found,) = build_detector([weak]).detect(pages)
    assert (found.confidence, found.state) == (0.5, DetectionState.WEAK)


def test_version_and_account_are_captured_with_the_excerpt() -> None:
    pixel = rule(
        "pixel",
        {"on": "script", "pattern": r"px\('init',\s*'(\d+)',\s*'v([\d.]+)'", "account": 1, "version": r"\2"},
    )
    found = detect([pixel], "<script>a();px('init', '12345', 'v2.1')</script>")["pixel"]
    assert (found.accounts, found.version) == (("12345",), "2.1")
    assert found.evidence[0].excerpt == "a();px('init', '12345', 'v2.1')"


def test_evidence_never_carries_an_email_address_or_a_whole_page() -> None:
    noisy = rule("noisy", {"on": "script", "pattern": r"boot\([^)]*\)"})
    (item,) = detect([noisy], f"<script>boot('jane@acme.com {'x' * 500}')</script>")["noisy"].evidence
    assert "jane" not in item.excerpt
    assert "[e-mail]" in item.excerpt
    assert len(item.excerpt) <= 160


@pytest.mark.parametrize(
    ("script", "fires"),
    [
        ("window.Acme = {}", True),
        ("Acme={}", True),
        ("window['Acme'] = 1", True),
        ("var Acme=Acme||[]", True),
        ("if(Acme == 1){}", False),
        ("myAcme = 1", False),
        ("acme = 1", False),
        ("window['ACME'] = 1", False),
        ("x.Acme = 1", False),
        ("Acme.other = 1", False),
        ("'Acme = 1'", False),
    ],
)
def test_global_is_seen_where_a_script_assigns_it(script: str, fires: bool) -> None:
    found = detect([rule("acme", {"on": "global", "name": "Acme"})], f"<script>{script}</script>")
    assert ("acme" in found) is fires


def test_live_global_is_checked_by_value() -> None:
    versioned = rule(
        "lib", {"on": "global", "name": "Lib.version", "pattern": r"^([\d.]+)$", "version": r"\1"}
    )
    assert detect([versioned], globals={"Lib.version": "3.2"})["lib"].version == "3.2"
    assert detect([versioned], globals={"Lib.version": "beta"}) == {}


def test_first_party_path_says_something_a_third_party_path_does_not() -> None:
    wordpress = rule("wp", {"on": "url", "pattern": "/wp-content/", "party": Party.FIRST})
    assert detect([wordpress], '<img src="/wp-content/a.png">')
    assert not detect([wordpress], '<img src="https://other.org/wp-content/a.png">')


def test_images_and_links_alone_are_an_embed_not_the_platform() -> None:
    shop = rule("shop", {"on": "host", "hosts": ("cdn.shop.io",)})
    assert detect([shop], '<img src="https://cdn.shop.io/1.png">')["shop"].scope == "embed"
    both = '<img src="https://cdn.shop.io/1.png"><script src="https://cdn.shop.io/t.js"></script>'
    assert detect([shop], both)["shop"].scope == "site"


def test_own_images_are_no_embed() -> None:
    wordpress = rule("wp", {"on": "url", "pattern": "/wp-content/", "party": Party.FIRST})
    assert detect([wordpress], '<img src="/wp-content/a.png">')["wp"].scope == "site"
    of_the_blog = '<img src="https://blog.acme.com/wp-content/a.png">'
    assert detect([wordpress], of_the_blog)["wp"].scope == "embed"


def test_what_only_an_embed_implies_is_an_embed() -> None:
    cdn = rule("cdn", {"on": "host", "hosts": ("cdn.net",)}, implies=(Implied("cloud"),))
    ours = rule("ours", {"on": "header", "name": "x-ours"}, implies=(Implied("cloud"),))
    cloud = rule("cloud")
    picture = '<img src="https://a.cdn.net/1.png">'
    assert detect([cdn, ours, cloud], picture)["cloud"].scope == "embed"
    both = detect([cdn, ours, cloud], picture, headers={"X-Ours": "1"})
    assert (both["cloud"].scope, both["cloud"].implied_by) == ("site", "ours")


def test_link_counts_only_where_a_signal_asks_for_links() -> None:
    board = rule("jobs", {"on": "url", "pattern": r"jobs\.io/\w+", "kinds": frozenset({ResourceKind.LINK})})
    assert detect([board], '<a href="https://jobs.io/acme">Careers</a>')
    assert not detect([board], '<script src="https://jobs.io/acme"></script>')


def test_faint_trace_makes_no_less_of_an_implied_technology_than_none() -> None:
    cdn = rule("cdn", {"on": "header", "name": "x-cdn"}, implies=(Implied("cloud"),))
    cloud = rule("cloud", {"on": "header", "name": "x-id", "strength": "weak"}, implies=(Implied("network"),))
    found = detect([cdn, cloud, rule("network")], headers={"x-cdn": "1", "x-id": "7"})
    assert [(found[slug].state, found[slug].implied_by) for slug in ("cloud", "network")] == [
        (DetectionState.PRESENT, "cdn"),
        (DetectionState.PRESENT, "cloud"),
    ]
    assert [item.signal for item in found["cloud"].evidence] == ["cloud#1"]


@pytest.mark.parametrize(
    ("category", "kinds", "html", "scope"),
    [
        ("cms", None, '<img src="https://cdn.tool.io/a.png">', "embed"),
        ("cms", {ResourceKind.IMG}, '<img src="https://cdn.tool.io/a.png">', "embed"),
        ("video", None, '<img src="https://cdn.tool.io/a.png">', "embed"),
        ("reviews", {ResourceKind.IMG}, '<img src="https://cdn.tool.io/badge.png">', "site"),
        ("ads_pixels", None, '<noscript><img src="https://cdn.tool.io/tr?id=1"></noscript>', "site"),
        ("ats", {ResourceKind.LINK}, '<a href="https://cdn.tool.io/acme/jobs">Careers</a>', "site"),
    ],
    ids=["platform", "platform asked for by name", "content", "badge asked for", "pixel", "link asked for"],
)
def test_picture_or_link_is_an_embed_unless_it_is_the_tool_at_work(
    category: str, kinds: set[ResourceKind] | None, html: str, scope: str
) -> None:
    named = {"kinds": frozenset(kinds)} if kinds else {}
    tool = rule("tool", {"on": "host", "hosts": ("tool.io",), **named}, category=category)
    assert detect([tool], html)["tool"].scope == scope


def test_picture_that_a_browser_asked_for_is_a_picture() -> None:
    cms = rule("tool", {"on": "host", "hosts": ("tool.io",)}, category="cms")
    assert detect([cms], requests=["https://cdn.tool.io/a.jpg"])["tool"].scope == "embed"
    assert detect([cms], requests=["https://cdn.tool.io/api"])["tool"].scope == "site"


def test_embed_of_what_the_site_itself_implies_is_the_sites_own() -> None:
    plugin = rule("plugin", {"on": "header", "name": "x-plugin"}, implies=(Implied("cms"),))
    cms = rule("cms", {"on": "host", "hosts": ("cms-files.net",)}, category="cms")
    image = '<img src="https://blog.cms-files.net/a.png">'
    assert detect([cms], html=image)["cms"].scope == "embed"
    found = detect([plugin, cms], html=image, headers={"x-plugin": "1"})
    assert (found["cms"].scope, found["cms"].implied_by) == ("site", "plugin")


def test_implied_technology_is_marked_and_lists_no_evidence() -> None:
    plugin = rule("plugin", {"on": "html", "pattern": "plugin-x"}, implies=(Implied("base"),))
    found = detect([plugin, rule("base", {"on": "html", "pattern": "base-x"})], "<p>plugin-x</p>")
    assert (found["base"].implied_by, found["base"].evidence) == ("plugin", ())


def test_result_does_not_depend_on_the_order_of_rules_and_pages() -> None:
    rules = [
        rule("a", {"on": "html", "pattern": "aaaa"}, excludes=("b",), implies=(Implied("c"),)),
        rule("b", {"on": "html", "pattern": "bbbb"}, implies=(Implied("c"),)),
        rule("c", {"on": "html", "pattern": "cccc", "strength": "medium"}),
    ]
    pages = [observe("<p>aaaa</p>", url=URL), observe("<p>bbbb cccc</p>", url=f"{URL}2")]
    first = build_detector(rules).detect(pages)
    assert build_detector(rules[::-1]).detect(pages[::-1]) == first
    assert [d.slug for d in first] == ["a", "c"]


def test_dns_container_json_ld_and_robots_channels() -> None:
    rules = [
        rule("mail", {"on": "dns", "name": "MX", "pattern": r"aspmx\.l\.google\.com"}),
        rule("help", {"on": "dns", "name": "CNAME:help", "pattern": r"\.desk\.io"}),
        rule("heat", {"on": "container", "name": "__hjtc"}),
        rule("food", {"on": "json_ld", "pattern": "^Recipe$"}),
        rule("bots", {"on": "robots", "pattern": "User-agent: GPTBot"}),
    ]
    html = '<script type="application/ld+json">{"@type":"Recipe"}</script>'
    dns = {"MX": ("1 aspmx.l.google.com.",), "CNAME:help": ("acme.desk.io.",)}
    found = detect(rules, html, dns=dns, robots="User-agent: GPTBot\nDisallow: /")
    assert set(found) == {"mail", "help", "food", "bots"}
    assert all(d.state is DetectionState.PRESENT for d in found.values())


@pytest.mark.parametrize(
    ("selector", "html", "fires"),
    [
        ("x-chat[id]", '<div id="1">', False),
        ("x-chat[id]", '<x-chat id="1">', True),
        ("div.chat", '<p class="chat">', False),
        ("div.chat.open", '<div class="open chat">', True),
        ("#chat", '<p id="Chat">', False),
        ('[id="CHAT" i]', '<p id="chat">', True),
        ("p.other, section.chat", '<section class="chat">', True),
        ("div:not(.x) > .chat", '<div><p class="chat">', True),
        ("div:not(.x) > .chat", '<div class="x"><p class="chat">', False),
        ('[data-chat$=".js"]', '<p data-chat="a.js">', True),
        ('[lang|="en"]', '<p lang="en-GB">', True),
    ],
)
def test_selector_means_what_css_says(selector: str, html: str, fires: bool) -> None:
    assert ("chat" in detect([rule("chat", {"on": "selector", "name": selector})], html)) is fires


def test_evidence_list_is_capped() -> None:
    many = rule("many", *({"on": "script", "pattern": f"call_{n:02d}"} for n in range(20)))
    html = "".join(f"<script>call_{n:02d}</script>" for n in range(20))
    assert len(detect([many], html)["many"].evidence) == MAX_EVIDENCE


def test_default_rules_find_an_inline_loader_with_its_account() -> None:
    html = (
        "<script>!function(f,b,e,v){}(window,document,'script',"
        "'https://connect.facebook.net/en_US/fbevents.js');fbq('init', '123456789012345');</script>"
    )
    found = {d.slug: d for d in Detector.default().detect([observe(html, url=URL)])}
    assert found["meta-pixel"].accounts == ("123456789012345",)
