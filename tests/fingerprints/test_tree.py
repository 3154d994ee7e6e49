"""The page readers: both read as a browser does, and the compiled one says what lxml says, only sooner."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprints.lxml_tree import lxml_tree
from fingerprints.tree import Tree, tree_of

native = pytest.importorskip("fingerprints.native", reason="there was no compiler when this was installed")

Reader = Callable[[str], Tree]


def flat(html: str) -> Tree:
    tree = tree_of(html.encode(), set())
    assert isinstance(tree, native.Tree)
    return tree


def by_lxml(html: str) -> Tree:
    tree = lxml_tree(html.encode(), set())
    assert tree is not None
    return tree


def outline(tree: Tree) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Tags and attributes in page order, but for html, head and body, which a page need not write."""
    for element in tree.select("*", limit=10_000):
        if element.tag not in ("html", "head", "body"):
            yield element.tag, tuple(element.items())


def parents(tree: Tree, tag: str, *candidates: str) -> list[str]:
    """Those of the candidates that an element of the tag is a child of."""
    return [candidate for candidate in candidates if list(tree.select(f"{candidate} > {tag}"))]


both = pytest.mark.parametrize("read", [flat, by_lxml])


@both
def test_elements_have_their_attributes_with_references_replaced(read: Reader) -> None:
    tree = read("<A HREF='/a?x=1&amp;y=2&copy=3' Title=caf&eacute; data-x>Fish &amp; chips &lt;3</A>")
    (link,) = tree.elements("a")
    assert link.items() == [("href", "/a?x=1&y=2&copy=3"), ("title", "café"), ("data-x", "")]
    assert (link.get("href"), link.get("nothing")) == ("/a?x=1&y=2&copy=3", None)
    assert (link.get_bytes("title"), link.text, link.content) == (
        "café".encode(),
        "Fish & chips <3",
        b"Fish & chips <3",
    )


@pytest.mark.parametrize(
    ("written", "in_text", "in_attribute"),
    [
        ("&lt;&LT;&nbsp;&hellip;", "<<\u00a0…", "<<\u00a0…"),
        (
            "&#65;&#x41;&#1;&#X4a;&#66 &#0;&#128;&#xD800;&#x110000;&#99999999999;",
            "AA\x01JB \ufffd€\ufffd\ufffd\ufffd",
            None,
        ),
        ("&nGt;&CounterClockwiseContourIntegral;", "≫⃒∳", None),
        ("&copy 1&copy2&notit;&not;", "© 1©2¬it;¬", "© 1&copy2&notit;¬"),
        ("?a=1&copy=2&amp=3&lt", "?a=1©=2&=3<", "?a=1&copy=2&amp=3<"),
        ("&;&&#;&#x;&#xg;&unknown;&a &", "&;&&#;&#x;&#xg;&unknown;&a &", None),
    ],
)
def test_references_mean_what_the_standard_says(written: str, in_text: str, in_attribute: str | None) -> None:
    (paragraph,) = flat(f'<p title="{written}">{written}').elements("p")
    assert paragraph.text == in_text
    assert paragraph.get("title") == (in_attribute or in_text)


@both
def test_first_of_two_equal_attributes_counts(read: Reader) -> None:
    (image,) = read('<img src="/a.png" SRC="/b.png">').elements("img")
    assert image.items() == [("src", "/a.png")]


@both
@pytest.mark.parametrize(
    "attribute",
    ["x='a>b'", 'x="a>b"', "x=a<b", "x = 'a\nb'", "=x", "x=", "x==y", "@click=go", ":src=y"],
)
def test_odd_attribute_is_read_without_losing_what_follows(read: Reader, attribute: str) -> None:
    tags = [tag for tag, _ in outline(read(f"<p {attribute}><b id=after>text</b>"))]
    assert tags == ["p", "b"]


