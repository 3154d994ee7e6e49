"""What a fuzzing target is, and how one input is run."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fingerprints.detector import Detector
from fingerprints.model import InputError, Record
from fingerprints.model.wire import from_json, to_json
from tests.security.draw import Draw

Target = Callable[[Draw, Path], None]
"""Builds its input from a Draw, with a folder for files, calls the reader, and asserts what must hold."""

TARGETS: dict[str, Target] = {}

PAGE = (
    "<html><head><meta name=generator content='Shopify 2.1'><script src=https://cdn.shopify.com/a.js></script>"
    "<style>.a{}</style></head><body><div class='a b'>Powered by shopify</div><script>var a=1</script></body>"
)


def target(check: Target) -> Target:
    """Register a target under its function's name."""
    TARGETS[check.__name__] = check
    return check


def run(name: str, data: bytes, folder: Path) -> None:
    """One input for one target. InputError is an answer; any other exception is a finding."""
    with suppress(InputError):
        TARGETS[name](Draw(data), folder)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@functools.cache
def ours() -> Detector:
    return Detector.default()


def assert_survives_the_wire(record: Record) -> None:
    """A record can be written as UTF-8 JSON and read again."""
    line = json.dumps(to_json(record), ensure_ascii=False, allow_nan=False).encode("utf-8")
    from_json(json.loads(line))
