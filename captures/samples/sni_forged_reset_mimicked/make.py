"""The same forged reset, but with TTL, IP ID and DF of the server's last packet."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(102)
    address = "151.101.65.141"
    web = scene.site(address, rtt_s=0.080, hops=9)
    web.zero_id_in_handshake = False
    scene.resolver("9.9.9.9", {"chatter.test": (address,), "weather.test": (address,)})
    scene.box(3, Forge(names("chatter.test"), ("RA", {}), mimic=True))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, via="9.9.9.9")
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
