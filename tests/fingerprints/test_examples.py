"""The examples in the library's documentation and docstrings, run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import fingerprints

DOCS = Path(__file__).parents[2] / "docs"
MODULES = sorted(found.name for found in pkgutil.walk_packages(fingerprints.__path__, "fingerprints."))


def test_examples_of_the_library_page() -> None:
    result = doctest.testfile(str(DOCS / "detection.md"), module_relative=False)
    assert result.attempted >= 8
    assert result.failed == 0


@pytest.mark.parametrize("name", ["fingerprints", *MODULES])
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
