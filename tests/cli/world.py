"""A small database that the commands which read one are tried on; its sites were crawled just now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from fingerprints.detector import Detector
from tests.cli.running import Runner
from tests.store.records import detection, failed, filled, site, taxonomy

NOW = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
TODAY = NOW[:10]
LONG_AGO = "2026-01-01T00:00:00Z"

HOSTILE_INPUT = {"Company": '=HYPERLINK("http://evil.example")', "Note": "[red]\x1b[31m\u202e\nevil"}

SITES = [
    replace(
        site(
            "acme.com",
            detection("shopify", excerpt="cdn.shopify.com/s/files/\x1b[2Jacme"),
            detection("klaviyo", state="weak", confidence=0.5),
            absent_in=("reviews",),
            unknown_in=("email_marketing",),
            attrs=HOSTILE_INPUT,
            scanned_at=NOW,
        ),
        containers_found=("gtm:GTM-AB12",),
        containers_parsed=("gtm:GTM-AB12",),
    ),
    site("beta.com", "shopify", "judge-me", scanned_at=NOW),
    site("gamma.com", "shopify", unknown_in=("reviews",), scanned_at=NOW),
    site("old.com", "shopify", absent_in=("reviews",), scanned_at=LONG_AGO),
    site(
        "blog.com",
        detection("wordpress", version="=1+1"),
        absent_in=("ecommerce_platform", "reviews"),
        scanned_at=NOW,
    ),
    failed("dead.com", scanned_at=NOW),
]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Runner:
    """The command line in a folder with the sites above in `t.db`, which it reads by default."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TECHNOGRAPH_DB", "t.db")
    monkeypatch.setattr(Detector, "default", classmethod(lambda cls: SimpleNamespace(taxonomy=taxonomy())))
    filled(folder / "t.db", SITES).close()
    return Runner(monkeypatch, capsys)
