"""One site's observations and outcome into its record: detection and assessment in one pure step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fingerprints.about import is_about_technologies
from fingerprints.assess import Looked, assess, coverage, is_implausible
from fingerprints.detector import Detector
from fingerprints.hints import hinted
from fingerprints.loaded import loaded_hosts
from fingerprints.merged import merged_scripts
from fingerprints.model import Observation, Outcome, Page, PageKind, Record
from fingerprints.pixels import sandboxed_pixels
from fingerprints.resolve import resolve

RENDERED_KINDS = (PageKind.HOME, PageKind.PRODUCT)
"""Pages worth a browser: the other kinds only repeat what the home page loads."""


def make_record(
    detector: Detector,
    *,
    domain: str,
    outcome: Outcome,
    observations: Sequence[Observation] = (),
    pages: Sequence[Page] = (),
    detail: str = "",
    id: str = "",
    url: str = "",
    redirected_to: str = "",
    http_status: int | None = None,
    dns_ok: bool | None = None,
    containers_found: Sequence[str] = (),
    containers_parsed: Sequence[str] = (),
    flags: Sequence[str] = (),
    attrs: Mapping[str, str] | None = None,
    scanned_at: str = "",
    address: str = "",
    took_ms: int | None = None,
    requests: int | None = None,
    tool_version: str = "",
) -> Record:
    """The record of one target.

    Pages of a site that was not read (blocked, parked, redirected away) are not searched: whatever runs
    there is not the site's. Containers and flags of the observations are added to those given.
    """
    readable = observations if outcome.is_assessable else ()
    matched = detector.match(readable)
    detections = resolve(matched.evidence, detector.rules)
    found = _union(containers_found, *(o.containers for o in readable))
    parsed = _union(containers_parsed, *(o.containers_parsed for o in readable))
    all_flags = set(flags) | matched.flags
    for observation in readable:
        all_flags |= observation.flags
    if is_implausible(detections) or is_about_technologies(detector, readable):
        all_flags.add("implausible")
    surfaces = [o.rendered for o in readable if o.kind in RENDERED_KINDS]
    rendered = bool(surfaces) and all(surfaces)
    looked = Looked(
        outcome=outcome,
        pages=frozenset(o.kind for o in readable),
        flags=frozenset(all_flags),
        containers_found=found,
        containers_parsed=parsed,
        dns_ok=dns_ok,
        rendered=rendered,
        merged_scripts=merged_scripts(readable),
        sandboxed_pixels=sandboxed_pixels(readable),
        hints=hinted(detector, readable),
    )
    assessments = assess(detector.taxonomy, detections, looked)
    return Record(
        domain=domain,
        outcome=outcome,
        detail=detail,
        id=id or domain,
        url=url,
        redirected_to=redirected_to,
        http_status=http_status,
        pages=tuple(pages),
        hosts=loaded_hosts(readable),
        detections=detections,
        assessments=assessments,
        containers_found=found,
        containers_parsed=parsed,
        dns_ok=dns_ok,
        rendered=rendered,
        flags=tuple(sorted(all_flags)),
        coverage=coverage(detector.taxonomy, assessments),
        attrs=dict(attrs or {}),
        scanned_at=scanned_at,
        address=address,
        took_ms=took_ms,
        requests=requests,
        ruleset=detector.ruleset,
        tool_version=tool_version,
    )


def _union(*groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({item for group in groups for item in group}))
