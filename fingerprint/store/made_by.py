"""What made a judgement: everything that could change it, so that what is stored is used for as long as it would be
judged the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import captures
import fingerprint
from fingerprint import __version__, services, tables
from fingerprint.plugins.registry import Registry
from fingerprint.store.entry import digest
from fingerprint.technique import Technique

# What judges: the packages whose code takes part, beside the techniques wherever those come from.
PACKAGES = (captures, fingerprint)
CODE = (".py", ".so", ".toml")
# Folders with no part in a judgement: they make captures, or read what was judged. Whatever is new counts.
ASIDE = frozenset(
    [
        "accounts",
        "authors",
        "crosscheck",
        "incident",
        "lab",
        "live",
        "ooni",
        "pages",
        "probing",
        "samples",
        "store",
        "testing",
        "watching",
        "__pycache__",
    ]
)


def made_by(registry: Registry, options: Mapping[str, Any]) -> dict[str, Any]:
    """The tool with its code, tables and techniques as hashes, and the options that count, as they were given."""
    known = [[t.name, t.version, t.sha256] for t in tables.at_hand()[0].tables]
    return {
        "tool": f"censorship-fingerprint {__version__}",
        "code": code(),
        "tables": digest([*known, *(s.table for s in services.at_hand()[0].services)]),
        "techniques": digest(
            [[name, settings(technique), of_file(technique)] for name, technique in registry.techniques]
        ),
        "options": dict(options),
    }


@cache
def code() -> str:
    """One hash of the code that judges. A version number alone would call an edited checkout what it no longer is."""
    running = sha256()
    for package in PACKAGES:
        root = Path(package.__file__ or ".").parent
        for file in sorted(path for path in root.rglob("*") if takes_part(path.relative_to(root))):
            running.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return running.hexdigest()


def takes_part(path: Path) -> bool:
    """Whether a file of a package may have a say in a judgement; the command line has none."""
    return path.suffix in CODE and ASIDE.isdisjoint(path.parts) and not path.name.startswith("cli")


def settings(technique: Technique) -> list[list[str]]:
    """The thresholds of a technique, in order; sets have one of their own."""
    values = ((f.name, getattr(technique, f.name)) for f in fields(technique))
    return [
        [name, repr(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)] for name, value in values
    ]


def of_file(technique: object) -> str:
    """The hash of a technique's file; its name where there is no file to be had."""
    try:
        return of_path(Path(inspect.getfile(type(technique))))
    except (OSError, TypeError):
        return type(technique).__qualname__


def of_path(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        running = sha256()
        while block := file.read(1 << 20):
            running.update(block)
    return running.hexdigest()
