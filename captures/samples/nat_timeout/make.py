"""An innocent twin: a NAT forgets a connection that was silent for five minutes; the next request vanishes."""

# Methods with given signatures:
# ruff: noqa: ARG002, D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Connection, Line, Packet, Scene, TlsClient, key_of


class Forgetful(Box):
    """Forgets connections after five minutes of silence and drops what comes later."""

    def __init__(self) -> None:
        self.last_ns: dict[object, int] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        key = key_of(packet, outbound=outbound)
        if self.net.now_ns - self.last_ns.get(key, self.net.now_ns) > 300e9:
            return ()
        self.last_ns[key] = self.net.now_ns
        return (packet,)


class Returning(TlsClient):
    """Asks once more after seven minutes."""

    def opened(self, connection: Connection) -> None:
        super().opened(connection)
        connection.net.at(420, lambda: connection.send(b"\x17\x03\x03\x00\x40" + bytes(64)))


def make(folder: Path) -> None:
    scene = Scene(162)
    address = "151.101.65.182"
    web = scene.site(address)
    scene.box(1, Forgetful())
    scene.open(web, Returning("chatter.test", page_bytes=0), at_s=1)
    scene.visit(web, "weather.test", at_s=200)
    scene.visit(web, "chatter.test", at_s=440)
    scene.visit(web, "weather.test", at_s=443)
    scene.record(folder / "capture.pcapng", until_s=450)


if __name__ == "__main__":
    make(Path(__file__).parent)
