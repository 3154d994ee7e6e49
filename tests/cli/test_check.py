"""`technograph check` and `technograph detect URL` on the demo web: one site, crawled now."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from cli.demo_sites import load_sites
from cli.demo_web import DemoWeb
from store.database import Store
from tests.cli.running import Ran, Runner
from tests.icp.world import DTC_REVIEWS

SAAS_CHAT = Path(DTC_REVIEWS).with_name("b2b-saas-chat.yaml")
PATIENT = ["--max-seconds", "60"]
"""For what does not test the limit: the machine may be busy."""


@pytest.fixture(scope="module")
def web() -> Iterator[list[str]]:
    """The options that point a crawl at the demo web."""
    with DemoWeb(load_sites()) as running:
        yield ["--allow-private", "--resolve-all-to", f"http=127.0.0.1:{running.port}"]


@pytest.fixture
def run(monkeypatch, capfd) -> Runner:
    return Runner(monkeypatch, capfd)


def answer(ran: Ran) -> dict:
    return json.loads(ran.out)


def test_lead_that_fits_goes_to_sales_and_is_kept(run, web, tmp_path):
    database = tmp_path / "leads.db"
    ran = run(
        "check", "copper-kettle.example", "--icp", DTC_REVIEWS, "--json", "--db", database, *PATIENT, *web
    )

    found = answer(ran)
    assert ran.code == 0
    assert (found["route"], found["tier"], found["score"], found["coverage"]) == ("sdr", "A", 100, 1.0)
    assert (found["outcome"], found["interval"], found["icp"]) == ("ok", [100.0, 100.0], "dtc-reviews v3")
    assert found["why"][:2] == ["T2 reviews absent: home, product, cart read", "T1 Shopify Plus 0.80"]
    assert "shopify-plus" in found["technologies"]
    assert 0 < found["seconds"] < 60
    with Store.open(database) as store:
        assert [record.domain for record in store.records()] == ["copper-kettle.example"]
        assert store.score("copper-kettle.example", "dtc-reviews").tier == "A"


def test_mail_address_on_standard_input_names_the_lead(run, web):
    stdin = b"\n Jane <jane@www.zephyr-prints.example>\n"
    ran = run("check", "-", "--icp", DTC_REVIEWS, *PATIENT, *web, stdin=stdin)

    assert ran.code == 0
    headline, reason = ran.out.splitlines()
    assert headline.startswith("zephyr-prints.example  route reject  tier X  score 0  coverage 0.")
    assert headline.endswith("  ICP dtc-reviews v3")
    assert reason.startswith("  D1 Squarespace Commerce 0.9")


def test_most_welcoming_profile_decides_where_a_lead_goes(run, web):
    url = "http://larch-audio.example/any/page?x=1"
    found = answer(run("check", url, "--icp", DTC_REVIEWS, "--icp", SAAS_CHAT, "--json", *PATIENT, *web))

    routes = {score["icp"]: score["route"] for score in found["scores"]}
    assert len(routes) == 2
    assert found["route"] == routes[found["icp"]]
    assert routes["dtc-reviews v3"] == "reject"


def test_site_that_never_answers_is_answered_for_in_time(run, web):
    began_s = monotonic()
    ran = run("check", "silent-server.example", "--icp", DTC_REVIEWS, "--json", "--max-seconds", "4", *web)

    assert monotonic() - began_s < 4
    found = answer(ran)
    assert ran.code == 4
    assert (found["route"], found["tier"], found["score"]) == ("review", "U", None)
    assert (found["outcome"], found["interval"]) == ("timeout", [0.0, 100.0])
    assert found["why"][0].startswith("the site could not be read: timeout (")


@pytest.mark.parametrize(
    ("lead", "message"),
    [
        ("jane@gmail.com", "'jane@gmail.com': an address at a free mail provider names no company"),
        ("acme", "'acme': not a domain name: it has no dot"),
        ("-", "standard input holds no domain"),
    ],
)
def test_lead_without_a_site_is_refused(run, lead, message):
    ran = run("check", lead, "--icp", DTC_REVIEWS)
    assert (ran.code, ran.out, ran.err) == (2, "", f"technograph: {message}\n")


def test_url_is_detected_now(web):
    """In a process of its own, as Scrapy runs once in each."""
    command = [sys.executable, "-m", "cli.main", "detect", "https://copper-kettle.example/", *web]
    ran = subprocess.run(command, capture_output=True, text=True)

    found = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert (found["domain"], found["outcome"]) == ("copper-kettle.example", "ok")
    assert "shopify-plus" in [technology["slug"] for technology in found["technologies"]]
    assert found["categories"]["reviews"]["state"] == "absent"
