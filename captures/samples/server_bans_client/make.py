"""An innocent twin: a server resets one request in its own headers, and then bans the client for half a minute."""

# A method with a given signature:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene


class Ban(Box):
    """The server's own firewall: after a hello for one name it takes nothing more from the client for 30 s."""

    def __init__(self) -> None:
        self.until_ns = self.from_ns = 0

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        if outbound and b"chatter.test" in packet.payload:
            self.from_ns, self.until_ns = self.net.now_ns + 10**9, self.net.now_ns + 30 * 10**9
        banned = outbound and self.from_ns < self.net.now_ns < self.until_ns
        return () if banned else (packet,)


def make(folder: Path) -> None:
    scene = Scene(433)
    web = scene.site("151.101.65.233", rtt_s=0.070, hops=8, manners={"chatter.test": "reset"})
    scene.box(8, Ban())
    for cycle in range(2):
        base_s = 70 * cycle
        scene.visit(web, "weather.test", at_s=base_s + 1, page_bytes=3_000)
        scene.visit(web, "chatter.test", at_s=base_s + 4)
        scene.visit(web, "weather.test", at_s=base_s + 8, page_bytes=3_000)
        scene.fetch(web, "weather.test", at_s=base_s + 9)
        scene.visit(web, "weather.test", at_s=base_s + 60, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=140)


if __name__ == "__main__":
    make(Path(__file__).parent)
