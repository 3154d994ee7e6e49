from __future__ import annotations

import json

from tests.cli.running import Runner
from tests.icp.world import DTC_REVIEWS

PAGE = {
    "id": "acme",
    "url": "https://www.acme.com/",
    "status": 200,
    "headers": {"content-type": ["text/html"]},
    "html": """<!doctype html><html><head><title>Acme</title>
      <script src="https://cdn.shopify.com/s/files/1/0001/t/1/assets/theme.js"></script>
      <script>Shopify.shop = "acme.myshopify.com"; Shopify.theme = {"name": "Dawn"};</script>
      </head><body><h1>Fine things</h1><p>All our fine things are made to last.</p></body></html>""",
}


def test_detected_pages_can_be_piped_into_a_score(monkeypatch, capsys, tmp_path):
    run = Runner(monkeypatch, capsys)
    (tmp_path / "pages.jsonl").write_text(json.dumps(PAGE) + "\n")

    detected = run("detect", "--jsonl", tmp_path / "pages.jsonl")
    scored = run("score", DTC_REVIEWS, "-", "--lines", stdin=detected.out.encode())

    [row] = [json.loads(line) for line in scored.out.splitlines()]
    platform, reviews = row["lines"][:2]
    assert (row["domain"], row["tier"], row["score"]) == ("acme.com", "U", None)
    assert (platform["result"], platform["degree"]) == ("partly", 0.6)
    # Nobody has read a product page, so nobody may say that reviews are lacking.
    assert (reviews["result"], reviews["points_earned"]) == ("unknown", 0.0)
