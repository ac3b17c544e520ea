"""The command ``fingerprint``: one door, through which every failure leaves as a sentence and an exit code."""

from __future__ import annotations

import gc
import os
import sys

# Nothing else is imported here: --help should come up at once, and the readers bring numpy with them.


def main() -> None:
    """Run the command line. A traceback is shown only with FINGERPRINT_DEBUG=1."""
    # A report is a million small objects and hardly a cycle: looking for cycles every 700 of them doubles the time.
    gc.set_threshold(500_000, 20, 50)
    from fingerprint.cli.main import app

    closed_is_closed()
    try:
        app()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the last door: no traceback for a user
        sys.exit(leave(error))


def closed_is_closed() -> None:
    """Python has no streams where the shell closed them (``>&-``): writing is to fail as it does elsewhere."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123  # for reading: it takes no word
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


def leave(error: BaseException) -> int:
    """Say what went wrong in one sentence, and return the exit code."""
    from captures.errors import FingerprintError
    from fingerprint import exits
    from fingerprint.terminal import complain

    match error:
        case FingerprintError():
            complain(str(error))
            return exits.code_of(error)
        case KeyboardInterrupt():
            complain("interrupted; nothing was changed")
            return exits.INTERRUPTED
        case BrokenPipeError():
            # The reader went away (``| head``); a second failure while Python flushes would only be noise.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return exits.FAILED
        case OSError():
            complain(f"{error.filename or 'output'}: {error.strerror or error}; check the path and the space left")
            return exits.FAILED
        case _ if os.environ.get("FINGERPRINT_DEBUG"):
            raise error
    complain(f"internal fault ({type(error).__name__}: {error}); please report it with FINGERPRINT_DEBUG=1")
    return exits.FAILED


if __name__ == "__main__":
    main()