@both
@pytest.mark.parametrize(
    "end", ['<img src="https://cdn.exam', "<img src=x alt", "<img", "<body data-x='", "<a href=/>x</a"]
)
def test_tag_that_the_page_is_cut_in_is_not_read(read: Reader, end: str) -> None:
    tree = read(f"<p src=y alt=z>text</p>{end}")
    assert [tag for tag, _ in outline(tree)] == (["p", "a"] if "</a" in end else ["p"])
    assert [value for value, _ in tree.having("p", "alt")] == ["z"]
    assert [element.tag for element in tree.select("[src], body[data-x]")] == ["p"]


@both
@pytest.mark.parametrize(
    "script",
    [
        "if (a < b && c > d) document.write('<p>no element</p>')",
        "<!-- hidden from the browsers of 1996\nf()\n//-->",
        "x = '<!--<script>'; y = '</script>'; // --> ",
        "x = '<\\/script>'",
        "</scripture>",
    ],
)
def test_script_is_text_up_to_its_own_end_tag(read: Reader, script: str) -> None:
    tree = read(f"<script>{script}</script><i>after</i>")
    assert [element.text for element in tree.elements("script")] == [script]
    assert [tag for tag, _ in outline(tree)] == ["script", "i"]


@both
@pytest.mark.parametrize("tag", ["style", "title", "textarea", "iframe", "xmp", "noframes"])
def test_text_elements_hold_no_elements(read: Reader, tag: str) -> None:
    tree = read(f"<div><{tag}>a <b>c</b></{tag}></div>")
    assert [tag for tag, _ in outline(tree)] == ["div", tag]
    assert tree.elements(tag).__iter__().__next__().text == "a <b>c</b>"


@both
def test_comments_declarations_and_instructions_are_no_text(read: Reader) -> None:
    tree = read("<!doctype html><p>a<!-- <b>no</b> -->b<?php echo 1 ?>c<!x>d</p><!-- never closed <i>no</i>")
    assert [tag for tag, _ in outline(tree)] == ["p"]
    assert tree.shown_text(100) == "abcd"


@both
def test_list_items_cells_options_and_paragraphs_end_where_the_next_begins(read: Reader) -> None:
    tree = read(
        "<ul><li>a<li>b<ul><li>c</ul></ul><table><tr><td>d<td>e<tr><td>f</table>"
        "<select><option>g<option>h</select><p>i<p>j<dl><dt>k<dd>l</dl>"
    )
    texts = {tag: [element.content for element in tree.elements(tag)] for tag in ("td", "option", "p", "dd")}
    assert texts == {
        "td": [b"d", b"e", b"f"],
        "option": [b"g", b"h"],
        "p": [b"i", b"j"],
        "dd": [b"l"],
    }
    assert [element.content for element in tree.elements("li")] == [b"a", b"bc", b"c"]


def test_end_tag_closes_nothing_greater_than_its_own_element() -> None:
    tree = flat("<div><b><section></b><i id=x></i></section></div></span><u id=y></u>")
    assert parents(tree, "i", "div", "b", "section") == ["section"]
    assert parents(tree, "u", "body", "div") == ["body"]


@both
def test_head_and_body_are_there_though_the_page_leaves_them_out(read: Reader) -> None:
    tree = read("<title>x</title><meta name=a><div>y</div>")
    assert parents(tree, "title", "head", "body") == ["head"]
    assert parents(tree, "div", "head", "body") == ["body"]


def test_attributes_of_a_late_html_or_body_tag_are_kept() -> None:
    tree = flat("<div></div><html lang=de class=a><body id=b class=x><body class=y data-z=1>")
    assert tree.get("lang") == "de"
    (body,) = tree.elements("body")
    assert body.items() == [("id", "b"), ("class", "x"), ("data-z", "1")]


def test_fallback_without_its_end_tag_inside_ends_where_the_fallback_does() -> None:
    tree = flat("<noscript><iframe src=//x.example/ns.html></noscript><p>text</p>")
    assert [tag for tag, _ in outline(tree)] == ["noscript", "iframe", "p"]
    assert tree.shown_text(100) == "text"


