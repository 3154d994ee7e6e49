"""Pages that are hard to read: odd characters, absurd markup, and text made to slow patterns down."""

from __future__ import annotations

from fingerprints.model import Outcome
from tests.hostile.web import PAGE, Reply, Request, case

BODY_END = b"</body></html>"


def page_with(markup: bytes) -> bytes:
    """The usual page with something more at its end."""
    return PAGE.removesuffix(BODY_END) + markup + BODY_END


# -- characters -------------------------------------------------------------------------------------------------


@case(Outcome.OK)
async def utf_16(_: Request, reply: Reply) -> None:
    """UTF-16 with a byte order mark, declared as UTF-8."""
    await reply.page(PAGE.decode().encode("utf-16"), content_type="text/html; charset=utf-8")


@case(Outcome.OK)
async def utf_16_without_a_mark(_: Request, reply: Reply) -> None:
    """UTF-16 without a byte order mark, declared as such."""
    await reply.page(PAGE.decode().encode("utf-16-le"), content_type="text/html; charset=utf-16le")


@case(Outcome.OK)
async def wrong_charset(_: Request, reply: Reply) -> None:
    """Windows-1252, declared as UTF-8."""
    await reply.page(
        page_with("<p>café über naïve</p>".encode("cp1252")), content_type="text/html; charset=utf-8"
    )


@case(Outcome.OK)
async def charset_nobody_knows(_: Request, reply: Reply) -> None:
    """A charset that does not exist."""
    await reply.page(content_type="text/html; charset=klingon-8")


@case(Outcome.OK)
async def charset_that_is_no_text(_: Request, reply: Reply) -> None:
    """A charset that Python knows and that turns no bytes into text."""
    await reply.page(content_type="text/html; charset=base64")


@case(Outcome.OK)
async def null_bytes(_: Request, reply: Reply) -> None:
    """NUL bytes inside words."""
    await reply.page(PAGE.replace(b"forged", b"for\0ged"))


@case(Outcome.OK)
async def null_bytes_only_after_the_page(_: Request, reply: Reply) -> None:
    """1 MB of NUL bytes after the page."""
    await reply.page(PAGE + bytes(2**20))


@case(Outcome.OK)
async def control_characters_and_surrogates(_: Request, reply: Reply) -> None:
    """Control characters, bidirectional marks, numeric references to surrogates and beyond Unicode."""
    odd = "".join(map(chr, range(1, 32))) + "\u202e\u2066\ufeff&#xD800;&#x110000;&#0;&#99999999999;"
    await reply.page(page_with(f"<title>{odd}</title><p>{odd}</p>".encode()))


# -- markup -----------------------------------------------------------------------------------------------------


@case(Outcome.PARTIAL, flags=("body_cut", "tree_cut"))
async def million_nested_tags(_: Request, reply: Reply) -> None:
    """10^6 tags inside each other, 5 MB."""
    await reply.page(page_with(b"<div>" * 10**6))


@case(Outcome.OK, flags=("tree_cut",))
async def nested_tags_within_the_limit(_: Request, reply: Reply) -> None:
    """300,000 tags inside each other, 0.9 MB."""
    await reply.page(page_with(b"<b>" * 300_000))


@case(Outcome.OK, flags=("tree_cut",))
async def hundred_thousand_attributes(_: Request, reply: Reply) -> None:
    """One tag with 10^5 attributes."""
    many = b" ".join(b"data-a%d=%d" % (n, n) for n in range(10**5))
    await reply.page(page_with(b"<div " + many + b">"))


@case(Outcome.OK, flags=("scripts_cut",))
async def two_megabytes_inline_script(_: Request, reply: Reply) -> None:
    """An inline script of 2 MB."""
    await reply.page(page_with(b"<script>" + b"var a=[1,2,3];f(a);" * 110_000 + b"</script>"))


@case(Outcome.OK, flags=("resources_cut",))
async def hundred_thousand_resources(_: Request, reply: Reply) -> None:
    """60,000 scripts, each from another host."""
    await reply.page(page_with(b"".join(b"<script src=//h%d.test/a></script>" % n for n in range(50_000))))


@case(Outcome.OK)
async def entities_in_entities(_: Request, reply: Reply) -> None:
    """An XML document type with entities that grow a billionfold."""
    entities = b"".join(
        b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) if n else b'<!ENTITY e0 "ha">' for n in range(10)
    )
    await reply.page(b"<!DOCTYPE html [" + entities + b"]>" + page_with(b"<p>&e9;</p>"))


@case(Outcome.OK)
async def json_in_json(_: Request, reply: Reply) -> None:
    """Structured data nested 100,000 deep, and numbers of 100,000 digits."""
    deep = b"[" * 100_000 + b"]" * 100_000
    await reply.page(
        page_with(
            b'<script type="application/ld+json">' + deep + b"</script>"
            b'<script type="application/ld+json">{"@type":' + b"9" * 100_000 + b"}</script>"
        )
    )


# -- patterns ---------------------------------------------------------------------------------------------------

PUMPS = {
    "tags_without_end": b"<input " * 200_000,
    "quotes_without_end": b"<a href='" * 150_000,
    "comments_without_end": b"<!--" * 300_000,
    "comments_at_the_start": b"<!---->" * 150_000,
    "spaces": b" \t\n" * 400_000,
    "slashes_in_a_script": b"<script>" + b"//" * 600_000 + b"</script>",
    "backslashes_in_a_script": b"<script>'" + b"\\/" * 600_000 + b"'</script>",
    "urls_in_a_script": b"<script>" + b"'https://" * 130_000 + b"</script>",
    "assignments_in_a_script": b"<script>" + b"a.b.c.d=" * 130_000 + b"</script>",
    "document_writes": b"<script>" + b"document.write('<script src=" * 40_000 + b"</script>",
    "meta_charsets": b"<meta charset=" * 80_000,
    "refreshes": b"<meta http-equiv=refresh content='0;url=" + b"'" * 500_000 + b">",
    "container_names": b"<script>" + b"GTM-" * 280_000 + b"</script>",
    "data_urls": b"<img src='data:image/png;base64," + b"A" * 1_100_000 + b"'>",
    "parentheses": b"<style>" + b"url(" * 280_000 + b"</style>",
    "source_sets": b"<img srcset='" + b"a 1x," * 230_000 + b"'>",
    "dots_in_a_host": b"<script src='//" + b"a." * 500_000 + b"'></script>",
    "percent_escapes": b"<a href='/" + b"%25" * 350_000 + b"'>x</a>",
}
"""What a pattern that backtracks would choke on, about 1 MB of each."""

for pump_name, pump in PUMPS.items():

    def _register(name: str, markup: bytes) -> None:
        async def slow_page(_: Request, reply: Reply) -> None:
            await reply.page(page_with(markup))

        slow_page.__name__ = f"pump_{name}"
        slow_page.__doc__ = f"{len(markup) / 2**20:.1f} MB of {name.replace('_', ' ')}."
        case(Outcome.OK)(slow_page)

    _register(pump_name, pump)
