"""Where on the way Initials are lost: those with growing TTLs, beside others that routers still report.

The others carry another name, or another version, or are TCP to the same address and port: which of them it is says
what the box minds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fingerprint.conversations.path import sweeps as place_sweeps
from fingerprint.conversations.path.place import Reports, Shot
from fingerprint.conversations.path.sweeps import Sweep
from fingerprint.conversations.quic.flows import QuicFlow

# What stands for a name where there is none.
OVER_TCP = "TCP"
PROTOCOL = "quic"
# Behind the box there are so many routers at least, or it may be the server's own firewall.
AWAY_HOPS = 2


def sweeps(flows: Iterable[QuicFlow], shots: Iterable[Shot], reports: Reports) -> tuple[Sweep, ...]:
    """Every sweep of Initials that names a link. ``shots`` are those of other protocols."""
    mine = tuple(_shots(flows, reports))
    ends = {(s.client, s.address, s.port) for s in mine}
    beside = [
        replace(s, protocol=PROTOCOL, name=OVER_TCP)
        for s in shots
        if s.protocol == "tls" and s.limited and s.drew is None and (s.client, s.address, s.port) in ends
    ]
    found = place_sweeps.sweeps((*mine, *beside)) if mine else ()
    return tuple(s for s in found if s.name != OVER_TCP and s.controls)


def _shots(flows: Iterable[QuicFlow], reports: Reports) -> Iterator[Shot]:
    for flow in flows:
        sent = tuple(d for d in flow.head if d.from_client)
        heard = tuple(d for d in flow.head if not d.from_client)
        opening = flow.opening
        # An unknown version is answered by a list of versions, and that by the server.
        told = any(p.closes for p in opening.packets if not p.from_client) or opening.version_negotiation is not None
        ended = bool(heard) and told and opening.server_hello is None and flow.name is not None
        rows = {d.row for d in sent}
        yield Shot(
            name=flow.name or version_of(flow),
            client=flow.client.address,
            address=flow.server.address,
            port=flow.server.port,
            protocol=PROTOCOL,
            ttl_hops=sent[0].ttl_hops,
            trial=flow.trial,
            sent=sent,
            drew="close" if ended else None,
            replies=heard,
            arrived_hops=tuple(dict.fromkeys(d.ttl_hops for d in heard)),
            died=tuple(e for e in reports.get((flow.capture, flow.flow), ()) if e.row in rows),
            acknowledged=bool(heard) and not ended,
            listened_s=(flow.recording.ended_ns - flow.first_ns) / 1e9,
        )


def version_of(flow: QuicFlow) -> str:
    """What stands for the name of an Initial that nobody can open."""
    return f"version {flow.opening.version_name}"


def compared_with(sweep: Sweep) -> str:
    """``name``, ``version`` or ``tcp``: in what the others differ."""
    names = {s.name for s in sweep.controls}
    if any(not n.startswith("version ") and n != OVER_TCP for n in names):
        return "name"
    return "version" if any(n != OVER_TCP for n in names) else "tcp"


def away_from_the_server(sweep: Sweep) -> bool:
    """Several routers behind the place still reported the others."""
    return len({s.ttl_hops for s in sweep.controls}) >= AWAY_HOPS
