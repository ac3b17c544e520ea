"""A technique in whatever form an author has it at hand: its id, its file, its class, or an object of it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path

from captures.errors import PluginError, TargetError
from fingerprint.plugins import registry
from fingerprint.plugins.faults import fault, technique_id
from fingerprint.technique import Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A technique with its id and its file, None for one that was typed in."""

    id: str
    technique: Technique
    file: Path | None

    @property
    def kind(self) -> type[Technique]:
        """Its class."""
        return type(self.technique)


def named(thing: Technique | type[Technique] | str | Path) -> Named:
    """The technique that is meant. Raises PluginError for one that does not load, TargetError for none at all."""
    match thing:
        case Technique():
            return Named(id=technique_id(type(thing)), technique=thing, file=_file_of(type(thing)))
        case type():
            file = _file_of(thing)
            if complaint := fault(thing, file or Path(technique_id(thing).replace("-", "_") + ".py")):
                raise PluginError(f"{file.name if file else thing.__name__}: {complaint}")
            return Named(id=technique_id(thing), technique=thing(), file=file)
        case Path() | str() if str(thing).endswith(".py"):
            return _loaded(Path(thing))
    loaded = registry.load(only=[str(thing)]).techniques[0]
    return Named(id=loaded[0], technique=loaded[1], file=_file_of(type(loaded[1])))


def _loaded(file: Path) -> Named:
    """The one technique of a file, whatever else is installed under its id."""
    if not file.is_file():
        raise TargetError(f"there is no file {file}")
    try:
        (kind,) = registry.techniques_in(registry.Loading(file)(), file)
    except PluginError as error:
        raise PluginError(f"{file.name}: {error}") from error
    return Named(id=technique_id(kind), technique=kind(), file=file)


def _file_of(kind: type[Technique]) -> Path | None:
    path = getattr(sys.modules.get(kind.__module__), "__file__", None)
    try:
        return Path(path or inspect.getfile(kind))
    except (OSError, TypeError):
        return None
