"""On port 443 only what begins like TLS, HTTP or DNS goes on; the rest is taken once and then dropped."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import DropsFirstBytes, Says, printable


def is_unknown(data: bytes) -> bool:
    return not (data[:1] == b"\x16" or data.split(b" ")[0] in (b"GET", b"POST", b"HEAD", b"PUT"))


def make(folder: Path) -> None:
    scene = Scene(403)
    address = "151.101.65.203"
    web = scene.site(address, rtt_s=0.110, hops=11)
    scene.box(4, DropsFirstBytes(is_unknown, passes_first=True, ports=(53, 80, 443)))
    rng = scene.net.rng
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 70 * trial, page_bytes=3_000)
        scene.open(web, Says(rng.randbytes(140), more=[rng.randbytes(80)], leave_after_s=9), at_s=6 + 70 * trial)
        scene.open(web, Says(printable(rng, 140), more=[printable(rng, 80)], leave_after_s=9), at_s=30 + 70 * trial)
        scene.visit(web, "weather.test", at_s=55 + 70 * trial, page_bytes=3_000)
    scene.record(folder / "capture.pcapng", until_s=220)


if __name__ == "__main__":
    make(Path(__file__).parent)
