"""Packets that somebody refused to carry or take, as ICMP destination unreachable reports them, and who says so.

RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3.1. "Fragmentation needed" is no refusal and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from captures.recording import Recording
from fingerprint.conversations.dns.answers import is_owned
from fingerprint.conversations.path.quotations import quotations
from fingerprint.conversations.resets.endings import INITIAL_TTLS_HOPS
from fingerprint.conversations.segments import Endpoint
from fingerprint.conversations.streams import address_text

# (IP protocol, type, code) → what is said. RFC 1812: 9, 10 and 13 are administrative; 11 and 12 name a type of service.
SAID: dict[tuple[int, int, int], str] = {
    (1, 3, 0): "network unreachable",
    (1, 3, 1): "host unreachable",
    (1, 3, 2): "protocol unreachable",
    (1, 3, 3): "port unreachable",
    (1, 3, 6): "network unknown",
    (1, 3, 7): "host unknown",
    (1, 3, 9): "network prohibited",
    (1, 3, 10): "host prohibited",
    (1, 3, 11): "network unreachable",
    (1, 3, 12): "host unreachable",
    (1, 3, 13): "prohibited",
    # RFC 4443 section 3.1; 5 and 6 are refinements of 1.
    (58, 1, 0): "network unreachable",
    (58, 1, 1): "prohibited",
    (58, 1, 3): "host unreachable",
    (58, 1, 4): "port unreachable",
    (58, 1, 5): "prohibited",
    (58, 1, 6): "prohibited",
}
_KINDS = {p: frozenset(t << 8 | c for q, t, c in SAID if q == p) for p in (1, 58)}
# What only somebody says who will not, as against somebody who cannot.
PROHIBITED = frozenset({"network prohibited", "host prohibited", "prohibited"})
# What only the addressed host itself can know (RFC 1122 section 3.2.2.1).
OF_THE_HOST = frozenset({"port unreachable", "protocol unreachable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """One report, and the packet of the capture that it is about."""

    capture: int
    number: int  # of the report
    time_ns: int
    sender: str
    says: str  # one of the values of SAID
    ttl_hops: int  # of the report, as it arrived
    flow: int
    row: int  # of the packet that was quoted
    client: Endpoint  # who had sent it
    address: str  # where it was going
    port: int
    protocol: str  # tcp or udp
    elapsed_s: float  # from that packet to the report

    def at_home(self, client: str) -> bool:
        """Whether it came from the first router, its packets having crossed none, or from the client's own network."""
        return self.ttl_hops in INITIAL_TTLS_HOPS or is_owned(client, self.sender)

    @property
    def sent(self) -> int:
        """Number of the packet that was quoted."""
        return self.row + 1


def unreachables(recording: Recording) -> tuple[Unreachable, ...]:
    """Every destination-unreachable report about a TCP or UDP packet of the recording, in order of the file."""
    c, f = recording.columns, recording.flows
    out = []
    for q in quotations(recording, _KINDS):
        ip, icmp = q.report.ip, q.report.icmp
        if ip is None or icmp is None:
            continue
        family, from_a = int(f.family[q.flow]), int(c.direction[q.row]) == 0
        texts = [address_text(side[q.flow].tobytes(), family) for side in (f.address_a, f.address_b)]
        a, b = (Endpoint(text, int(p[q.flow])) for text, p in zip(texts, (f.port_a, f.port_b), strict=True))
        sender, receiver = (a, b) if from_a else (b, a)
        out.append(
            Unreachable(
                capture=recording.index,
                number=q.number,
                time_ns=q.report.time_ns,
                sender=ip.source,
                says=SAID[int(c.protocol[q.number - 1]), icmp.type, icmp.code],
                ttl_hops=ip.ttl_hops,
                flow=q.flow,
                row=q.row,
                client=sender,
                address=receiver.address,
                port=receiver.port,
                protocol="tcp" if f.protocol[q.flow] == np.uint8(6) else "udp",
                elapsed_s=(q.report.time_ns - int(c.time_ns[q.row])) / 1e9,
            )
        )
    return tuple(out)
