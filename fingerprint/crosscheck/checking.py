"""What ``fingerprint crosscheck`` does between its options and its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from captures.errors import CaptureError, TargetError
from fingerprint.crosscheck import telling
from fingerprint.crosscheck.opinion import opinion
from fingerprint.plugins.registry import Registry
from fingerprint.report.document import as_dict
from fingerprint.terminal import complain
from fingerprint.verbs import analysing
from fingerprint.wireshark import shark


def check(
    file: str,
    registry: Registry,
    *,
    report: Path | None = None,
    display_filter: str | None = None,
    keylog: Path | None = None,
    as_json: bool = False,
) -> int:
    """Compare, print, and return the exit code. The verdict is that of ``report``, or one made now.

    Raises PrivilegeError without tshark, CaptureError for a file that cannot be read or cites nothing, TargetError for
    a report that is not about it.
    """
    if file == "-":
        raise TargetError("crosscheck needs a file that tshark can read too; write standard input to one first")
    if report is not None and display_filter is not None:
        raise TargetError("-Y picks what is judged, and --report was judged already; give one of them")
    shark.found()
    document = judged(file, registry, display_filter, keylog) if report is None else told(report)
    found = opinion(Path(file), document, keylog=keylog)
    telling.write(found, sys.stdout, as_json=as_json)
    sys.stdout.flush()
    for complaint in found.complaints:
        complain(complaint)
    return telling.code(found)


def judged(file: str, registry: Registry, display_filter: str | None, keylog: Path | None) -> Any:
    """The report on the file as a document. Raises CaptureError if it cannot be read."""
    report = analysing.judged([file], registry, jobs=1, display_filter=display_filter, keylog=keylog)
    if not report.captures:
        raise CaptureError(report.errors[0].error if report.errors else f"{file}: cannot be read")
    if len(report.captures) > 1:
        raise TargetError("crosscheck compares one file at a time")
    return as_dict(report, all_ok=True, with_vantage=True)


def told(report: Path) -> Any:
    """A report that was written before. Raises TargetError for what is no JSON."""
    try:
        return json.loads(report.read_text(encoding="utf-8"))
    except OSError as error:
        raise TargetError(f"--report {report}: {error.strerror}; name what `analyse --json` wrote") from None
    except (ValueError, RecursionError):
        raise TargetError(f"--report {report}: is no report; name what `analyse --json` wrote") from None
