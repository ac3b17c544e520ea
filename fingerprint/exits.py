"""Exit codes, the same for every verb."""

from __future__ import annotations

from collections.abc import Collection

from captures.errors import FingerprintError, PrivilegeError, TargetError
from fingerprint.verdict.model import Report

ANSWERED = 0
FAILED = 1
USAGE = 2
PARTIAL = 3
MISSING = 4
FOUND = 10
# POSIX shells: 128 + SIGINT.
INTERRUPTED = 130

MEANING = {
    ANSWERED: "answered; blocked is an answer",
    FAILED: "failed: not one packet could be read; of `crosscheck`: Wireshark disagrees, or nothing could be compared",
    USAGE: "the command line is at fault",
    PARTIAL: "answered in part: something could not be read, see `errors`",
    MISSING: "a privilege or a tool is missing",
    INTERRUPTED: "interrupted with Ctrl-C; what was recorded or stored until then stays",
    FOUND: "a target has the state named by --fail-on",
}


def code_of(error: FingerprintError) -> int:
    """The exit code of a failure, by who can mend it."""
    match error:
        case TargetError():
            return USAGE
        case PrivilegeError():
            return MISSING
        case _:
            return FAILED


def code(report: Report, fail_on: Collection[str] = ()) -> int:
    """The exit code of a report."""
    if not any(c.packets for c in report.captures):
        return FAILED
    if any(v.state in fail_on for v in report.verdicts):
        return FOUND
    return PARTIAL if report.errors else ANSWERED
