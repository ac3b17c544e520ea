"""Every hello to one address is lost, whatever its name; the script says which names were controls."""

from __future__ import annotations

import json
from pathlib import Path

from captures.samples.recipe import Drop, Packet, Scene
from captures.samples.recipe_network import START_NS


def hellos(p: Packet) -> bool:
    """Any ClientHello."""
    return p.protocol == "tcp" and p.payload[:1] == b"\x16"


def make(folder: Path) -> None:
    scene = Scene(306)
    web = scene.site("151.101.65.216", rtt_s=0.070, hops=9)
    scene.box(8, Drop(hellos))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 40 * trial, page_bytes=4_000, abort_after_s=16)
        scene.visit(web, "chatter.test", at_s=21 + 40 * trial, page_bytes=4_000, abort_after_s=16)
    scene.record(folder / "capture.pcapng", until_s=120)
    script = {
        "schema": "fingerprint/script/1", "tool": "0.1.0", "seed": 306, "order": "fixed", "hello": "stdlib",
        "recorder": "simulated", "capture_all": False, "residual_s": 2.0, "began_ns": START_NS,
        "ended_ns": START_NS + 120 * 10**9, "steps": [], "partial": None,
        "targets": [
            {
                "name": "chatter.test", "addresses": [web.address], "port": 443, "secure": True, "path": "/",
                "controls": [["weather.test", [web.address]]], "resolvers": [], "seed": 306,
            }
        ],
    }  # fmt: skip
    (folder / "script.json").write_text(json.dumps(script, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path(__file__).parent)
