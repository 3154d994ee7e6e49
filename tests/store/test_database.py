from __future__ import annotations

import dataclasses

import pytest

from fingerprints.model import Outcome, Record
from store.database import Crawl, Store
from tests.store.records import NOW, detection, failed, site


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "t.db") as opened:
        yield opened


def begin(store: Store, **changes) -> Crawl:
    values = {
        "source": "prospects.csv",
        "settings_hash": "s1",
        "ruleset": "2026.11.1+3f9c2a7b",
        "tool_version": "0.1.0",
        "config": {"concurrency": 32},
        "started_at": NOW,
    }
    return store.begin_crawl(**values | changes)


FULL = dataclasses.replace(
    site(
        "acme.com",
        detection("shopify", excerpt="=HYPERLINK(1) \u202e\U0001f600"),
        detection("judge-me", version="3.1", scope="embed"),
        absent_in=("web_analytics",),
        unknown_in=("email_marketing",),
        attrs={"Company": "Acme, Inc.", "zip": "00123"},
    ),
    detail="cut at 2 MiB",
    outcome=Outcome.PARTIAL,
    id="row-17",
    redirected_to="https://www.acme.com/",
    containers_found=("gtm:GTM-AB12", "gtm:GTM-CD34"),
    containers_parsed=("gtm:GTM-AB12",),
    dns_ok=False,
    rendered=True,
    flags=("body_cut",),
)


@pytest.mark.parametrize(
    "record",
    [FULL, failed("dead.example"), Record("bare.example", Outcome.EMPTY)],
    ids=["everything set", "failed", "nothing set"],
)
def test_record_comes_back_exactly_as_it_was_saved(store, record):
    store.save(begin(store).id, [record])
    assert store.record(record.domain) == record
