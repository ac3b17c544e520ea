"""Asserts that a wheel holds what it should: look_inside_wheel.py WHEEL compiled|plain."""

from __future__ import annotations

import sys
import zipfile


def complaints(names: list[str], kind: str) -> list[str]:
    """What is wrong with a wheel that holds these files."""
    found = []
    compiled = [n for n in names if n.endswith(".so")]
    if kind == "plain" and compiled:
        found.append(f"a wheel made without a compiler holds {compiled}")
    if kind == "compiled" and not compiled:
        found.append("a wheel made with a compiler holds no compiled core")
    if strays := [n for n in names if n.startswith(("tests/", "docs/", "bench/", "scripts/"))]:
        found.append(f"the wheel holds {strays[0]} and {len(strays) - 1} more that belong to the source only")
    if not any(n.startswith("captures/samples/") and "/capture." in n for n in names):
        found.append("the wheel holds no sample, so `fingerprint demo` cannot run")
    if "fingerprint/pages/templates/page.css" not in names:
        found.append("the wheel holds no templates, so no page can be written")
    typed = [f"{package}/py.typed" for package in ("captures", "fingerprint", "techniques")]
    return found + [f"{marker} is missing" for marker in typed if marker not in names]


def main() -> None:
    """Exit 1 with one line a complaint."""
    path, kind = sys.argv[1:]
    with zipfile.ZipFile(path) as wheel:
        found = complaints(wheel.namelist(), kind)
    sys.exit("\n".join(f"{path}: {line}" for line in found) or 0)


main()
