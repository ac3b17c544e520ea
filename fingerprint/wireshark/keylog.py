"""A key log: the secrets of TLS sessions that their owner kept, and whether they belong to a capture.

Format: draft-ietf-tls-keylogfile, the NSS key log: label, client random, secret, in hex, a line a secret. Nothing of
its secrets ever enters a report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from captures.errors import TargetError
from fingerprint.capture import Capture

_LINE = re.compile(r"[A-Z0-9_]+ ([0-9a-fA-F]{64}) [0-9a-fA-F]+")
# A key log of a browser grows by a kilobyte a session; beyond this it is no log of a probe.
LONGEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Keylog:
    """A key log by what it may be known: its file, how many secrets it holds, and whose sessions they open."""

    path: Path
    secrets: int
    randoms: frozenset[str]  # of ClientHellos, in lower-case hex

    def of(self, capture: Capture) -> frozenset[str]:
        """The trials of the TLS connections over TCP that it opens."""
        hellos = ((s.trial, s.hello) for s in capture.streams if s.protocol == "tls")
        return frozenset(trial for trial, hello in hellos if hello and hello.random.hex() in self.randoms)

    def over_quic(self, capture: Capture) -> bool:
        """Whether it opens a QUIC connection of the capture."""
        hellos = (q.opening.client_hello for q in capture.quic)
        return any(hello is not None and hello.random.hex() in self.randoms for hello in hellos)

    def complaint(self, capture: Capture) -> str | None:
        """That it is of another session, as a sentence; None if it opens one of the capture."""
        if self.of(capture) or self.over_quic(capture):
            return None
        count = f"none of its {self.secrets} secrets belongs" if self.secrets > 1 else "its one secret does not belong"
        return f"{self.path.name}: {count} to a session of this capture; record both in one go"


def read(path: Path) -> Keylog:
    """Raises TargetError for what cannot be read or is no key log."""
    try:
        if path.stat().st_size > LONGEST_BYTES:
            raise TargetError(f"--keylog {path}: is longer than {LONGEST_BYTES >> 20} MiB; cut out the sessions meant")
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise TargetError(f"--keylog {path}: cannot be read ({error.strerror})") from None
    found = [m[1].lower() for line in text.splitlines() if (m := _LINE.fullmatch(line.strip()))]
    if not found:
        raise TargetError(f"--keylog {path}: is no key log; want lines as SSLKEYLOGFILE makes them")
    return Keylog(path=path, secrets=len(found), randoms=frozenset(found))
