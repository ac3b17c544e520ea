"""What somebody said of the place where a capture was taken: options, a sidecar beside it, a manifest above it.

Field by field, the nearest word counts: options before the sidecar (``run.vantage.toml`` beside ``run.pcapng``, or
``.json``) before the manifest (``vantages.toml`` in the capture's folder, or the nearest folder above it whose manifest
names the capture). What is broken is told and takes nothing from behind it: better no vantage than a wrong one.

A manifest::

    [[vantage]]
    files = ["lahore/*.pcapng"]     # relative to the manifest; ** for any folders, a folder for all below it
    name = "lahore"
    provider = "Example Net"
    asn = 64500
    country = "PK"
    [vantage.clock]
    offset_s = -1.5                 # added to the capture's times
    error_s = 0.2
    source = "ntp"
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from captures.files import CAPTURE_SUFFIXES
from fingerprint.script import Script
from fingerprint.vantages import fields as vantage_fields
from fingerprint.vantages.vantage import Clock, Vantage

MANIFEST = "vantages.toml"
SIDECARS = (".vantage.toml", ".vantage.json")
COMPRESSED = (".gz", ".xz", ".zst")
NOTHING = Vantage()
# What the laboratory's carrier in virtual time writes as the recorder into its scripts.
SIMULATED = "simulated"
SIMULATION = "the laboratory's simulated path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A vantage, and what could not be used of what was said: (file, sentence)."""

    vantage: Vantage = NOTHING
    complaints: tuple[tuple[str, str], ...] = ()


def of(file: str, options: Vantage = NOTHING) -> Given:
    """What is said of a capture; of standard input only the options speak."""
    vantage = options
    for source in () if file == "-" else (_beside, _above):
        try:
            said = source(Path(os.path.abspath(file)))  # noqa: PTH100  # a link stays where it lies
        except Unusable as error:
            return Given(vantage=vantage, complaints=((error.file, str(error)),))
        vantage = joined(vantage, said)
    return Given(vantage=vantage)


def joined(nearer: Vantage, farther: Vantage) -> Vantage:
    """Field by field, what the nearer says, else what the farther says."""
    said = {f.name: getattr(nearer, f.name) for f in fields(nearer)}
    missing = {name for name, value in said.items() if value is None or value == Clock()}
    return replace(nearer, **{name: getattr(farther, name) for name in missing})


def with_script(vantage: Vantage, script: Script | None) -> Vantage:
    """Marked as a simulation if its script says so and nobody said which."""
    if script is None or script.recorder != SIMULATED or vantage.simulated:
        return vantage
    return replace(vantage, simulated=SIMULATION)


class Unusable(ValueError):
    """A sidecar or a manifest that is broken, or that says two things at once."""

    def __init__(self, path: Path, says: str) -> None:
        super().__init__(f"{path.name}: {says}")
        self.file = path.name


def sidecar_of(capture: Path, ending: str = SIDECARS[0]) -> Path:
    """Where the sidecar of a capture lies: ``run.vantage.toml`` for ``run.pcapng`` and for ``run.pcap.gz``."""
    name = capture.name
    for suffix in (*COMPRESSED, *CAPTURE_SUFFIXES):
        name = name.removesuffix(suffix)
    return capture.with_name((name or capture.name) + ending)


def _beside(capture: Path) -> Vantage:
    there = [path for ending in SIDECARS if (path := sidecar_of(capture, ending)).is_file()]
    if not there:
        return NOTHING
    if len(there) > 1:
        raise Unusable(there[0], f"{there[1].name} lies there too; remove one of them")
    return read(there[0])


def read(sidecar: Path) -> Vantage:
    """The vantage that a sidecar names. Raises Unusable for what is none."""
    try:
        return vantage_fields.vantage(_parsed(sidecar))
    except (ValueError, OSError, RecursionError) as error:
        raise _unusable(sidecar, error) from None


def _parsed(path: Path) -> Mapping[str, Any]:
    told = json.loads(path.read_bytes()) if path.suffix == ".json" else tomllib.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, dict):
        raise ValueError("it is no object")  # noqa: TRY004  # one kind of error for a file that is broken
    return told


def _unusable(path: Path, error: Exception) -> Unusable:
    why = (error.strerror or "it cannot be read") if isinstance(error, OSError) else str(error)
    if isinstance(error, UnicodeDecodeError):
        why = "it is no text in UTF-8"
    if isinstance(error, RecursionError):
        why = "it is nested too deeply"
    return Unusable(path, f"{why}; mend it, nothing was taken from it")


def _above(capture: Path) -> Vantage:
    """From the nearest folder whose manifest names the capture."""
    for folder in capture.parents:
        manifest = folder / MANIFEST
        if not manifest.is_file():
            continue
        found = [said for globs, said in entries(manifest) if matches(globs, capture.relative_to(folder).as_posix())]
        if len(found) > 1:
            keys = " and ".join(said.key for said in found)
            raise Unusable(manifest, f"{capture.name} is named by {len(found)} vantages ({keys}); name it once")
        if found:
            return found[0]
    return NOTHING


def entries(manifest: Path) -> tuple[tuple[tuple[str, ...], Vantage], ...]:
    """(globs, vantage) for every entry of a manifest. Raises Unusable for what is none."""
    try:
        told = _parsed(manifest)
        vantage_fields.refuse_strangers(told, ("vantage",), "a manifest")
        listed = told.get("vantage")
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise ValueError("want [[vantage]] entries")  # noqa: TRY301  # one sentence for everything that is broken
        return tuple(_entry(number, entry) for number, entry in enumerate(listed, 1))
    except (ValueError, OSError, RecursionError) as error:
        raise _unusable(manifest, error) from None


def _entry(number: int, told: dict[str, Any]) -> tuple[tuple[str, ...], Vantage]:
    globs = told.pop("files", None)
    if not isinstance(globs, list) or not globs or not all(isinstance(g, str) and g for g in globs):
        raise ValueError(f'vantage {number} wants files = ["…"], the captures that it is about')
    try:
        return tuple(globs), vantage_fields.vantage(told)
    except ValueError as error:
        raise ValueError(f"vantage {number}: {error}") from None


def matches(globs: Sequence[str], path: str) -> bool:
    """Whether one of the patterns names the path, or a folder that it lies in."""
    parts = path.split("/")
    ways = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    return any(re.fullmatch(_pattern(glob), way) for glob in globs for way in ways)


def _pattern(glob: str) -> str:
    return "".join(_pieces(glob.removeprefix("./").rstrip("/")))


def _pieces(glob: str) -> Iterator[str]:
    """``**/`` is any folders or none, ``*`` and ``?`` stay within a name."""
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob):
        yield signs.get(piece) or re.escape(piece)


def text(vantage: Vantage) -> str:
    """The vantage as a sidecar holds it, in TOML."""
    words = {f.name: getattr(vantage, f.name) for f in fields(vantage) if f.name != "clock"}
    lines = [f"{name} = {_toml(value)}" for name, value in words.items() if value is not None]
    if vantage.clock != Clock():
        clock = {f.name: getattr(vantage.clock, f.name) for f in fields(vantage.clock)}
        lines += ["", "[clock]", *(f"{name} = {_toml(value)}" for name, value in clock.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _toml(value: str | float) -> str:
    """TOML's basic strings are JSON's, but for DEL, which has to be escaped too (TOML 1.0, section String)."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
