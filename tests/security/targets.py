"""Everything a stranger can write, by name."""

from __future__ import annotations

from tests.security import files, rules, sites
from tests.security.fuzzing import TARGETS, ours, run

__all__ = ["TARGETS", "files", "ours", "rules", "run", "sites"]