@pytest.mark.parametrize(
    "inside",
    [
        "<!-- never closed",
        "<plaintext>",
        '<img src="p>',
        "<table><tr><td><object>",
        "<b>" * 150,
        "<style>",
        "<noscript>",
        "</b ",
    ],
)
def test_whatever_is_open_in_a_fallback_ends_with_it(inside: str) -> None:
    """To a browser with scripts all of it is text, so nothing after it may be lost."""
    tree = flat(f'<noscript>{inside}</noscript><p>seen<script src="/a.js">x = "</noscript>"; y</script>')
    (script,) = tree.elements("script")
    assert (script.get("src"), script.text) == ("/a.js", 'x = "</noscript>"; y')
    assert tree.seen_text(100) == "seen"
    assert parents(tree, "p", "body", "noscript") == ["body"]


def test_drawings_are_read_by_their_own_rules() -> None:
    tree = flat(
        "<svg><title>Logo</svg><svg><style>a{}</svg><svg><text><![CDATA[a>b<img src=/no>]]></text></svg>"
        "<svg><foreignObject><textarea>t</textarea></foreignObject><image href=/a /></svg><image src=/b>"
        "<svg><div><script src=/c />'<img src=/no>'</script></div></svg>"
    )
    assert [element.items() for element in tree.elements("img")] == [[("src", "/b")]]
    assert [element.get("src") for element in tree.elements("script")] == ["/c"]
    assert [element.get("href") for element in tree.elements("image")] == ["/a"]


def test_no_name_of_an_attribute_is_lost_to_another() -> None:
    names = [*(f"attrib{n:02}" for n in range(100)), *(f"x{n}" for n in range(3_000))]
    tree = flat(f"<p {'=1 '.join(names)}=1>")
    assert [name for name, _ in next(iter(tree.elements("p"))).items()] == names
    assert tree.flags == set()


def test_selector_for_lxml_flags_what_lxml_cannot_read() -> None:
    tree = flat("<p " + " ".join(f"a{n}" for n in range(1_500)) + "><i class=x></i>")
    assert (len(list(tree.select(".x"))), tree.flags) == (1, set())
    assert (len(list(tree.select(".x:not(.y)"))), tree.flags) == (0, {"tree_cut"})


@both
def test_text_of_scripts_and_fallbacks_is_not_shown(read: Reader) -> None:
    tree = read(
        "<title>T</title><style>s</style><noscript>n <p>deep</p></noscript><template>t</template>"
        "<p>One <b>two</b>\u00a0three</p><script>x</script>four"
    )
    assert tree.shown_text(100) == "T deep One two three four"
    assert tree.seen_text(100) == "One two three four"
    assert (tree.seen_text(7), tree.shown_text(0)) == ("One two", "")
    assert tree.count_inside("p", "noscript", "template") == 1


@both
@pytest.mark.parametrize(
    ("selector", "ids"),
    [
        ("b", "1 2 3"),
        (".x", "1 3"),
        ("b.x[data-y]", "3"),
        ("[class~=z]", "3"),
        ("[class|=x]", "1 4"),
        ("[class^=x]", "1 3 4"),
        ("[class$='-w']", "4"),
        ("[class*='Z' i]", "3"),
        ("[class*='']", ""),
        ("[class='']", "2"),
        ("#2, #4", "2 4"),
        ("div b", "1 2 3"),
        ("div > b", "1"),
        ("div > p > b", "2 3"),
        ("div p b.x", "3"),
        ("section b", ""),
        ("b + b", "3"),
        ("b ~ p > b", "2 3"),
        ("p ~ b", ""),
        ("b ~ p b + b.x", "3"),
        ("div ~ i", "4"),
        ("div + i.x-w", "4"),
        ("b ~ b", "3"),
        ("p + i", ""),
        ("b:not(.x)", "2"),
        ("div p > b", "2 3"),
        ("div > p b[data-y]", "3"),
        ("body > p > b", ""),
        ("html > body b.x", "1 3"),
    ],
)
def test_selectors_find_what_css_says(read: Reader, selector: str, ids: str) -> None:
    tree = read(
        '<div><b id=1 class=x></b><p><b id=2 class></b><b id=3 class="x z" data-y></b></p></div>'
        "<i id=4 class=x-w></i>"
    )
    selector = selector.replace("#2", "[id='2']").replace("#4", "[id='4']")
    assert sorted(str(element.get("id")) for element in tree.select(selector)) == ids.split()


