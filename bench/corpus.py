"""Reading the development corpus: real pages beside the detections of the field's reference engine.

The corpus is not part of the project; every bench takes its folder as an argument (bench/README.md says
what the files hold).
"""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of `name`.jsonl.xz or `name`.jsonl; ends the program with a remedy when there is neither."""
    for path, opener in ((folder / f"{name}.jsonl.xz", lzma.open), (folder / f"{name}.jsonl", open)):
        if path.exists():
            with opener(path, "rt", encoding="utf-8") as stream:
                for line in stream:
                    yield json.loads(line)
            return
    sys.exit(f"{folder}: no {name}.jsonl.xz; give the folder of the page corpus (bench/README.md)")


def reference(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Page id to technology name to what the reference engine found, without its confidence-0 results."""
    return {
        row["id"]: {t["name"]: t for t in row["technologies"] if t["confidence"] > 0}
        for row in rows(folder, "reference")
    }
