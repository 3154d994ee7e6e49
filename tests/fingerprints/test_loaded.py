"""Which hosts of a page are kept: third parties it loads from, whatever else it names."""

from __future__ import annotations

from fingerprints.loaded import MAX_HOSTS, loaded_hosts
from fingerprints.model import LoadedHost, PageKind, ResourceKind
from fingerprints.observe import observe

SHOP = "https://shop.acme.com/"


def test_host_keeps_how_and_on_which_pages_it_is_loaded():
    home = observe('<script src="https://cdn.widget.example/w.js"></script>', url=SHOP)
    product = observe(
        '<iframe src="https://cdn.widget.example/f"></iframe><img src="//pixel.example/1.gif">',
        url=f"{SHOP}p/1",
        kind=PageKind.PRODUCT,
    )
    assert loaded_hosts([home, product]) == (
        LoadedHost(
            "cdn.widget.example",
            (ResourceKind.IFRAME, ResourceKind.SCRIPT),
            (PageKind.HOME, PageKind.PRODUCT),
        ),
        LoadedHost("pixel.example", (ResourceKind.IMG,), (PageKind.PRODUCT,)),
    )


def test_links_hints_policies_and_the_site_itself_are_no_third_parties_it_loads_from():
    page = observe(
        '<a href="https://friend.example/">a friend</a><link rel="preconnect" href="https://hint.example">'
        '<script src="https://static.acme.com/own.js"></script><script src="/own.js"></script>',
        url=SHOP,
        headers={"Content-Security-Policy": "script-src https://allowed.example"},
    )
    assert loaded_hosts([page]) == ()


def test_what_is_no_host_name_is_not_kept():
    page = observe(
        '<script src="https://[::1]/a.js"></script><img src="https://a b\udce4.example/">', url=SHOP
    )
    assert loaded_hosts([page]) == ()


def test_page_with_thousands_of_pictures_keeps_its_scripts():
    pictures = "".join(f'<img src="https://i{number}.example/1.jpg">' for number in range(2_000))
    page = observe(f'{pictures}<script src="https://widget.example/w.js"></script>', url=SHOP)
    hosts = loaded_hosts([page])
    assert len(hosts) == MAX_HOSTS
    assert "widget.example" in [item.host for item in hosts]
