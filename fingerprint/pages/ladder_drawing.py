"""A ladder drawn: two lifelines, a rung a packet, numbers on the left as Wireshark shows them, times on the right.

A packet that the verdict rests on has a full dot and a heavy line; a forged one begins at a diamond between the two
ends, is dashed, and says so in a word: it came from neither. What is reported in ICMP begins there too, at a ring: a
router on the way may have said it, or the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fingerprint.pages import svg
from fingerprint.pages.phrases import count, shortened

WIDTH, TOP, STEP = 408.0, 40.0, 31.0
CLIENT, SERVER, TIMES = 66.0, 336.0, 402.0
# A forged packet came from somewhere between; nobody knows where, so that it begins at no end.
BETWEEN = 250.0
LONGEST_WORDS = 34

Rung = Mapping[str, Any]


def drawing(ladder: Mapping[str, Any], key: str) -> Markup:
    """The picture of a ladder of a report. ``key`` is unique in the page."""
    rungs: Sequence[Rung] = ladder["rungs"]
    bottom = TOP + STEP * len(rungs) + 6
    role = "Control" if ladder["control"] else "Deciding conversation"
    lifelines = (svg.tag("line", x1=x, x2=x, y1=TOP - 12, y2=bottom, class_="lifeline") for x in (CLIENT, SERVER))
    heads = (
        svg.tag("text", words, x=x, y=TOP - 20, text_anchor="middle", class_="head")
        for words, x in (("client", CLIENT), (far_end(rungs), SERVER))
    )
    margins = (
        svg.tag("text", "packet", x=0, y=TOP - 20, class_="margin"),
        svg.tag("text", "time", x=TIMES, y=TOP - 20, text_anchor="end", class_="margin"),
    )
    drawn = (part for n, rung in enumerate(rungs) for part in _rung(rung, TOP + STEP * (n + 1) - 6))
    return svg.picture(
        *lifelines, *heads, *margins, *drawn, width=WIDTH, height=bottom + 4, key=key, class_="ladder",
        label=f"{role}: {ladder['title']}", described=described(rungs),
    )  # fmt: skip


def far_end(rungs: Sequence[Rung]) -> str:
    """Whom the client spoke to: the words are `packet_words`'."""
    return "resolver" if rungs and all(str(r["says"]).startswith(("DNS ", "ICMP ")) for r in rungs) else "server"


def described(rungs: Sequence[Rung]) -> str:
    """The rungs in words, for those who do not see them."""
    return " ".join(
        f"Packet {r['number']} at {_time(r['time_s'])}, {'client to server' if r['from_client'] else _sender(r)}: "
        f"{r['says']}{', cited by the verdict' if r['deciding'] else ''}."
        for r in rungs
    )


def left_out(ladder: Mapping[str, Any]) -> str | None:
    """How many packets of the conversation are not drawn."""
    n = ladder["left_out"]
    return f"{count(n, 'more packet')} of this conversation {'is' if n == 1 else 'are'} not drawn." if n else None


def reported(rung: Rung) -> bool:
    """Whether it is ICMP: the words are `packet_words`'."""
    return str(rung["says"]).startswith("ICMP ")


def _sender(rung: Rung) -> str:
    if reported(rung):
        return "reported to the client"
    return "to the client, forged in the server's name" if rung["forged"] else "server to client"


def _rung(rung: Rung, y: float) -> Iterator[Markup]:
    kind = "rung forged" if rung["forged"] else "rung deciding" if rung["deciding"] else "rung"
    up = bool(rung["from_client"])
    between = not up and (rung["forged"] or reported(rung))
    start, end = (CLIENT, SERVER) if up else (BETWEEN if between else SERVER, CLIENT)
    yield svg.tag("text", f"{rung['number']}", x=0, y=y + 4, class_=f"number {kind}")
    yield svg.tag("line", x1=start, x2=end + (-7 if up else 7), y1=y, y2=y, class_=kind)
    yield _arrow(end, y, right=up, kind=kind)
    if rung["forged"]:
        yield svg.tag("path", d=f"M{start - 6:g} {y:g}l6-6 6 6-6 6z", class_="diamond")
        yield svg.tag("text", "forged", x=start + 12, y=y + 4, class_="forged-word")
    elif between:
        yield svg.tag("circle", cx=start, cy=y, r=4.2, class_=f"ring {kind}")
        yield svg.tag("text", "reported", x=start + 12, y=y + 4, class_=f"words {kind}")
    elif rung["deciding"]:
        yield svg.tag("circle", cx=start, cy=y, r=3.6, class_="dot")
    words = shortened(rung["says"], LONGEST_WORDS)
    # Words beside a start between the two ends stand to its left, for its own word stands to its right.
    x, y_words, anchor = (CLIENT + 10, y - 8, "start") if between else ((CLIENT + SERVER) / 2, y - 6, "middle")
    yield svg.tag("text", words, x=x, y=y_words, text_anchor=anchor, class_=f"words {kind}")
    yield svg.tag("text", _time(rung["time_s"]), x=TIMES, y=y + 4, text_anchor="end", class_="margin")


def _arrow(x: float, y: float, *, right: bool, kind: str) -> Markup:
    way = -1 if right else 1
    return svg.tag("path", d=f"M{x:g} {y:g}l{8 * way:g}-4v8z", class_=f"tip {kind}")


def _time(time_s: float) -> str:
    """``0``, ``24.7 ms``, ``18.06 s``."""
    if time_s == 0:
        return "0"
    return f"{time_s:.2f}\u00a0s" if abs(time_s) >= 1 else f"{time_s * 1000:.1f}\u00a0ms"
