"""Imports point one way: this table is the architecture, and the test reads every import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "fingerprints": (),
    "icp": ("fingerprints.model",),
    "store": ("fingerprints.model", "icp"),
    # A response becomes an observation where it arrives; both are made by the same pure function.
    "crawler": ("fingerprints.model", "fingerprints.observe"),
    "pipelines": ("fingerprints", "store", "icp", "crawler.items"),
    "cli": ("fingerprints", "icp", "store", "crawler", "pipelines"),
}


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: relative import"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_what_lies_below_it(package: str) -> None:
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for module in imported_modules(path):
            top = module.split(".")[0]
            allowed = (package, *MAY_IMPORT[package])
            if top in MAY_IMPORT and not any(module == a or module.startswith(f"{a}.") for a in allowed):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert not wrong


def test_every_package_is_in_the_table() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages == set(MAY_IMPORT)


@pytest.mark.parametrize("package", ["fingerprints", "icp"])
def test_pure_packages_touch_no_network_and_no_database(package: str) -> None:
    forbidden = {
        "scrapy",
        "twisted",
        "socket",
        "http",
        "urllib.request",
        "requests",
        "sqlite3",
        "sqlite_utils",
    }
    used = {module for path in (ROOT / package).rglob("*.py") for module in imported_modules(path)}
    assert not {module for module in used if {module, module.split(".")[0]} & forbidden}
