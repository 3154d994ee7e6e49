"""What the commands that read the database share: its path, its names, and how old a finding may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from fingerprints.model import InputError
from store.database import Store
from store.freshness import Freshness
from store.names import Names, names_of
from store.parser import parse
from store.queries import Question, known_names
from store.query import ScoreIs, TierIs, leaves
from store.terms import QueryError

F = TypeVar("F", bound=Callable[..., Any])

db_option = click.option(
    "--db",
    "db_path",
    envvar="TECHNOGRAPH_DB",
    default="data/technograph.db",
    show_default=True,
    show_envvar=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The database file.",
)

include_stale_option = click.option(
    "--include-stale",
    is_flag=True,
    help="Let old findings count: presence beyond 90 days, absence beyond 45.",
)

icp_name_option = click.option(
    "--icp",
    "icp_name",
    default="",
    metavar="NAME",
    help="Whose tiers and scores.  [default: the last scored]",
)


def open_for_reading(path: Path) -> Store:
    """The database; raises StoreError when it is missing or not usable."""
    return Store.open(path, create=False, readonly=True)


def freshness_now(include_stale: bool) -> Freshness:
    return Freshness() if include_stale else Freshness.at(datetime.now(UTC))


def ask(store: Store, query: str, *, include_stale: bool = False, icp: str = "") -> Question:
    """The question a query text asks of this database. Raises InputError for one it cannot answer."""
    names = known_names(store)
    try:
        tree = parse(query, names)
    except QueryError:
        # The rules may know a technology that no crawl into this database has heard of yet.
        tree = parse(query, with_rule_names(names))
    profile = scored_profile(store, icp)
    if not profile and any(isinstance(leaf, TierIs | ScoreIs) for leaf in leaves(tree)):
        raise InputError("nothing has been scored yet; run `technograph score ICP.yaml` first")
    return Question(tree, freshness_now(include_stale), profile)


def scored_profile(store: Store, name: str) -> str:
    """The profile of this name, or the one last used; empty when there is none and none was asked for."""
    profiles = store.profiles()
    if not name:
        return profiles[0] if profiles else ""
    if name not in profiles:
        scored = f"scored are {', '.join(profiles)}" if profiles else "nothing has been scored yet"
        raise InputError(f"--icp {name!r}: no scores for it; {scored}")
    return name


def known_category(store: Store, name: str) -> str:
    """The slug of a category the database or the rules know. Raises InputError with the nearest one."""
    names = known_names(store)
    if names.category(name) is None:
        names = with_rule_names(names)
    slug = names.category(name)
    if slug is None:
        near = names.nearest_category(name)
        hint = f"did you mean {near!r}?" if near else f"it is one of {', '.join(sorted(names.categories))}"
        raise InputError(f"unknown category {name!r}; {hint}")
    return slug


def with_rule_names(names: Names) -> Names:
    """The names, and those of the current rules; where they disagree, the database's."""
    from fingerprints.detector import Detector

    return names_of(Detector.default().taxonomy) | names
