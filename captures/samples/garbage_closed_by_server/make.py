"""An innocent twin: the server itself ends connections over bytes that it cannot read, by FIN or by RST."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import ClosesOnGarbage, Says, printable


def make(folder: Path) -> None:
    scene = Scene(404)
    rng = scene.net.rng
    for address, by, seconds in (("45.33.71.204", "fin", 0.0), ("45.33.72.204", "rst", 120.0)):
        server = scene.site(address, rtt_s=0.120, hops=9)
        server.listening[8388] = lambda by=by: ClosesOnGarbage(lambda data: data[:1].isalpha(), rng, by=by)
        for trial in range(3):
            at_s = seconds + 30 * trial
            scene.open(server, Says(printable(rng, 200), leave_after_s=3), at_s=at_s + 1, port=8388)
            scene.open(server, Says(b"\x00" + rng.randbytes(199), leave_after_s=9), at_s=at_s + 10, port=8388)
    scene.record(folder / "capture.pcapng", until_s=250)


if __name__ == "__main__":
    make(Path(__file__).parent)
