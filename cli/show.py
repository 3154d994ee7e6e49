"""`technograph show` and `explain`: one domain, in full or down to the evidence for one thing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cli.database import (
    db_option,
    freshness_now,
    include_stale_option,
    open_for_reading,
    with_rule_names,
)
from cli.output import Output, open_output, output_options, write_rows
from cli.report import assessment_text, detection_text, explanation, record_text
from cli.scoring import facts_option, map_option, now_utc, read_facts, read_profiles, rule_taxonomy
from fingerprints.model import Assessment, AssessmentState, InputError, Reason, Record
from fingerprints.model.cells import printable
from fingerprints.model.wire import to_json
from icp.batch import score_all
from icp.explain import explain_text
from store.database import Store
from store.export import TECHNOLOGY_COLUMNS, technology_rows
from store.freshness import Freshness
from store.names import Names
from store.queries import history, known_names, similar_domains

_HELP = {"help_option_names": ["-h", "--help"]}

newest_option = click.option(
    "--newest", is_flag=True, help="The last attempt, also when it failed after an earlier one had not."
)


@click.command(context_settings=_HELP)
@click.argument("domain")
@db_option
@newest_option
@include_stale_option
@output_options
def show(domain: str, db_path: Path, newest: bool, include_stale: bool, output: Output) -> None:
    """Everything stored about one DOMAIN: a page of text, its JSON record, or its technologies as CSV.

    \b
    Example:
      technograph show acme.com
      technograph show acme.com --format jsonl
    """
    with open_for_reading(db_path) as store:
        record = _record(store, domain, newest)
        if output.format == "csv":
            write_rows(technology_rows(record), TECHNOLOGY_COLUMNS, output)
        elif output.format == "jsonl":
            write_rows([to_json(record)], [], output)
        else:
            with open_output(output.path) as stream:
                past = history(store, record.domain)
                print(printable(record_text(record, past, freshness_now(include_stale))), file=stream)


@click.command(context_settings=_HELP)
@click.argument("domain")
@click.argument("what", metavar="[TECHNOLOGY|CATEGORY]", required=False)
@db_option
@click.option(
    "--icp", "icp_path", type=click.Path(path_type=Path), metavar="FILE", help="Explain the score instead."
)
@facts_option
@map_option
@newest_option
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
def explain(
    domain: str,
    what: str | None,
    db_path: Path,
    icp_path: Path | None,
    fact_paths: tuple[Path, ...],
    mappings: tuple[str, ...],
    newest: bool,
    as_json: bool,
) -> None:
    """Why a technology, a category or a score of one DOMAIN is what it is.

    A detection is shown down to the signal, the page and what was seen there; an absence with what was
    looked at; an unknown with what would settle it.

    \b
    Example:
      technograph explain acme.com reviews
      technograph explain acme.com shopify
      technograph explain acme.com --icp data/icp/dtc-reviews.yaml
    """
    if what and icp_path:
        raise click.UsageError("give a technology, a category or --icp, not both")
    with open_for_reading(db_path) as store:
        record = _record(store, domain, newest)
        if icp_path:
            text, data = _explain_score(record, icp_path, fact_paths, mappings)
        elif what:
            text, data = _explain_one(record, what, known_names(store))
        else:
            text, data = explanation(record, freshness_now(False)), to_json(record)
    click.echo(json.dumps(data, ensure_ascii=False) if as_json else printable(text))


def _record(store: Store, domain: str, newest: bool) -> Record:
    """The domain's record; a URL or a host with `www.` will do. Raises InputError when there is none."""
    from cli.sites import site_named

    asked = site_named(domain, allow_private=True).domain
    record = store.record(domain.lower(), newest=newest) or store.record(asked, newest=newest)
    if record is None:
        near = similar_domains(store, asked)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise InputError(f"{asked}: no record in {store.path}{hint}")
    return record


def _explain_one(record: Record, what: str, names: Names) -> tuple[str, dict[str, Any]]:
    """The text and the data for one technology or category. Raises InputError for an unknown name."""
    if not _is_name(names, what):
        names = with_rule_names(names)
    freshness = freshness_now(False)
    if technology := names.technology(what):
        detection = record.detection(technology.slug)
        if detection:
            return detection_text(detection), asdict(detection)
        text, data = _explain_category(record, technology.category, freshness)
        return f"{technology.slug}: no sign of it; its category tells absent from unknown\n{text}", data
    if category := names.category(what):
        return _explain_category(record, category, freshness)
    near = [name for name in (names.nearest_technology(what), names.nearest_category(what)) if name]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`technograph rules list` shows all"
    raise InputError(f"unknown technology or category {what!r}; {hint}")


def _is_name(names: Names, what: str) -> bool:
    return names.technology(what) is not None or names.category(what) is not None


def _explain_category(record: Record, category: str, freshness: Freshness) -> tuple[str, dict[str, Any]]:
    stored = record.assessment(category)
    if stored is None:
        stored = Assessment(category, AssessmentState.UNKNOWN, Reason.NO_RULES)
    assessment = freshness.judge(stored, record.scanned_at)
    users = [detection for detection in record.detections if category in detection.categories]
    text = assessment_text(assessment, users)
    if users:
        text = "\n\n".join([text, *map(detection_text, users)])
    return text, asdict(assessment) | {"technologies": [asdict(detection) for detection in users]}


def _explain_score(
    record: Record, icp_path: Path, fact_paths: tuple[Path, ...], mappings: tuple[str, ...]
) -> tuple[str, dict[str, Any]]:
    """The score as `technograph score` would give it now, with the same facts."""
    taxonomy = rule_taxonomy()
    profiles = read_profiles([icp_path], taxonomy)
    facts = read_facts(fact_paths, mappings, profiles)
    (scored,) = score_all([record], profiles, facts=facts, taxonomy=taxonomy, now=now_utc())
    (score,) = scored.scores
    return explain_text(score, record), asdict(score)
