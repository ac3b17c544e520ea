"""What pictures need of the packets, put beside each mechanism while the packets are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fingerprint.capture import Capture
from fingerprint.pictures.curves import curves
from fingerprint.pictures.ladders import Drawer
from fingerprint.verdict.model import Verdict

# Nobody looks at more ladders of one report; the others keep their packet numbers.
DRAWN_TARGETS = 200


def pictured(capture: Capture, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, the first two hundred blocked ones with ladders, and with curves where a transfer was slowed."""
    drawer, left, out = Drawer(capture, verdicts), DRAWN_TARGETS, list[Verdict]()
    for verdict in verdicts:
        if verdict.state == "blocked" and left:
            left -= 1
            drawn = (
                replace(m, ladders=drawer.ladders(verdict, m), curves=curves(drawer, verdict, m))
                for m in verdict.mechanisms
            )
            out.append(replace(verdict, mechanisms=tuple(drawn)))
        else:
            out.append(verdict)
    return tuple(out)
