"""What part a target plays, as far as a script, a table or a port says so; never the look of a name."""

from __future__ import annotations

from fingerprint.capture import Capture
from fingerprint.conversations.tls.encrypted_resolvers import PORT, Operators, operators
from fingerprint.verdict.targets import Target

CONTROL, RESOLVER = "control", "resolver"


def of_resolvers(capture: Capture) -> Operators:
    """The resolvers that the tables know."""
    return operators(capture.known.rows("resolvers"))


def role(target: Target, capture: Capture, known: Operators) -> str | None:
    """``control`` if a script sent it as one; ``resolver`` if the table has it or port 853 was tried."""
    if target.name in capture.control_names:
        return CONTROL
    tried = any(endpoint.endswith((f":{PORT}/tcp", f":{PORT}/udp")) for endpoint in target.endpoints)
    return RESOLVER if tried or known.has(target.name) else None
