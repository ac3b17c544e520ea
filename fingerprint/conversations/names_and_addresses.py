"""The 2 x 2 of name and address: what became of each name's hello at each address.

Facts for name filtering: which attempts of a name failed and how, and which other names passed beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fingerprint.capture import Capture
from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.streams import Stream

# Outcome of an opening → the action that it would be, if it were interference.
FAILURES = {
    "reset": "reset",
    "unacknowledged": "timeout",
    "part-acknowledged": "timeout",
    "silent": "timeout",
    "closed": "close",
    "alert": "alert",
}
# DESIGN, "What a qualifier needs": a control elsewhere counts within a minute.
BESIDE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Attempts:
    """All hellos of one name at one address and port from one client."""

    name: str
    client: str
    address: str
    port: int
    failed: list[Opening] = field(default_factory=list)
    passed: list[Opening] = field(default_factory=list)

    @property
    def largest_failed_bytes(self) -> int:
        """Size of the largest hello that failed."""
        return max((o.request_bytes for o in self.failed), default=0)


def attempts(capture: Capture) -> tuple[Attempts, ...]:
    """Every (client, name, address, port) whose connections carried a ClientHello, TTL-limited probes left out."""
    out: dict[tuple[str, str, str, int], Attempts] = {}
    suspicious = _suspicious(capture)
    for stream in capture.streams:
        if stream.server.address not in suspicious and not suspicious.get("*"):
            continue
        if stream.protocol != "tls" or not stream.name or stream.request_ttl_hops is not None:
            continue
        key = (stream.client.address, stream.name, stream.server.address, stream.server.port)
        if key not in out:
            out[key] = Attempts(name=stream.name, client=key[0], address=key[2], port=key[3])
        first = opening(stream)
        if first.outcome == "answered":
            out[key].passed.append(first)
        elif first.outcome in FAILURES:
            out[key].failed.append(first)
    return tuple(out.values())


def _suspicious(capture: Capture) -> dict[str, bool]:
    """Addresses at which some hello may have failed, told from summaries alone; `*` if any did."""
    out: dict[str, bool] = {}
    for s in capture.streams:
        short = s.client_bytes and (s.server_bytes < 64 or s.server_flags & 4)
        if short:
            out[s.server.address] = out["*"] = True
    return out


def failing(table: Sequence[Attempts]) -> Iterator[Attempts]:
    """The attempts with at least one failure."""
    return (a for a in table if a.failed)


def others_here(table: Sequence[Attempts], mine: Attempts) -> list[Opening]:
    """Passing hellos of other names at the same address and port, from the same client."""
    return [
        o
        for a in table
        if a.name != mine.name and (a.client, a.address, a.port) == (mine.client, mine.address, mine.port)
        for o in a.passed
    ]


def others_elsewhere(table: Sequence[Attempts], mine: Attempts) -> list[Opening]:
    """Passing hellos of other names at other addresses within a minute, of equal length and equal JA4."""
    failed = mine.failed[0]
    shape = _shape(failed)
    return [
        o
        for a in table
        if a.name != mine.name and a.client == mine.client and a.address != mine.address
        for o in a.passed
        if abs(o.stream.first_ns - failed.stream.first_ns) <= BESIDE_S * 1e9 and _shape(o) == shape
    ]


def _shape(o: Opening) -> tuple[int, int, str | None]:
    hello = o.stream.hello
    return o.request_bytes, len(o.request), hello.ja4 if hello is not None else None


def works_otherwise(capture: Capture, mine: Attempts) -> list[Stream]:
    """Streams of the same client to another port of the address that carried an answer, within a minute of a failure."""
    return [
        s
        for s in capture.streams_of(mine.address)
        if s.client.address == mine.client
        and s.server.port != mine.port
        and s.server_bytes
        and s.client_bytes
        and any(abs(s.first_ns - o.stream.first_ns) <= BESIDE_S * 1e9 for o in mine.failed)
    ]


def fails_elsewhere(table: Sequence[Attempts], mine: Attempts, action: str) -> list[Opening]:
    """Failures of the same kind of the same name at addresses of other networks (first 16 or 32 bits differ)."""
    return [
        o
        for a in table
        if a.name == mine.name and a.client == mine.client and _network(a.address) != _network(mine.address)
        for o in a.failed
        if FAILURES[o.outcome] == action
    ]


def _network(address: str) -> str:
    cut = ":" if ":" in address else "."
    return cut.join(address.split(cut)[:2])
