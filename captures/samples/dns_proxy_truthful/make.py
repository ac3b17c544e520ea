"""An innocent twin: a proxy on router 2 answers every query truthfully, for addresses that run no resolver too."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Box, Line, Packet, Scene
from captures.samples.recipe_dns import NXDOMAIN, answer, name_asked, reply_to

ZONE = {"chatter.test": ("151.101.129.182",), "weather.test": ("146.75.33.182",)}


class Proxy(Box):
    """Takes queries, whoever they are for."""

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> tuple[Packet, ...]:
        """Answers in the name of whoever was asked."""
        if packet.protocol != "udp" or packet.destination_port != 53 or not outbound:
            return (packet,)
        known = ZONE.get(name_asked(packet.payload))
        said = answer(packet.payload, known or (), rcode=0 if known else NXDOMAIN)
        self.inject(reply_to(packet, said, ip_id=self.net.rng.randrange(65536)), line, outbound=False, after_s=0.003)
        return ()


def make(folder: Path) -> None:
    scene = Scene(428)
    scene.box(2, Proxy())
    scene.resolver("9.9.9.9", {}, rtt_s=0.040, hops=8)
    web = scene.site("151.101.129.182")
    for trial in range(3):
        for i, name in enumerate(("weather.test", "chatter.test", "qzvkwpxjhbtmyrcd.test", "weather.test")):
            scene.lookup("9.9.9.9", name, at_s=1 + i / 2 + 9 * trial)
            scene.lookup(web.address, name, at_s=4 + i / 2 + 9 * trial)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
