"""``fingerprint new-technique``: a technique with its samples, its censor and its test, all of which run at once.

The template is a technique like any other, tested with the project; only its name is replaced.
"""

from __future__ import annotations

import keyword
import re
import runpy
import shutil
import tempfile
from pathlib import Path

from captures.errors import TargetError
from fingerprint.plugins import registry
from fingerprint.plugins.faults import technique_id_of

TEMPLATE = Path(__file__).with_name("template")
# The name that stands in the template.
SHOWN = "stamped-reset"
WORDS = re.compile(r"[a-z][a-z0-9]+(-[a-z][a-z0-9]+)*")
# A technique is named for what is done to somebody; these say to what, or nothing.
TOO_BROAD = frozenset(
    (
        "dns", "tls", "ssl", "http", "https", "quic", "tcp", "udp", "icmp", "ip", "ipv4", "ipv6", "sni", "utils",
        "util", "helpers", "common", "misc", "manager", "info",
    )
)  # fmt: skip
# Names of the plugin protocol, which the file itself needs.
TAKEN = frozenset(
    (
        "technique", "clue", "evidence", "inconclusive", "subject", "finding", "facets", "trigger", "capture", "probe",
        "request", "send", "target", "cited", "segment", "stream", "iterator", "wait", "cite", "censor", "innocent",
    )
)  # fmt: skip


def new_technique(name: str, into: Path) -> Path:
    """Write the folder of a new technique below ``into``. Raises TargetError, in one sentence, for what cannot be."""
    known = name.replace("_", "-")
    refuse(known, name)
    folder = into / known.replace("-", "_")
    if not into.is_dir():
        raise TargetError(f"--into {into}: there is no such folder; make it first")
    if folder.exists():
        raise TargetError(f"{folder} exists already; choose another name, or another folder with --into")
    with tempfile.TemporaryDirectory(prefix=".new-technique-", dir=into) as unfinished:
        made = Path(unfinished) / folder.name
        copy(known, made)
        made.rename(folder)
    return folder


def refuse(known: str, name: str) -> None:
    """Raise TargetError for a name that no technique can have."""
    if not WORDS.fullmatch(known) or technique_id_of(camel(known)) != known:
        raise TargetError(
            f"{name!r} is no name for a technique; want small words with hyphens, such as {SHOWN}, each of two letters "
            "or more"
        )
    if known in TOO_BROAD:
        raise TargetError(f"{name!r} says to what it is done and not what; want something like {SHOWN}")
    if known in TAKEN or keyword.iskeyword(known):
        raise TargetError(f"{name!r} is a word that the file itself needs; want something like {SHOWN}")
    if known in dict(registry.load().techniques):
        raise TargetError(f"there is a technique {known!r} already: `fingerprint explain {known}`; choose another name")


def camel(known: str) -> str:
    """``stamped-reset`` → ``StampedReset``."""
    return "".join(word.capitalize() for word in known.split("-"))


def copy(known: str, made: Path) -> None:
    """The template under another name, and the captures that its recipes make."""
    shutil.copytree(TEMPLATE, made, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.pcapng"))
    swaps = [(form(SHOWN), form(known)) for form in (str, camel, lambda words: words.replace("-", "_"))]
    for file in sorted(p for p in made.rglob("*") if p.is_file()):
        text = file.read_text(encoding="utf-8")
        for old, new in swaps:
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
        for old, new in swaps:
            if old in file.name:
                file.rename(file.with_name(file.name.replace(old, new)))
                break
    for recipe in sorted(made.glob("samples/*/make.py")):
        runpy.run_path(str(recipe))["make"](recipe.parent)


def tell(folder: Path) -> str:
    """What was made, and what to do with it."""
    known, file = folder.name.replace("_", "-"), f"{folder.name}.py"
    made = {
        file: "the technique: begin here",
        "samples/": "recipes, the captures that they make, and what should come out",
        "lab/censor.py": "a censor to try it on, and its innocent twin",
        f"tests/test_{file}": "what it promises",
    }
    width = max(map(len, made)) + 2
    return "\n".join(
        (
            f"{folder}/",
            *(f"  {path:<{width}}{says}" for path, says in made.items()),
            "",
            f"Next: cd {folder} && python -m pytest",
            f"      fingerprint analyse samples/blocked/capture.pcapng --plugins {file}",
            f"      fingerprint explain {known} --plugins {file}",
        )
    )
