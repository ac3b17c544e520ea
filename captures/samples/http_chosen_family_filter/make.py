"""An innocent twin: a filter in the home puts its own page in the place of what the family chose to block."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, response
from captures.samples.recipe_http_boxes import Answers, asks

BODY = (
    b"<html><head><title>Blocked by family settings</title></head><body><h1>This site is blocked</h1>"
    b"<p>Your family settings block this category. Ask the account holder to change them.</p></body></html>"
)


def make(folder: Path) -> None:
    scene = Scene(624, client="192.168.1.20")
    page = response("403 Forbidden", BODY, "Connection: close")
    web = scene.site("151.101.66.34", rtt_s=0.080, hops=9)
    # The first router takes one hop from what passes, and sends its own packets with a whole TTL.
    scene.box(1, Answers(asks("chatter.test"), ("FPA", {"payload": page, "window": 28960}), ttl_hops=64))
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
