"""Fingerprint detection as a library: observe a page, detect, explain. No Scrapy, no SQL, no network.

>>> from fingerprints import Detector
>>> from fingerprints.observe import observe
>>> page = observe('<script src="https://client.crisp.chat/l.js"></script>')
>>> [detection.slug for detection in Detector.default().detect([page])]
['crisp']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fingerprints.detector import Detector
    from fingerprints.model import Observation

__all__ = ["Detector", "Observation"]

_HOME = {
    "Detector": "fingerprints.detector",
    "Observation": "fingerprints.model",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: the store and the scoring import only `fingerprints.model`, and must not
    # pay for lxml and the matching engine.
    if name not in _HOME:
        raise AttributeError(f"module 'fingerprints' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
