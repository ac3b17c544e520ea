"""An innocent twin: the service is not running; the server's kernel refuses each SYN at full round trip."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(166)
    address = "151.101.65.186"
    web = scene.site(address)
    del web.listening[443]
    scene.resolver("9.9.9.9", {"chatter.test": (address,)})
    for trial in range(3):
        scene.visit(web, "chatter.test", at_s=1 + 4 * trial, via="9.9.9.9")
    scene.fetch(web, "chatter.test", at_s=14)
    scene.record(folder / "capture.pcapng", until_s=18)


if __name__ == "__main__":
    make(Path(__file__).parent)
