"""An innocent twin: the office's own router closes port 853 to every resolver; port 443 passes."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, TlsServer
from captures.samples.recipe_tcp import App


def make(folder: Path) -> None:
    scene = Scene(252)
    # Public resolvers that offer DNS over TLS; nothing is ever sent to them from here.
    names = {"9.9.9.9": "dns.quad9.net", "8.8.8.8": "dns.google", "1.1.1.1": "one.one.one.one"}
    scene.box(1, Drop(lambda p: p.protocol == "tcp" and p.destination_port == 853))
    for i, (address, name) in enumerate(names.items()):
        scene.site(address, rtt_s=0.040 + 0.01 * i, hops=7 + i).listening[853] = TlsServer
        for trial in range(2):
            scene.open(address, App(), at_s=1 + 5 * i + 40 * trial, port=853)
            scene.visit(address, name, at_s=3 + 5 * i + 40 * trial, page_bytes=2_000)
    scene.record(folder / "capture.pcapng", until_s=84)


if __name__ == "__main__":
    make(Path(__file__).parent)
