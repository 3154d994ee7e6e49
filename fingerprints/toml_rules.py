"""Our own rule files: `technologies/<category>/<slug>.toml` and `categories.toml` into rules and categories."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fingerprints.canonical import KEYS
from fingerprints.model import Category, InputError, Observability, PageKind, Party, ResourceKind, Technology
from fingerprints.regexes import group_count, uses_backtracking
from fingerprints.rules import DEFAULT_KINDS, STRENGTH, Channel, Implied, Rule, Signal
from fingerprints.selectors import check_selector
from fingerprints.sources import CATEGORIES, HERE
from fingerprints.strict import RuleError, Table

MAX_FILE_BYTES = 64_000
"""Ours have at most 10 kB. Dotted keys take quadratic time to read: a megabyte of them an hour."""

PRICING = ("free", "freemium", "paid", "enterprise", "unknown")
STATUS = ("active", "sunset", "renamed")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
CATEGORY_SLUG = re.compile(r"[a-z][a-z0-9_]*\Z")
DNS_TYPES = ("MX", "TXT", "NS", "SOA", "CNAME")

_NAMED = (Channel.HEADER, Channel.COOKIE, Channel.META)
_PATTERN_ONLY = (
    Channel.URL,
    Channel.SCRIPT,
    Channel.HTML,
    Channel.JSON_LD,
    Channel.TEXT,
    Channel.CSS,
    Channel.PATH,
    Channel.ROBOTS,
    Channel.TLS_ISSUER,
)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule as read from its file, with what only its tests and its readers need."""

    rule: Rule
    examples: tuple[Mapping[str, Any], ...]
    description: str
    source: tuple[str, ...]
    checked: datetime.date


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a dict; RuleError with path and line when it is not UTF-8 TOML of a rule's size."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RuleError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes, so not a rule file")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise RuleError(f"{path}: cannot read: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:  # not TOML, not UTF-8, numbers or nesting beyond reason
        raise RuleError(f"{path}: not valid TOML: {exc}") from exc


def load_categories(path: Path = CATEGORIES) -> dict[str, Category]:
    """Categories by slug, in the file's order."""
    return {slug: _category(slug, Table(f"{path}: [{slug}]", data)) for slug, data in read_toml(path).items()}


def _category(slug: str, table: Table) -> Category:
    observability = table.choice("observability", tuple(o.value for o in Observability))
    pages = table.texts("pages")
    for page in pages:
        if page not in tuple(PageKind):
            table.refuse(f"pages: {page!r} is not one of {', '.join(PageKind)}")
    category = Category(
        slug=slug,
        label=table.text("label", required=True),
        observability=Observability(observability),
        pages=tuple(PageKind(page) for page in pages if page in tuple(PageKind)),
        dns=table.take("dns", bool, False),
        primary=table.take("primary", bool, True),
        exclusive=table.take("exclusive", bool, False),
        wappalyzer=tuple(table.take("wappalyzer", list, [])),
    )
    table.done()
    return category


def load_rule_file(path: Path) -> RuleFile:
    """One rule; its slug is the file's name and its primary category the folder's."""
    where = _shown(path)
    slug, category = path.stem, path.parent.name
    if not SLUG.match(slug):
        raise RuleError(f"{where}: file name must be lower-case letters, digits and single hyphens")
    table = Table(where, read_toml(path))
    technology = Technology(
        slug=slug,
        name=table.text("name", required=True),
        category=category,
        categories=(category, *table.texts("also")),
        vendor=table.text("vendor"),
        website=table.text("website", required=True),
        pricing=table.choice("pricing", PRICING, "unknown"),
        status=table.choice("status", STATUS, "active"),
        aliases=table.texts("aliases"),
        cpe=table.text("cpe"),
        loads_others=table.take("loads_others", bool, False),
    )
    rule = Rule(
        technology=technology,
        signals=table.gather(
            "signal", lambda number, data: _signal(slug, number, Table(f"{where}: signal {number}", data))
        ),
        implies=table.gather("implies", lambda _, item: _implied(where, item)),
        requires=table.texts("requires"),
        requires_category=table.texts("requires_category"),
        excludes=table.texts("excludes"),
        path=where,
    )
    file = RuleFile(
        rule=rule,
        examples=tuple(table.take("example", list, [])),
        description=table.text("description", required=True),
        source=table.texts("source"),
        checked=table.take("checked", datetime.date, required=True),
    )
    table.done()
    return file


