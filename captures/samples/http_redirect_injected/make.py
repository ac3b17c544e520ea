"""A forged 302 to a warning page arrives before the true one."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names, response


def make(folder: Path) -> None:
    scene = Scene(176)
    address = "151.101.65.196"
    web = scene.site(address, rtt_s=0.080, hops=9)
    page = response("302 Found", b"", "Location: http://warning.test/blocked?ref=17", "Connection: close")
    scene.box(
        4, Forge(names("Host: chatter.test"), ("FPA", {"payload": page, "window": 502, "ip_id": 0x4C57}), ttl_hops=251)
    )
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
