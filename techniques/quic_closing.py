"""Closes, Version Negotiations and ICMP errors that end a QUIC connection and are not the server's.

What it looks for
    An ending that came sooner than the server answers; that its other packets contradict (a packet number used twice,
    a version that it speaks with others, a port that is open to other names); or that its true answer follows.

What it sends
    Nothing of its own: the Initials of `quic-blocking`.

When it is wrong
    Servers close on names that they do not serve, and hosts without QUIC send ICMP: without a contradiction an ending
    is only told. Load balancers answer for servers behind them, with other TTLs and perhaps sooner. Packets overtake
    one another, so a close behind a hello that arrives first proves nothing.

Papers
    RFC 9000 section 21.10 and RFC 9312 section 4.7, of what a bystander can write; no censor is known to do so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fingerprint.conversations.quic import endings as quic_endings
from fingerprint.conversations.quic.endings import Ending
from fingerprint.conversations.quic.places import QuicPlace
from fingerprint.conversations.quic.sweeps import compared_with
from fingerprint.technique import (
    Cited,
    Clue,
    Facets,
    Finding,
    Inconclusive,
    Location,
    Subject,
    Technique,
    Trigger,
    cite,
)

if TYPE_CHECKING:
    from fingerprint.capture import Capture
    from fingerprint.conversations.path.sweeps import Sweep

# Each P(seen | hypothesis) is set by hand from the mechanism: no labelled frequencies were measured yet (n = 0).
NOT_THE_SERVERS = Clue(
    id="ending-contradicts-the-server",
    says="{what} {took:.1f} ms after the Initial is not the server's: {why}",
    group="quic-ending",
    given={
        "quic.close": 0.5, "capture-fault": 0.001, "ordinary": 0.0005, "server-refuses": 0.001, "innocent": 0.0005,
        "chosen-filter": 0.005, "corporate-proxy": 0.005, "*": 0.0005,
    },
    source="RFC 9000 sections 6.1, 6.2, 10.2 and 12.3; RFC 1122 section 3.2.2.1; set by hand",
)  # fmt: skip
SOONER_THAN_THE_SERVER = Clue(
    id="ending-sooner-than-the-server",
    says="{what} came {took:.1f} ms after the Initial; the server is {floor:.1f} ms away",
    group="quic-ending-time",
    given={
        "quic.close": 0.6, "split-tcp": 0.02, "local-network": 0.02, "corporate-proxy": 0.02, "captive-portal": 0.02,
        "chosen-filter": 0.01, "server-refuses": 0.003, "capture-fault": 0.003, "innocent": 0.003, "*": 0.003,
    },
    source="nothing is sooner than the way is long; set by hand",
)  # fmt: skip
ENDING_WITH_OTHER_TTL = Clue(
    id="ending-with-another-ttl",
    says="{what} arrived with TTL {ttl}, all of the server's own with {steady}",
    group="quic-ending-header",
    given={"quic.close": 0.6, "server-refuses": 0.1, "corporate-proxy": 0.4, "innocent": 0.1, "*": 0.1},
    source="load balancers answer for servers behind them; set by hand",
)
ENDING_FROM_THE_WAY = Clue(
    id="ending-of-an-initial-that-died",
    says="Initials for {name} are ended from {hop} hops on though they die before the server; {control} meets nothing"
    " there",
    group="quic-mid-path",
    given={
        "quic.close": 0.6,
        **dict.fromkeys(("chosen-filter", "corporate-proxy", "captive-portal", "local-network", "split-tcp"), 0.0005),
        "capture-fault": 0.0005, "innocent": 0.0001, "*": 0.0001,
    },
    source="RFC 791: what died on the way was read by nobody behind; set by hand",
)  # fmt: skip
ENDING_AT_THE_EDGE = Clue(
    id="ending-of-an-initial-at-the-edge",
    says=ENDING_FROM_THE_WAY.says,
    group="quic-mid-path",
    given={
        **ENDING_FROM_THE_WAY.given,
        "chosen-filter": 0.3, "corporate-proxy": 0.3, "captive-portal": 0.2, "local-network": 0.2,
    },
    source="a filter in the home or office stands on the way as well; set by hand",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class QuicClosing(Technique):
    """Thresholds live with the facts, in `fingerprint.conversations.quic.endings`."""

    clues = (
        NOT_THE_SERVERS, SOONER_THAN_THE_SERVER, ENDING_WITH_OTHER_TTL, ENDING_FROM_THE_WAY, ENDING_AT_THE_EDGE,
    )  # fmt: skip
    reads_steps_of = ("quic-blocking",)

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every ending at each place, then where on the way it came from."""
        for place in capture.quic_places:
            yield from _endings(capture, place)
        yield from (_placed(sweep) for sweep in capture.quic_sweeps if sweep.action == "close")


