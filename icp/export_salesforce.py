"""Rows for Salesforce's account import, matched by an external id because it cannot match by website."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fingerprints.model import Record
from icp.criteria import Profile
from icp.model import Score, Tier
from icp.predicates import TechAll, TechAny, leaves
from icp.summary import Summary

EXTERNAL_ID = "TG_Domain__c"

SALESFORCE_COLUMNS = (
    EXTERNAL_ID,
    "Name",
    "Website",
    "ICP_Name__c",
    "ICP_Version__c",
    "ICP_Score__c",
    "ICP_Tier__c",
    "ICP_Qualified_Now__c",
    "Tech_Stack__c",
    "Missing_Categories__c",
    "Tech_Status__c",
    "Tech_Source__c",
    "Tech_Scanned_At__c",
)

MAX_PICKLIST_VALUES = 100
"""Values one multi-select field takes in an import; with more, Salesforce leaves the field blank."""
WIZARD_ROWS = 50_000
"""Rows the Import Wizard takes; above that, use Data Loader with the same file."""


def salesforce_row(
    record: Record, summary: Summary, score: Score, priority: Collection[str]
) -> dict[str, Any]:
    """One account; where the stack is too long, technologies of the ICP come first, then the most certain.

    `Name` is required for new accounts, so it falls back to the domain.
    """
    stack = sorted(summary.technologies, key=lambda d: (d.slug not in priority, -d.confidence, d.slug))
    return {
        EXTERNAL_ID: record.domain,
        "Name": summary.name or record.domain,
        "Website": record.url or f"https://{record.domain}/",
        "ICP_Name__c": score.icp,
        "ICP_Version__c": score.icp_version,
        "ICP_Score__c": score.score,
        "ICP_Tier__c": score.tier.value,
        "ICP_Qualified_Now__c": None if score.score is None else int(score.qualified_now),
        "Tech_Stack__c": sorted(d.slug for d in stack[:MAX_PICKLIST_VALUES]),
        "Missing_Categories__c": list(summary.absent)[:MAX_PICKLIST_VALUES],
        "Tech_Status__c": record.outcome.value if summary.is_known else "Unknown",
        "Tech_Source__c": f"technograph {record.ruleset}".strip(),
        "Tech_Scanned_At__c": record.scanned_at,
    }


def named_technologies(profile: Profile) -> frozenset[str]:
    """Technologies the profile's conditions name."""
    found: set[str] = set()
    for predicate in profile.predicates:
        for leaf in leaves(predicate):
            if isinstance(leaf, TechAny):
                found |= {slug for slug, _ in leaf.degrees}
            elif isinstance(leaf, TechAll):
                found |= set(leaf.slugs)
    return frozenset(found)


def salesforce_fields(technologies: Collection[str], categories: Collection[str]) -> list[dict[str, Any]]:
    """The custom fields to create before the import.

    Every value must exist as a picklist value: a restricted picklist silently takes its default instead.
    """
    return [
        {"fullName": EXTERNAL_ID, "type": "Text", "length": 255, "externalId": True, "unique": True},
        {"fullName": "ICP_Name__c", "type": "Text", "length": 80},
        {"fullName": "ICP_Version__c", "type": "Number", "precision": 6, "scale": 0},
        {"fullName": "ICP_Score__c", "type": "Number", "precision": 3, "scale": 0},
        {"fullName": "ICP_Tier__c", "type": "Picklist", "values": [tier.value for tier in Tier]},
        {"fullName": "ICP_Qualified_Now__c", "type": "Checkbox"},
        {"fullName": "Tech_Stack__c", "type": "MultiselectPicklist", "values": sorted(technologies)},
        {"fullName": "Missing_Categories__c", "type": "MultiselectPicklist", "values": sorted(categories)},
        {"fullName": "Tech_Status__c", "type": "Text", "length": 40},
        {"fullName": "Tech_Source__c", "type": "Text", "length": 80},
        {"fullName": "Tech_Scanned_At__c", "type": "DateTime"},
    ]
