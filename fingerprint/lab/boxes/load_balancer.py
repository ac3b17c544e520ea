"""An innocent: a load balancer whose TTL differs from its backends', and whose IP IDs come from several counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from zlib import crc32

from fingerprint.lab.censor import Action, Direction, Pass, Rewrite
from fingerprint.lab.packet import SYN, TCP, Packet

# TTLs that one real service answered with (59 against 232), and the common initial values of routers and hosts.
_TTLS = (59, 232, 119, 251)


@dataclass(slots=True, kw_only=True)
class LoadBalancer:
    """In-path, beside the servers: the SYN-ACK is its own (TTL 251, IP ID 0), data come with one of four TTLs."""

    _counters: dict[int, int] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only headers below TCP differ."""
        if packet.protocol != TCP or direction is Direction.TO_SERVER:
            return Pass()
        if packet.flags & SYN:
            return Rewrite(packet.with_(ttl=251, ip_id=0))
        backend = crc32(repr(packet.flow).encode()) % len(_TTLS)
        self._counters[backend] = count = (self._counters.get(backend, 4711 * backend) + 3) & 0xFFFF
        # Every third segment of a flow is answered by the balancer's own stack, as with layer-4 offload.
        ttl = 251 if count % 9 == 0 else _TTLS[backend]
        return Rewrite(packet.with_(ttl=ttl, ip_id=count))
