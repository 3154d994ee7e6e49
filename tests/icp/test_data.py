"""The profiles we ship, against the rules we ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprints.datafiles import data_file
from fingerprints.detector import Detector
from icp.profile import load_profile


@pytest.mark.parametrize("path", sorted(data_file("icp").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_profile_loads_without_a_warning(path: Path):
    profile = load_profile(path, Detector.default().taxonomy)

    assert profile.name == path.stem
    assert profile.warnings == ()
    assert sum(criterion.points for criterion in profile.criteria) == 100
