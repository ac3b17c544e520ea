"""What ``fingerprint analyse`` does between its options and its exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import captures
from captures.errors import CaptureError, PrivilegeError, TargetError
from fingerprint import __version__, engine, exits
from fingerprint import report as reports
from fingerprint.networks import Networks, naming
from fingerprint.plugins import registry as techniques
from fingerprint.plugins.registry import Registry
from fingerprint.report import Showing
from fingerprint.terminal import complain
from fingerprint.vantages.given import NOTHING
from fingerprint.vantages.vantage import Vantage
from fingerprint.verbs import destination
from fingerprint.verdict.model import STATES, Failure, Report
from fingerprint.wireshark import selecting

__all__ = ["Output", "Showing", "finish", "judged", "registry", "states"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where a report goes, and in which form. Raises TargetError for a form or a place that is none.

    ``sources`` are read for it, and never written over.
    """

    form: str = "text"
    path: Path | None = None
    showing: Showing = field(default_factory=Showing)
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        reports.check(self.form, self.path)
        destination.check("-o", self.path, self.sources)


def registry(plugins: Sequence[Path], settings: Iterable[str], only: Sequence[str]) -> Registry:
    """The techniques that were asked for. Raises TargetError for one, or a setting, that does not exist."""
    pairs: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise TargetError(f"--set {setting}: want ID.FIELD=VALUE, for example dns-injection.listen_s=5")
        pairs[name] = value
    return techniques.load(plugins, pairs, only)


def states(names: Iterable[str]) -> frozenset[str]:
    """The states of ``--fail-on``. Raises TargetError for a word that is none."""
    for name in names:
        if name not in STATES:
            raise TargetError(f"--fail-on {name}: choose from {', '.join(STATES)}")
    return frozenset(names)


def judged(
    paths: Sequence[str],
    registry: Registry,
    *,
    together: bool = False,
    jobs: int | None = None,
    part_s: float | None = None,
    vantage: Vantage = NOTHING,
    display_filter: str | None = None,
    keylog: Path | None = None,
    networks: Networks | None = None,
) -> Report:
    """The report on the captures meant by ``paths``. What cannot be read stands in its ``errors``.

    ``part_s`` and ``vantage`` are as in `engine.analyse`. With ``display_filter`` only the conversations are judged in
    which a packet matches. ``networks`` name the AS of places. Raises TargetError if no path is given at all, or for a
    filter that is none. ``keylog`` opens the sessions whose secrets it holds.
    """
    if not paths:
        raise TargetError("name a capture to read, a folder of them, or - for standard input")
    if paths.count("-") > 1:
        raise TargetError("standard input (-) can be read once only")
    files, failures = found(paths)
    try:
        workers = jobs or os.cpu_count() or 1
        report = engine.analyse(
            files, techniques=registry, together=together, jobs=workers, part_s=part_s, vantage=vantage,
            read=selecting.reader(display_filter, keylog),
        )  # fmt: skip
    except (TargetError, PrivilegeError):
        raise
    except Exception as error:
        if os.environ.get("FINGERPRINT_DEBUG"):
            raise
        report = Report(version=__version__, captures=(), verdicts=(), tables=(), errors=(broken(error, files),))
    report = naming.named(selecting.told(report, display_filter), networks)
    return with_failures(report, failures)


def found(paths: Iterable[str]) -> tuple[list[str], list[Failure]]:
    """The files behind the paths, each once, and the paths behind which there are none."""
    files: dict[str, None] = {}
    failures = []
    for path in paths:
        try:
            files.update(dict.fromkeys(captures.inputs([path])))
        except CaptureError as error:
            failures.append(Failure(file=path, error=str(error)))
    return list(files), failures


def broken(error: Exception, files: Sequence[str]) -> Failure:
    """A fault of this program, as an entry in the report: a sentence, never a traceback."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(at.filename).name} line {at.lineno}"
    says = f"internal fault in {where} ({type(error).__name__}: {error}); please report it with FINGERPRINT_DEBUG=1"
    return Failure(file=files[0] if len(files) == 1 else f"{len(files)} files", error=says)


def with_failures(report: Report, failures: Sequence[Failure]) -> Report:
    """The report with more entries in ``errors``."""
    from dataclasses import replace

    return replace(report, errors=(*report.errors, *failures)) if failures else report


def finish(report: Report, output: Output, fail_on: Collection[str] = ()) -> int:
    """Write the report where it should go, complain on standard error, and return the exit code."""
    if output.path:
        reports.save(report, output.path, form=output.form, showing=output.showing)
        destination.tell(output.path)
    else:
        reports.write(report, sys.stdout, form=output.form, showing=output.showing)
        sys.stdout.flush()
    if not seen_on_page(output, sys.stdout):
        for failure in report.errors:
            complain(failure.error if failure.error.startswith(failure.file) else f"{failure.file}: {failure.error}")
    return exits.code(report, fail_on)


def seen_on_page(output: Output, out: IO[str]) -> bool:
    """Whether the person at the terminal has read the errors already, at the foot of the report."""
    return output.form == "text" and output.path is None and out.isatty()
