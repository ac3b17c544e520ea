"""A forged fatal alert answers the hello; the server's flight arrives later."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, alert, names


def make(folder: Path) -> None:
    scene = Scene(145)
    address = "151.101.65.165"
    web = scene.site(address, rtt_s=0.080, hops=9)
    # RFC 8446 section 6.2: 49 is access_denied.
    refusal = alert(49)
    scene.box(3, Forge(names("chatter.test"), ("FPA", {"payload": refusal, "window": 510}), ttl_hops=127))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=24)


if __name__ == "__main__":
    make(Path(__file__).parent)