def _shown(path: Path) -> str:
    """The path as people know it: from the package on for our own files, as given for others."""
    return str(path.relative_to(HERE.parent)) if path.is_relative_to(HERE) else str(path)


def _implied(where: str, item: object) -> Implied:
    if isinstance(item, str):
        return Implied(item)
    if not isinstance(item, dict):
        raise RuleError(f"{where}: implies: {item!r} is neither a slug nor a table")
    table = Table(f"{where}: implies", item)
    confidence = float(table.take("confidence", (int, float), 1.0))
    if not 0 < confidence <= 1:
        table.refuse(f"confidence {confidence} is not in 0..1")
    implied = Implied(table.text("slug", required=True), confidence, table.text("version"))
    table.done()
    return implied


def _signal(slug: str, number: int, table: Table) -> Signal:
    on = Channel(table.choice("on", tuple(Channel)))
    if table.has_mistakes:  # which keys a signal has depends on what it looks at
        table.done(also=KEYS["signal"].split())
    name, pattern = "", None
    hosts: tuple[str, ...] = ()
    if on is Channel.HOST:
        hosts = _hosts(table)
    elif on in _NAMED:
        name = table.text("name", required=True).lower()
        pattern = table.take("pattern", str)
    elif on in (Channel.GLOBAL, Channel.CONTAINER):
        name = table.text("name", required=True)
        pattern = table.take("pattern", str) if on is Channel.GLOBAL else None
    elif on is Channel.SELECTOR:
        name = table.text("selector", required=True)
        pattern = table.take("pattern", str)
    elif on is Channel.DNS:
        name = _dns_type(table)
        pattern = table.text("pattern", required=True)
    if on in _PATTERN_ONLY:
        pattern = table.text("pattern", required=True)
    resource = on in (Channel.HOST, Channel.URL)
    party = table.choice("party", tuple(Party), "") if resource and "party" in table else ""
    signal = Signal(
        id=f"{slug}#{number}",
        on=on,
        strength=STRENGTH[table.choice("strength", tuple(STRENGTH))],
        pattern=pattern,
        name=name,
        hosts=hosts,
        kinds=_kinds(table) if resource else DEFAULT_KINDS,
        party=Party(party) if party else None,
        attribute=table.text("attribute") if on is Channel.SELECTOR else "",
        text=table.take("text", bool, False) if on is Channel.SELECTOR else False,
        version=table.text("version") if on is not Channel.HOST else "",
        account=table.take("account", int, 0) if on is not Channel.HOST else 0,
    )
    table.done()
    _check_pattern(signal, table.where)
    if on is Channel.SELECTOR:
        _check_selector(name, table.where)
    return signal


def _hosts(table: Table) -> tuple[str, ...]:
    hosts = table.texts("host")
    if not hosts:
        table.miss("host", "a list of host names")
    for host in hosts:
        if host != host.lower() or "." not in host or not re.fullmatch(r"[a-z0-9.-]+", host):
            table.refuse(f"host: {host!r} is not a lower-case host name without scheme and path")
    return hosts


def _dns_type(table: Table) -> str:
    kind = table.text("type", required=True)
    record, _, subdomain = kind.partition(":")
    if kind and (record not in DNS_TYPES or (subdomain and record != "CNAME")):
        table.refuse(f"type: {kind!r} is not one of {', '.join(DNS_TYPES)} or 'CNAME:sub-domain'")
    return kind


def _kinds(table: Table) -> frozenset[ResourceKind]:
    kinds = table.texts("kind")
    for kind in kinds:
        if kind not in tuple(ResourceKind):
            table.refuse(f"kind: {kind!r} is not one of {', '.join(ResourceKind)}")
    return frozenset(kind for kind in ResourceKind if kind in kinds) or DEFAULT_KINDS


def _check_selector(selector: str, where: str) -> None:
    try:
        check_selector(selector)
    except Exception as exc:  # whatever the selector library says, the rule cannot be used
        raise RuleError(f"{where}: selector: {exc}") from exc


def _check_pattern(signal: Signal, where: str) -> None:
    if signal.pattern is None:
        if signal.version or signal.account:
            raise RuleError(f"{where}: version and account need a pattern to capture them")
        return
    try:
        groups = group_count(signal.pattern)
    except InputError as exc:
        raise RuleError(f"{where}: pattern: {exc}") from exc
    if uses_backtracking(signal.pattern):
        raise RuleError(f"{where}: pattern: look-around and back-references are not allowed; RE2 has neither")
    if signal.account > groups:
        raise RuleError(f"{where}: account = {signal.account}, but the pattern has {groups} capture groups")
