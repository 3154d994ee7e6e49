"""Compiles the page reader when the package is built or installed; without a C compiler it is left out.

What is left out makes pages cost twice the CPU and changes no result (`fingerprints/tree.py`).
"""

from __future__ import annotations

import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "fingerprints/native.pyx"


class CompileReader(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        try:
            compiled = _compile(Path(self.root))
        except Exception as problem:  # noqa: BLE001 - whatever a missing or broken compiler may say
            self.clean([version])  # what an older source was compiled to
            self.app.display_warning(f"without the fast page reader, which does not compile here: {problem}")
            return
        build_data["artifacts"].append(f"/{compiled.relative_to(self.root).as_posix()}")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def clean(self, versions: list[str]) -> None:
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        Path(self.root, f"fingerprints/native{suffix}").unlink(missing_ok=True)


def _compile(root: Path) -> Path:
    """The compiled module, beside its source, where editable installations look for it."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    with tempfile.TemporaryDirectory() as folder:
        extension = Extension("fingerprints.native", [str(root / SOURCE)])
        distribution = Distribution({"ext_modules": cythonize(extension, build_dir=folder, quiet=True)})
        command = distribution.get_command_obj("build_ext")
        command.build_lib = command.build_temp = folder
        command.ensure_finalized()
        command.run()
        (compiled,) = (
            path for path in Path(folder).glob("fingerprints/native.*") if path.suffix in (".so", ".pyd")
        )
        # Put in place whole: a crawl may be running on the one before.
        beside = shutil.copy(compiled, root / "fingerprints" / f".{compiled.name}")
        return Path(beside).replace(root / "fingerprints" / compiled.name)
