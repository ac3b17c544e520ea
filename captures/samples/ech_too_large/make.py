"""An innocent twin: router 4 swallows packets above 1,400 bytes; the extension makes the hello larger than that."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene


def make(folder: Path) -> None:
    scene = Scene(335)
    scene.box(4, Drop(lambda p: p.protocol == "tcp" and len(p.payload) > 1_360))
    web = scene.site("151.101.65.231", rtt_s=0.070, hops=8)
    for trial in range(3):
        for number, name in enumerate(("chatter.test", "weather.test")):
            at_s = 1 + 44 * trial + 22 * number
            scene.visit(web, name, at_s=at_s, hello_bytes=517)
            scene.visit(web, name, at_s=at_s + 2, hello_bytes=1_500, veil="ech", abort_after_s=16)
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
