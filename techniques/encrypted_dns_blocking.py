"""Resolvers that can be asked in the clear and not over TLS or QUIC.

What it looks for
    Port 853 of a resolver that is never answered, refused or reset, whatever over; what its operator says of it, and
    whether port 853 of other resolvers fares better. That the port fails and others of the address pass is found by
    `ip-blocking`, a forged reset by `tcp-rst-injection`, silence over QUIC by `quic-blocking`, DNS over HTTPS by name
    by `sni-filtering`: this adds what is known of resolvers to what they found.

What it sends
    To port 853, or to a resolver that the table knows: a handshake with that port and with 443, the same with those
    resolvers of the user's that are known to take it, and Initials for DNS over QUIC.

When it is wrong
    Resolvers that do not offer it refuse or ignore the port: only an operator's word, or an answer at another time,
    shows that this one does. Offices and homes close port 853 to keep their own resolver in use: then it fails at all
    resolvers alike, and nobody but the owner of the network may have chosen so.

Papers
    Lu et al., "An End-to-End, Large-Scale Measurement of DNS-over-Encryption", IMC 2019.
    Basso, "Measuring DoT/DoH Blocking Using OONI Probe", NDSS DNS Privacy Workshop 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fingerprint.conversations.tls import encrypted_resolvers as resolvers
from fingerprint.conversations.tls.encrypted_resolvers import DOQ, DOT, PORT, OverQuic, OverTls
from fingerprint.probing.resolvers_tried import resolvers_tried
from fingerprint.technique import Cited, Clue, Finding, Inconclusive, Subject, Technique, cite

if TYPE_CHECKING:
    from fingerprint.capture import Capture
    from fingerprint.conversations.streams import Stream
    from fingerprint.steps import Probe, Target

_ACTIONS = ("tcp.timeout", "tcp.reset", "tcp.refused", "quic.timeout", "quic.close")
OFFERED = Clue(
    id="operator-offers-it",
    says="{address} takes DNS over {what} on port 853, as its operator writes ({source})",
    group="resolver-offer",
    given={
        **dict.fromkeys(_ACTIONS, 0.8), "server-refuses": 0.05, "ordinary": 0.05, "server-down": 0.5, "innocent": 0.6,
        "*": 0.6,
    },
    source="the operators' own pages, in the table of resolvers; set by hand",
)  # fmt: skip
OTHERS_PASS = Clue(
    id="port-853-of-others-passes",
    says="port 853 of {others} other resolvers is taken meanwhile",
    group="resolver-others",
    given={
        **dict.fromkeys(_ACTIONS, 0.7), "chosen-filter": 0.03, "corporate-proxy": 0.03, "captive-portal": 0.02,
        "local-network": 0.02, "innocent": 0.7, "*": 0.6,
    },
    source="who closes a port by choice closes it to all alike; set by hand",
)  # fmt: skip
OTHERS_FAIL = Clue(
    id="port-853-of-others-fails-too",
    says="port 853 of {others} other resolvers fails as well, and other ports of theirs do not",
    group="resolver-others",
    given={
        **dict.fromkeys(_ACTIONS, 0.3), "chosen-filter": 0.9, "corporate-proxy": 0.9, "captive-portal": 0.7,
        "local-network": 0.5, "server-refuses": 0.02, "server-down": 0.02, "innocent": 0.1, "*": 0.1,
    },
    source="RFC 7858 section 3.1: a port of its own is easily closed, by networks of any kind; set by hand",
)  # fmt: skip
HTTPS_OVER_QUIC_PASSES = Clue(
    id="quic-passes-on-port-443",
    says="{address} answers Initials on UDP port 443, and none on 853",
    group="resolver-port",
    given={
        "quic.timeout": 0.7, "quic.close": 0.7, "server-down": 0.1, "captive-portal": 0.05, "local-network": 0.05,
        "chosen-filter": 0.5, "innocent": 0.6, "*": 0.6,
    },
    source="RFC 9250 section 4.1.1; set by hand",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedDnsBlocking(Technique):
    """It has no threshold of its own: those who find the failures have."""

    clues = (OFFERED, OTHERS_PASS, OTHERS_FAIL, HTTPS_OVER_QUIC_PASSES)
    reads_steps_of = ("ip-blocking", "quic-blocking")

    def probe(self, target: Target) -> Probe:
        """Port 853 of the target and of other resolvers; nothing for what is no resolver."""
        yield from resolvers_tried(target, shows=(OFFERED, OTHERS_PASS, OTHERS_FAIL))

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every failure of port 853, with what is known of its resolver and what others do."""
        known = resolvers.operators(capture.known.rows("resolvers"))
        for tried in resolvers.over_tls(capture.reaches, known):
            yield from _over_tls(known, tried)
        for quic in resolvers.over_quic(capture.quic_places):
            yield from _over_quic(known, quic)


def _over_tls(known: resolvers.Operators, tried: OverTls) -> Iterator[Finding]:
    address, requests = tried.reach.address, tried.requests
    subject = Subject(address=address, port=PORT, protocol="tcp")
    failing = (*requests.dead, *requests.reset, *(s for s, _ in requests.refused))
    told = [_first(s) for s in failing]
    source = known.offers(address, DOT)
    if source is None:
        why = f"nothing shows that {address} takes DNS over TLS; those that do not refuse or ignore port {PORT}"
        yield Inconclusive(why, tuple(told), subject)
    else:
        yield cite(OFFERED, subject, *told, address=address, what="TLS", source=source)
    if tried.passing:
        beside = [_first(r.alive[0]) for r in tried.passing[:4]]
        yield cite(OTHERS_PASS, subject, *told, *beside, others=len(tried.passing))
    elif tried.failing:
        beside = [_first(s) for r in tried.failing[:4] for s in (*r.dead, *r.reset)[:1]]
        yield cite(OTHERS_FAIL, subject, *told, *beside, others=len(tried.failing))


def _over_quic(known: resolvers.Operators, quic: OverQuic) -> Iterator[Finding]:
    mine, place = quic.mine, quic.mine.place
    subject = Subject(name=mine.name, address=place.address, port=PORT, protocol="quic")
    told = [a.initials[0] for a in mine.failures if a.initials]
    if not told:
        return
    source = known.offers(place.address, DOQ)
    if source is not None:
        yield cite(OFFERED, subject, *told, address=place.address, what="QUIC", source=source)
    if quic.https is not None and not place.passed:
        answer = quic.https.passed[0].answer
        shown = [*told, *filter(None, [answer])]
        yield cite(HTTPS_OVER_QUIC_PASSES, subject, *shown, address=place.address)


def _first(stream: Stream) -> Cited:
    return Cited(stream.capture, int(stream.rows[0]) + 1)