@both
def test_attributes_that_may_hold_a_url(read: Reader) -> None:
    (image,) = read(
        "<img alt=x src=/a.png data-lazy-src=/b data-original=/c data-x=//d.example/e style='background:url(//f)'>"
    ).elements("img")
    assert list(image.references()) == ["/a.png", "/b", "/c"]


@both
def test_names_of_other_makers_for_the_url_of_a_script_or_an_object(read: Reader) -> None:
    tree = read(
        "<script data-x=//d.example/a :src=b src='' alt=/c></script><script :src='//e.example/a'></script>"
        "<object data=/a.pdf></object><p data=/b.pdf data-x=//f.example>"
    )
    found = {element.tag: list(element.references()) for element in tree.elements("object", "p")}
    assert found == {"object": ["/a.pdf"], "p": []}
    scripts = [list(script.references()) for script in tree.elements("script")]
    assert scripts == [["//d.example/a"], ["//e.example/a"]]


@both
def test_links_that_leave_a_host(read: Reader) -> None:
    away = [
        "//a.example",
        "HTTP://www.acme.example:8/x",
        "https://acme.example?x",
        "\n https://www.acme.example.net/",
        "https://me@www.acme.example/",
    ]
    own = [
        "/x",
        "x//y.example",
        "",
        "https:/a.example",
        "httpx://a.example",
        "mailto:a@b.example",
        "//www.acme.example",
        " https://WWW.acme.example/x",
        "http://www.acme.example?x",
        "https://www.acme.example#x",
        "https://www.acme.example\\\\x",
    ]
    page = "".join(f'<a href="{url}"></a>' for pair in zip(own, away + own, strict=False) for url in pair)
    found = read(page + "<a name=//b.example></a><link href='//b.example'>").leaving(
        "a", "href", "www.acme.example"
    )
    assert list(found) == away


@both
def test_values_with_a_text_are_found_in_attributes_only(read: Reader) -> None:
    tree = read("<p data-gtm='GTM-AB12'>GTM-CD34<a href='?id=GTM-EF56'></a><!-- <p x='GTM-GH78'> -->")
    assert list(tree.values_with("GTM-")) == [("p", "GTM-AB12"), ("a", "?id=GTM-EF56")]
    assert [value for value, _ in tree.having("a", "href")] == ["?id=GTM-EF56"]


# --- pages nobody wrote by hand ------------------------------------------------------------------

names = st.sampled_from(["div", "p", "span", "ul", "li", "section", "b", "em", "table", "h2", "form"])
texts = st.text("ab &<>\"'=/\u00e9\u00a0\n", max_size=12)


def escaped(text: str) -> str:
    for char, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, written)
    return text


@st.composite
def documents(draw: st.DrawFn, depth: int = 4) -> str:
    """Markup that no reader has to mend: only elements that may hold each other."""
    pieces = []
    for _ in range(draw(st.integers(0, 4))):
        if depth and draw(st.booleans()):
            tag = draw(st.sampled_from(["div", "section", "span", "em", "article"]))
            attributes = draw(st.dictionaries(st.sampled_from(["id", "class", "data-a", "href"]), texts))
            written = "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items())
            inside = (
                draw(documents(depth=depth - 1))
                if tag in ("div", "section", "article")
                else escaped(draw(texts))
            )
            pieces.append(f"<{tag}{written}>{inside}</{tag}>")
        else:
            pieces.append(escaped(draw(texts)))
    return "".join(pieces)


