"""From a response to an observation: what is seen, how it is labelled, and where it stops."""

from __future__ import annotations

import base64
import gc
import json

import pytest

from fingerprints.detector import Detector
from fingerprints.markup import MAX_BODY_BYTES, visible_text
from fingerprints.model import Observation, Party, ResourceKind
from fingerprints.observe import MAX_RESOURCES, observe

URL = "https://www.acme.com/shop/"
ENCODED_URL = base64.b64encode(b"https://x.io/w.js").decode()
ENCODED = base64.b64encode(b"load('https://x.io/w.js')").decode()


def seen(html: str | bytes, **page: object) -> dict[str, ResourceKind]:
    return {r.url: r.kind for r in observe(html, url=URL, **page).resources}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("html", "url", "kind"),
    [
        ('<script src="//cdn.acme.net/a.js"></script>', "https://cdn.acme.net/a.js", ResourceKind.SCRIPT),
        ("<script src=/a.js></script>", "https://www.acme.com/a.js", ResourceKind.SCRIPT),
        ("<script src=a.js></script>", "https://www.acme.com/shop/a.js", ResourceKind.SCRIPT),
        (
            '<base href="https://b.io/x/"><script src=a.js></script>',
            "https://b.io/x/a.js",
            ResourceKind.SCRIPT,
        ),
        ('<SCRIPT SRC="https://c.io/a.js" TYPE="text/plain">', "https://c.io/a.js", ResourceKind.SCRIPT),
        (
            '<script type=text/plain data-src="https://c.io/late.js">',
            "https://c.io/late.js",
            ResourceKind.SCRIPT,
        ),
        *(
            (
                f'<script type="text/plain" {name}="https://c.io/held.js">',
                "https://c.io/held.js",
                ResourceKind.SCRIPT,
            )
            for name in (
                "uc-src",
                "suppressedsrc",
                "consent-original-src-_",
                "data-rocket-src",
                "data-cmp-src",
                "data-rocketlazyloadscript",
                "data-url",
            )
        ),
        ('<svg><script href="https://c.io/a.js"></script></svg>', "https://c.io/a.js", ResourceKind.SCRIPT),
        (
            '<iframe srcdoc="&lt;script src=&#39;https://x.io/w.js&#39;&gt;&lt;/script&gt;"></iframe>',
            "https://x.io/w.js",
            ResourceKind.INLINE,
        ),
        (f"<script>load(atob('{ENCODED_URL}'))</script>", "https://x.io/w.js", ResourceKind.INLINE),
        (
            "<script>s.src = ('https:' == location.protocol ? 'https://ssl' : 'http://www') + '.x.io/w.js'</script>",
            "https://www.x.io/w.js",
            ResourceKind.INLINE,
        ),
        (
            f'<script type="litespeed/javascript" data-src="data:text/javascript;base64,{ENCODED}"></script>',
            "https://x.io/w.js",
            ResourceKind.INLINE,
        ),
        ('<iframe data-lazy-src="https://v.io/embed/1">', "https://v.io/embed/1", ResourceKind.IFRAME),
        (
            '<noscript><img src="https://p.io/tr?id=1&amp;x"></noscript>',
            "https://p.io/tr?id=1&x",
            ResourceKind.IMG,
        ),
        ('<link rel="preconnect" href="https://fast.io">', "https://fast.io", ResourceKind.CONNECT),
        (
            '<link rel="preload" as=script href="https://fast.io/a.js">',
            "https://fast.io/a.js",
            ResourceKind.PRELOAD,
        ),
        ('<link rel="Stylesheet" href="/s.css">', "https://www.acme.com/s.css", ResourceKind.STYLESHEET),
        ('<form action="https://mail.io/post">', "https://mail.io/post", ResourceKind.FORM),
        ('<a href="https://vendor.com/">Vendor</a>', "https://vendor.com/", ResourceKind.LINK),
        ('<script>var u="https:\\/\\/x.io\\/w.js"</script>', "https://x.io/w.js", ResourceKind.INLINE),
        ('<script>var u="https:\\u002F\\u002Fx.io/w.js"</script>', "https://x.io/w.js", ResourceKind.INLINE),
        ('<script>var u="https:\\x2f\\x2Fx.io\\x2fw.js"</script>', "https://x.io/w.js", ResourceKind.INLINE),
        (
            "<script>load('//x.io/w.js?a=1&amp;b=2')</script>",
            "https://x.io/w.js?a=1&b=2",
            ResourceKind.INLINE,
        ),
        (
            '<script type="application/json">{"src":"https://x.io/w.js"}</script>',
            "https://x.io/w.js",
            ResourceKind.INLINE,
        ),
        ('<video src="https://m.io/a.mp4">', "https://m.io/a.mp4", ResourceKind.MEDIA),
        ('<object data="https://m.io/a.swf">', "https://m.io/a.swf", ResourceKind.MEDIA),
    ],
)
def test_reference_becomes_a_resource(html: str, url: str, kind: ResourceKind) -> None:
    assert seen(html)[url] is kind


