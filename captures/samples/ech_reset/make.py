"""Router 3 answers hellos with an encrypted_client_hello by a forged reset."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Packet, Scene


def veiled(p: Packet) -> bool:
    # RFC 9849: type 0xfe0d, outer.
    return p.protocol == "tcp" and b"\xfe\x0d\x00\xba\x00" in p.payload


def make(folder: Path) -> None:
    scene = Scene(334)
    scene.box(3, Forge(veiled, ("R", {}), ttl_hops=59))
    web = scene.site("151.101.65.231", rtt_s=0.080, hops=9)
    for trial in range(3):
        for number, name in enumerate(("chatter.test", "weather.test")):
            at_s = 1 + 10 * trial + 5 * number
            scene.visit(web, name, at_s=at_s, hello_bytes=760)
            scene.visit(web, name, at_s=at_s + 2, hello_bytes=760, veil="ech")
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
