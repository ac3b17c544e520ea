"""Requests that were sent to die, and connections that go deaf after those that came far enough.

The handshake travels, the request goes only so far, and what follows it travels again. A live server answers what
follows, for the request never arrived. From the reach on at which it no longer does, the request met something that
took the whole connection away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.segments import FIN, RST, SYN, Segment
from fingerprint.conversations.streams import Stream

# So long the last word of a client must have been left without an answer.
LISTEN_S = 1.0
# So many connections on either side: fewer may be losses.
LEAST_DEAF, LEAST_ALIVE = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Deafened:
    """Where deafness begins: ``hop`` is the smallest reach of a request after which nothing more was heard."""

    name: str
    address: str
    port: int
    hop: int
    below: int  # the largest reach after which the server still answered
    deaf: tuple[Opening, ...]
    alive: tuple[Opening, ...]
    others: tuple[Opening, ...]  # other names that were answered there from such a reach


def deafened(streams: Iterable[Stream]) -> Iterator[Deafened]:
    """Every name at every place whose requests take their connections away from some reach on, without exception."""
    served: dict[tuple[str, str, int], list[tuple[int, Opening]]] = {}
    swept: dict[tuple[str, str, str, int], list[tuple[int, Opening, bool]]] = {}
    for stream in streams:
        reach = stream.request_ttl_hops
        if reach is None or stream.protocol != "http" or not stream.name:
            continue
        o = opening(stream)
        if o.outcome == "answered":
            served.setdefault((stream.client.address, *stream.server), []).append((reach, o))
        alive = _answered_afterwards(o)
        if alive is not None and o.syn_ack is not None and o.answer is None and not o.offers:
            key = (stream.client.address, stream.name, stream.server.address, stream.server.port)
            swept.setdefault(key, []).append((reach, o, alive))
    for (client, name, address, port), shots in swept.items():
        deaf = tuple(o for _, o, alive in shots if not alive)
        alive_ones = tuple(o for _, o, alive in shots if alive)
        hop = min((reach for reach, _, alive in shots if not alive), default=0)
        below = max((reach for reach, _, alive in shots if alive), default=hop)
        if len(deaf) >= LEAST_DEAF and len(alive_ones) >= LEAST_ALIVE and below < hop:
            there = served.get((client, address, port), ())
            yield Deafened(
                name=name,
                address=address,
                port=port,
                hop=hop,
                below=below,
                deaf=deaf,
                alive=alive_ones,
                others=tuple(o for reach, o in there if o.stream.name != name and reach >= hop),
            )


def last_words(o: Opening) -> list[Segment]:
    """What the client sent behind its request with the reach of the handshake: for the server to answer."""
    if not o.request or o.syn is None:
        return []
    return [
        s
        for s in o.stream.head
        if s.from_client
        and s.time_ns > o.request[-1].time_ns
        and s.ttl_hops >= o.syn.ttl_hops
        and not s.flags & (SYN | RST)
        and (s.payload_bytes or s.flags & FIN)
    ]


def _answered_afterwards(o: Opening) -> bool | None:
    """Whether the server answered what followed; None where nothing did, or one did not listen."""
    said = last_words(o)
    if not said:
        return None
    if any(not s.from_client and s.time_ns > o.request[-1].time_ns for s in o.stream.head):
        return True
    return False if (o.stream.end_ns - said[-1].time_ns) / 1e9 >= LISTEN_S else None
