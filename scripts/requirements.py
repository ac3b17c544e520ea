"""Prints the names of the packages that an install brings, one line: requirements.py [EXTRA]."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def wanted(project: dict, extra: str) -> list[str]:
    """Requirements of the project and of one extra, extras of its own followed."""
    names = []
    for requirement in project["optional-dependencies"].get(extra, []):
        own = re.fullmatch(re.escape(project["name"]) + r"\[(.+)\]", requirement)
        names += [n for e in own[1].split(",") for n in wanted(project, e)] if own else [requirement]
    return names


def main() -> None:
    """Print them without versions."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    found = project["dependencies"] + wanted(project, sys.argv[1] if len(sys.argv) > 1 else "")
    print(" ".join(dict.fromkeys(re.split(r"[ ;<>=\[]", r)[0] for r in found)))


main()
