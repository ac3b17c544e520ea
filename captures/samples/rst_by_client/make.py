"""An innocent twin: the client's program is killed and its kernel answers whatever still arrives."""

# A method with a given signature:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Scene, TlsClient


class Killed(TlsClient):
    """Dies 100 ms after the hello, before the page; a kernel resets what comes for a dead program."""

    def opened(self, connection: Connection) -> None:
        super().opened(connection)
        connection.net.at(0.1, connection.forget)


def make(folder: Path) -> None:
    scene = Scene(174)
    address = "151.101.65.194"
    web = scene.site(address, rtt_s=0.080, hops=9, pages={"chatter.test": 30_000})
    for trial in range(3):
        scene.open(web, Killed("chatter.test", page_bytes=30_000), at_s=1 + 5 * trial)
        scene.visit(web, "weather.test", at_s=3 + 5 * trial)
    scene.record(folder / "capture.pcapng", until_s=18)


if __name__ == "__main__":
    make(Path(__file__).parent)
