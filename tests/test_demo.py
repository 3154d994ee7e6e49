"""The whole path on the demo web: every site must come to what its own file says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection

import pytest
from click.testing import CliRunner

from cli.demo import demo, targets_of
from cli.demo_sites import DemoSite, load_sites
from fingerprints.detector import Detector
from fingerprints.model import AssessmentState, DetectionState, Record
from store.database import Store

SITES = load_sites()


def differences(site: DemoSite, record: Record) -> list[str]:
    """What the record says otherwise than the site's file."""
    expect = site.expect
    found = [f"outcome {record.outcome} ({record.detail})"] if record.outcome is not expect.outcome else []
    if expect.detail and record.detail != expect.detail:
        found.append(f"detail {record.detail!r}")
    found += [f"flag {flag} is missing" for flag in expect.flags if flag not in record.flags]
    present = {d.slug for d in record.detections if d.state is DetectionState.PRESENT and d.evidence}
    found += [f"{slug} is not found" for slug in expect.present if slug not in present]
    found += [f"{slug} is found" for slug in sorted(present - set(expect.present))]
    found += [f"{slug} is found" for slug in expect.never if slug in present]
    stated = {**dict.fromkeys(expect.absent, (AssessmentState.ABSENT, None))}
    stated |= {slug: (AssessmentState.UNKNOWN, reason) for slug, reason in expect.unknown.items()}
    for slug, (state, reason) in stated.items():
        assessment = record.assessment(slug)
        if assessment is None or assessment.state is not state or reason not in (None, assessment.reason):
            found.append(f"{slug} is {assessment and f'{assessment.state} ({assessment.reason})'}")
    return found


def test_demo_crawls_finds_scores_and_explains(tmp_path):
    database = tmp_path / "demo.db"
    result = CliRunner().invoke(demo, ["--db", str(database)], catch_exceptions=False)
    assert result.exit_code == 0
    with Store.open(database) as store:
        records = {record.domain: record for record in store.records()}
    assert sorted(records) == [site.host for site in targets_of(SITES)]
    wrong = [f"{s.host}: {what}" for s in targets_of(SITES) for what in differences(s, records[s.host])]
    assert not wrong, "\n".join(wrong)
    assert "copper-kettle.example  ICP dtc-reviews v3 (hypothesis)  score 100  tier A" in result.stdout
    assert "reviews  unknown (container_unparsed)" in result.stdout
    assert "3 match; " in result.stderr
    assert "$ technograph find 'tech:shopify AND lacks:reviews' --format table --db" in result.stderr


def test_demo_sites_name_real_technologies_and_categories():
    taxonomy = Detector.default().taxonomy
    technologies = {slug for site in SITES for slug in (*site.expect.present, *site.expect.never)}
    categories = {slug for site in SITES for slug in (*site.expect.absent, *site.expect.unknown)}
    assert sorted(technologies - set(taxonomy.technologies)) == []
    assert sorted(categories - set(taxonomy.categories)) == []


def test_sites_can_be_served_alone():
    # Started in the background of a shell, the tests ignore SIGINT, and so would what they start.
    default_sigint = "import signal, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", f"{default_sigint}runpy.run_module('cli.main', run_name='__main__')"]
    command += ["demo", "--serve-only"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        hosts = [process.stdout.readline().strip() for _ in targets_of(SITES)]
        port = int(process.stderr.readline().split(":")[1].split()[0])
        connection = HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/", headers={"Host": "alder-moss.example"})
        body = connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert hosts == [site.host for site in targets_of(SITES)]
    assert b"Alder &amp; Moss" in body


def test_taken_port_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(demo, ["--port", str(port)])
    assert str(result.exception) == f"port {port} on 127.0.0.1 cannot be used: Address already in use"


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.host)
def test_every_site_says_what_must_come_of_it(site):
    assert not site.is_target or site.expect.outcome
    assert set(site.expect.present).isdisjoint(site.expect.never)
    assert set(site.expect.absent).isdisjoint(site.expect.unknown)
