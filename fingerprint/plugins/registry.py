"""Which techniques take part: built-in ones, those of installed packages, and files that somebody points to.

A technique is found by being there. Installed packages name a package of techniques under the entry point group
``fingerprint.techniques`` and every module of it is one technique; ``--plugins`` takes a file or a folder of files.
Nothing is ever loaded from the current directory unasked: this tool also runs as root.

A technique that does not load is a `Failure` with its file and line, and the others go on without it.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType

from captures.errors import PluginError, TargetError
from fingerprint.plugins.faults import fault, technique_id
from fingerprint.plugins.overdue import Overdue, bounded
from fingerprint.plugins.settings import apply
from fingerprint.spelling import meant
from fingerprint.technique import Technique
from fingerprint.verdict.model import Failure

GROUP = "fingerprint.techniques"
BUILT_IN = "techniques"
# Seconds of computing that a file may take to load. Ours take some tens of milliseconds with all they import.
LOADING_S = 20.0
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The techniques that take part, by id in alphabetical order, and those that failed to load."""

    techniques: tuple[tuple[str, Technique], ...]
    failures: tuple[Failure, ...]
    # How it was asked for; another process loads it again from these, for a class loaded by path has no import name.
    plugins: tuple[Path, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    only: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[object, ...]:
        return load, (self.plugins, dict(self.settings), self.only)

    def get(self, technique_id: str) -> Technique:
        """The technique of that id. Raises TargetError naming those that exist."""
        for known, technique in self.techniques:
            if known == technique_id:
                return technique
        raise unknown(technique_id, [known for known, _ in self.techniques])


def load(
    plugins: Sequence[Path] = (),
    settings: Mapping[str, str] = NO_SETTINGS,
    only: Sequence[str] = (),
) -> Registry:
    """Every technique at hand, with ``settings`` (``"dns-injection.listen_s": "5"``), or just those in ``only``.

    Raises TargetError for a plugin path, technique or setting that does not exist: a slip of the person asking.
    """
    found: dict[str, type[Technique]] = {}
    failures: list[Failure] = []
    for file, loading in (*installed(), *by_path(plugins)):
        try:
            module = loading()
            for kind in techniques_in(module, file):
                kind()  # raises for thresholds that refuse their own defaults
                claim(found, kind)
        except PluginError as error:
            failures.append(Failure(file=file.name, error=str(error)))
        except Exception as error:  # noqa: BLE001 - whatever else a plugin's class does
            says = f"{at_line(error, file)}{told(error)}; mend it or leave it out"
            failures.append(Failure(file=file.name, error=says))
    refuse_stray_settings(settings, found)
    chosen = choose(found, only)
    return Registry(
        techniques=tuple((known, apply(known, chosen[known], settings)) for known in sorted(chosen)),
        failures=tuple(failures),
        plugins=tuple(plugins),
        settings=tuple(sorted(settings.items())),
        only=tuple(only),
    )


def title(kind: type[Technique]) -> str:
    """The first sentence of the file, which reads well in a table."""
    return page(kind).split("\n", 1)[0].rstrip(".")


def page(kind: type[Technique]) -> str:
    """The docstring of the technique's file: its public page."""
    return inspect.cleandoc(sys.modules[kind.__module__].__doc__ or kind.__doc__ or "")


def unknown(technique_id: str, known: Sequence[str]) -> TargetError:
    """The complaint about a technique that does not exist."""
    hint = meant(technique_id, known) or f"choose from {', '.join(sorted(known)) or 'none'}"
    return TargetError(f"there is no technique {technique_id!r}; {hint}")


class Loading:
    """A module about to be loaded: by its import name, or from a file outside any package."""

    def __init__(self, file: Path, name: str | None = None) -> None:
        self.file = file
        self.name = name

    def __call__(self) -> ModuleType:
        """The module. Raises PluginError with the line at fault, whatever went wrong inside."""
        try:
            with bounded(LOADING_S):
                return importlib.import_module(self.name) if self.name else load_file(self.file)
        except Overdue as error:
            why = f"did not come to an end within {LOADING_S:.0f} seconds of computing"
            raise PluginError(f"{at_line(error, self.file)}{why}; mend it or leave it out") from None
        except (Exception, SystemExit) as error:
            raise PluginError(f"{at_line(error, self.file)}{told(error)}; mend it or leave it out") from error


def installed() -> Iterator[tuple[Path, Loading]]:
    """Modules that installed packages name under the entry point group, a package standing for all its modules."""
    # What comes with this tool keeps its ids, whatever is installed beside it.
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.value != BUILT_IN, p.value, p.name)):
        try:
            spec = importlib.util.find_spec(point.module)
        except Exception:  # noqa: BLE001 - the package around it does not load: loading it says why
            spec = None
        if spec is None:
            yield Path(point.module), Loading(Path(point.module), point.module)
            continue
        if not spec.submodule_search_locations:
            yield Path(spec.origin or point.module), Loading(Path(spec.origin or point.module), point.module)
            continue
        for entry in pkgutil.iter_modules(spec.submodule_search_locations):
            if not entry.name.startswith("_"):
                file = Path(spec.submodule_search_locations[0]) / f"{entry.name}.py"
                yield file, Loading(file, f"{point.module}.{entry.name}")


