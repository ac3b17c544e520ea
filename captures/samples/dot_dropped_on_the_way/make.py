"""Port 853 of one resolver is dropped behind router 3, port 443 is carried; SYNs of 1 to 9 hops to both."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Drop, Scene, TlsServer
from captures.samples.recipe_addresses import sweep
from captures.samples.recipe_tcp import App


def make(folder: Path) -> None:
    scene = Scene(251)
    # Public resolvers that offer DNS over TLS; nothing is ever sent to them from here.
    resolver, other = "9.9.9.9", "8.8.8.8"
    for address, hops in ((resolver, 8), (other, 7)):
        scene.site(address, rtt_s=0.050, hops=hops).listening[853] = TlsServer
    scene.box(3, Drop(lambda p: p.destination == resolver and p.destination_port == 853))
    for trial in range(2):
        scene.open(resolver, App(), at_s=1 + 30 * trial, port=853)
        scene.visit(resolver, "dns.quad9.net", at_s=2 + 30 * trial, page_bytes=2_000)
        scene.open(other, App(), at_s=4 + 30 * trial, port=853)
    after_s = sweep(scene, (resolver, 443), (resolver, 853), hops=9, from_s=60)
    scene.visit(resolver, "dns.quad9.net", at_s=after_s + 1, page_bytes=2_000)
    scene.record(folder / "capture.pcapng", until_s=after_s + 6)


if __name__ == "__main__":
    make(Path(__file__).parent)
