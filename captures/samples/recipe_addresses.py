"""Connection requests that are sent to die, and devices that refuse or lose what goes to an address or port."""

# Boxes share one signature each, whether they need all of it or not.

from __future__ import annotations

from collections.abc import Callable, Iterable

from captures.samples.recipe import Scene
from captures.samples.recipe_network import Box, Line
from captures.samples.recipe_packets import Packet

Match = Callable[[Packet], bool]
# RFC 1812 section 5.2.7.1: codes of ICMP destination unreachable.
NETWORK, HOST, PORT, HOST_PROHIBITED, PROHIBITED = 0, 1, 3, 10, 13


def syn(scene: Scene, address: str, *, at_s: float, port: int = 443, ttl_hops: int) -> None:
    """One SYN that may go no farther than ``ttl_hops`` routers; a SYN-ACK is met by the client's reset."""
    packet = Packet(
        source=scene.net.client,
        destination=address,
        ttl_hops=ttl_hops,
        ip_id=scene.net.rng.randrange(1, 65536),
        source_port=scene.port(),
        destination_port=port,
        seq=scene.net.rng.getrandbits(32),
        flags="S",
        window=64240,
        options=(("MSS", 1460), ("SAckOK", b"")),
    )
    scene.net.when(at_s, lambda: scene.net.send(packet))


def sweep(scene: Scene, *places: tuple[str, int], hops: int, from_s: float, copies: int = 1) -> float:
    """SYNs of 1 to ``hops`` hops to the places in turn, half a second apart; gives the time after the last."""
    at_s = from_s
    for ttl_hops in range(1, hops + 1):
        for _ in range(copies):
            for address, port in places:
                syn(scene, address, at_s=at_s, port=port, ttl_hops=ttl_hops)
                at_s += 0.5
    return at_s


class Refuse(Box):
    """In-path: what matches is dropped, and ICMP destination unreachable says why, ``after_s`` later."""

    def __init__(self, match: Match, *, code: int, sender: str, after_s: float = 0.0, ttl_hops: int = 255) -> None:
        self.match, self.code, self.sender, self.after_s, self.ttl_hops = match, code, sender, after_s, ttl_hops

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Pass or refuse."""
        if not outbound or not self.match(packet):
            return (packet,)
        answer = Packet(
            source=self.sender,
            destination=packet.source,
            protocol="icmp",
            ttl_hops=self.ttl_hops,
            df=False,
            ip_id=self.net.rng.randrange(1, 65536),
            source_port=3,
            destination_port=self.code,
            payload=packet.ip_bytes()[:28],
        )
        self.inject(answer, line, outbound=False, after_s=self.after_s)
        return ()
