"""Sites that are odd, unwilling, elsewhere or not a page: what they answer is proper HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from fingerprints.model import Outcome
from tests.hostile import certificates
from tests.hostile.web import PAGE, Reply, Request, case

# -- sites that are well --------------------------------------------------------------------------------


@case(Outcome.OK)
async def plain_only(_: Request, reply: Reply) -> None:
    """Speaks http only; its TLS handshake fails."""
    await reply.page()


@case(Outcome.OK, tls=certificates.good, plain=False)
async def tls_only(_: Request, reply: Reply) -> None:
    """Speaks https only; plain connections are reset."""
    await reply.page()


@case(Outcome.OK)
async def only_www(request: Request, reply: Reply) -> None:
    """Answers under `www.` and resets every connection to the bare domain."""
    if request.host.startswith("www."):
        await reply.page()
    else:
        reply.reset()


@case(Outcome.OK)
async def redirect_chain(request: Request, reply: Reply) -> None:
    """Six redirects, then the page."""
    step = int(request.path.strip("/") or 0)
    if step == 6:
        await reply.page()
    else:
        await reply.redirect(f"http://www.redirect-chain.test/{step + 1}", status="301 Moved Permanently")


@case(Outcome.OK)
async def needs_its_cookie(request: Request, reply: Reply) -> None:
    """Redirects to itself until its cookie comes back."""
    if "seen=1" in request.headers.get("cookie", ""):
        await reply.page()
    else:
        await reply.redirect("/", "Set-Cookie: seen=1; Path=/")


@case(Outcome.OK)
async def three_thousand_cookies(_: Request, reply: Reply) -> None:
    """Sets 3,000 cookies on one answer."""
    await reply.page(PAGE, *(f"Set-Cookie: c{n}={n}" for n in range(3000)))


@case(Outcome.OK)
async def early_hints(_: Request, reply: Reply) -> None:
    """Sends 103 Early Hints before the answer."""
    await reply.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
    await reply.page()


@case(Outcome.OK)
async def slow_down_once(request: Request, reply: Reply) -> None:
    """429 with `Retry-After` in seconds, then the page."""
    if request.number == 1:
        await reply.page(b"", "Retry-After: 1", status="429 Too Many Requests")
    else:
        await reply.page()


@case(Outcome.OK)
async def slow_down_until(request: Request, reply: Reply) -> None:
    """503 with `Retry-After` as an HTTP date, then the page."""
    if request.number == 1:
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        await reply.page(b"", f"Retry-After: {at}", status="503 Service Unavailable")
    else:
        await reply.page()


@case(Outcome.OK)
async def news_that_reloads_itself(_: Request, reply: Reply) -> None:
    """A meta refresh to its own address."""
    await reply.page(PAGE.replace(b"<title>", b"<meta http-equiv=refresh content='0;url=/'><title>"))


# -- certificates -----------------------------------------------------------------------------------------


@case(Outcome.OK, flags=("tls_expired",), tls=certificates.expired, plain=False)
async def certificate_expired(_: Request, reply: Reply) -> None:
    """Its certificate ended a month ago. The page is read, the problem noted."""
    await reply.page()


@case(Outcome.OK, flags=("tls_self_signed",), tls=certificates.self_signed, plain=False)
async def certificate_self_signed(_: Request, reply: Reply) -> None:
    """Its certificate is signed by itself. The page is read, the problem noted."""
    await reply.page()


@case(Outcome.OK, flags=("tls_wrong_host",), tls=certificates.for_another_host, plain=False)
async def certificate_for_another_host(_: Request, reply: Reply) -> None:
    """Its certificate names another site, and plain http is closed. The page is read as the last resort,
    and proves no absence: it may be the page of somebody else on the same server."""
    await reply.page()


@case(Outcome.OK, tls=certificates.for_another_host)
async def default_site_on_https(request: Request, reply: Reply) -> None:
    """On https the server shows another site, with that site's certificate; the site itself is on http."""
    if request.is_tls:
        await reply.page(b"<html><title>Somebody else</title><p>A page of another site.</html>")
    else:
        await reply.page()


@case(
    Outcome.OK,
    flags=("tls_expired", "tls_self_signed", "tls_wrong_host"),
    tls=certificates.wrong_in_every_way,
)
async def bad_certificate_it_redirects_to(request: Request, reply: Reply) -> None:
    """http redirects to https, whose certificate is expired, self-signed and another host's."""
    if request.is_tls:
        await reply.page()
    else:
        await reply.redirect("https://bad-certificate-it-redirects-to.test/")


# -- sites that say no ------------------------------------------------------------------------------------


@case(Outcome.BLOCKED, detail="403 Forbidden")
async def forbidden(_: Request, reply: Reply) -> None:
    """403."""
    await reply.page(b"<html><title>403</title></html>", status="403 Forbidden")


