"""An innocent twin: a web firewall beside the server refuses one Host in its own headers, a full round trip away."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, response
from captures.samples.recipe_http_boxes import Answers, asks

BODY = (
    b"<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your"
    b" administrator. Your support ID is: 8271940023</body></html>"
)


def make(folder: Path) -> None:
    scene = Scene(625)
    web = scene.site("151.101.66.35", rtt_s=0.080, hops=9)
    page = response("403 Forbidden", BODY, "Connection: close")
    at_the_door = scene.net.lines[web.address].hops
    scene.box(
        at_the_door, Answers(asks("chatter.test"), ("PA", {"payload": page, "window": 4380, "df": True}), ttl_hops=255)
    )
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
