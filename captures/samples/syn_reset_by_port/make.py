"""Each SYN to port 443 of one address draws a forged RST+ACK from router 3; port 80 of it is left alone."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene


def make(folder: Path) -> None:
    scene = Scene(403)
    address, elsewhere = "151.101.66.12", "146.75.34.12"
    scene.site(address, rtt_s=0.080, hops=9)
    scene.site(elsewhere, rtt_s=0.050, hops=6)
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (elsewhere,)})
    requests = lambda p: p.flags == "S" and p.destination == address and p.destination_port == 443  # noqa: E731
    scene.box(3, Forge(requests, ("RA", {}), ttl_hops=200))
    for trial in range(3):
        scene.fetch(address, "chatter.test", at_s=1 + 10 * trial)
        scene.visit(address, "chatter.test", at_s=3 + 10 * trial, via="9.9.9.9")
        scene.visit(elsewhere, "weather.test", at_s=6 + 10 * trial, via="9.9.9.9", page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
