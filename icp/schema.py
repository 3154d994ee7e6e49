"""The JSON Schema of ICP files, for completion and checks while typing in an editor.

An editor sees the shape; `technograph icp check` sees more: repeated ids, order of tiers, renamed slugs.
"""

from __future__ import annotations

from typing import Any

from fingerprints.model import Taxonomy
from icp.criteria import LAYERS, STATUSES
from icp.parse import EVENT_KINDS, PREDICATES
from icp.predicates import VERSION_OPS

Json = dict[str, Any]

_POSITIVE: Json = {"type": "number", "exclusiveMinimum": 0}
_TEXT: Json = {"type": "string", "minLength": 1}
_FLAG: Json = {"type": "boolean"}


def icp_schema(taxonomy: Taxonomy) -> Json:
    """The schema, with every technology and category by name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "technograph ICP",
        **_object(
            {
                "icp": {"type": "string", "pattern": "^[a-z0-9]+([-_][a-z0-9]+)*$"},
                "version": {"type": "integer", "minimum": 1},
                "status": {"enum": list(STATUSES)},
                "reviewed_on": {"type": "string", "format": "date"},
                "tiers": _object({name: _between(1, 100, "integer") for name in "ABC"}, required=list("ABC")),
                "gates": _object(
                    {
                        "min_coverage": _between(0, 1),
                        "must_have_cap": _between(0, 100),
                        "unknown_cap": _between(0, 100),
                    }
                ),
                "facts": {"type": "object", "additionalProperties": _TEXT},
                "criteria": _entries(
                    {
                        "id": _TEXT,
                        "layer": {"enum": list(LAYERS)},
                        "points": _POSITIVE,
                        "must_have": _FLAG,
                        "critical": _FLAG,
                        "timing": _FLAG,
                        "why": _TEXT,
                    },
                    required=["id", "layer", "points"],
                ),
                "penalties": _entries(
                    {"id": _TEXT, "minus": _POSITIVE, "why": _TEXT}, required=["id", "minus"]
                ),
                "disqualifiers": _entries({"id": _TEXT, "why": _TEXT}, required=["id"]),
                "notes": {"type": "object", "additionalProperties": _TEXT},
            },
            required=["icp", "version", "criteria"],
        ),
        "$defs": _definitions(taxonomy),
    }


def _definitions(taxonomy: Taxonomy) -> Json:
    return {
        "technology": {"enum": sorted({*taxonomy.technologies, *taxonomy.aliases})},
        "category": {"enum": sorted(taxonomy.categories)},
        "condition": _one_of({}, []),
        **{f"predicate_{name}": _PREDICATE_SCHEMAS[name] for name in PREDICATES},
    }


def _entries(own: Json, required: list[str]) -> Json:
    """A list of entries, each with its own keys and exactly one predicate."""
    return {"type": "array", "minItems": 1, "items": _one_of(own, required)}


def _one_of(own: Json, required: list[str]) -> Json:
    predicates = {name: {"$ref": f"#/$defs/predicate_{name}"} for name in PREDICATES}
    return {
        **_object({**own, **predicates}, required=required),
        "oneOf": [{"required": [name]} for name in PREDICATES],
    }


def _object(properties: Json, required: list[str] | None = None) -> Json:
    found: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return found | ({"required": required} if required else {})


def _between(low: int, high: int, kind: str = "number") -> Json:
    return {"type": kind, "minimum": low, "maximum": high}


def _list(items: Json) -> Json:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": items}


_TECHNOLOGY: Json = {"$ref": "#/$defs/technology"}
_CATEGORY: Json = {"$ref": "#/$defs/category"}
_CONDITIONS: Json = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}

_PREDICATE_SCHEMAS: dict[str, Json] = {
    "tech_any": {
        "anyOf": [
            _TECHNOLOGY,
            _list(_TECHNOLOGY),
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": _TECHNOLOGY,
                "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            },
        ]
    },
    "tech_all": _list(_TECHNOLOGY),
    "lacks_tech": {"anyOf": [_TECHNOLOGY, _list(_TECHNOLOGY)]},
    "has_category": _CATEGORY,
    "lacks_category": _CATEGORY,
    "count_categories": _object(
        {
            "of": _list(_CATEGORY),
            "at_least": {"type": "integer", "minimum": 1},
            "at_most": {"type": "integer", "minimum": 0},
            "graded": _FLAG,
        },
        required=["of"],
    ),
    "tech_age": _object(
        {"slug": _TECHNOLOGY, "min_days": {"type": "integer", "minimum": 1}}, required=["slug", "min_days"]
    ),
    "event": _object(
        {
            "category": _CATEGORY,
            "kind": {"anyOf": [{"enum": list(EVENT_KINDS)}, _list({"enum": list(EVENT_KINDS)})]},
            "within_days": {"type": "integer", "minimum": 1},
        },
        required=["category", "kind", "within_days"],
    ),
    "version": _object(
        {"slug": _TECHNOLOGY, "op": {"enum": list(VERSION_OPS)}, "value": {"type": ["string", "number"]}},
        required=["slug", "op", "value"],
    ),
    "fact_in": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"anyOf": [_TEXT, _list({"type": ["string", "number"]})]},
    },
    "fact_between": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
    },
    "fact_true": _TEXT,
    "any": _CONDITIONS,
    "all": _CONDITIONS,
    "not": {"$ref": "#/$defs/condition"},
}
