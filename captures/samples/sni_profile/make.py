"""An injector that joins no segments and knows small letters only: plain hellos are reset, others pass."""

# Methods with given signatures:
# ruff: noqa: D102

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Connection, Forge, Scene, TlsClient, client_hello, names


class Spelled(TlsClient):
    """Says its name in another form: in mixed case, with a final dot, or in two records."""

    def __init__(self, form: str) -> None:
        super().__init__("chatter.test", page_bytes=4_000)
        self.form = form

    def opened(self, connection: Connection) -> None:
        spelling = {"case": "cHaTtEr.TeSt", "dot": "chatter.test."}.get(self.form, "chatter.test")
        hello = client_hello(spelling, connection.net.rng)
        if self.form == "records":
            at = hello.find(b"chatter") + 4
            first, second = hello[5:at], hello[at:]
            hello = (
                hello[:3] + len(first).to_bytes(2, "big") + first + hello[:3] + len(second).to_bytes(2, "big") + second
            )
        connection.send(hello)


def make(folder: Path) -> None:
    scene = Scene(305)
    web = scene.site("151.101.65.215", rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("RA", {}), ttl_hops=61))
    for trial in range(2):
        base_s = 1 + 16 * trial
        scene.visit(web, "weather.test", at_s=base_s, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=base_s + 2, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=base_s + 4, page_bytes=4_000, split_at=4)
        for i, form in enumerate(("case", "dot", "records")):
            scene.open(web, Spelled(form), at_s=base_s + 6 + 3 * i)
    scene.record(folder / "capture.pcapng", until_s=40)


if __name__ == "__main__":
    make(Path(__file__).parent)
