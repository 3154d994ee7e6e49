"""Names of technologies and categories in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from fingerprints.model import Category, Taxonomy, Technology


def save_taxonomy(connection: sqlite3.Connection, taxonomy: Taxonomy) -> None:
    """Bring the name tables up to the taxonomy; what only older records mention stays."""
    connection.executemany(_CATEGORY, [_category_row(item) for item in taxonomy.categories.values()])
    connection.executemany(_TECHNOLOGY, [_technology_row(item) for item in taxonomy.technologies.values()])
    _save_memberships(connection, taxonomy.technologies.values())
    connection.executemany(_ALIAS, sorted(taxonomy.aliases.items()))


def _save_memberships(connection: sqlite3.Connection, technologies: Iterable[Technology]) -> None:
    technology_ids = dict(connection.execute("SELECT slug, id FROM technology"))
    category_ids = dict(connection.execute("SELECT slug, id FROM category"))
    for technology in technologies:
        technology_id = technology_ids[technology.slug]
        connection.execute("DELETE FROM technology_category WHERE technology_id = ?", (technology_id,))
        connection.executemany(
            "INSERT INTO technology_category VALUES (?, ?, ?)",
            [
                (technology_id, category_ids[slug], slug == technology.category)
                for slug in dict.fromkeys((technology.category, *technology.categories))
            ],
        )


def _category_row(category: Category) -> tuple[str, str, str, bool]:
    return category.slug, category.label, category.observability.value, category.exclusive


def _technology_row(technology: Technology) -> tuple[str, ...]:
    return (
        technology.slug,
        technology.name,
        technology.vendor,
        technology.website,
        technology.pricing,
        technology.status,
    )


_CATEGORY = """
INSERT INTO category (slug, label, observability, is_exclusive) VALUES (?, ?, ?, ?)
ON CONFLICT (slug) DO UPDATE SET
    label = excluded.label, observability = excluded.observability, is_exclusive = excluded.is_exclusive
"""
_TECHNOLOGY = """
INSERT INTO technology (slug, name, vendor, website, pricing, status) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (slug) DO UPDATE SET
    name = excluded.name, vendor = excluded.vendor, website = excluded.website,
    pricing = excluded.pricing, status = excluded.status
"""
_ALIAS = """
INSERT INTO technology_alias (alias, technology_id)
SELECT ?, id FROM technology WHERE slug = ?
ON CONFLICT (alias) DO UPDATE SET technology_id = excluded.technology_id
"""
