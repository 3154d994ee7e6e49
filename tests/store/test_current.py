from __future__ import annotations

from dataclasses import replace

import pytest

from store.current import platform_of
from tests.store.records import detection, site

EMBEDDED = detection("shopify", scope="embed")
WEAK = detection("shopify", state="weak", confidence=0.5)
IMPLIED_SHOP = replace(detection("woocommerce", confidence=0.99), implied_by="other")


@pytest.mark.parametrize(
    ("technologies", "platform"),
    [
        (["wordpress", "woocommerce"], "woocommerce"),
        (["wordpress"], "wordpress"),
        (["wordpress", EMBEDDED], "wordpress"),
        (["wordpress", WEAK], "wordpress"),
        ([detection("shopify", confidence=0.8), IMPLIED_SHOP], "shopify"),
        (["klaviyo"], None),
        ([], None),
    ],
    ids=["shop over its cms", "cms", "embedded shop", "weak shop", "implied shop", "no platform", "nothing"],
)
def test_platform_is_what_the_site_is_built_on(technologies, platform):
    found = platform_of(site("acme.com", *technologies))
    assert (found.slug if found else None) == platform
