"""Router 2 drops every segment that carries an encrypted_client_hello, whatever name stands beside it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene


def veiled(p: Packet) -> bool:
    # RFC 9849: type 0xfe0d, outer.
    return p.protocol == "tcp" and b"\xfe\x0d\x00\xba\x00" in p.payload


def make(folder: Path) -> None:
    scene = Scene(331)
    scene.box(2, Drop(veiled))
    web = scene.site("151.101.65.231", rtt_s=0.060, hops=8)
    far = scene.site("178.33.7.40", rtt_s=0.090, hops=9)
    for trial in range(3):
        for number, (where, name) in enumerate(((web, "chatter.test"), (web, "weather.test"), (far, "garden.test"))):
            at_s = 1 + 60 * trial + 20 * number
            scene.visit(where, name, at_s=at_s, hello_bytes=760)
            scene.visit(where, name, at_s=at_s + 2, hello_bytes=760, veil="ech", abort_after_s=16)
    scene.record(folder / "capture.pcapng", until_s=190)


if __name__ == "__main__":
    make(Path(__file__).parent)