@case(Outcome.BLOCKED, detail="401 Unauthorized")
async def unauthorized(_: Request, reply: Reply) -> None:
    """401 with a request for a password."""
    await reply.page(b"", "WWW-Authenticate: Basic", status="401 Unauthorized")


@case(Outcome.BLOCKED, detail="429 Too Many Requests; still so after the 1 s it asked for")
async def always_too_many(_: Request, reply: Reply) -> None:
    """429 with `Retry-After: 1`, again and again. It is asked twice."""
    await reply.page(b"", "Retry-After: 1", status="429 Too Many Requests")


@case(Outcome.BLOCKED, detail="429 Too Many Requests; asked to come back in 3600 s")
async def too_many_for_an_hour(_: Request, reply: Reply) -> None:
    """429 with a `Retry-After` beyond the target's time. It is asked once."""
    await reply.page(b"", "Retry-After: 3600", status="429 Too Many Requests")


@case(Outcome.BLOCKED, detail="451 Unavailable For Legal Reasons")
async def legal_reasons(_: Request, reply: Reply) -> None:
    """451."""
    await reply.page(b"", status="451 Unavailable For Legal Reasons")


@case(Outcome.HTTP_ERROR, detail="503 Service Unavailable; asked to come back in 3600 s")
async def maintenance(_: Request, reply: Reply) -> None:
    """503 with a `Retry-After` of an hour."""
    await reply.page(b"<html>Back soon</html>", "Retry-After: 3600", status="503 Service Unavailable")


@case(Outcome.HTTP_ERROR, detail="500 Internal Server Error")
async def server_error(_: Request, reply: Reply) -> None:
    """500."""
    await reply.page(b"oops", status="500 Internal Server Error")


@case(Outcome.ROBOTS_DISALLOWED)
async def robots_forbids(request: Request, reply: Reply) -> None:
    """robots.txt forbids every page."""
    assert request.path == "/robots.txt", "a forbidden page was asked for"
    await reply.page(b"User-agent: *\nDisallow: /\n", content_type="text/plain")


@case(Outcome.OK)
async def robots_forbids_others(request: Request, reply: Reply) -> None:
    """robots.txt forbids every page to all but us."""
    if request.path == "/robots.txt":
        await reply.page(
            b"User-agent: *\nDisallow: /\n\nUser-agent: technograph\nAllow: /\n", content_type="text/plain"
        )
    else:
        await reply.page()


@case(Outcome.TIMEOUT)
async def robots_hangs(request: Request, reply: Reply) -> None:
    """robots.txt never answers. No page is asked for without it."""
    assert request.path == "/robots.txt", "a page was asked for without its robots.txt"
    await asyncio.sleep(60)


@case(Outcome.HTTP_ERROR, detail="robots.txt: 503 Service Unavailable")
async def robots_fails(request: Request, reply: Reply) -> None:
    """robots.txt answers 503. No page is asked for."""
    assert request.path == "/robots.txt", "a page was asked for although robots.txt failed"
    await reply.page(b"", status="503 Service Unavailable")


@case(Outcome.OK)
async def robots_is_huge(request: Request, reply: Reply) -> None:
    """robots.txt is 2 MB of comments."""
    if request.path == "/robots.txt":
        await reply.page(b"# nothing to see here\n" * 100_000, content_type="text/plain")
    else:
        await reply.page()


@case(Outcome.OK)
async def robots_is_a_list_of_traps(request: Request, reply: Reply) -> None:
    """robots.txt is 500 KB of rules full of wildcards."""
    if request.path == "/robots.txt":
        rules = b"User-agent: *\n" + b"Disallow: /*a*a*a*a*a*a*b$\n" * 18_000
        await reply.page(rules, content_type="text/plain")
    else:
        await reply.page()


@case(Outcome.OK)
async def robots_goes_round_in_circles(request: Request, reply: Reply) -> None:
    """robots.txt redirects to itself: as good as none."""
    if request.path == "/robots.txt":
        await reply.redirect("/robots.txt")
    else:
        await reply.page()


@case(Outcome.OK)
async def robots_asks_for_a_slow_crawl(request: Request, reply: Reply) -> None:
    """robots.txt asks for a second between pages."""
    if request.path == "/robots.txt":
        await reply.page(b"User-agent: *\nCrawl-delay: 1\n", content_type="text/plain")
    else:
        await reply.page(SHOP)


# -- sites that are no page -------------------------------------------------------------------------------


@case(Outcome.EMPTY, detail="204 No Content")
async def no_content(_: Request, reply: Reply) -> None:
    """204."""
    await reply.head("204 No Content")


@case(Outcome.EMPTY)
async def empty(_: Request, reply: Reply) -> None:
    """200 with an empty page."""
    await reply.page(b"")


