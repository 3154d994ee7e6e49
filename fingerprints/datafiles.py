"""Where the files under `data/` are: beside the packages in a checkout, inside this one when installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_file(name: str) -> Path:
    """Path of a file or folder under `data/`, as `reference/detectability.json`.

    Raises FileNotFoundError when the installation lacks it.
    """
    for root in (_PACKAGE / "data", _PACKAGE.parent / "data"):
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"technograph's own data file {name!r} is missing; reinstall the package")
