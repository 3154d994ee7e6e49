"""Reading an ICP file (docs/icp.md) strictly into a Profile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from fingerprints.model import Taxonomy
from icp.criteria import (
    LAYERS,
    STATUSES,
    Criterion,
    Disqualifier,
    Gates,
    Penalty,
    Profile,
    Tiers,
    fact_keys,
)
from icp.parse import PREDICATES, Names, parse_condition
from icp.reader import Findings, Value, read_yaml

__all__ = ["Profile", "load_profile"]

PROFILE_KEYS = (
    "icp",
    "version",
    "status",
    "reviewed_on",
    "tiers",
    "gates",
    "facts",
    "criteria",
    "penalties",
    "disqualifiers",
    "notes",
)
CRITERION_KEYS = ("id", "layer", "points", "must_have", "critical", "timing", "why")
PENALTY_KEYS = ("id", "minus", "why")
DISQUALIFIER_KEYS = ("id", "why")


def load_profile(path: Path, taxonomy: Taxonomy) -> Profile:
    """The profile a file states.

    Raises ProfileError with every mistake, a line `file:line: key: what; remedy` each.
    """
    root = read_yaml(path)
    findings = root.findings
    names = Names(taxonomy)
    table = root.table(PROFILE_KEYS, required=("icp", "version", "criteria"))
    criteria = [_criterion(item, names) for item in _entries(table, "criteria")]
    penalties = [_penalty(item, names) for item in _entries(table, "penalties")]
    disqualifiers = [_disqualifier(item, names) for item in _entries(table, "disqualifiers")]
    profile = Profile(
        name=table["icp"].slug() if "icp" in table else "",
        version=table["version"].integer(low=1, high=1_000_000) if "version" in table else 1,
        criteria=tuple(criteria),
        status=table["status"].choice(STATUSES) if "status" in table else "hypothesis",
        reviewed_on=table["reviewed_on"].date() if "reviewed_on" in table else None,
        tiers=_tiers(table["tiers"]) if "tiers" in table else Tiers(),
        gates=_gates(table["gates"]) if "gates" in table else Gates(),
        facts=_texts(table, "facts"),
        penalties=tuple(penalties),
        disqualifiers=tuple(disqualifiers),
        notes=_texts(table, "notes"),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    findings.check()
    return _with_warnings(profile, findings)


def _entries(table: Mapping[str, Value], key: str) -> list[Value]:
    return table[key].entries() if key in table else []


def _texts(table: Mapping[str, Value], key: str) -> dict[str, str]:
    return {name: value.text() for name, value in table[key].pairs().items()} if key in table else {}


def _criterion(item: Value, names: Names) -> Criterion:
    table = item.table((*CRITERION_KEYS, *PREDICATES), required=("id", "layer", "points"))
    return Criterion(
        id=_id(table, names),
        layer=table["layer"].choice(LAYERS) if "layer" in table else "",
        points=table["points"].positive() if "points" in table else Decimal(1),
        predicate=parse_condition(item, table, names, graded=True),
        must_have="must_have" in table and table["must_have"].boolean(),
        critical="critical" in table and table["critical"].boolean(),
        timing="timing" in table and table["timing"].boolean(),
        why=table["why"].text() if "why" in table else "",
    )


def _penalty(item: Value, names: Names) -> Penalty:
    table = item.table((*PENALTY_KEYS, *PREDICATES), required=("id", "minus"))
    minus = table["minus"].positive() if "minus" in table else Decimal(1)
    predicate = parse_condition(item, table, names, graded=False)
    return Penalty(_id(table, names), minus, predicate, table["why"].text() if "why" in table else "")


def _disqualifier(item: Value, names: Names) -> Disqualifier:
    table = item.table((*DISQUALIFIER_KEYS, *PREDICATES), required=("id",))
    predicate = parse_condition(item, table, names, graded=False)
    return Disqualifier(_id(table, names), predicate, table["why"].text() if "why" in table else "")


def _id(table: Mapping[str, Value], names: Names) -> str:
    if "id" not in table:
        return ""
    value = table["id"]
    text = value.text()
    if not text.replace("-", "").replace("_", "").isalnum():
        value.fail(f"{text!r} is not an id; use letters, digits, '-' and '_', as T1")
    names.claim(text, value)
    return text


def _tiers(value: Value) -> Tiers:
    mistakes = len(value.findings.errors)
    table = value.table(("A", "B", "C"), required=("A", "B", "C"))
    bounds = [table[name].integer(low=1, high=100) for name in ("A", "B", "C") if name in table]
    if len(value.findings.errors) > mistakes:
        return Tiers()
    a, b, c = bounds
    if not a > b > c:
        value.fail(f"tiers out of order: A {a}, B {b}, C {c}; each must be above the next")
    return Tiers(a, b, c)


def _gates(value: Value) -> Gates:
    table = value.table(("min_coverage", "must_have_cap", "unknown_cap"))
    usual = Gates()
    return Gates(
        table["min_coverage"].number(low="0", high="1") if "min_coverage" in table else usual.min_coverage,
        table["must_have_cap"].number(low="0", high="100")
        if "must_have_cap" in table
        else usual.must_have_cap,
        table["unknown_cap"].number(low="0", high="100") if "unknown_cap" in table else usual.unknown_cap,
    )


def _with_warnings(profile: Profile, findings: Findings) -> Profile:
    asked = fact_keys(profile.predicates)
    for key in profile.facts:
        if key not in asked:
            findings.warnings.append(f"{findings.path}: facts.{key}: no criterion asks for this fact")
    for criterion in profile.criteria:
        if criterion.layer == "technographic" and fact_keys([criterion.predicate]):
            findings.warnings.append(
                f"{findings.path}: criterion {criterion.id}: asks for facts but its layer is technographic, "
                "so it stays unknown when no facts are given; use layer firmographic or behavioural"
            )
    return replace(profile, warnings=tuple(findings.warnings))