def _endings(capture: Capture, place: QuicPlace) -> Iterator[Finding]:
    """Whatever ended a connection, with what shows that the server did not."""
    samples = capture.rtt_samples(place.address)
    floor_s = quic_endings.floor(place, samples, capture.quic_at[place.address])
    for e in quic_endings.endings(place, floor_s):
        name = e.attempt.name
        subject = Subject(
            name=name, address=place.address, port=place.port, protocol="quic", trial=e.attempt.trial
        )  # fmt: skip
        begun = e.attempt.initials[:1] or e.attempt.flow.head[:1]
        words: dict[str, Any] = {"what": e.says, "took": e.took_s * 1e3}
        if not e.contradictions and not e.sooner:
            if not e.expected:
                why = f"{e.says} {e.took_s * 1e3:.1f} ms after the Initial; nothing shows whether it is the server's"
                yield Inconclusive(why, tuple(Cited(p.capture, p.number) for p in (*begun, e.packet)), subject)
            continue
        facets = _facets(e, place)
        if e.contradictions:
            why = "; ".join(e.contradictions)
            shown = (*begun, *e.witnesses)
            yield cite(NOT_THE_SERVERS, subject, *shown, forged=(e.packet,), facets=facets, why=why, **words)
        if e.sooner and floor_s is not None:
            yield cite(
                SOONER_THAN_THE_SERVER, subject, *begun, forged=(e.packet,), facets=facets, floor=floor_s * 1e3, **words
            )
        if e.other_ttl is not None:
            ttl = e.packet.ttl_hops
            yield cite(ENDING_WITH_OTHER_TTL, subject, *begun, e.packet, ttl=ttl, steady=e.other_ttl, **words)


def _facets(e: Ending, place: QuicPlace) -> Facets:
    """On-path if the server's answer came all the same; the name if others are answered there."""
    other = any(a.name != e.attempt.name for a in place.passed) and e.attempt.name
    trigger = Trigger(field="quic.sni", value=e.attempt.name) if other and e.attempt.name else None
    return Facets(position="on-path" if e.attempt.passed else None, trigger=trigger)


def _placed(sweep: Sweep) -> Finding:
    """The link behind which Initials with a name are ended, and others are not."""
    name = sweep.name if compared_with(sweep) == "name" else None
    facets = Facets(
        position=sweep.position,
        trigger=Trigger(field="quic.sni", value=name) if name else None,
        location=Location(hop=sweep.hop, link=sweep.link, address=sweep.router),
    )
    shown = (*sweep.hits, *sweep.misses[-2:], *sweep.controls[:4])
    packets = [d for s in shown for d in (*s.sent[:1], *s.replies[:1], *s.died[:1])]
    subject = Subject(name=sweep.name, address=sweep.address, port=sweep.port, protocol="quic")
    clue = ENDING_FROM_THE_WAY if sweep.hop > 1 else ENDING_AT_THE_EDGE
    return cite(
        clue, subject, *packets, facets=facets, name=sweep.name, hop=sweep.hop, control=sweep.controls[0].name,
        forged=[d for s in sweep.hits for d in s.replies],
    )  # fmt: skip
