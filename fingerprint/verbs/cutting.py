"""What ``fingerprint evidence`` and ``analyse -w`` do between their options and their exit code."""

from __future__ import annotations

from pathlib import Path

from captures.errors import CaptureError, TargetError
from fingerprint import exits
from fingerprint.excerpts import annotated as evidence_file
from fingerprint.excerpts import least as evidence_cut
from fingerprint.excerpts.least import Cut
from fingerprint.plugins.registry import Registry
from fingerprint.terminal import complain
from fingerprint.verbs import analysing
from fingerprint.verdict.model import Report


def default_path(file: str) -> Path:
    """In the current folder: ``run.pcapng`` → ``run.evidence.pcapng``."""
    return Path(Path(file).name.split(".pcap")[0] + ".evidence.pcapng")


def check(out: Path, files: list[str], *, part_s: float | None = None, option: str = "-w") -> None:
    """Raises TargetError if evidence cannot be written there, or not of these files."""
    if part_s is not None:
        raise TargetError(f"{option} {out}: evidence is cut for one verdict on the whole file; leave --parts out")
    if len(files) != 1 or files == ["-"] or Path(files[0]).is_dir():
        raise TargetError(f"{option} {out}: evidence is cut from one file; name one")
    if not out.parent.is_dir():
        raise TargetError(f"{option} {out}: there is no folder {out.parent}; make it first")


def evidence(file: str, out: Path | None, registry: Registry) -> int:
    """Judge the file, write its evidence, and return the exit code. Raises CaptureError where there is none."""
    path = out or default_path(file)
    check(path, [file], option="-o")
    report = analysing.judged([file], registry, jobs=1)
    if not report.captures:
        raise CaptureError(report.errors[0].error if report.errors else f"{file}: cannot be read")
    for failure in report.errors:
        complain(failure.error)
    made = write(file, path, report, registry)
    return exits.PARTIAL if made.differs or report.errors else exits.ANSWERED


def after(file: str, out: Path, report: Report, registry: Registry) -> None:
    """Write the evidence of a report that was told already; where there is none, say so."""
    try:
        write(file, out, report, registry)
    except CaptureError as error:
        complain(str(error))


def write(file: str, out: Path, report: Report, registry: Registry) -> Cut:
    """Write the evidence of a report on one file, and say on standard error what is in it."""
    made = evidence_cut.cut(file, out, report, registry)
    complain(f"{out}: {made.packets} of {made.of_packets} packets: {made.kept}")
    if made.differs:
        complain(f"{out}: judged again it does not say the same: {'; '.join(made.differs)}")
    else:
        complain(f"{out}: judged again it says the same of what does not work")
    if made.script:
        complain(f"{made.script}: the script of the run, which names nobody else")
    if made.left_script:
        complain("the script of the run names others and was left where it is")
    complain("the packets show the addresses of clients; think of who will read them")
    complain(f"next: wireshark -Y 'frame.comment contains \"{evidence_file.BEGINS.strip()}\"' {out}")
    return made
