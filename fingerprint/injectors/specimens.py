"""What an injector sent at once on one flow, with the packet that set it off and some of the named sender's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from captures.packet import Packet
from captures.recording import Recording
from fingerprint.capture import Capture
from fingerprint.technique import Cited

# Salvos that are looked at for one mechanism, in order of appearance: more would only repeat the first.
MOST_SALVOS = 40
# The named sender's own packets that are kept for comparison.
OWN_PKTS = 6
# A request of several segments has passed as a whole before the answer to one of them is there.
ASKED_PKTS = 3
# Packets of one salvo follow each other at once; the same device on the same flow later is another one.
SALVO_NS = 20_000_000
# A frame that was recorded twice (two interfaces, a mirror port) comes within this time of its twin.
TWIN_NS = 5_000_000
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """``kind``: see `kind`, by the first packet."""

    kind: str
    packets: tuple[Packet, ...]
    to_server: bool  # in the client's name
    asked: tuple[Packet, ...]  # the client's last packets before it, of which one set it off
    own: tuple[Packet, ...]  # of the named sender, not forged

    @property
    def trigger(self) -> Packet | None:
        """The last of them: its TTL is that of its like, and nothing else is asked of it."""
        return self.asked[-1] if self.asked else None


class FlowRows:
    """The rows of each flow, sorted once a recording: a large capture may hold thousands of forged flows."""

    def __init__(self) -> None:
        self._sorted: dict[int, tuple[NDArray[np.int64], NDArray[np.int32]]] = {}

    def of(self, recording: Recording, flow: int) -> NDArray[np.int64]:
        """In rising order."""
        if recording.index not in self._sorted:
            order = np.argsort(recording.columns.flow, kind="stable")
            self._sorted[recording.index] = order, recording.columns.flow[order]
        order, flows = self._sorted[recording.index]
        begin, end = np.searchsorted(flows, [flow, flow + 1])
        return order[begin:end]


def specimens(capture: Capture, forged: Collection[Cited], of_flows: FlowRows | None = None) -> tuple[Specimen, ...]:
    """One for each salvo of one flow, direction and set of flags: two devices may act on one flow."""
    of_flows = of_flows or FlowRows()
    out: list[Specimen] = []
    for recording in capture.recordings:
        mine = sorted(c.number - 1 for c in forged if c.capture == recording.index)
        c, makers = recording.columns, dict[tuple[int, int, int], list[int]]()
        for row in mine:
            makers.setdefault((int(c.flow[row]), int(c.direction[row]), int(c.tcp_flags[row])), []).append(row)
        salvos = [
            (flow, salvo) for (flow, _, _), rows in makers.items() if flow >= 0 for salvo in _salvos(c.time_ns, rows)
        ]
        out += [_specimen(recording, flow, of_flows.of(recording, flow), salvo) for flow, salvo in salvos[:MOST_SALVOS]]
    return tuple(out)


def _salvos(time_ns: NDArray[np.int64], rows: Sequence[int]) -> Iterator[list[int]]:
    """Rows that follow each other at once."""
    salvo: list[int] = []
    for row in rows:
        if salvo and time_ns[row] - time_ns[salvo[0]] > SALVO_NS:
            yield salvo
            salvo = []
        salvo.append(row)
    yield salvo


def _specimen(recording: Recording, flow: int, rows: NDArray[np.int64], forged: Sequence[int]) -> Specimen:
    """Copies of a forged packet are as forged as it is, whether somebody cited them or not."""
    c, first = recording.columns, forged[0]
    at_once = np.abs(c.time_ns[rows] - c.time_ns[first]) <= SALVO_NS
    alike = (c.tcp_flags[rows] == c.tcp_flags[first]) & (c.ip_id[rows] == c.ip_id[first])
    alike &= c.payload_bytes[rows] == c.payload_bytes[first]
    same_way = c.direction[rows] == c.direction[first]
    salvo = rows[same_way & at_once & (alike | np.isin(rows, forged))]
    from_client = c.direction[rows] == _clients_direction(recording, flow, rows)
    before = rows < first
    asked = rows[from_client & before & ~np.isin(rows, salvo)]
    said = asked[c.payload_bytes[asked] > 0][-ASKED_PKTS:]
    asked = said if len(said) else asked[-ASKED_PKTS:]
    if len(asked) and _recorded_twice(recording, rows, int(asked[-1])):
        salvo = salvo[: max(1, len(salvo) // 2)]
    own = rows[same_way & before & ~np.isin(rows, [*forged, *salvo.tolist()])][-OWN_PKTS:]
    return Specimen(
        kind=kind(recording.packet(first)),
        packets=tuple(recording.packet(int(row)) for row in salvo),
        to_server=bool(from_client[rows == first].any()),
        asked=tuple(recording.packet(int(row)) for row in asked),
        own=tuple(recording.packet(int(row)) for row in own),
    )


def _clients_direction(recording: Recording, flow: int, rows: NDArray[np.int64]) -> int:
    """The direction of the first SYN without ACK; of no SYN, that toward the lower port."""
    c = recording.columns
    opening = rows[(c.tcp_flags[rows] & (SYN | ACK)) == SYN]
    if len(opening):
        return int(c.direction[opening[0]])
    return int(recording.flows.port_a[flow] < recording.flows.port_b[flow])


def _recorded_twice(recording: Recording, rows: NDArray[np.int64], one: int) -> bool:
    """Whether another row of the flow is the same packet again."""
    c = recording.columns
    same = (c.ip_id[rows] == c.ip_id[one]) & (c.seq[rows] == c.seq[one]) & (c.tcp_flags[rows] == c.tcp_flags[one])
    same &= (c.payload_bytes[rows] == c.payload_bytes[one]) & (c.direction[rows] == c.direction[one])
    return bool((np.abs(c.time_ns[rows[same]] - c.time_ns[one]) <= TWIN_NS).sum() > 1)


def kind(packet: Packet) -> str:
    """What the packet does to a conversation: reset, close, alert, page (bytes of any other kind), push, dns or other.

    A push is a segment that pushes nothing, which no host sends.
    """
    if packet.udp is not None:
        return "dns" if 53 in (packet.udp.source_port, packet.udp.destination_port) else "other"
    if packet.tcp is None:
        return "other"
    if packet.tcp.flags & RST:
        return "reset"
    if packet.payload_bytes:
        return "alert" if packet.payload[:1] == b"\x15" else "page"
    if packet.tcp.flags & FIN:
        return "close"
    return "push" if packet.tcp.flags & PSH else "other"
