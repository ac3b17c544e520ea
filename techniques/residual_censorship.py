"""What stays blocked for a while after a trigger, for whom, and how long.

What it looks for
    Connections under other names, or under none, that fail at an address after a name that never passes there, and
    that pass there otherwise: which ports they went to, which passed meanwhile, and when the first passed again. The
    same over QUIC is told by `quic-blocking`.

What it sends
    Once something was found: the control, the target, then the control again in growing pauses until it passes, and a
    handshake with another port while it does not.

When it is wrong
    A server that bans a client after some request does so in its own headers, and then fails for all names and ports
    alike. Every repetition of the trigger begins the window anew, other programs' and the neighbours' behind one
    address included; where windows contradict one another, all that they span is given.

Papers
    Wang et al., "Your State is Not Mine: A Closer Look at Evading Stateful Internet Censorship", IMC 2017.
    Bock et al., "Your Censor is My Censor: Weaponizing Censorship Infrastructure for Availability Attacks", WOOT 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.residual import Residual
from fingerprint.probing.window_measured import window_measured
from fingerprint.steps import Probe, Target
from fingerprint.technique import Cited, Clue, Facets, Finding, Inconclusive, Subject, Technique, cite

OTHERS_FAIL_AFTER_IT = Clue(
    id="others-fail-for-a-while-after-it",
    says="after {name}, {failing} connections under other names or none fail on {address} that pass there otherwise",
    group="residual",
    given={
        **{f"*.{did}": 0.3 for did in ("reset", "timeout", "close", "alert")}, "server-refuses": 0.2,
        "server-down": 0.1, "path-failure": 0.05, "loss": 0.02, "nat-timeout": 0.02, "innocent": 0.02, "*": 0.02,
    },
    source="Wang et al., IMC 2017; set by hand",
)  # fmt: skip
SCOPE = Clue(
    id="what-the-block-covers",
    says="for a while after {name} the block covers {scope}",
    group="observation",
    given={},
    source="Wang et al., IMC 2017",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualCensorship(Technique):
    """Thresholds: the first pause between two tries of the control, and how much longer each next one is."""

    clues = (OTHERS_FAIL_AFTER_IT, SCOPE)
    reads_steps_of = ("sni-filtering",)

    pause_s: float = 2.0
    growth_ratio: float = 2.0
    listen_s: float = 3.0

    def probe(self, target: Target) -> Probe:
        """The window, once there is one."""
        yield from window_measured(target, pause_s=self.pause_s, growth_ratio=self.growth_ratio, listen_s=self.listen_s)

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every trigger that something followed from."""
        for left in capture.residuals:
            protocol = left.protocol if left.protocol in ("tls", "http") else "tcp"
            subject = Subject(name=left.name, address=left.address, port=left.port, protocol=protocol)
            begun = [s.head[0] for s in (*left.triggers, *left.failing, left.passing)]
            words: dict[str, Any] = {"name": left.name, "address": left.address}
            facets = Facets(residual_s=left.window_s)
            yield cite(OTHERS_FAIL_AFTER_IT, subject, *begun, facets=facets, failing=len(left.failing), **words)
            yield cite(SCOPE, subject, *begun, facets=facets, scope=left.scope, **words)
            if left.window_s is None:
                yield Inconclusive(_open(left), tuple(Cited(s.capture, s.number) for s in begun), subject)


def _open(left: Residual) -> str:
    last = left.failing[-1]
    seen_s = (last.first_ns - left.triggers[0].first_ns) / 1e9
    return (
        f"something still failed {seen_s:.0f} s after {left.name}, and nothing was seen to pass again before the next"
    )