@case(Outcome.PARTIAL, flags=("body_cut",))
async def part_of_a_page(_: Request, reply: Reply) -> None:
    """206 to a request for the whole page."""
    await reply.page(
        PAGE, f"Content-Range: bytes 0-{len(PAGE) - 1}/{3 * len(PAGE)}", status="206 Partial Content"
    )


@case(Outcome.HTTP_ERROR, detail="304 Not Modified that leads nowhere")
async def not_modified(_: Request, reply: Reply) -> None:
    """304 to a request without a condition."""
    await reply.head("304 Not Modified")


@case(Outcome.NOT_HTML)
async def image(_: Request, reply: Reply) -> None:
    """200 with 5 MB of an image."""
    await reply.page(b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), content_type="image/png")


@case(Outcome.NOT_HTML)
async def json_api(_: Request, reply: Reply) -> None:
    """200 with JSON."""
    await reply.page(b'{"status": "up"}', content_type="application/json")


# -- sites that lead away -----------------------------------------------------------------------------------


@case(Outcome.REDIRECTED_OFFSITE)
async def moved_away(_: Request, reply: Reply) -> None:
    """Redirects to another domain."""
    await reply.redirect("https://plain-only.test/welcome")


@case(Outcome.REDIRECTED_OFFSITE)
async def redirect_to_a_file(_: Request, reply: Reply) -> None:
    """Redirects to a file of the crawling machine."""
    await reply.redirect("file:///etc/passwd")


@case(Outcome.HTTP_ERROR, detail="more than 8 redirects")
async def redirect_loop(request: Request, reply: Reply) -> None:
    """Two redirects to each other."""
    await reply.redirect("/b" if request.path == "/a" else "/a")


@case(Outcome.HTTP_ERROR, detail="more than 8 redirects")
async def redirect_chain_without_end(request: Request, reply: Reply) -> None:
    """Every page redirects to a new one."""
    await reply.redirect(f"/{int(request.path.strip('/') or 0) + 1}")


@case(Outcome.HTTP_ERROR, detail="more than 8 redirects")
async def refresh_loop(request: Request, reply: Reply) -> None:
    """Two meta refreshes to each other."""
    onward = b"/b" if request.path == "/a" else b"/a"
    await reply.page(b"<html><meta http-equiv=refresh content='0;url=" + onward + b"'></html>")


# -- sites with more than one page --------------------------------------------------------------------------

SHOP = PAGE.replace(
    b"</body>",
    b"<a href='/products/anvil'>Anvil</a><a href='/cart'>Cart</a><a href='/pricing'>Pricing</a>"
    b"<a href='/contact'>Contact</a><script src='https://cdn.shopify.com/s/files/1/0001/t/1/theme.js'></script></body>",
)


@case(Outcome.OK)
async def shop(_: Request, reply: Reply) -> None:
    """A home page, a product, a cart and a price list."""
    await reply.page(SHOP)


@case(Outcome.PARTIAL, detail="product page: timeout")
async def shop_with_a_slow_product(request: Request, reply: Reply) -> None:
    """A shop whose product page never answers."""
    if request.path.startswith("/products"):
        await asyncio.sleep(60)
    await reply.page(SHOP)


@case(Outcome.PARTIAL, detail="product page: blocked")
async def shop_that_has_had_enough(request: Request, reply: Reply) -> None:
    """A shop that answers 429 for an hour from its second page on."""
    if request.path.startswith("/products"):
        await reply.page(b"", "Retry-After: 3600", status="429 Too Many Requests")
    await reply.page(SHOP)


@case(Outcome.OK)
async def robots_forbids_the_cart(request: Request, reply: Reply) -> None:
    """robots.txt forbids one of the pages we would read."""
    assert request.path != "/cart", "a forbidden page was asked for"
    if request.path == "/robots.txt":
        await reply.page(b"User-agent: *\nDisallow: /cart\n", content_type="text/plain")
    else:
        await reply.page(SHOP)


for notation, location in {
    "its_name": "http://localhost:22/",
    "ipv4": "http://127.0.0.1:22/",
    "ipv6": "http://[::1]:22/",
    "ipv4_in_ipv6": "http://[::ffff:127.0.0.1]:22/",
    "decimal": "http://2130706433/",
    "octal": "http://0177.0.0.1/",
    "hexadecimal": "http://0x7f.1/",
    "the_private_network": "http://192.168.0.1/",
    "link_local": "http://[fe80::1]/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
}.items():

    def _register(notation: str, location: str) -> None:
        async def redirect(_: Request, reply: Reply) -> None:
            await reply.redirect(location)

        redirect.__name__ = f"redirect_to_{notation}"
        redirect.__doc__ = f"Redirects to `{location}`."
        case(Outcome.REDIRECTED_OFFSITE)(redirect)

    _register(notation, location)
