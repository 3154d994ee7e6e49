"""placeholder"""
from __future__ import annotations
from pathlib import Path


def is_wappalyzer(source: Path) -> bool:
    return False


def load_wappalyzer(source: Path, *, merge_names: bool):  # type: ignore[no-untyped-def]
    raise NotImplementedError