def by_path(plugins: Sequence[Path]) -> Iterator[tuple[Path, Loading]]:
    """The files that were pointed to; of a folder, its ``*.py`` that do not begin with an underscore.

    Raises TargetError where there is nothing.
    """
    for plugin in plugins:
        if not plugin.exists():
            raise TargetError(f"--plugins {plugin}: there is no such file or folder")
        files = sorted(plugin.glob("[!_]*.py")) if plugin.is_dir() else [plugin]
        if not files:
            raise TargetError(f"--plugins {plugin}: the folder holds no .py file; name another")
        for file in files:
            yield file, Loading(file)


def load_file(file: Path) -> ModuleType:
    """The module in ``file``, known to Python by a name made from its path, with no change of the search path."""
    name = f"fingerprint_plugin_{sha256(str(file.resolve()).encode()).hexdigest()[:12]}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError("is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def techniques_in(module: ModuleType, file: Path) -> list[type[Technique]]:
    """The technique classes that the module itself defines. Raises PluginError if there is none or one is not right."""
    kinds = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Technique) and thing.__module__ == module.__name__
    ]
    # dataclass(slots=True) makes a second class of the same name; the module keeps the last one.
    if not kinds:
        raise PluginError("defines no subclass of Technique; see `fingerprint explain` for one that does")
    for kind in kinds:
        if complaint := fault(kind, file):
            raise PluginError(complaint)
    return kinds


def claim(found: dict[str, type[Technique]], kind: type[Technique]) -> None:
    """Enter the technique under its id. Raises PluginError if another has it."""
    if technique_id(kind) in found:
        raise PluginError(f"another technique is called {technique_id(kind)!r}; rename the class and its file")
    found[technique_id(kind)] = kind


def choose(found: Mapping[str, type[Technique]], only: Sequence[str]) -> dict[str, type[Technique]]:
    """The techniques named in ``only``, or all of them. Raises TargetError for one that does not exist."""
    for wanted in only:
        if wanted not in found:
            raise unknown(wanted, list(found))
    return {known: kind for known, kind in found.items() if not only or known in only}


def refuse_stray_settings(settings: Mapping[str, str], found: Mapping[str, type[Technique]]) -> None:
    """Raise TargetError for a setting of a technique that does not exist, or that is not ID.FIELD."""
    for setting in settings:
        technique, dot, _ = setting.partition(".")
        if not dot:
            raise TargetError(f"--set {setting}: want ID.FIELD=VALUE, for example dns-injection.listen_s=5")
        if technique not in found:
            raise unknown(technique, list(found))


def told(error: BaseException) -> str:
    """An exception as half a sentence."""
    if isinstance(error, SyntaxError):
        return f"{error.msg}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def at_line(error: BaseException, file: Path) -> str:
    """``line 12: `` for the innermost line of ``file`` that the exception passed through."""
    if isinstance(error, SyntaxError) and error.lineno and Path(error.filename or "").name == file.name:
        return f"line {error.lineno}: "
    line, step = None, error.__traceback__
    while step:
        if Path(step.tb_frame.f_code.co_filename).name == file.name:
            line = step.tb_lineno
        step = step.tb_next
    return f"line {line}: " if line else ""