@pytest.mark.parametrize(
    "html",
    [
        '<img :src="product.image">',
        '<img ng-src="{{product.image}}">',
        '<script src="data:text/javascript;base64,!!!"></script>',
        '<script src="data:application/json;base64,Imh0dHBzOi8veC5pby93LmpzIg=="></script>',
    ],
)
def test_what_only_looks_like_a_reference_is_none(html: str) -> None:
    assert seen(html) == {}


@pytest.mark.parametrize("end", ["</html>", "</body></html>", "</HTML>\n<!-- x -->", "</html ></html>"])
def test_what_follows_the_end_of_the_document_is_read_as_in_a_browser(end: str) -> None:
    page = observe(f"<html><body><p>Hi</p>{end}<script src=/late.js></script><p>Bye</p>", url=URL)
    assert [resource.raw for resource in page.resources] == ["/late.js"]
    assert visible_text(page) == "Hi Bye"


@pytest.mark.parametrize(
    "html",
    [
        "<!-- <script src='https://x.io/w.js'></script> -->",
        "<script>// x.io/w.js is our loader\nvar a = 1; //x.io/w.js</script>",
        '<script type="application/ld+json">{"sameAs":["https://x.io/w.js"]}</script>',
        '<script type="application/json">{"link":"https://x.io/about"}</script>',
        '<link rel="canonical" href="https://x.io/"><link rel="alternate" href="https://x.io/feed">',
        '<a href="mailto:a@x.io">write</a><a href="#x.io">up</a><img src="data:image/gif;x.io">',
    ],
)
def test_mention_is_not_a_resource(html: str) -> None:
    assert not [url for url in seen(html) if "x.io" in url]


def test_hosts_of_a_policy_are_marked_as_allowed_only() -> None:
    headers = {
        "Content-Security-Policy": "script-src 'self' https://*.vendor.com cdn.other.io:443; img-src data:"
    }
    kinds = seen("<p>hi", headers=headers)
    assert kinds == {"https://vendor.com/": ResourceKind.CSP, "https://cdn.other.io/": ResourceKind.CSP}


def test_link_header_connects_and_loads_ahead_as_the_element_does() -> None:
    headers = {"Link": '<https://fast.io>; rel="preconnect", <https://fast.io/a.js>; rel=preload; as=script'}
    assert seen("<p>Mugs</p>", headers=headers) == {
        "https://fast.io": ResourceKind.CONNECT,
        "https://fast.io/a.js": ResourceKind.PRELOAD,
    }


@pytest.mark.parametrize(
    "html",
    [
        r"""<script>self.__next_f.push([1,"{\"children\":\"fbq(\\\"init\\\", \\\"1\\\");\"}"])</script>""",
        r"""<script type="application/json">{"head":"<script>fbq(\"init\", \"1\");"}</script>""",
        r"""<script>var later={"head":"<script>fbq(\"init\", \"1\");<\/script>"}</script>""",
    ],
    ids=["server components", "state", "a plugin's settings"],
)
def test_code_kept_inside_a_string_is_read_as_it_was_written(html: str) -> None:
    assert 'fbq("init", "1");' in observe(html, url=URL).scripts[0]


def test_party_is_told_by_registrable_domain() -> None:
    page = observe('<img src="https://img.acme.com/1"><img src="https://acme.com.evil.io/1">', url=URL)
    assert [r.party for r in page.resources] == [Party.FIRST, Party.THIRD]


def test_named_values_are_lower_cased_and_all_kept() -> None:
    page = observe(
        '<html lang="de-DE"><title> A\n B </title>'
        '<meta NAME=Generator content="X 1"><meta property="og:type" content=shop>',
        url=URL,
        headers={"X-Powered-By": ["PHP/8", "Next.js"], "Set-Cookie": ["a=1; Path=/", "b=2"]},
        cookies={"c": "3"},
    )
    assert page.headers["x-powered-by"] == ("PHP/8", "Next.js")
    assert page.cookies == {"a": "1", "b": "2", "c": "3"}
    assert page.meta == {"generator": ("X 1",), "og:type": ("shop",)}
    assert (page.title, page.language) == ("A B", "de-DE")


