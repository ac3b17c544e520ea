"""Router 2 drops hellos that have both an encrypted_client_hello and one certain name on the outside."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene

NAMES = ("front.test", "weather.test")


def veiled(p: Packet) -> bool:
    # RFC 9849: type 0xfe0d, outer.
    return p.protocol == "tcp" and b"\xfe\x0d\x00\xba\x00" in p.payload


def minded(p: Packet) -> bool:
    return veiled(p) and b"front.test" in p.payload


def make(folder: Path) -> None:
    scene = Scene(333)
    scene.box(2, Drop(minded, takes="rest"))
    web = scene.site("151.101.65.231", rtt_s=0.060, hops=8, pages=dict.fromkeys(NAMES, 3_000))
    far = scene.site("178.33.7.40", rtt_s=0.090, hops=9, pages=dict.fromkeys(NAMES, 3_000))
    for trial in range(3):
        for number, where in enumerate((web, far)):
            at_s = 1 + 44 * trial + 22 * number
            scene.visit(where, "front.test", at_s=at_s, page_bytes=3_000, hello_bytes=760)
            scene.visit(
                where, "front.test", at_s=at_s + 2, page_bytes=3_000, hello_bytes=760, veil="ech", abort_after_s=16
            )
            scene.visit(where, "weather.test", at_s=at_s + 20, page_bytes=3_000, hello_bytes=760, veil="ech")
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
