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
        ("live_chat", policy("*.intercom.io"), ("intercom.io",)),
        ("ad_monetization", '<link rel="preconnect" href="https://securepubads.g.doubleclick.net">',
         ("securepubads.g.doubleclick.net",)),
    ],
    ids=["allowed by a policy", "allowed with all below it", "connected to ahead"],
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
        policy("*.google.com", "*.googleapis.com", "*.amazonaws.com", "*.facebook.com"),
        policy("www.google-analytics.com") + '<script src="https://ssl.google-analytics.com/x.js"></script>',
        '<a href="https://www.google-analytics.com/">Analytics</a>',
    ],
    ids=["hosts of everything", "domains of everything", "it was seen loading, as something else", "a link"],
)
def test_host_that_says_nothing_forbids_nothing(html: str) -> None:
    assert assessed("web_analytics", html).state is AssessmentState.ABSENT


GTM_STARTS = "<script>w[l].push({'gtm.start': new Date().getTime(), event: 'gtm.js'})</script>"
MERGED = [
    "/wp-content/cache/autoptimize/js/autoptimize_cd1b4358409e754e38fc024e05d8c28e.js",
    "/wp-content/cache/min/1/f190dced8c1afdbcd6bb35f879af5cdf.js",
    "/wp-content/uploads/siteground-optimizer-assets/siteground-optimizer-combined-js-8a40c168e4394efde76a20043ad7fb0f.js",
    "/wp-content/cache/wpfc-minified/8a2b3c4d/a1b2c.js",
    "/wp-content/cache/swift-performance/acme.com/js/cd1b4358409e754e38fc024e05d8c28e.js",
    "/wp-content/cache/wmac/js/wmac_cd1b4358409e754e38fc024e05d8c28e.js",
    "/wp-content/boost-cache/static/a1b2c3d4e5.min.js",
    "https://acme.rocketcdn.me/wp-content/cache/min/1/f190dced8c1afdbcd6bb35f879af5cdf.js",
    "//img1.wsimg.com/blobby/go/0a1b2c3d-1111/gpub/0a1b2c3d4e5f/script.js",
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
        ("<script>dataLayer.push(pageInfo)</script>", ("google-tag-manager",)),
        (
            "<script>s.src = `https://www.googletagmanager.com/gtm.js?id=${tags}`</script>",
            ("google-tag-manager",),
        ),
        ("<script>load('GTM-' + container)</script>", ("google-tag-manager",)),
        ("<script>partytown={forward:['dataLayer.push']}</script>", ("google-tag-manager",)),
        ("<script>adobeDataLayer.push({page: {}})</script>", ("adobe-experience-platform-tags",)),
        ("<script>AnalyticsBrowser.load({writeKey: key})</script>", ("segment",)),
        ('<script async src="https://data.acme.com/p.js" data-write-key="a:b"></script>', ("jitsu",)),
        ("<script>y='_EA_'+(y>>>=0)</script>", ("eulerian-tms",)),
        ("<script>tarteaucitron.init({}); tarteaucitron.job.push('hotjar')</script>", ("tarteaucitron",)),
        ("<script>var borlabsCookieConfig = {};</script>", ("borlabs-cookie",)),
        (
            '<script src="https://consent.cookiefirst.com/sites/acme.com-0a1b/consent.js"></script>',
            ("cookiefirst",),
        ),
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
        "a data layer filled from a variable",
        "a tag manager whose id comes from elsewhere",
        "an id put together",
        "a tag manager in a worker",
        "Adobe's data layer",
        "Segment inside a bundle",
        "Jitsu on the site's own host",
        "Eulerian on the site's own host",
        "services that a consent manager loads by name",
        "services that a consent manager keeps encoded",
        "services that a consent manager keeps on its server",
        "a builder with a tag manager of its own",
        "autoptimize",
        "wp rocket",
        "siteground",
        "wp fastest cache",
        "swift performance",
        "clearfy",
        "jetpack boost",
        "from a CDN",
        "a builder's script of everything",
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
    assert assessed("video", html).state is AssessmentState.ABSENT


PLACEHOLDER = '{"id":"shopify-custom-pixel","runtimeContext":"LAX","type":"CUSTOM","privacyPurposes":[]}'
OWN = (
    '{"id":"54591627","eventPayloadVersion":"v1","runtimeContext":"LAX","scriptVersion":"1","type":"CUSTOM",'
    '"privacyPurposes":["MARKETING"],"name":"Meta pixel (migrated)"}'
)


OWN_WITH_SETTINGS = OWN.replace('"eventPayload', r'"configuration":"{\"a\":\"b\"}","eventPayload')
APP_HEAD = '{"id":"12345678","configuration":"SETTINGS","runtimeContext":"STRICT","type":"APP","apiClientId":'
APP = APP_HEAD.replace("SETTINGS", r"{\"accountID\":\"9\"}") + "7654321}"
GOOGLE_APP = (
    APP_HEAD.replace("SETTINGS", r"{\"config\":\"{\\\"google_tag_ids\\\":[\\\"G-AB12CD34EF\\\"]}\"}") + "1}"
)


@pytest.mark.parametrize(
    ("pixel", "name"),
    [
        (OWN, "pixel:Meta pixel (migrated)"),
        (OWN_WITH_SETTINGS, "pixel:Meta pixel (migrated)"),
        (APP, "pixel:app 7654321"),
    ],
    ids=["the owner's", "with settings", "an app's"],
)
def test_pixel_in_a_sandbox_may_listen_but_shows_nothing_on_the_page(pixel: str, name: str) -> None:
    html = f"<script>pixels({{webPixelsConfigList: [{pixel},{PLACEHOLDER}]}})</script>"
    for rendered in (False, True):
        ads = assessed("ads_pixels", html, rendered=rendered)
        assert (ads.reason, ads.missing) == (Reason.WEAK_ONLY, (name,))
        assert assessed("live_chat", html, rendered=rendered).state is AssessmentState.ABSENT
    shop_with_google = f"<script>pixels({{webPixelsConfigList: [{GOOGLE_APP},{PLACEHOLDER}]}})</script>"
    assert assessed("web_analytics", shop_with_google).state is AssessmentState.PRESENT
    assert assessed("ads_pixels", shop_with_google).state is AssessmentState.ABSENT
    every_shop = f"<script>pixels({{webPixelsConfigList: [{PLACEHOLDER}]}})</script>"
    assert assessed("ads_pixels", every_shop).state is AssessmentState.ABSENT


@pytest.mark.parametrize(
    "path",
    [
        "/wp-content/cache/autoptimize/js/autoptimize_single_cd1b4358409e754e38fc024e05d8c28e.js",
        "/wp-content/cache/min/1/wp-content/plugins/menu/menu.js",
    ],
    ids=["one file, minified", "one file under its name"],
)
def test_script_of_one_file_hides_no_others(path: str) -> None:
    assert assessed("live_chat", f'<script src="{path}"></script>').state is AssessmentState.ABSENT


def test_domain_of_a_hoster_names_no_vendor() -> None:
    assert assessed("site_search", policy("*.akamaized.net")).state is AssessmentState.ABSENT


@pytest.mark.parametrize(
    ("category", "config"),
    [
        ("session_replay", '{"HOTJAR_ID":"1234567"}'),
        ("live_chat", '{"NEXT_PUBLIC_INTERCOM_APP_ID":"a1b2c3d4"}'),
        ("web_analytics", '{"gtag":{"id":"G-AB12CD34EF"}}'),
        ("ads_pixels", '{"facebookPixelId":"123456789012345"}'),
        ("email_marketing", '{"SEGMENT_WRITE_KEY":"AbCdEfGhIjKlMnOpQrStUvWxYz012345"}'),
    ],
)
def test_tool_that_only_the_settings_of_a_bundle_name_is_not_absent(category: str, config: str) -> None:
    html = f"<script>window.ENV={config}</script>"
    assert assessed(category, html).state is AssessmentState.UNKNOWN
    assert assessed("video", html).state is AssessmentState.ABSENT


@pytest.mark.parametrize(
    ("category", "html"),
    [
        ("tag_manager", "<script>var gtm4wp_datalayer_name='dataLayer';</script>"),
        ("ads_pixels", '<script src="/wp-content/plugins/pixelyoursite/dist/scripts/public.js"></script>'),
        ("web_analytics", "<script>(n.__alloyNS=n.__alloyNS||[]).push(o)</script>"),
        (
            "popups_social_proof",
            '<script src="https://static.klaviyo.com/onsite/js/AbC123/klaviyo.js"></script>',
        ),
    ],
    ids=["a plugin's container", "a plugin's pixel", "Adobe's edge", "a loader that may bring forms"],
)
def test_tool_that_another_may_bring_is_not_absent(category: str, html: str) -> None:
    found = assessed(category, html)
    assert (found.state, found.reason) == (AssessmentState.UNKNOWN, Reason.WEAK_ONLY)


@pytest.mark.parametrize("category", ["consent", "translation", "ad_monetization"])
def test_what_is_often_installed_through_a_tag_manager_waits_for_it(category: str) -> None:
    html = "<script>load('GTM-AB12CD')</script>"
    assert assessed(category, html).reason is Reason.CONTAINER_UNPARSED
    assert assessed(category, "").state is AssessmentState.ABSENT
