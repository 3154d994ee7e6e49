"""The examples inside rule files: what a page has, and what must come out of it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fingerprints.hosts import host_of, registrable
from fingerprints.model import DetectionState, Observation, Party, Resource, ResourceKind
from fingerprints.observe import observe
from fingerprints.strict import Table
from fingerprints.toml_rules import RuleFile

PAGE_URL = "https://www.example.com/"
EXPECTATIONS = ("present", "weak", "none")


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a rule file, ready to run."""

    where: str
    expect: str
    observation: Observation
    version: str
    account: str

    @property
    def state(self) -> DetectionState | None:
        """The state the technology must come out in; None when it must not be reported."""
        return None if self.expect == "none" else DetectionState(self.expect)


def examples_of(file: RuleFile) -> Iterator[Example]:
    """The file's examples in order. Raises RuleError for one that is malformed."""
    for number, data in enumerate(file.examples, start=1):
        yield read_example(f"{file.rule.path}: example {number}", data)


def read_example(where: str, data: Mapping[str, Any]) -> Example:
    """One example table; docs/rules.md lists its keys."""
    table = Table(where, data)
    expect = table.choice("expect", EXPECTATIONS)
    observation = _observation(table)
    example = Example(where, expect, observation, table.text("version"), table.text("account"))
    table.done()
    return example


def _observation(table: Table) -> Observation:
    url = table.text("url", PAGE_URL)
    markup = table.text("html")
    markup += "".join(f'<script src="{html.escape(src)}"></script>' for src in table.texts("script_src"))
    markup += "".join(f"<script>{text}</script>" for text in table.texts("script"))
    markup += "".join(f"<style>{text}</style>" for text in table.texts("css"))
    markup += "".join(f"<p>{html.escape(text)}</p>" for text in table.texts("text"))
    for name, content in table.take("meta", dict, {}).items():
        contents = content if isinstance(content, list) else [content]
        markup += "".join(
            f'<meta name="{html.escape(name)}" content="{html.escape(str(c))}">' for c in contents
        )
    resources = table.texts("resource")
    kind = ResourceKind(table.choice("kind", tuple(ResourceKind), ResourceKind.SCRIPT.value))
    live = {name: str(value) for name, value in table.take("global", dict, {}).items()}
    dns = {kind: tuple([v] if isinstance(v, str) else v) for kind, v in table.take("dns", dict, {}).items()}
    observation = observe(
        markup,
        url=url,
        headers=_headers(table),
        cookies=dict(_pairs(table.texts("cookie"), "=")),
        globals=live,
        dns=dns or None,
        tls_issuer=table.text("tls_issuer") or None,
        robots=table.text("robots") or None,
        rendered=bool(live),
    )
    return replace(
        observation,
        resources=observation.resources + tuple(_resource(resource, kind, url) for resource in resources),
        json_ld_types=observation.json_ld_types + table.texts("json_ld"),
        container_tags=table.texts("container"),
    )


def _headers(table: Table) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    given = table.take("header", (str, list, dict), [])
    lines = [f"{k}: {v}" for k, v in given.items()] if isinstance(given, dict) else given
    for name, value in _pairs([lines] if isinstance(lines, str) else lines, ":"):
        headers.setdefault(name, []).append(value)
    return headers


def _pairs(lines: Any, separator: str) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(separator)
        yield name.strip(), value.strip()


def _resource(url: str, kind: ResourceKind, page_url: str) -> Resource:
    host = host_of(url)
    same_site = registrable(host) == registrable(host_of(page_url))
    return Resource(url, host, kind, Party.FIRST if same_site else Party.THIRD)
