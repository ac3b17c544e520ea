"""Router 2 drops hellos that name chatter.test, with the extension and without: the name is minded, not the veil."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, names


def make(folder: Path) -> None:
    scene = Scene(337)
    scene.box(2, Drop(names("chatter.test")))
    web = scene.site("151.101.65.231", rtt_s=0.060, hops=8)
    for trial in range(3):
        at_s = 1 + 44 * trial
        scene.visit(web, "chatter.test", at_s=at_s, hello_bytes=760, abort_after_s=16)
        scene.visit(web, "weather.test", at_s=at_s + 20, hello_bytes=760, veil="ech")
        scene.visit(web, "chatter.test", at_s=at_s + 22, hello_bytes=760, veil="ech", abort_after_s=16)
        scene.visit(web, "weather.test", at_s=at_s + 42, hello_bytes=760)
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
