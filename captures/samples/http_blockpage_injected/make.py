"""A page of refusal arrives before the true page."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names, response

BODY = (
    b"<html><head><title>Access Denied</title></head><body><h1>This site is blocked by order of the authority</h1>"
    b"<p>Access to this website is prohibited under the law.</p></body></html>"
)


def make(folder: Path) -> None:
    scene = Scene(212)
    address = "151.101.65.232"
    web = scene.site(address, rtt_s=0.080, hops=9)
    page = response("403 Forbidden", BODY, "Connection: close")
    scene.box(3, Forge(names("Host: chatter.test"), ("FPA", {"payload": page, "window": 123}), ttl_hops=126))
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
