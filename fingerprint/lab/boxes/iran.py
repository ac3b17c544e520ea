"""Iran: forged DNS answers, the filter that says nothing and drops, and the filter of protocols.

Aryan et al. (FOCI 2013) for the addresses; Bock et al., "Detecting and Evading Censorship-in-Depth" (FOCI 2020) for the
protocol filter on ports 53, 80 and 443, which drops for 60 seconds and begins anew with every packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.dns_forging import DnsInjector
from fingerprint.lab.boxes.forging import back, opposite
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Flow, Names, Watch
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, PSH, SYN, TCP, Packet

POOL_V4 = ("10.10.34.34", "10.10.34.35", "10.10.34.36")
POOL_V6 = ("d0::11",)
_FILTERED_PORTS = (53, 80, 443)


def answers(names: Names | None = None) -> DnsInjector:
    """10.10.34.34 to .36 or d0::11, with the IP ID and the TTL of the client's own packet."""
    return DnsInjector(
        names=names or Names(), header=lambda p: {"ip_id": p.ip_id, "ttl": p.ttl, "df": p.df}, v4=POOL_V4, v6=POOL_V6
    )


@dataclass(slots=True, kw_only=True)
class Filter:
    """In-path: a minded name brings a PSH+ACK without data to the client, and the flow is routed to nowhere.

    The first data of a flow to ports 53, 80 and 443 that is neither DNS, HTTP nor TLS has the flow dropped as well.
    """

    residual: Residual
    watch: Watch = field(default_factory=Watch)
    _known: set[Flow] = field(default_factory=set)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Drops what is blocked, both ways."""
        if packet.protocol != TCP:
            return Pass()
        if self.residual.holds(packet, direction):
            return Drop()
        if direction is Direction.TO_CLIENT:
            return Pass()
        if packet.flags & SYN:
            self._known.discard(packet.flow)
        strange = self._is_strange(packet)
        if self.watch.fires(packet):
            self.residual.start(packet, direction)
            nothing = back(packet, PSH | ACK, ip_id=packet.ip_id, ttl=packet.ttl, window=packet.window)
            return Inject(((nothing, opposite(direction)),), drop=True, after_s=0.0005)
        if strange:
            self.residual.start(packet, direction)
            return Drop()
        return Pass()

    def _is_strange(self, packet: Packet) -> bool:
        if not packet.payload or packet.dport not in _FILTERED_PORTS or packet.flow in self._known:
            return False
        self._known.add(packet.flow)
        data = packet.payload
        return not (reading.is_tls(data) or reading.is_http(data) or reading.is_dns(data))
