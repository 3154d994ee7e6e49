"""Files the user was given: lists, tables, pages, records and profiles, in whatever state they arrive."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cli.pages import GivenPage, from_har, from_json_line, observe_given, parse_json
from crawler.domains import parse_site
from crawler.targets import TargetReport, read_suppressions, read_targets
from fingerprints.model import InputError
from fingerprints.model.wire import from_json
from fingerprints.records import make_record
from icp.facts import load_facts
from icp.profile import load_profile
from tests.security.draw import Draw
from tests.security.fuzzing import assert_survives_the_wire, dumped, ours, target, words, written

PAGE_KEYS = words(
    """id url status headers cookies html html_base64 requests globals dns robots tls_issuer attrs set-cookie MX
    Shopify https://acme.com/ <script>"""
)
HAR_KEYS = words(
    """log entries request response content text mimeType text/html status headers name value cookies encoding
    base64 url https://acme.com/"""
)


@target
def domain_list(draw: Draw, folder: Path) -> None:
    """Every line of any file is a target, a duplicate or rejected."""
    parts = (
        "domain",
        "website",
        ",",
        ";",
        "\t",
        "\n",
        '"',
        "sep=;",
        "acme.com",
        "#",
        "=cmd()",
        "{",
        "[",
        "\0",
    )
    suffix = draw.pick((".txt", ".csv", ".jsonl", ""))
    content = draw.text(parts, 40).encode("utf-8", "surrogateescape") if draw.flag() else draw.rest()
    path = str(written(folder, f"list{suffix}", content))
    with TargetReport(rejected_path=folder / "rejected.csv") as report:
        with suppress(InputError):
            found = [item.domain for item in read_targets(path, report=report)]
            assert len(set(found)) == len(found)
        assert report.lines >= report.targets + report.duplicates + report.rejected
    with suppress(InputError):
        read_suppressions(path)


@target
def facts(draw: Draw, folder: Path) -> None:
    """Any CSV of company facts is a table or says why not."""
    parts = ("domain", "Annual Revenue", ",", ";", "\t", "\r", "\n", '"', "acme.com", "\0", "=1+1")
    content = draw.text(parts, 40).encode("utf-8", "surrogateescape") if draw.flag() else draw.rest()
    load_facts([written(folder, "crm.csv", content)], lambda text: parse_site(text).domain, {})


@target
def json_page(draw: Draw, folder: Path) -> None:
    """A JSON line of any shape is a page, or PageFormatError."""
    line = dumped(draw.json(PAGE_KEYS)) if draw.flag() else draw.rest()
    assert_detected(from_json_line(line, 1))


def assert_detected(given: GivenPage) -> None:
    seen, described, detail = observe_given(given)
    record = make_record(
        ours(),
        domain=given.domain,
        id=given.id,
        outcome=described.outcome,
        detail=detail,
        observations=[seen],
        pages=[described],
        attrs=given.attrs,
    )
    assert_survives_the_wire(record)


@target
def har(draw: Draw, folder: Path) -> None:
    """A HAR file of any shape is a page, or PageFormatError."""
    value = draw.json(HAR_KEYS)
    if draw.flag():
        value = {"log": {"entries": [value, {"request": value, "response": draw.json(HAR_KEYS)}]}}
    assert_detected(from_har(written(folder, "a.har", dumped(value) if draw.flag() else draw.rest())))


@target
def record_line(draw: Draw, folder: Path) -> None:
    """A JSON object of any shape is a record or RecordFormatError; what is read can be written again."""
    parts = ("schema_version", "domain", "acme.com", "outcome", "ok", "scan", "pages", "technologies", "slug",
             "category", "state", "present", "confidence", "evidence", "categories", "reviews", "reason",
             "surfaces_clear", "scanned_at", "2026-11-22", "attrs", "signal", "channel", "strength")  # fmt: skip
    value = draw.json(parts)
    if isinstance(value, dict):
        value = {"domain": "acme.com", "outcome": "ok"} | value
    with suppress(ValueError):
        assert_survives_the_wire(from_json(parse_json(dumped(value))))


@target
def profile(draw: Draw, folder: Path) -> None:
    """A YAML file of any shape is a profile, or ProfileError with its mistakes."""
    parts = ("icp: x\n", "version: 1\n", "criteria:\n", "  - id: a\n", "    points: ", "    tech_any: ", "[", "]",
             "{", "}", "&a ", "*a", "!!python/object/apply:os.system ", "<<: ", "|\n", "- ", "    not: ", "1e9",
             "    lacks_category: reviews\n", "    layer: technographic\n", "    why: x\n", "\t", "? ")  # fmt: skip
    content = draw.text(parts, 40).encode("utf-8", "surrogateescape") if draw.flag() else draw.rest()
    load_profile(written(folder, "icp.yaml", content), ours().taxonomy)
