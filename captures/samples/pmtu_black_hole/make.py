"""An innocent twin: router 4 swallows packets above 1,400 bytes towards the server, and no ICMP comes back."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene


def make(folder: Path) -> None:
    scene = Scene(152)
    address = "151.101.65.172"
    web = scene.site(address, rtt_s=0.070, hops=8)
    scene.box(4, Drop(lambda p: p.protocol == "tcp" and len(p.payload) > 1_360))
    for trial, name in enumerate(("chatter.test", "weather.test") * 2):
        scene.visit(web, name, at_s=1 + 18 * trial, hello_bytes=1_890, abort_after_s=12)
        scene.visit(web, name, at_s=15 + 18 * trial, hello_bytes=517)
    scene.record(folder / "capture.pcapng", until_s=76)


if __name__ == "__main__":
    make(Path(__file__).parent)
