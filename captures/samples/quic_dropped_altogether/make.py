"""An innocent twin: the office's router drops all UDP to port 443; TCP and DNS pass."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import App, Box, Connection, Line, Packet, Scene, response
from captures.samples.recipe_quic import QuicServer, visit


class NoQuic(Box):
    """Drops UDP to port 443, whoever it is for."""

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        return () if packet.protocol == "udp" and outbound and packet.destination_port == 443 else (packet,)


class Advertiser(App):
    """Answers requests in the clear, with the header that advertises HTTP/3."""

    def __init__(self) -> None:
        self.heard = b""

    def received(self, connection: Connection, data: bytes) -> None:
        self.heard += data
        if b"\r\n\r\n" in self.heard:
            self.heard = b""
            connection.send(response("200 OK", b"<p>Welcome.</p>", 'Alt-Svc: h3=":443"; ma=86400'))


def make(folder: Path) -> None:
    scene = Scene(237)
    addresses = {"chatter.test": "151.101.65.237", "weather.test": "146.75.33.237", "meadow.test": "45.60.11.237"}
    scene.resolver("9.9.9.9", {name: (address,) for name, address in addresses.items()})
    scene.box(1, NoQuic())
    for i, (name, address) in enumerate(addresses.items()):
        web = scene.site(address, rtt_s=0.080 - 0.02 * i, hops=9 - i)
        QuicServer(web)
        # In the clear, so that the capture shows that the server has QUIC (RFC 7838).
        web.listening[80] = Advertiser
        scene.fetch(web, name, at_s=0.5 + 3 * i)
        for trial in range(3):
            scene.visit(web, name, at_s=1 + 3 * i + 20 * trial, via="9.9.9.9")
            visit(scene, address, name, at_s=1.3 + 3 * i + 20 * trial)
    scene.record(folder / "capture.pcapng", until_s=70)


if __name__ == "__main__":
    make(Path(__file__).parent)
