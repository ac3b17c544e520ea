"""One hello with an encrypted_client_hello got lost, and nobody tried again."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene


def veiled(p: Packet) -> bool:
    # RFC 9849: type 0xfe0d, outer.
    return p.protocol == "tcp" and b"\xfe\x0d\x00\xba\x00" in p.payload


def make(folder: Path) -> None:
    scene = Scene(338)
    scene.box(2, Drop(veiled))
    web = scene.site("151.101.65.231", rtt_s=0.060, hops=8)
    scene.visit(web, "chatter.test", at_s=1, hello_bytes=760)
    scene.visit(web, "chatter.test", at_s=4, hello_bytes=760, veil="ech", abort_after_s=16)
    scene.visit(web, "chatter.test", at_s=24, hello_bytes=760)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
