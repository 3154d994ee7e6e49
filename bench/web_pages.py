"""Pages of a bench web: made up from a seed, or real ones of a corpus; 60 to 280 KB each before gzip."""

from __future__ import annotations

import random
from pathlib import Path
from urllib.parse import urlsplit

from bench.corpus import rows

SMALLEST, LARGEST = 60_000, 280_000
"""Bytes of a page; half of the real home pages we hold are within."""
MADE = 16
REAL = 120

_TOOLS = (
    "https://www.googletagmanager.com/gtag/js?id=G-BENCH12345",
    "https://connect.facebook.net/en_US/fbevents.js",
    "https://static.hotjar.com/c/hotjar-123456.js?sv=6",
    "https://js.hs-scripts.com/1234567.js",
    "https://static.klaviyo.com/onsite/js/klaviyo.js?company_id=AbC123",
    "https://widget.intercom.io/widget/abcd1234",
    "https://js.stripe.com/v3/",
    "https://cdn.segment.com/analytics.js/v1/abcdef/analytics.min.js",
    "https://snap.licdn.com/li.lms-analytics/insight.min.js",
    "https://bat.bing.com/bat.js",
    "https://cdn.cookielaw.org/scripttemplates/otSDKStub.js",
    "https://static.zdassets.com/ekr/snippet.js?key=abc",
    "https://code.jquery.com/jquery-3.7.1.min.js",
    "https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/js/bootstrap.bundle.min.js",
    "https://www.google.com/recaptcha/api.js",
    "https://analytics.tiktok.com/i18n/pixel/events.js?sdkid=ABC",
)
_PLATFORMS = (
    (
        '<script src="https://cdn.shopify.com/s/files/1/0001/0002/t/3/assets/theme.js"></script>'
        '<script>window.Shopify = {shop: "bench.myshopify.com", theme: {name: "Dawn", id: 1}};</script>'
    ),
    (
        '<meta name="generator" content="WordPress 6.6.2">'
        '<link rel="stylesheet" href="/wp-content/themes/astra/style.css?ver=4.8">'
        '<script src="/wp-includes/js/jquery/jquery.min.js?ver=3.7.1"></script>'
    ),
    (
        '<script id="__NEXT_DATA__" type="application/json">{"buildId": "bench", "page": "/"}</script>'
        '<script src="/_next/static/chunks/main-0123456789abcdef.js"></script>'
    ),
    '<meta name="generator" content="Webflow"><html data-wf-site="bench">',
)
_NAVIGATION = ("/pricing", "/careers", "/contact", "/about", "/blog", "/support")
_SHOP_LINKS = ("/products/anvil", "/collections/all", "/cart")


def made_pages(seed: int = 7) -> list[bytes]:
    """Home pages of shops, blogs and software makers, with the tools and the clutter that real ones have."""
    return [_page(random.Random(seed + number), number) for number in range(MADE)]


def real_pages(corpus: Path) -> list[bytes]:
    """Pages of a corpus folder that are of the right size, their links to themselves made relative."""
    found = []
    for row in rows(corpus, "pages"):
        page = (row.get("html") or "").encode()
        if SMALLEST <= len(page) <= LARGEST:
            place = urlsplit(row["url"])
            found.append(page.replace(f"{place.scheme}://{place.netloc}/".encode(), b"/"))
    step = max(1, len(found) // REAL)
    return found[::step][:REAL]


def _page(dice: random.Random, number: int) -> bytes:
    words = ["".join(dice.choices("aeioubcdfghlmnprst", k=dice.randint(2, 10))) for _ in range(400)]
    platform = _PLATFORMS[number % len(_PLATFORMS)]
    links = _NAVIGATION + (_SHOP_LINKS if number % len(_PLATFORMS) == 0 else ())
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_text(dice, words, 6)}</title>',
        '<meta name="viewport" content="width=device-width"><link rel="preconnect" href="https://fonts.gstatic.com">',
        platform,
        *(f'<script async src="{source}"></script>' for source in dice.sample(_TOOLS, 6)),
        *(_script(dice, words) for _ in range(12)),
        "</head><body><nav>",
        *(f'<a class="nav-link" href="{link}">{_text(dice, words, 2)}</a>' for link in links),
        "</nav><main>",
    ]
    size = sum(map(len, parts))
    wanted = SMALLEST + (LARGEST - SMALLEST) * number // MADE
    while size < wanted:
        parts.append(_card(dice, words) if dice.random() < 0.9 else _script(dice, words))
        size += len(parts[-1])
    return "".join([*parts, "</main></body></html>"]).encode()


def _text(dice: random.Random, words: list[str], count: int) -> str:
    return " ".join(dice.choices(words, k=count)).capitalize()


def _card(dice: random.Random, words: list[str]) -> str:
    place = "-".join(dice.choices(words, k=3))
    return (
        f'<div class="card card--{dice.choice(words)} col-md-4" data-id="{dice.getrandbits(24)}">'
        f'<a class="card__link" href="/stories/{place}"><img loading="lazy" class="card__image" srcset="'
        + ", ".join(f"/media/{place}.webp?width={width} {width}w" for width in (320, 640, 960, 1280))
        + f'" src="/media/{place}.webp" alt="{_text(dice, words, 4)}"></a>'
        f'<h3 class="card__title">{_text(dice, words, 5)}</h3><p>{_text(dice, words, 15)}.</p></div>\n'
    )


def _script(dice: random.Random, words: list[str]) -> str:
    fields = ", ".join(f'"{word}": "{dice.choice(words)}"' for word in dice.choices(words, k=40))
    return f"<script>(function(w,d){{w.{dice.choice(words)} = {{{fields}}};}})(window,document);</script>\n"
