from __future__ import annotations

import pytest

from crawler.pages import WANTED, confirmed_kind, next_pages, page_kind
from fingerprints.model import Observation, PageKind
from fingerprints.observe import observe

CART = '<a href="/cart">Cart</a>'


def start(html, url="https://acme.com/"):
    return observe(f"<html><body>{html}</body></html>", url=url)


def link(href, text="x"):
    return start(f'<a href="{href}">{text}</a>')


@pytest.mark.parametrize(
    ("href", "kind"),
    [
        ("/products/blue-mug", "product"),
        ("/collections/all/products/blue-mug?variant=1", "product"),
        ("/product/blue-mug/", "product"),
        ("/de/produkt/blauer-becher/", "product"),
        ("/dp/B00X12345", "product"),
        ("/blue-mug/p", "product"),
        ("/p/blue-mug-1234", "product"),
        ("/mugs/blue-mug-p-123.html", "product"),
        ("/cart", "cart"),
        ("/ca\nrt", "cart"),
        ("/checkout/cart/", "cart"),
        ("/basket.aspx", "cart"),
        ("/warenkorb", "cart"),
        ("/panier", "cart"),
        ("/carrito/", "cart"),
        ("/pricing", "pricing"),
        ("/en-gb/plans-and-pricing", "pricing"),
        ("/preise.html", "pricing"),
        ("/tarifs", "pricing"),
        ("/precos", "pricing"),
        ("/contact-us/", "contact"),
        ("/pages/contact", "contact"),
        ("/kontakt.php", "contact"),
        ("/contatti", "contact"),
        ("/company/careers", "careers"),
        ("/ueber-uns/karriere", "careers"),
        ("/nous-rejoindre", "careers"),
        ("https://jobs.acme.com/careers", "careers"),
    ],
)
def test_address_tells_the_kind_of_page(href, kind):
    assert [found.value for found, _ in next_pages(link(href))] == [kind]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Pricing", "pricing"),
        ("Our Pricing", "pricing"),
        ("Preços", "pricing"),
        ("Jobs &amp; Karriere", "careers"),
        ("Jobs und Karriere", "careers"),
        ("Lavora con noi", "careers"),
        ("View cart", "cart"),
        ("Kontakt", "contact"),
    ],
)
def test_label_tells_the_kind_where_the_address_does_not(label, kind):
    assert [found.value for found, _ in next_pages(link("/x-17", label))] == [kind]


@pytest.mark.parametrize(
    "href",
    [
        "https://other.com/products/mug",
        "https://acme.com.evil.net/cart",
        "/cart/add?id=1",
        "/cart/change",
        "/?add-to-cart=17",
        "/product/mug/?add-to-cart=17",
        "/logout",
        "/account/contact",
        "/login/cart",
        "/search/products/mug",
        "/checkout/contact",
        "/products/mug.pdf",
        "/products/mug.jpg",
        "mailto:contact@acme.com",
        "tel:+1555",
        "javascript:cart()",
        "https://user@acme.com/cart",
        "/products/all",
        "/products/category/mugs",
        "/products/gift-card",
        "/products/" + "a" * 250,
        "/products/mug?a=1&amp;b=2&amp;c=3",
        "/a/b/c/d/e/products/mug",
        "/2024/05/products/mug",
        "/blog/products/mug",
        "/products",
        "https://acme.com/",
        "http://[/cart",
        "/my-cart-story",
        "/mug-made-of-clay.html",
    ],
)
def test_link_that_must_or_need_not_be_followed(href):
    assert next_pages(link(href)) == []


def test_most_useful_pages_come_first_and_the_limit_holds():
    page = start(
        '<a href="/contact">Contact</a><a href="/careers">Jobs</a><a href="/cart">Cart</a>'
        '<a href="/products/mug">Mug</a><a href="/products/cup">Cup</a>'
    )
    assert next_pages(page, limit=3) == [
        (PageKind.PRODUCT, "https://acme.com/products/mug"),
        (PageKind.CART, "https://acme.com/cart"),
        (PageKind.CAREERS, "https://acme.com/careers"),
    ]
    assert next_pages(page, wanted=[PageKind.CONTACT]) == [(PageKind.CONTACT, "https://acme.com/contact")]