def test_json_ld_types_are_found_at_any_depth_and_in_broken_blocks() -> None:
    html = (
        '<script type="application/ld+json">{"@graph":[{"@type":"Product","brand":{"@type":["Brand"]}}]}</script>'
        '<script type="application/ld+json">{"@type": "Organization", broken</script>'
    )
    assert set(observe(html).json_ld_types) == {"Product", "Brand", "Organization"}


def test_json_ld_type_that_a_text_quotes_is_none() -> None:
    block = json.dumps({"@type": "http://schema.org/Article", "text": json.dumps({"@type": "Product"})})
    html = f'<script type="application/ld+json">{block.replace("/", chr(92) + "/")}</script>'
    assert observe(html).json_ld_types == ("http://schema.org/Article",)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("Müller".encode(), {}),
        ("Müller".encode(), {"content-type": "text/html; charset=iso-8859-1"}),
        ("Müller".encode("latin-1"), {"content-type": "text/html; charset=iso-8859-1"}),
        ("Müller".encode("latin-1"), {"content-type": "text/html; charset=utf-8"}),
        ('<meta charset="windows-1252">Müller'.encode("cp1252"), {}),
        ("Müller".encode("utf-16"), {}),
        ("<p>Müller</p>".encode("utf-16-le"), {}),
        ("\ufeffMüller".encode(), {}),
        ("Müller".encode("latin-1"), {"content-type": "text/html; charset=no-such-charset"}),
    ],
)
def test_text_is_read_whatever_its_declaration_claims(body: bytes, headers: dict[str, str]) -> None:
    assert "Müller".encode() in observe(body, headers=headers).body


def test_nul_bytes_do_not_hide_what_follows() -> None:
    assert seen(b"<p>\0\0</p><script src='https://x.io/a.js'></script>") == {
        "https://x.io/a.js": ResourceKind.SCRIPT
    }


@pytest.mark.parametrize(
    "html", ["", "plain words", "<", "<!DOCTYPE html>", "<!--" * 5000, b"\xff\xfe", b"\x00"]
)
def test_page_without_markup_gives_an_empty_observation(html: str | bytes) -> None:
    assert observe(html).resources == ()


@pytest.mark.parametrize(
    ("html", "flag"),
    [
        ("<p>" + "x" * MAX_BODY_BYTES, "body_cut"),
        ("<div>" * 50_000 + "<script src=/a.js></script>", "tree_cut"),
        ("".join(f"<img src=/{n}.png>" for n in range(MAX_RESOURCES + 1)), "resources_cut"),
        ("<script>1</script>" * 501, "scripts_cut"),
    ],
)
def test_what_is_cut_is_flagged(html: str, flag: str) -> None:
    assert flag in observe(html, url=URL).flags


def test_containers_are_named_by_what_loads_them_not_by_links() -> None:
    html = (
        "<script>(function(w,d,s,l,i){})(window,document,'script','dataLayer','GTM-AB12CD')</script>"
        '<script src="https://tags.tiqcdn.com/utag/acme/main/prod/utag.js"></script>'
        '<a href="https://www.googletagmanager.com/ns.html?id=GTM-OTHER1">an article</a>'
    )
    assert observe(html, url=URL).containers == ("gtm:GTM-AB12CD", "tealium:acme/main/prod")


def test_visible_text_leaves_scripts_out() -> None:
    page = observe("<title>T</title><p>one <b>two</b> three<script>four</script><style>five</style><p>six")
    assert visible_text(page).split() == ["T", "one", "two", "three", "six"]


def test_attribute_order_quoting_case_and_white_space_change_nothing() -> None:
    variants = [
        '<script async src="https://x.io/a.js" id=b></script>',
        "<script id='b' src='https://x.io/a.js' async></script>",
        "<SCRIPT\n ASYNC\tSRC=https://x.io/a.js  ID=b ></SCRIPT>",
        '<script src = "https://x.io/a.js"></script>',
    ]
    observations: list[Observation] = [observe(html, url=URL) for html in variants]
    assert {page.resources for page in observations} == {observations[0].resources}


def test_a_link_without_a_scheme_to_another_company_leaves_the_site() -> None:
    page = observe(
        '<a href="//www.facebook.com/acme">Facebook</a> <a href="//shop.example.com/cart">Cart</a>',
        url="https://www.example.com/",
    )
    assert [(r.host, r.kind, r.party) for r in page.resources] == [
        ("www.facebook.com", ResourceKind.LINK, Party.THIRD)
    ]
    assert [link.url for link in page.links] == ["https://shop.example.com/cart"]


