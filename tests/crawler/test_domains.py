from __future__ import annotations

import pytest

from crawler.domains import NotADomain, parse_host, parse_site, registrable_domain


@pytest.mark.parametrize(
    ("text", "domain", "url"),
    [
        ("acme.com", "acme.com", "https://acme.com/"),
        ("  ACME.com.  ", "acme.com", "https://acme.com/"),
        ("http://acme.com", "acme.com", "https://acme.com/"),
        ("https://www.acme.com/about?x=1#top", "acme.com", "https://www.acme.com/"),
        ("Shop.Acme.co.uk/de", "acme.co.uk", "https://shop.acme.co.uk/"),
        ("//acme.com", "acme.com", "https://acme.com/"),
        ('"acme.com",', "acme.com", "https://acme.com/"),
        ("https://user:secret@acme.com/", "acme.com", "https://acme.com/"),
        ("acme.com:443", "acme.com", "https://acme.com/"),
        ("http://acme.com:80/", "acme.com", "https://acme.com/"),
        ("acme.com:8443", "acme.com", "https://acme.com:8443/"),
        ("http://acme.com:8080/x", "acme.com", "http://acme.com:8080/"),
        ("info@acme.com", "acme.com", "https://acme.com/"),
        ("mailto:info@acme.com", "acme.com", "https://acme.com/"),
        ("Jane Doe <jane@shop.acme.com>", "acme.com", "https://shop.acme.com/"),
        ("faß.de", "xn--fa-hia.de", "https://xn--fa-hia.de/"),
        ("BÜCHER.de", "xn--bcher-kva.de", "https://xn--bcher-kva.de/"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de", "https://xn--bcher-kva.de/"),
        ("例え。jp", "xn--r8jz45g.jp", "https://xn--r8jz45g.jp/"),
        ("my_shop.acme.com", "acme.com", "https://my_shop.acme.com/"),
    ],
)
def test_text_names_a_site(text, domain, url):
    site = parse_site(text)
    assert (site.domain, site.url) == (domain, url)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \ufeff", "empty"),
        ("Acme Inc", "not a domain name"),
        ("acme", "not a domain name: it has no dot"),
        ("acme..com", "not a domain name"),
        ("-acme.com", "not a domain name"),
        (f"{'a' * 64}.com", "not a domain name"),
        ("acme.com, other.com", "not a domain name"),
        ("https://", "not a domain name"),
        ("http://[", "not a domain name"),
        ("ftp://acme.com", "not a web address"),
        ("javascript:alert(1)", "not a web address"),
        ("acme.com:99999", "not a port number"),
        ("co.uk", "a public suffix, not a domain below it"),
        ("acme.notatld", "its ending is not a public suffix"),
        ("i❤.ws", "not a valid internationalised domain name"),
        ("jane@gmail.com", "an address at a free mail provider names no company"),
        ("jane@yahoo.co.uk", "an address at a free mail provider names no company"),
        ("127.0.0.1", "an IP address, not a domain"),
        ("http://10.0.0.1:8080/", "an IP address, not a domain"),
        ("127.1", "an IP address, not a domain"),
        ("0x7f000001", "an IP address, not a domain"),
        ("[::1]:8080", "an IP address, not a domain"),
        ("localhost:8000", "a private name, not a public domain"),
        ("printer.local", "a private name, not a public domain"),
    ],
)
def test_text_without_a_public_site_says_why(text, reason):
    with pytest.raises(NotADomain) as raised:
        parse_site(text)
    assert str(raised.value) == reason


def test_free_mail_provider_is_a_site_when_named_itself():
    assert parse_site("https://mail.yahoo.com").domain == "yahoo.com"


@pytest.mark.parametrize(
    ("text", "domain", "url"),
    [
        ("127.0.0.1:8000", "127.0.0.1", "https://127.0.0.1:8000/"),
        ("http://localhost:8000", "localhost", "http://localhost:8000/"),
        ("http://[::1]:8000/", "::1", "http://[::1]:8000/"),
        ("www.acme.test", "acme.test", "https://www.acme.test/"),
    ],
)
def test_private_names_are_sites_where_that_is_allowed(text, domain, url):
    site = parse_site(text, allow_private=True)
    assert (site.domain, site.url) == (domain, url)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("foo.myshopify.com", "foo.myshopify.com"),
        ("cdn.foo.myshopify.com", "foo.myshopify.com"),
        ("foo.github.io", "foo.github.io"),
        ("foo.wordpress.com", "foo.wordpress.com"),
        ("www.wordpress.com", "wordpress.com"),
        ("wordpress.com", "wordpress.com"),
        ("www.github.io", "github.io"),
        ("a.b.acme.com.br", "acme.com.br"),
        ("localhost", ""),
    ],
)
def test_sites_on_shared_hosting_are_their_own(host, domain):
    assert registrable_domain(host) == domain


def test_host_of_a_suppression_keeps_its_sub_domain():
    assert parse_host("https://Shop.Acme.com/x") == "shop.acme.com"
