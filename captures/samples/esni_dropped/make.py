"""Router 5 drops hellos with an encrypted_server_name, and for half a minute all that goes to the server's port."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene


def veiled(p: Packet) -> bool:
    # draft-ietf-tls-esni-02: type 0xffce.
    return p.protocol == "tcp" and b"\xff\xce\x01\x4c" in p.payload


def make(folder: Path) -> None:
    scene = Scene(332)
    address = "151.101.65.231"
    scene.box(5, Drop(veiled, residual_s=30))
    web = scene.site(address, rtt_s=0.180, hops=12)
    scene.resolver("9.9.9.9", {"chatter.test": (address,)})
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 70 * trial, via="9.9.9.9", hello_bytes=800)
        scene.visit(web, "chatter.test", at_s=6 + 70 * trial, hello_bytes=800, veil="esni", abort_after_s=20)
    scene.visit(web, "chatter.test", at_s=215, hello_bytes=800)
    scene.record(folder / "capture.pcapng", until_s=225)


if __name__ == "__main__":
    make(Path(__file__).parent)
