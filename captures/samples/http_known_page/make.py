"""The server's own answer is rewritten on its way into a page that is known to say: blocked."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene, response
from captures.samples.recipe_http_boxes import Rewrites, asks

# The frame that public captures from Iran show, written anew.
BODY = (
    b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1256"><title>M4</title></head>'
    b'<body><iframe src="http://10.10.34.34?type=Invalid Site&policy=MainPolicy" width="100%"></iframe></body></html>'
)


def make(folder: Path) -> None:
    scene = Scene(607)
    web = scene.site("151.101.66.17", rtt_s=0.080, hops=9)
    scene.box(4, Rewrites(asks("chatter.test"), response("403 Forbidden", BODY, "Connection: close")))
    for trial in range(2):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=16)


if __name__ == "__main__":
    make(Path(__file__).parent)
