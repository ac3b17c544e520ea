"""Two injectors on one router: one bare RST from the first, three RST+ACK from the second, to both ends."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(171)
    address = "151.101.65.191"
    web = scene.site(address, rtt_s=0.180, hops=14)
    scene.box(5, Forge(names("chatter.test"), ("R", {"df": False}), ttl_hops=97, to_server=True))
    # Window less hop limit on arrival is 1375, as in one public capture of this device type.
    triple = [("RA", {"df": True, "ip_id": 0x4D1C, "window": 1_375 + 113}) for _ in range(3)]
    scene.box(5, Forge(names("chatter.test"), *triple, ttl_hops=117, to_server=True, after_s=0.0011))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 200 * trial)
        scene.visit(web, "chatter.test", at_s=4 + 200 * trial)
    scene.record(folder / "capture.pcapng", until_s=420)


if __name__ == "__main__":
    make(Path(__file__).parent)
