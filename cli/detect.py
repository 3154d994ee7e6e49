"""`technograph detect`: technologies in pages you already have, or in one URL."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

from cli.jsonl import read_lines
from cli.output import note
from cli.pages import GivenPage, PageFormatError, from_har, from_json_line, observe_given
from cli.rule_sets import load_rules, rule_set_options
from cli.web_options import allow_private_option, resolve_all_to_option
from fingerprints.detector import Detector
from fingerprints.model import InputError, Outcome, Record
from fingerprints.model.cells import printable
from fingerprints.model.times import timestamp_now
from fingerprints.model.wire import to_json
from fingerprints.records import make_record


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("url", required=False, default="")
@click.option(
    "--html",
    "html_path",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|-",
    help="A saved page; give its address with --url.",
)
@click.option("--url", "page_url", default="", metavar="URL", help="The saved page's own address.")
@click.option(
    "--har",
    "har_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A HAR file saved with content.",
)
@click.option(
    "--jsonl",
    "jsonl_path",
    metavar="FILE|-",
    help="One page a line: {id, url, status, headers, cookies, html}. `-` is stdin; may be .gz or .xz.",
)
@rule_set_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "jsonl"]),
    help="Default: table for one page on a terminal, else jsonl.",
)
@allow_private_option
@resolve_all_to_option
def detect(
    url: str,
    html_path: Path | None,
    page_url: str,
    har_path: Path | None,
    jsonl_path: str | None,
    rules: tuple[str, ...],
    rules_only: bool,
    format_: str | None,
    allow_private: bool,
    resolve_all_to: str,
) -> None:
    """Detect technologies in pages, one JSON object a line, in input order.

    Give one of URL, --html, --har and --jsonl. With URL the site is crawled now (this is the only form
    that uses the network). A line of --jsonl that cannot be read gives a line with outcome
    internal_error, so that output and input stay aligned.

    \b
    Example:
      technograph detect acme.com
      technograph detect --html saved.html --url https://www.acme.com/
      technograph detect --jsonl pages.jsonl | technograph score data/icp/dtc-reviews.yaml -
    """
    given = [option for option in (url, html_path, har_path, jsonl_path) if option]
    if len(given) != 1:
        raise click.UsageError("give one of: a URL, --html FILE, --har FILE, --jsonl FILE|-")
    detector = load_rules(rules, only=rules_only)
    now = timestamp_now()
    if jsonl_path:
        records: Iterator[Record] = _from_jsonl(jsonl_path, detector, now)
    elif url:
        from cli.crawling import crawl_one
        from crawler.crawl import CrawlSettings

        settings = CrawlSettings(allow_private=allow_private, resolve_all_to=resolve_all_to)
        records = iter([crawl_one(url, detector, settings)])
    else:
        records = iter([record_of(_one_page(html_path, page_url, har_path), detector, now)])
    as_table = (format_ or ("table" if sys.stdout.isatty() and not jsonl_path else "jsonl")) == "table"
    for record in records:
        _print(record, as_table)


def record_of(page: GivenPage, detector: Detector, now: str) -> Record:
    """The record of one given page, as if a crawl had read only that."""
    observation, described, detail = observe_given(page)
    return make_record(
        detector,
        domain=page.domain,
        id=page.id,
        url=page.url,
        outcome=described.outcome,
        detail=detail,
        observations=[observation],
        pages=[described],
        flags=described.flags,
        http_status=page.status,
        dns_ok=None if page.dns is None else True,
        attrs=page.attrs,
        scanned_at=now,
        tool_version=metadata.version("technograph"),
    )


def _one_page(html_path: Path | None, page_url: str, har_path: Path | None) -> GivenPage:
    if har_path:
        return from_har(_readable(har_path))
    assert html_path is not None
    if str(html_path) == "-":
        return GivenPage(sys.stdin.buffer.read(), url=page_url)
    return GivenPage(_readable(html_path).read_bytes(), url=page_url, id="" if page_url else str(html_path))


def _readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as exc:
        raise InputError(f"{path}: cannot read: {exc.strerror}") from exc
    return path


def _from_jsonl(path: str, detector: Detector, now: str) -> Iterator[Record]:
    broken = 0
    for number, line in read_lines(path):
        try:
            yield record_of(from_json_line(line, number), detector, now)
        except PageFormatError as exc:
            broken += 1
            note(f"technograph: {path}: {exc}")
            yield Record(
                domain="", id=exc.id or f"line {number}", outcome=Outcome.INTERNAL_ERROR, detail=str(exc)
            )
    if broken:
        note(f"{broken} lines could not be read; each is an internal_error line in the output")


def _print(record: Record, as_table: bool) -> None:
    if not as_table:
        sys.stdout.write(json.dumps(to_json(record), ensure_ascii=False) + "\n")
        return
    detail = f"  {record.detail}" if record.detail else ""
    click.echo(printable(f"{record.domain or record.url}  {record.outcome}{detail}"))
    for detection in record.detections:
        version = f" {detection.version}" if detection.version else ""
        why = f"implied by {detection.implied_by}" if detection.implied_by else detection.evidence[0].excerpt
        line = (
            f"  {detection.state:<8} {detection.confidence:.2f}  {detection.category:<20} "
            f"{detection.name}{version}  [{why[:70]}]"
        )
        click.echo(printable(line))
    absent = [a.category for a in record.assessments if a.state == "absent"]
    unknown = sum(a.state == "unknown" for a in record.assessments)
    click.echo(f"  absent: {', '.join(absent) or 'none can be told'}")
    click.echo(f"  unknown: {unknown} categories")
