"""Builds the compiled core, if it can be built; the plain-Python pass takes its place where it cannot.

The wheel carries a platform tag only if the core is inside. ``CC=false`` therefore gives a pure wheel.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "captures"
MODULE = "_core"


class CustomBuildHook(BuildHookInterface):
    """Compiles captures/_core.pyx for wheels and editable installs."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the core to the wheel, or puts it next to its sources if the install is editable."""
        if self.target_name == "sdist":
            return
        package = Path(self.root) / PACKAGE
        # A core of an earlier build must neither be shipped nor be imported where this build fails.
        for old in package.glob(f"{MODULE}*.so"):
            old.unlink()
        self._folder = Path(tempfile.mkdtemp(prefix="core-"))
        core = self._build(package)
        if core is None:
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version == "editable":
            shutil.copy2(core, package / core.name)
        else:
            build_data["force_include"][str(core)] = f"{PACKAGE}/{core.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Removes the temporary folder."""
        folder = getattr(self, "_folder", None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _build(self, package: Path) -> Path | None:
        """The extension module in the temporary folder; None, after a warning, if cython or the compiler fails."""
        for source in (*package.glob(f"{MODULE}*.pyx"), *package.glob(f"{MODULE}*.pxi")):
            shutil.copy2(source, self._folder)
        translated = self._folder / f"{MODULE}.c"
        core = self._folder / f"{MODULE}{sysconfig.get_config_var('EXT_SUFFIX')}"
        steps = (
            (sys.executable, "-m", "cython", "-3", f"{MODULE}.pyx", "-o", str(translated)),
            (*_compiler(), str(translated), "-o", str(core)),
        )
        for step in steps:
            try:
                subprocess.run(step, cwd=self._folder, check=True, capture_output=True, text=True)  # noqa: S603 - ours
            except (OSError, subprocess.CalledProcessError) as error:
                lines = (getattr(error, "stderr", "") or type(error).__name__).strip().splitlines()
                self.app.display_warning(
                    f"the compiled core was not built ({Path(step[0]).name}: {lines[-1]}); "
                    "captures are read in plain Python, install a C compiler to read them faster"
                )
                return None
        return core


def _compiler() -> tuple[str, ...]:
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    shared = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)
    return (*shlex.split(command), "-O3", "-fPIC", "-w", *shared, f"-I{sysconfig.get_path('include')}")