@pytest.mark.parametrize(
    ("written", "loaded"),
    [
        ("lib/app.js?v=2", "https://www.example.com/news/lib/app.js?v=2"),
        ("./lib/app.js", "https://www.example.com/news/lib/app.js"),
        ("../lib/app.js", "https://www.example.com/lib/app.js"),
        ("/lib/app.js", "https://www.example.com/lib/app.js"),
        ("//cdn.example.com/app.js", "https://cdn.example.com/app.js"),
        ("javascripts/app.js", "https://www.example.com/news/javascripts/app.js"),
        ("about/app.js", "https://www.example.com/news/about/app.js"),
    ],
)
def test_relative_references_resolve_as_in_a_browser(written: str, loaded: str) -> None:
    page = observe(f'<script src="{written}"></script>', url="https://www.example.com/news/today?x=a/b")
    assert [r.url for r in page.resources] == [loaded]


def test_a_preload_that_becomes_a_stylesheet_is_one() -> None:
    page = observe(
        """<link rel="preload" as="style" href="/a.css" onload="this.onload=null;this.rel='stylesheet'">
        <link rel="preload" as="style" href="/b.css">""",
        url="https://www.example.com/",
    )
    assert [(r.url, r.kind) for r in page.resources] == [
        ("https://www.example.com/a.css", ResourceKind.STYLESHEET),
        ("https://www.example.com/b.css", ResourceKind.PRELOAD),
    ]


def test_link_with_spaces_before_it_still_leaves_the_site() -> None:
    page = observe(
        "<a href='        https://jobs.lever.co/acme '>Jobs</a> <a href=' /about '>About</a>",
        url="https://www.acme.example/",
    )
    assert [(r.url, r.kind) for r in page.resources] == [("https://jobs.lever.co/acme", ResourceKind.LINK)]
    assert [link.url for link in page.links] == ["https://www.acme.example/about"]


def test_page_is_freed_as_soon_as_nobody_needs_it() -> None:
    html = "<script src='https://js.example.net/a.js'></script><a href=/b>b</a><a href='//c.example'>c</a>"
    detector = Detector.default()
    gc.collect()
    gc.disable()
    try:
        page = observe(html, url="https://www.acme.example/")
        assert page.links
        detector.detect([page])
        del page
        assert gc.collect() == 0  # nothing that refers to itself: the next page needs the memory
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["src", "data-rocketlazyloadscript", "data-rocket-src", "DATA-x"])
def test_script_in_a_data_url_of_any_attribute(name: str) -> None:
    page = observe(f"<script {name}='data:text/javascript;base64,{ENCODED}'></script>", url=URL)
    assert page.scripts == ("load('https://x.io/w.js')",)
    assert [r.url for r in page.resources] == ["https://x.io/w.js"]


@pytest.mark.parametrize(
    ("block", "types"),
    [
        ('{"@type": ["", "Product"]}', ("Product",)),
        ('{"@type": ["http://www.productontology.org/id/' + "x" * 60 + '", "Product"]}', ("Product",)),
        ('{"@type": [\n' + ",\n".join(f'{" " * 16}"Type{n}"' for n in range(9)) + "]}", ("Type0", "Type8")),
        ('{"@type":\n' + " " * 40 + '"Product"}', ("Product",)),
    ],
)
def test_json_ld_types_however_they_are_written(block: str, types: tuple[str, ...]) -> None:
    found = observe(f'<script type="application/ld+json">{block}</script>').json_ld_types
    assert set(types) <= set(found)
    assert all(len(kind) <= 60 for kind in found)


def test_links_elsewhere_fill_no_memory_and_are_none_of_the_sites_own() -> None:
    page = observe("".join(f"<a href='//h{n}.example/{'x' * 50}'>" for n in range(20_000)), url=URL)
    assert len(page.links) == 0
    assert {"resources_cut"} <= page.flags


def test_white_space_that_no_url_ends_at_belongs_to_a_link_of_the_page() -> None:
    page = observe("<a href='\u00a0https://b.example/'></a><a href='\x0bhttps://c.example/'></a>", url=URL)
    assert [resource.url for resource in page.resources] == ["https://c.example/"]
    assert len(page.links) == 1


def test_address_with_half_a_surrogate_pair() -> None:
    assert observe("<a href=//x.y>x</a>", url="https://\ud800.example/").resources
