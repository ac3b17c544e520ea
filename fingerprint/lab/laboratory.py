"""One laboratory, one command: the settings, and how a command is run as its client.

>>> done = run(["curl", "-k", "https://garden.test/"], Settings(censor="gfw-rst"))  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as File

from captures.errors import PluginError, TargetError
from fingerprint.lab.preset import Preset
from fingerprint.lab.world import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a laboratory is like. ``censor`` is a preset's name, or ``FILE.py:NAME`` of a preset or box of one's own."""

    censor: str = "none"
    path: Path = field(default_factory=Path)
    residual_s: float | None = None  # None: as the preset has it
    congestion: str = "cubic"
    quic: bool | None = None  # None: as the preset's servers have it, if aioquic is installed

    @classmethod
    def of(cls, censor: str, *, hops: int | None = None, **others: object) -> Settings:
        """The preset's own path, longer or shorter; its box stays where it stands if there is a router behind it."""
        path = chosen(censor).path
        if hops is not None:
            path = dataclasses.replace(path, hops=hops, at=max(1, min(path.at, hops - 1)))
        return cls(censor=censor, path=path, **others)  # type: ignore[arg-type]

    def to_json(self) -> str:
        """As the laboratory's process reads it."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The reverse of `to_json`."""
        document = json.loads(text)
        return cls(**{**document, "path": Path(**document["path"])})


def chosen(censor: str) -> Preset:
    """The preset of that name, or one in a file of the user's. Raises TargetError, or PluginError for a bad file."""
    file, colon, name = censor.rpartition(":")
    if not colon:
        from fingerprint.lab.presets import preset

        return preset(censor)
    if not File(file).is_file():
        raise TargetError(f"--censor {censor}: there is no file {file}; want FILE.py:NAME or a name of `lab list`")
    spec = importlib.util.spec_from_file_location("fingerprint_lab_box", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        thing = getattr(module, name)
    except Exception as error:
        raise PluginError(f"{file}: {type(error).__name__}: {error}; mend it") from error
    if isinstance(thing, Preset):
        return thing
    says = (thing.__doc__ or name).strip().splitlines()[0]
    return Preset(name=name, says=says, source=file, boxes=lambda _: (thing(),))


def command_line(command: Sequence[str], settings: Settings, *, parent: int | None = None) -> list[str]:
    """What has to be executed for ``command`` to run as the client; it ends with ``parent``, if one is named."""
    tie = [] if parent is None else [str(parent)]
    return [sys.executable, "-m", "fingerprint.lab.kernel.host", settings.to_json(), *tie, "--", *command]


def run(
    command: Sequence[str], settings: Settings, *, timeout_s: float | None = None, cwd: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as the client of a fresh laboratory, and wait for it. Raises subprocess.TimeoutExpired.

    The laboratory ends with this process, however it ends.
    """
    argv = command_line(command, settings, parent=os.getpid())
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout_s, cwd=cwd)
