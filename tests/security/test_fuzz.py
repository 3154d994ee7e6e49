"""A few seconds of what `python -m bench.fuzz` does for hours: no input breaks a reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.targets import TARGETS, run


@pytest.mark.filterwarnings("ignore:Some characters could not be decoded")
@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_answered(name: str, tmp_path: Path) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=400))
    def answered(data: bytes) -> None:
        run(name, data, tmp_path)

    answered()
