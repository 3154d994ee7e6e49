"""The small fictional sites of data/demo, and what a crawl must find on each.

A site is one TOML file named after its host. Its pages are filled into page.html with the
tags of the tools it names, or written out in full where the answer is no ordinary page.
"""

from __future__ import annotations

import gzip
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fingerprints.datafiles import data_file
from fingerprints.model import Outcome, Reason
from fingerprints.strict import Table

BEHAVIOURS = ("", "drip", "hang", "reset")
"""How a site answers: at once, slowly, never, or by dropping the connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response of a site, ready to be sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a crawl of the site must come to."""

    outcome: Outcome
    detail: str = ""
    """Exact detail of the outcome; empty where any will do."""
    flags: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    """Technologies with evidence of their own: all of them, and no others."""
    never: tuple[str, ...] = ()
    """Technologies that a careless rule would report here."""
    absent: tuple[str, ...] = ()
    """Categories."""
    unknown: Mapping[str, Reason] = field(default_factory=dict)
    """Category to the reason nobody knows."""


@dataclass(frozen=True, slots=True)
class DemoSite:
    """One host of the demo web."""

    host: str
    name: str
    is_target: bool
    """Whether a crawl of the demo web visits it by itself."""
    behaviour: str
    expect: Expectation
    replies: Mapping[tuple[str, str], Reply]
    """(host, path) to the response."""


@dataclass(frozen=True, slots=True)
class _Tool:
    """What one vendor's product adds to a page."""

    head: str = ""
    body: str = ""
    attributes: str = ""
    headers: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()


def load_sites(folder: Path | None = None) -> tuple[DemoSite, ...]:
    """Every site of the folder, by host. Raises RuleError for a file that is not as it must be."""
    root = folder or data_file("demo")
    tools = _load_tools(root / "tools.toml")
    layout = Template((root / "page.html").read_text(encoding="utf-8"))
    files = sorted((root / "sites").glob("*.toml"))
    return tuple(_Builder(file, tools, layout).site() for file in files)


def _load_tools(path: Path) -> dict[str, _Tool]:
    tools = {}
    for name, data in tomllib.loads(path.read_text(encoding="utf-8")).items():
        table = Table(f"{path.name}: {name}", data)
        tools[name] = _Tool(
            head=table.text("head"),
            body=table.text("body"),
            attributes=table.text("attributes"),
            headers=table.texts("headers"),
            cookies=table.texts("cookies"),
        )
        table.done()
    return tools


class _Builder:
    """Builds one site from its file."""

    def __init__(self, file: Path, tools: Mapping[str, _Tool], layout: Template) -> None:
        self._host = file.stem
        self._tools = tools
        self._layout = layout
        self._where = file.name
        table = Table(file.name, tomllib.loads(file.read_text(encoding="utf-8")))
        self._name = table.text("name", required=True)
        self._about = table.text("about")
        self._language = table.text("language", "en")
        self._charset = table.text("charset", "utf-8")
        self._gzip: bool = table.take("gzip", bool, False)
        self._padding_bytes = 1024 * int(table.take("padding_kib", int, 0))
        self._is_target: bool = table.take("is_target", bool, True)
        self._behaviour = table.choice("behaviour", BEHAVIOURS, "")
        self._robots = table.text("robots")
        self._site_tools = self._named(table.texts("tools"))
        self._headers = table.texts("headers")
        self._cookies = table.texts("cookies")
        self._expect = _expectation(
            Table(f"{file.name}: expect", table.take("expect", dict, {"outcome": "ok"}))
        )
        self._pages: list[dict[str, Any]] = table.take("page", list, [])
        table.done()
        if not any(page["path"] == "/" for page in self._pages):
            self._pages.insert(0, {"path": "/", "title": self._name})

    def site(self) -> DemoSite:
        navigation = "\n".join(
            f'<a href="{page["path"]}">{escape(page.get("title", self._name))}</a>'
            for page in self._pages
            if not page.get("hidden")
        )
        replies = dict(self._reply(page, navigation) for page in self._pages)
        if self._robots:
            headers = (("Content-Type", "text/plain; charset=utf-8"),)
            replies[self._host, "/robots.txt"] = Reply(200, headers, self._robots.encode())
        return DemoSite(self._host, self._name, self._is_target, self._behaviour, self._expect, replies)

    def _reply(self, page: Mapping[str, Any], navigation: str) -> tuple[tuple[str, str], Reply]:
        table = Table(f"{self._where}: page {page['path']}", page)
        table.take("hidden", bool, False)
        tools = [*self._site_tools, *self._named(table.texts("tools"))]
        place = (table.text("host", self._host), table.text("path", required=True))
        title, text = table.text("title", self._name), table.text("text")
        html = table.take("html", str) if "html" in table else self._page(title, text, navigation, tools)
        body = html.encode(self._charset, "xmlcharrefreplace")
        headers = self._response_headers(table.texts("headers"), tools)
        if self._gzip:
            body, headers = gzip.compress(body, mtime=0), (*headers, ("Content-Encoding", "gzip"))
        reply = Reply(table.take("status", int, 200), headers, body)
        table.done()
        return place, reply

    def _page(self, title: str, text: str, navigation: str, tools: Iterable[_Tool]) -> str:
        return self._layout.substitute(
            title=escape(title),
            text=text or f"<p>{escape(title)}, by {escape(self._name)}.</p>",
            about=escape(self._about),
            navigation=navigation,
            language=self._language,
            charset=self._charset,
            attributes=" ".join(tool.attributes for tool in tools if tool.attributes),
            head="\n".join(tool.head.strip() for tool in tools if tool.head),
            body="\n".join(tool.body.strip() for tool in tools if tool.body)
            + "\n"
            + "<!-- -->" * (self._padding_bytes // 8),
        )

    def _response_headers(self, own: Iterable[str], tools: Iterable[_Tool]) -> tuple[tuple[str, str], ...]:
        lines = [line for tool in tools for line in tool.headers]
        lines += [*self._headers, *own]
        cookies = [cookie for tool in tools for cookie in tool.cookies] + list(self._cookies)
        stated = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        if not any(name.lower() == "content-type" for name, _ in stated):
            stated.insert(0, ("Content-Type", f"text/html; charset={self._charset}"))
        return (*stated, *(("Set-Cookie", cookie) for cookie in cookies))

    def _named(self, names: Iterable[str]) -> list[_Tool]:
        return [self._tools[name] for name in names]


def _expectation(table: Table) -> Expectation:
    expectation = Expectation(
        outcome=Outcome(table.choice("outcome", list(Outcome))),
        detail=table.text("detail"),
        flags=table.texts("flags"),
        present=table.texts("present"),
        never=table.texts("not"),
        absent=table.texts("absent"),
        unknown={slug: Reason(reason) for slug, reason in table.take("unknown", dict, {}).items()},
    )
    table.done()
    return expectation