@given(documents())
def test_whole_page_is_read_the_same_by_both(markup: str) -> None:
    html = f"<!doctype html><html><head><title>x</title></head><body><div>{markup}</div></body></html>"
    ours, theirs = flat(html), by_lxml(html)
    assert list(outline(ours)) == list(outline(theirs))
    assert ours.shown_text(10_000) == theirs.shown_text(10_000)
    for selector in ("div > div", "section span", "[class]", "[data-a*=a]", "em[id]"):
        found, expected = ([element.content for element in tree.select(selector)] for tree in (ours, theirs))
        assert sorted(found) == sorted(expected)


PIECES = (
    *(
        "<div>",
        "</div>",
        "<p",
        "<li>",
        "<td>",
        "</table>",
        "<table>",
        "<a href=",
        "<b>",
        "</b>",
        "<svg/>",
        "<html x>",
    ),
    *(
        "<script>",
        "</script",
        "<!--",
        "-->",
        "--!>",
        "<title>",
        "</title>",
        "<noscript>",
        "</noscript>",
        "<iframe",
    ),
    *(
        "<body a=b>",
        "<head>",
        "</head>",
        "<plaintext>",
        "<frameset>",
        "</p>",
        "<button>",
        "<option>",
        "<?x",
        "<!x",
    ),
    *(
        ">",
        "/",
        "=",
        "'",
        '"',
        " ",
        "\n",
        "&",
        "&amp;",
        "&#65;",
        "&#0",
        "&nGt;",
        "x",
        "\u00e9",
        "\u3000",
        "class",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_soup_is_read_to_its_end(soup: str) -> None:
    tree = native.Tree(soup.encode())
    elements = tree.elements("div", "p", "a", "script", "title", "b", "td")
    for element in elements:
        assert dict(element.items()).keys() == {name for name, _ in element.items()}
        assert isinstance(element.content, bytes)
        assert isinstance(element.lead, str)
        assert all(element.get(name) == value for name, value in element.items())
    shown = tree.shown_text(10_000)
    assert shown == " ".join(shown.split())


# --- without a compiler --------------------------------------------------------------------------

WITHOUT = """
import sys
sys.modules["fingerprints.native"] = None
from fingerprints import Detector
from fingerprints.observe import observe
from fingerprints.lxml_tree import LxmlTree
page = observe(open(sys.argv[1], "rb").read(), url="https://www.example.com/")
assert isinstance(page.tree, LxmlTree)
print([(d.slug, d.version, d.confidence) for d in Detector.default().detect([page])])
"""

SHOP = """<!doctype html><html lang=en><head><meta name=generator content="WordPress 6.4.2"><title>Shop</title>
<link rel=stylesheet href="/wp-content/plugins/woocommerce/assets/css/woocommerce.css?ver=8.5.1">
<script src="https://js.hs-scripts.com/123456.js"></script>
<script>window.dataLayer = window.dataLayer || []; j.src='https://www.googletagmanager.com/gtm.js?id=GTM-AB12CD';</script>
</head><body class="woocommerce"><div class="wp-block-group">Text</div></body></html>"""


def test_without_the_compiled_reader_the_same_is_found(tmp_path: Path) -> None:
    from fingerprints import Detector
    from fingerprints.observe import observe

    page = tmp_path / "page.html"
    page.write_text(SHOP)
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(page)], capture_output=True, text=True, check=True
    )
    found = Detector.default().detect([observe(SHOP, url="https://www.example.com/")])
    assert run.stdout.strip() == str([(d.slug, d.version, d.confidence) for d in found])
    assert {"wordpress", "woocommerce"} <= {d.slug for d in found}
