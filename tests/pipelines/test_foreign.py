"""Somebody else's Scrapy project, made in a temporary folder and run as its owner would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import HostileWeb

SPIDER = """
import dataclasses
import scrapy

@dataclasses.dataclass
class Company:
    title: str
    technologies: list = dataclasses.field(default_factory=list)

@dataclasses.dataclass
class Plain:
    title: str

class Declared(scrapy.Item):
    title = scrapy.Field()
    technologies = scrapy.Field()

class Shops(scrapy.Spider):
    name = "shops"

    async def start(self):
        yield scrapy.Request(self.url, headers={"Host": "plain-only.test"})

    def parse(self, response):
        title = response.css("title::text").get()
        yield {"title": title}
        yield Company(title)
        yield Declared(title=title)
        yield Plain(title)
"""

SETTINGS = """
SPIDER_MODULES = ["theirs"]
SPIDER_MIDDLEWARES = {"pipelines.foreign.PageMemory": 10}
ITEM_PIPELINES = {"pipelines.foreign.TechnologiesPipeline": 300}
REMOTE_CONTROL_ENABLED = TELNETCONSOLE_ENABLED = False
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "theirs").mkdir()
    (folder / "theirs" / "__init__.py").write_text("")
    (folder / "theirs" / "shops.py").write_text(SPIDER)
    (folder / "theirs" / "settings.py").write_text(SETTINGS)
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = theirs.settings\n")
    return folder


@pytest.fixture(scope="module")
def ran(project: Path) -> tuple[list[dict[str, object]], str]:
    with HostileWeb(folder=project) as web:
        address = f"url=http://127.0.0.1:{web.http_port}/"
        command = [sys.executable, "-m", "scrapy", "crawl", "shops", "-a", address, "-O", "items.jsonl"]
        finished = subprocess.run(
            command, cwd=project, capture_output=True, text=True, timeout=60, check=True
        )
    items = [json.loads(line) for line in (project / "items.jsonl").read_text().splitlines()]
    return items, finished.stderr


def test_dict_dataclass_and_declared_items_gain_the_technologies_of_their_page(
    ran: tuple[list[dict[str, object]], str],
) -> None:
    items, _ = ran
    slugs = [[found["slug"] for found in item["technologies"]] for item in items[:3]]  # type: ignore[index,attr-defined]
    assert slugs == [["google-tag-manager"]] * 3
    assert [item["title"] for item in items] == ["Acme"] * 4


def test_item_without_the_field_passes_unchanged_and_is_mentioned_once(
    ran: tuple[list[dict[str, object]], str],
) -> None:
    items, log = ran
    assert items[3] == {"title": "Acme"}
    assert log.count("Plain has no field 'technologies'; add it to see what each page runs") == 1
