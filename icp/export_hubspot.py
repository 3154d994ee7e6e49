"""Rows for HubSpot's company import, and the properties it needs beforehand.

The score is our own custom property: HubSpot's legacy score property has been frozen since 2025-08-31.
Blank cells leave the CRM's value as it is, so what is unknown is left blank and never overwrites.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fingerprints.model import Record, Taxonomy
from icp.batch import top_reasons
from icp.model import Score, Tier
from icp.summary import Summary

MATCH_KEY = "Company domain name"

HUBSPOT_COLUMNS = (
    MATCH_KEY,
    "Company name",
    "Website URL",
    "ICP Name",
    "ICP Version",
    "ICP Score",
    "ICP Tier",
    "ICP Reasons",
    "Tech Stack",
    "Missing Categories",
    "Technographics Status",
    "Technographics Source",
    "Technographics Scanned On",
)

MAX_ROWS = 1_048_576
"""Rows HubSpot takes in one file."""


def hubspot_row(record: Record, summary: Summary, score: Score) -> dict[str, Any]:
    """One company. Multi-select cells replace the CRM's list: a leading `;` would pile up removed tools."""
    return {
        MATCH_KEY: record.domain,
        "Company name": summary.name,
        "Website URL": record.url,
        "ICP Name": score.icp,
        "ICP Version": score.icp_version,
        "ICP Score": score.score,
        "ICP Tier": score.tier.value,
        "ICP Reasons": "\n".join(top_reasons(score)),
        "Tech Stack": sorted(d.slug for d in summary.technologies),
        "Missing Categories": list(summary.absent),
        "Technographics Status": record.outcome.value if summary.is_known else "Unknown",
        "Technographics Source": f"technograph {record.ruleset}".strip(),
        "Technographics Scanned On": record.scanned_at[:10],
    }


def hubspot_properties(
    technologies: Collection[str], categories: Collection[str], taxonomy: Taxonomy
) -> list[dict[str, Any]]:
    """The custom properties to create before the import, with every option that the file uses."""
    tech_options = [(slug, _name(slug, taxonomy)) for slug in sorted(technologies)]
    category_options = [(slug, _label(slug, taxonomy)) for slug in sorted(categories)]
    return [
        _property("icp_name", "ICP Name", "string", "text"),
        _property("icp_version", "ICP Version", "number", "number"),
        _property("icp_score", "ICP Score", "number", "number"),
        _property(
            "icp_tier", "ICP Tier", "enumeration", "select", [(tier.value, tier.value) for tier in Tier]
        ),
        _property("icp_reasons", "ICP Reasons", "string", "textarea"),
        _property("tech_stack", "Tech Stack", "enumeration", "checkbox", tech_options),
        _property("missing_categories", "Missing Categories", "enumeration", "checkbox", category_options),
        _property("technographics_status", "Technographics Status", "string", "text"),
        _property("technographics_source", "Technographics Source", "string", "text"),
        _property("technographics_scanned_on", "Technographics Scanned On", "date", "date"),
    ]


def _property(
    name: str, label: str, kind: str, field: str, options: Collection[tuple[str, str]] = ()
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "label": label,
        "groupName": "companyinformation",
        "type": kind,
        "fieldType": field,
    }
    if options:
        found["options"] = [
            {"label": text, "value": value, "displayOrder": i} for i, (value, text) in enumerate(options)
        ]
    return found


def _name(slug: str, taxonomy: Taxonomy) -> str:
    technology = taxonomy.technologies.get(slug)
    return technology.name if technology else slug


def _label(slug: str, taxonomy: Taxonomy) -> str:
    category = taxonomy.categories.get(slug)
    return category.label if category else slug
