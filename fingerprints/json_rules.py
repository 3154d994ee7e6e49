"""The JSON files of a rule set in the Wappalyzer format: technologies by name, whatever shape they come in.

One file that cannot be read, or one entry that is no object, loses nothing but itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fingerprints.sources import category_files, technology_files
from fingerprints.strict import RuleError

_WRAPPERS = ("technologies", "apps")
_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}


@dataclass(slots=True)
class Entries:
    """The technologies of a rule set as its files have them."""

    technologies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    """The file each technology is taken from."""
    problems: list[str] = field(default_factory=list)
    """One line, its file first, for each file or entry that was left out."""
    category_numbers: dict[str, int] = field(default_factory=dict)
    """Lower-case names of categories, where the set has a categories.json."""


def read_entries(source: Path) -> Entries:
    """Everything in a set's files. Raises RuleError when not one of them can be read."""
    entries = Entries()
    files = technology_files(source)
    for path in files:
        try:
            _take(_object(path, entries.problems), path, entries)
        except RuleError as exc:
            entries.problems.append(str(exc))
            if len(files) == 1:
                raise
    if not entries.paths:
        raise RuleError(next(iter(entries.problems), f"{source}: holds no technology"))
    for path in category_files(source):
        entries.category_numbers |= _category_numbers(path)
    return entries


def _take(data: Mapping[str, Any], path: Path, entries: Entries) -> None:
    wrapper = next((key for key in _WRAPPERS if key in data), "")
    technologies = data[wrapper] if wrapper else data
    if not isinstance(technologies, dict):
        raise RuleError(
            f"{path}: {wrapper}: {kind_of(technologies)}, expected an object of technologies by name"
        )
    if "cats" in technologies and not isinstance(technologies["cats"], dict):
        raise RuleError(f'{path}: is one rule without its name; write {{"Name": {{"cats": ...}}}}')
    for written, entry in technologies.items():
        name = one_line(written)
        if not isinstance(entry, dict):
            if not name.startswith("$"):  # `$schema` is for editors
                entries.problems.append(f"{path}: {name}: {kind_of(entry)}, expected an object of fields")
            continue
        if name in entries.paths:
            entries.problems.append(f"{path}: {name}: also in {entries.paths[name]}, which is not used")
        entries.technologies[name], entries.paths[name] = entry, path


def _object(path: Path, problems: list[str]) -> dict[str, Any]:
    """The object a file holds; keys it has twice are added to `problems`. Raises RuleError."""

    def keep_last(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in pairs:
            if key in kept:
                problems.append(f"{path}: key {key!r} is twice in one object; the last one is used")
            kept[key] = value
        return kept

    try:
        data = json.loads(path.read_bytes(), object_pairs_hook=keep_last)
    except OSError as exc:
        raise RuleError(f"{path}: cannot read: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise RuleError(f"{path}: not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise RuleError(f"{path}: holds {kind_of(data)}, expected an object of technologies by name")
    return data


def _category_numbers(path: Path) -> dict[str, int]:
    """Numbers by lower-case name; nothing from a file that is not as expected, since rules rarely use names."""
    try:
        data = _object(path, [])
    except RuleError:
        return {}
    named = {key: value.get("name") for key, value in data.items() if isinstance(value, dict)}
    return {str(name).lower(): int(key) for key, name in named.items() if is_number(key)}


def one_line(text: str) -> str:
    """The text without line breaks and doubled spaces: a name must not look like a line of a report."""
    return " ".join(text.split())


def is_number(text: str) -> bool:
    """Whether a text is a category number: a few plain digits."""
    return text.isascii() and text.isdigit() and len(text) < 10


def kind_of(value: object) -> str:
    """What a JSON value is, for messages.

    >>> kind_of(["a"]), kind_of(None), kind_of({}), kind_of(1.5)
    ('a list', 'null', 'an object', 'a number')
    """
    if value is None:
        return "null"
    return _KINDS.get(type(value), "an object")
