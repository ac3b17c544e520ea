"""First bytes that were sent to die on the way, TCP and UDP, as the shots of `fingerprint.conversations.path.place`.

Others are compared by the name that they carry, these by what their bytes are, over UDP also by the port they go to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fingerprint.conversations.first_words import first_words
from fingerprint.conversations.path.place import Reports, Shot
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.udp.datagrams import DatagramFlow
from fingerprint.messages.first_payload import UNKNOWN, exemption, first_payload

RANDOM, PLAIN = "random-looking bytes", "other bytes"


def sort_of(payload: bytes, *, over: str) -> str:
    """The kind of a first payload; what is of no kind, by whether it looks random."""
    kind = first_payload(payload, over=over)
    if kind != UNKNOWN:
        return kind
    return RANDOM if exemption(payload) is None else PLAIN


def of_streams(streams: Iterable[Stream], reports: Reports) -> Iterator[Shot]:
    """Connections whose handshake travelled and whose first bytes were limited; none where all speak TLS or HTTP."""
    streams = tuple(streams)
    strange = {s.server for s in streams if s.protocol == "tcp"}
    for stream in streams:
        ttl_hops = stream.request_ttl_hops
        if ttl_hops is None or stream.server not in strange:
            continue
        words = first_words(stream)
        if words is None:
            continue
        rows = {s.row for s in words.sent}
        ending = words.ending if words.acknowledged is None else None
        yield Shot(
            name=sort_of(words.payload, over="tcp"),
            client=stream.client.address,
            address=stream.server.address,
            port=stream.server.port,
            protocol="tcp",
            ttl_hops=ttl_hops,
            trial=stream.trial,
            sent=words.sent,
            drew=None if ending is None else "reset" if ending.is_reset else "close",
            replies=(ending,) if ending else (),
            arrived_hops=(ending.ttl_hops,) if ending else (),
            died=tuple(e for e in reports.get((stream.capture, stream.flow), ()) if e.row in rows),
            acknowledged=words.acknowledged is not None,
            listened_s=max(0, stream.end_ns - words.sent[0].time_ns) / 1e9,
        )


def of_datagrams(flows: Iterable[DatagramFlow], reports: Reports) -> Iterator[Shot]:
    """Datagrams with small TTLs."""
    for flow in flows:
        if not flow.sent_to_die:
            continue
        yield Shot(
            name=f"{sort_of(flow.payload, over='udp')} to port {flow.server.port}",
            client=flow.client.address,
            address=flow.server.address,
            port=0,  # all ports of an address are one place
            protocol="udp",
            ttl_hops=flow.ttl_hops,
            trial=flow.trial,
            sent=flow.datagrams(from_client=True),
            drew="answer" if flow.answered else None,
            replies=flow.datagrams(from_client=False, at_most=2),
            arrived_hops=(),
            died=tuple(reports.get((flow.capture, flow.flow), ())),
            acknowledged=flow.answered,
            listened_s=flow.span_s + flow.waited_s,
        )
