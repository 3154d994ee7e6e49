"""`technograph check`: one inbound lead, crawled and scored now, and where to route it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import click

from cli.crawling import crawl_within, target_of
from cli.output import BEGAN_S, note
from cli.scoring import NO_DATA, facts_option, map_option, now_utc, read_facts, read_profiles, rule_taxonomy
from cli.web_options import allow_private_option, resolve_all_to_option
from crawler.crawl import CrawlSettings
from crawler.items import Target
from fingerprints.model import InputError, Outcome, Record, Taxonomy
from fingerprints.model.cells import clean
from fingerprints.model.times import timestamp_now
from icp.batch import Scored, score_all
from icp.model import Score
from icp.route import decisive, route_of, why_routed
from store.current import platform_of
from store.database import Store

START_S = 0.5
"""Of the limit, for Python to start and for the answer to be written."""
WORKER_START_S = 2.0
AFTER_PAGES_S = 3.0
"""For the tag containers and DNS records once the pages are read, and for detection."""
PAGE_TIMEOUT_S = 8.0
DELAY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Answer:
    record: Record
    scores: tuple[Score, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        lead = decisive(self.scores)
        platform = platform_of(self.record)
        return {
            "domain": self.record.domain,
            "route": route_of(lead).value,
            "why": self.why(lead),
            **_scored(lead),
            "outcome": self.record.outcome.value,
            "detail": self.record.detail,
            "platform": platform.slug if platform else None,
            "technologies": sorted(d.slug for d in self.record.detections if d.state == "present"),
            "scores": [_scored(score) | {"route": route_of(score).value} for score in self.scores],
            "scanned_at": self.record.scanned_at,
            "seconds": round(self.seconds, 1),
        }

    def why(self, lead: Score) -> list[str]:
        if self.record.outcome.is_assessable:
            return why_routed(lead)
        detail = f" ({self.record.detail})" if self.record.detail else ""
        return [f"the site could not be read: {self.record.outcome}{detail}", *why_routed(lead)]

    def text(self) -> str:
        data = self.to_json()
        score = "none" if data["score"] is None else data["score"]
        low, high = data["interval"]
        headline = (
            f"{data['domain']}  route {data['route']}  tier {data['tier']}  score {score}  "
            f"coverage {data['coverage']:.2f}  interval {low:.0f}-{high:.0f}  ICP {data['icp']}"
        )
        return "\n".join([headline, *(f"  {clean(reason)}" for reason in data["why"])])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("domain")
@click.option(
    "--icp",
    "icp_paths",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Score against this profile. Repeatable: the profile with the most welcoming route decides.",
)
@click.option(
    "--max-seconds",
    default=20.0,
    show_default=True,
    type=click.FloatRange(2, 600),
    metavar="S",
    help="Answer within this time, with what is known by then.",
)
@facts_option
@map_option
@click.option("--json", "as_json", is_flag=True, help="The answer as one JSON object.")
@click.option(
    "--db",
    "db_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the record and its scores in this database.  [default: kept nowhere]",
)
@allow_private_option
@resolve_all_to_option
@click.pass_context
def check(
    ctx: click.Context,
    domain: str,
    icp_paths: tuple[Path, ...],
    max_seconds: float,
    fact_paths: tuple[Path, ...],
    mappings: tuple[str, ...],
    as_json: bool,
    db_path: Path | None,
    allow_private: bool,
    resolve_all_to: str,
) -> None:
    """Crawl the site of one inbound lead now, score it, and say where to route it.

    DOMAIN may be a domain, a URL or an e-mail address; - reads it from standard input.

    \b
    Routes:
      sdr      tier A or B, with every must-have and disqualifier known
      review   tier A or B with one of those unknown, or tier U: a person looks
      nurture  tier C
      reject   tier D or X

    Exit code 0 is an answer, also a rejection; 4 an answer for a site that could not be read or not in
    time (tier U unless --facts say enough); 2 means that DOMAIN or a file cannot be used.

    \b
    Example:
      technograph check acme.com --icp icp.yaml --facts crm.csv
      echo jane@acme.com | technograph check - --icp icp.yaml --max-seconds 10 --json
    """
    began_s: float = ctx.meta[BEGAN_S] - START_S
    target = target_of(_given(domain), allow_private=allow_private)
    taxonomy = rule_taxonomy()
    profiles = read_profiles(icp_paths, taxonomy)
    facts = read_facts(fact_paths, mappings, profiles)
    left_s = began_s + max_seconds - START_S - monotonic()
    settings = _settings(left_s, allow_private=allow_private, resolve_all_to=resolve_all_to)
    record = crawl_within(target, settings, left_s) or _out_of_time(target, max_seconds)
    (scored,) = score_all([record], profiles, facts=facts, taxonomy=taxonomy, now=now_utc())
    answer = _Answer(record, scored.scores, monotonic() - began_s)
    click.echo(json.dumps(answer.to_json(), ensure_ascii=False) if as_json else answer.text())
    if db_path:
        _keep(db_path, scored, settings, taxonomy)
    if not record.outcome.is_assessable:
        ctx.exit(NO_DATA)


def _given(text: str) -> str:
    """The lead as typed, or the first line of standard input that holds something."""
    if text != "-":
        return text
    for line in sys.stdin:
        if line.strip():
            return line.strip()
    raise InputError("standard input holds no domain")


def _settings(left_s: float, **options: Any) -> CrawlSettings:
    """Pages are read while there is time left for what comes after them."""
    pages_s = max(left_s - WORKER_START_S - AFTER_PAGES_S, left_s / 3)
    return CrawlSettings(
        workers=1,
        delay_s=0.0 if options["resolve_all_to"] else DELAY_S,  # on a web of our own nobody minds
        target_timeout_s=pages_s,
        page_timeout_s=min(pages_s, PAGE_TIMEOUT_S),
        **options,
    )


def _out_of_time(target: Target, max_seconds: float) -> Record:
    return Record(
        target.domain,
        Outcome.TIMEOUT,
        detail=f"not finished within {max_seconds:g} s",
        url=target.url,
        scanned_at=timestamp_now(),
        tool_version=version("technograph"),
    )


def _scored(score: Score) -> dict[str, Any]:
    return {
        "icp": f"{score.icp} v{score.icp_version}",
        "tier": score.tier.value,
        "score": score.score,
        "coverage": round(score.coverage, 3),
        "interval": [round(score.raw_low, 2), round(score.raw_high, 2)],
        "qualified_now": score.qualified_now,
    }


def _keep(path: Path, scored: Scored, settings: CrawlSettings, taxonomy: Taxonomy) -> None:
    """Store the record as a crawl of its own, with its scores."""
    record = scored.record
    with Store.open(path) as store:
        store.sync_taxonomy(taxonomy)
        crawl = store.begin_crawl(
            source=f"check {record.domain}",
            settings_hash=settings.fingerprint(),
            ruleset=record.ruleset,
            tool_version=record.tool_version,
            config={},
            started_at=record.scanned_at,
            fresh=True,
        )
        store.save(crawl.id, [record])
        store.finish_crawl(crawl.id, timestamp_now())
        store.save_scores(scored.scores)
    note(f"kept in {path}")
