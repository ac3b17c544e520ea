"""After a request for chatter.test an injector resets all that the client says to port 80, for forty seconds."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from captures.samples.recipe import Forge, Line, Packet, Scene, names


class Reset(Forge):
    """Forges resets for requests that name the host, and for 40 s for whatever the client says to that port."""

    def __init__(self) -> None:
        super().__init__(names("chatter.test"), ("RA", {}), to_server=True, ttl_hops=77)
        self.until_ns = 0

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        named = outbound and self.match(packet)
        if named:
            self.until_ns = self.net.now_ns + 40 * 10**9
        elif outbound and packet.payload and packet.destination_port == 80 and self.net.now_ns < self.until_ns:
            self.fire(packet, line)
        return super().see(packet, line, outbound=outbound)


def make(folder: Path) -> None:
    scene = Scene(431)
    web = scene.site("151.101.65.231", rtt_s=0.070, hops=8)
    scene.box(3, Reset())
    for cycle in range(2):
        base_s = 70 * cycle
        scene.fetch(web, "weather.test", at_s=base_s + 1)
        scene.fetch(web, "weather.test", at_s=base_s + 2)
        scene.fetch(web, "chatter.test", at_s=base_s + 4)
        scene.fetch(web, "weather.test", at_s=base_s + 14)
        scene.visit(web, "weather.test", at_s=base_s + 18, page_bytes=3_000)
        scene.fetch(web, "weather.test", at_s=base_s + 34)
        scene.fetch(web, "weather.test", at_s=base_s + 52)
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
