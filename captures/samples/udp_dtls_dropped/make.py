"""A relay that answers whatever it is sent hears no DTLS hello: something on router 5 drops those."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, DropsDatagrams, printable, tell


def make(folder: Path) -> None:
    scene = Scene(423)
    rng = scene.net.rng
    address = "45.33.71.223"
    host = scene.site(address, rtt_s=0.140, hops=12)
    Datagrams(host).open[5349] = lambda data: rng.randbytes(min(len(data), 60))
    scene.box(5, DropsDatagrams(lambda p: p.payload[:3] == b"\x16\xfe\xfd"))
    # RFC 6347: a handshake record of epoch 0, whose message is a ClientHello.
    hello = b"\x16\xfe\xfd" + bytes(8) + b"\x00\xa0" + b"\x01" + rng.randbytes(159)
    for trial in range(3):
        tell(scene, address, 5349, bytes((0x45 + trial,)) + rng.randbytes(len(hello) - 1), at_s=1 + 15 * trial)
        tell(scene, address, 5349, printable(rng, len(hello)), at_s=3 + 15 * trial)
        tell(scene, address, 5349, hello, at_s=5 + 15 * trial)
    tell(scene, address, 5349, b"\x30" + rng.randbytes(len(hello) - 1), at_s=47)
    scene.record(folder / "capture.pcapng", until_s=55)


if __name__ == "__main__":
    make(Path(__file__).parent)
