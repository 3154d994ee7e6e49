"""What is nobody's business stays out of records: cookie values, e-mail addresses, page text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fingerprints.detector import Detector
from fingerprints.model import EXCERPT_CHARS
from fingerprints.observe import observe
from tests.cli.running import Runner

SECRET = "5e9c1f7ab2d84c3e9d10"


@pytest.mark.parametrize("cookie", ["_shopify_y", "PHPSESSID", "hubspotutk"])
def test_value_of_a_cookie_is_not_kept(cookie: str) -> None:
    seen = observe("<p>", url="https://acme.com/", headers={"set-cookie": [f"{cookie}={SECRET}; Path=/"]})
    evidence = [item for found in Detector.default().detect([seen]) for item in found.evidence]
    assert [item.excerpt for item in evidence if item.channel == "cookie"]
    assert not [item for item in evidence if SECRET[:20] in str(item)]


@pytest.mark.parametrize(
    "address", ["jane.doe@example.com", "jane.doe%40example.com", "jane.doe%2540example.com"]
)
def test_email_address_in_a_url_is_redacted(address: str) -> None:
    page = f"<script src='https://js.hs-scripts.com/123.js?u={address}'></script>"
    found = Detector.default().detect([observe(page, url="https://acme.com/")])
    excerpts = str([item.excerpt for detection in found for item in detection.evidence])
    assert "[e-mail]" in excerpts
    assert "jane" not in excerpts


def test_saved_session_leaves_no_secret_in_what_detect_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    response = {
        "status": 200,
        "headers": [{"name": "Set-Cookie", "value": f"PHPSESSID={SECRET}"}],
        "cookies": [{"name": "_shopify_y", "value": SECRET}],
        "content": {"mimeType": "text/html", "text": f"<script src=//cdn.shopify.com/a.js></script>{SECRET}"},
    }
    entry = {"request": {"url": "https://acme.com/"}, "response": response}
    har = tmp_path / "session.har"
    har.write_text(json.dumps({"log": {"entries": [entry]}}))
    ran = Runner(monkeypatch, capsys)("detect", "--har", har, "--format", "jsonl")
    assert "shopify" in ran.out
    assert SECRET not in ran.out + ran.err


def test_excerpt_is_too_short_to_carry_a_page() -> None:
    words = "Our customers love us. " * 40
    page = f"<script>{words} window.Shopify = {{}}; Shopify.shop = 'a.myshopify.com'; {words}</script>"
    for found in Detector.default().detect([observe(page, url="https://acme.com/")]):
        assert all(len(item.excerpt) <= EXCERPT_CHARS for item in found.evidence)
