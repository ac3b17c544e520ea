"""After a hello for chatter.test six more packets pass, then nothing does, either way."""

# Methods with given signatures:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene, key_of

PASSING = 6


class DropLate(Box):
    """In-path: counts the packets of a marked connection, both ways."""

    def __init__(self) -> None:
        self.left: dict[tuple[str, int, str, int], int] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        key = key_of(packet, outbound=outbound)
        if key in self.left:
            self.left[key] -= 1
            return (packet,) if self.left[key] >= 0 else ()
        if outbound and b"chatter.test" in packet.payload:
            self.left[key] = PASSING
        return (packet,)


def make(folder: Path) -> None:
    scene = Scene(302)
    web = scene.site("151.101.65.212", rtt_s=0.070, hops=9)
    scene.box(3, DropLate())
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 20 * trial, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=4 + 20 * trial, page_bytes=4_000, abort_after_s=12)
    scene.record(folder / "capture.pcapng", until_s=62)


if __name__ == "__main__":
    make(Path(__file__).parent)
