"""Pages that come with a browser's request log: the static scan of the body beside what the log shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import rows
from cli.comparison import by_category
from cli.pages import from_json_line, observe_given
from fingerprints.containers import Contents, parse_container, with_containers
from fingerprints.detector import Detector
from fingerprints.model import DetectionState, Record, ResourceKind
from fingerprints.observe import observe
from fingerprints.records import make_record


@dataclass(frozen=True, slots=True)
class LoggedPage:
    """One page, scanned without a browser, and what a browser asked for on it."""

    id: str
    record: Record
    """From body and headers alone, tag containers read where the corpus has them."""
    shown: Mapping[str, set[str]]
    """Category to the technologies that the requests show."""


def logged_pages(corpus: Path, detector: Detector) -> Iterator[LoggedPage]:
    """Every page of the corpus with both a body and a request log, whose body is a site's and no wall."""
    contents = _containers(corpus)
    for row in rows(corpus, "pages"):
        if not row.get("requests") or row["kind"] not in ("har", "warc"):
            continue
        given = from_json_line(json.dumps({**row, "requests": []}), 0)
        observation, page, _ = observe_given(given)
        if not page.outcome.is_assessable:
            continue
        record = make_record(
            detector,
            domain=given.domain,
            outcome=page.outcome,
            observations=[with_containers(observation, contents)],
            pages=[page],
            flags=page.flags,
        )
        requests = [url for url, *_ in row["requests"] if url != given.url]
        yield LoggedPage(row["id"], record, requested(requests, given.url, detector))


def requested(requests: list[str], url: str, detector: Detector) -> dict[str, set[str]]:
    """What the requests alone show, by category; what is only implied is left out."""
    found = detector.detect([observe("", url=url, requests=requests)])
    return by_category(
        (d.slug, d.categories)
        for d in found
        if d.state is DetectionState.PRESENT
        and d.scope == "site"
        and any(e.kind == ResourceKind.REQUEST for e in d.evidence)
    )


def _containers(corpus: Path) -> dict[str, Contents]:
    found = {}
    for row in rows(corpus, "containers"):
        name = f"gtm:{row['container']}"
        contents = parse_container(name, row["body"])
        if contents is not None:
            found[name] = contents
    return found
