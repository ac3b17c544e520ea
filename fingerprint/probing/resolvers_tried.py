"""Port 853 of a resolver: over TLS beside its port 443 and beside other resolvers of the user's, and over QUIC.

Nothing is sent for a target that is no resolver: its port says so, or the table of resolvers does.
"""

from __future__ import annotations

from itertools import count

from fingerprint import tables
from fingerprint.conversations.tls.encrypted_resolvers import DOQ, DOT, PORT, operators
from fingerprint.probing.names_greeted import one_a_family
from fingerprint.probing.quic_tried import QuicTried
from fingerprint.steps import Handshake, Probe, Send, Target
from fingerprint.technique import Clue

HTTPS = 443
LISTEN_S = 4.0


def resolvers_tried(target: Target, *, shows: tuple[Clue, ...]) -> Probe:
    """Both ports of each family's first address, port 853 of the other resolvers, Initials where QUIC is offered."""
    known = operators(tables.built_in().rows("resolvers"))
    if target.port != PORT and not known.has(target.name) and not any(map(known.has, target.addresses)):
        return
    trials = count(1)
    for address in one_a_family(target.addresses):
        trial = next(trials)
        for port, role in ((HTTPS, "control"), (PORT, "target")):
            yield Send(
                Handshake(address=address, port=port), label=f"handshake with port {port} of {address}", role=role,
                listen_s=LISTEN_S, shows=shows, trial=trial,
            )  # fmt: skip
    for other in target.resolvers:
        if other not in target.addresses and known.offers(other, DOT):
            yield Send(
                Handshake(address=other, port=PORT), label=f"handshake with port {PORT} of {other}", role="control",
                listen_s=LISTEN_S, shows=shows, trial=next(trials),
            )  # fmt: skip
    if target.port == PORT or any(known.offers(a, DOQ) for a in target.addresses):
        yield from QuicTried(target=target, shows=shows, pairs=2, port=PORT, alpn="doq", trials=trials).steps()
