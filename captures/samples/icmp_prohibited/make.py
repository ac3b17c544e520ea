"""Router 3 refuses to carry packets to one address and says so; the neighbour's address is reached."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene


class Refuse(Box):
    """Drops packets to an address and answers with ICMP: communication administratively prohibited."""

    def __init__(self, address: str) -> None:
        self.address = address

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        if packet.destination != self.address:
            return (packet,)
        # RFC 1812 section 5.2.7.1: type 3, code 13.
        answer = Packet(
            source="62.115.3.1",
            destination=packet.source,
            protocol="icmp",
            ttl_hops=255,
            df=False,
            ip_id=self.net.rng.randrange(1, 65536),
            source_port=3,
            destination_port=13,
            payload=packet.ip_bytes()[:28],
        )
        self.inject(answer, line, outbound=False)
        return ()


def make(folder: Path) -> None:
    scene = Scene(213)
    refused, neighbour = "151.101.65.233", "151.101.65.234"
    for address in (refused, neighbour):
        scene.site(address, rtt_s=0.080, hops=9)
    scene.resolver("9.9.9.9", {"chatter.test": (refused,), "weather.test": (neighbour,)})
    scene.box(3, Refuse(refused))
    for trial in range(2):
        scene.visit(refused, "chatter.test", at_s=1 + 20 * trial, via="9.9.9.9")
        scene.fetch(refused, "chatter.test", at_s=4 + 20 * trial)
        scene.visit(neighbour, "weather.test", at_s=16 + 20 * trial, via="9.9.9.9")
        scene.fetch(neighbour, "weather.test", at_s=18 + 20 * trial)
    scene.record(folder / "capture.pcapng", until_s=44)


if __name__ == "__main__":
    make(Path(__file__).parent)
