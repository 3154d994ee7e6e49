"""Pages that bring in tools in ways nobody read: nothing is seen, and nothing may be called absent."""

from __future__ import annotations

import pytest

from fingerprints.detector import Detector
from fingerprints.model import Assessment, AssessmentState, Outcome, Reason
from fingerprints.observe import observe
from fingerprints.records import make_record

TEXT = "<p>Hand-thrown mugs, bowls and plates from a small workshop by the sea.</p>"


def assessed(category: str, html: str, *, rendered: bool = False) -> Assessment:
    page = observe(TEXT + html, url="https://acme.com/", rendered=rendered)
    record = make_record(Detector.default(), domain="acme.com", outcome=Outcome.OK, observations=[page])
    found = record.assessment(category)
    assert found is not None
    return found


def policy(*hosts: str) -> str:
    content = "script-src 'self' " + " ".join(f"https://{host}" for host in hosts)
    return f'<meta http-equiv="content-security-policy" content="{content}">'


@pytest.mark.parametrize(
    ("category", "html", "missing"),
    [
        ("web_analytics", policy("www.google-analytics.com"), ("www.google-analytics.com",)),
        ("ad_monetization", '<link rel="preconnect" href="https://securepubads.g.doubleclick.net">',
         ("securepubads.g.doubleclick.net",)),
    ],
    ids=["allowed by a policy", "connected to ahead"],
)  # fmt: skip
def test_vendor_that_is_expected_but_not_seen_forbids_absence(
    category: str, html: str, missing: tuple[str, ...]
) -> None:
    hinted = assessed(category, html)
    assert (hinted.state, hinted.reason, hinted.missing) == (
        AssessmentState.UNKNOWN,
        Reason.WEAK_ONLY,
        missing,
    )
    assert assessed("email_marketing", html).state is AssessmentState.ABSENT
    # A browser would have asked that host, but not before its visitor agreed.
    assert assessed(category, html, rendered=True).state is AssessmentState.ABSENT
    gated = html + '<script src="https://cdn.cookielaw.org/scripttemplates/otSDKStub.js"></script>'
    assert assessed(category, gated, rendered=True).reason is Reason.WEAK_ONLY


@pytest.mark.parametrize(
    "html",
    [
        policy("www.google.com", "cdn.jsdelivr.net"),
        policy("www.google-analytics.com") + '<script src="https://ssl.google-analytics.com/x.js"></script>',
        '<a href="https://www.google-analytics.com/">Analytics</a>',
    ],
    ids=["hosts of everything", "it was seen loading, as something else", "a link"],
)
def test_host_that_says_nothing_forbids_nothing(html: str) -> None:
    assert assessed("web_analytics", html).state is AssessmentState.ABSENT


GTM_STARTS = "<script>w[l].push({'gtm.start': new Date().getTime(), event: 'gtm.js'})</script>"
MERGED = [
    "/wp-content/cache/autoptimize/js/autoptimize_cd1b4358409e754e38fc024e05d8c28e.js",
    "/wp-content/cache/min/1/f190dced8c1afdbcd6bb35f879af5cdf.js",
    "/wp-content/uploads/siteground-optimizer-assets/siteground-optimizer-combined-js-8a40c168e4394efde76a20043ad7fb0f.js",
]


@pytest.mark.parametrize(
    ("html", "missing"),
    [
        (policy("www.googletagmanager.com"), ("google-tag-manager",)),
        ("<script>dataLayer.push({page: 'home'})</script>", ("google-tag-manager",)),
        (
            '<script src="https://load.sst.acme.com/abcdwxyz.js"></script>' + GTM_STARTS,
            ("google-tag-manager",),
        ),
        (
            '<script src="/hs/scriptloader/1234567.js"></script>',
            ("container:acme.com/hs/scriptloader/1234567",),
        ),
        ('<script src="/main/prod/utag.js"></script>', ("tealium-iq",)),
        ('<script src="https://tags.acme.com/acme/prod/Bootstrap.js"></script>', ("ensighten-manage",)),
        ('<script src="/cdn-cgi/zaraz/i.js"></script>', ("cloudflare-zaraz",)),
        ("<script>tarteaucitron.init({}); tarteaucitron.job.push('hotjar')</script>", ("tarteaucitron",)),
        ("<script>var borlabsCookieConfig = {};</script>", ("borlabs-cookie",)),
        ('<meta name="generator" content="Wix.com Website Builder">', ("wix",)),
        *((f'<script src="{path}"></script>', (path.rpartition("/")[2],)) for path in MERGED),
    ],
    ids=[
        "tag manager from a bundle",
        "a data layer that nobody is seen to read",
        "server-side tag manager under another name",
        "HubSpot's loader",
        "Tealium on the site's own host",
        "Ensighten on the site's own host",
        "Zaraz",
        "services that a consent manager loads by name",
        "services that a consent manager keeps encoded",
        "a builder with a tag manager of its own",
        "autoptimize",
        "wp rocket",
        "siteground",
    ],
)
def test_what_may_load_anything_leaves_managed_categories_unknown(
    html: str, missing: tuple[str, ...]
) -> None:
    chat = assessed("live_chat", html)
    assert (chat.state, chat.reason, chat.missing) == (
        AssessmentState.UNKNOWN,
        Reason.CONTAINER_UNPARSED,
        missing,
    )
    assert assessed("translation", html).state is AssessmentState.ABSENT


PLACEHOLDER = '{"id":"shopify-custom-pixel","runtimeContext":"LAX","type":"CUSTOM","privacyPurposes":[]}'
OWN = (
    '{"id":"54591627","eventPayloadVersion":"v1","runtimeContext":"LAX","scriptVersion":"1","type":"CUSTOM",'
    '"privacyPurposes":["MARKETING"],"name":"Meta pixel (migrated)"}'
)


def test_pixel_in_a_sandbox_may_listen_but_shows_nothing_on_the_page() -> None:
    html = f"<script>pixels({{webPixelsConfigList: [{OWN},{PLACEHOLDER}]}})</script>"
    for rendered in (False, True):
        ads = assessed("ads_pixels", html, rendered=rendered)
        assert (ads.reason, ads.missing) == (Reason.WEAK_ONLY, ("pixel:Meta pixel (migrated)",))
        assert assessed("live_chat", html, rendered=rendered).state is AssessmentState.ABSENT
    every_shop = f"<script>pixels({{webPixelsConfigList: [{PLACEHOLDER}]}})</script>"
    assert assessed("ads_pixels", every_shop).state is AssessmentState.ABSENT


@pytest.mark.parametrize(
    "path",
    [
        "/wp-content/cache/autoptimize/js/autoptimize_single_cd1b4358409e754e38fc024e05d8c28e.js",
        "/wp-content/cache/min/1/wp-content/plugins/menu/menu.js",
        "https://elsewhere.com/wp-content/cache/min/1/f190dced8c1afdbcd6bb35f879af5cdf.js",
    ],
    ids=["one file, minified", "one file under its name", "another site's"],
)
def test_script_of_one_file_hides_no_others(path: str) -> None:
    assert assessed("live_chat", f'<script src="{path}"></script>').state is AssessmentState.ABSENT