def test_address_beats_label_and_own_host_beats_a_sub_domain():
    page = start(
        '<a href="/help">Contact</a><a href="https://support.acme.com/contact">Contact</a>'
        '<a href="/contact">x</a>'
        '<a href="https://support.acme.com/products/4312">x</a><a href="/products/mug">x</a>'
    )
    assert next_pages(page) == [
        (PageKind.PRODUCT, "https://acme.com/products/mug"),
        (PageKind.CONTACT, "https://support.acme.com/contact"),
    ]


def test_magento_product_is_guessed_only_in_a_shop():
    product = '<a href="/mugs/blue-enamel-mug.html">Mug</a>'
    assert next_pages(start(product)) == []
    assert next_pages(start(product + '<a href="/checkout/cart/">Cart</a>')) == [
        (PageKind.PRODUCT, "https://acme.com/mugs/blue-enamel-mug.html"),
        (PageKind.CART, "https://acme.com/checkout/cart/"),
    ]


def test_link_in_a_product_card_is_a_product_in_a_shop():
    page = start(
        f'{CART}<a href="/about">About</a><li class="product-card"><a href="/blue-mug/">Blue mug</a></li>'
    )
    assert next_pages(page, wanted=[PageKind.PRODUCT]) == [(PageKind.PRODUCT, "https://acme.com/blue-mug/")]


def test_fragment_is_left_out_and_the_start_page_is_not_chosen_again():
    page = start('<a href="/pricing#top">Pricing</a><a href="/shop">Cart</a>', url="https://acme.com/shop")
    assert next_pages(page) == [(PageKind.PRICING, "https://acme.com/pricing")]


def test_site_on_shared_hosting_stays_on_its_own_name():
    page = start('<a href="https://bar.myshopify.com/cart">Cart</a>', url="https://foo.myshopify.com/")
    assert next_pages(page) == []


def json_ld(*types):
    items = ", ".join(f'{{"@type": "{name}"}}' for name in types)
    return f'<script type="application/ld+json">[{items}]</script>'


@pytest.mark.parametrize(
    ("url", "html", "kind"),
    [
        ("https://acme.com", "", "home"),
        ("https://acme.com/de/", "", "home"),
        ("https://acme.com/index.html", "", "home"),
        ("https://acme.com/products/mug", "", "product"),
        ("https://acme.com/cart", "", "cart"),
        ("https://acme.com/about", "", "other"),
        ("https://acme.com/blue-mug/", json_ld("Product", "BreadcrumbList"), "product"),
        ("https://acme.com/mugs/", json_ld("ItemList", "Product"), "other"),
        ("https://acme.com/blue-mug/", '<meta property="og:type" content="product">', "product"),
        ("https://acme.com/blue-mug.html", '<button id="product-addtocart-button">Buy</button>', "product"),
        ("https://acme.com/mug-made-of-clay.html", "<p>An article</p>", "other"),
    ],
)  # fmt: skip
def test_fetched_page_is_what_it_says_it_is(url, html, kind):
    assert page_kind(start(html, url=url)).value == kind


def test_every_kind_that_is_worth_a_request_is_in_the_order():
    assert set(WANTED) == set(PageKind) - {PageKind.HOME, PageKind.OTHER}


@pytest.mark.parametrize(
    ("wanted", "url", "types", "kind"),
    [
        (PageKind.PRODUCT, "https://acme.com/products/kettle", (), PageKind.PRODUCT),
        (PageKind.PRODUCT, "https://acme.com/kettle", ("Product",), PageKind.PRODUCT),
        (PageKind.PRODUCT, "https://acme.com/stories/our-kettle", ("Article",), PageKind.OTHER),
        (PageKind.PRODUCT, "https://acme.com/", (), PageKind.HOME),
        (PageKind.CONTACT, "https://acme.com/say-hello", (), PageKind.CONTACT),
    ],
)
def test_guessed_product_must_say_that_it_is_one(wanted, url, types, kind):
    assert confirmed_kind(wanted, Observation(url=url, json_ld_types=types)) is kind
