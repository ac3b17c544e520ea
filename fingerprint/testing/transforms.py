"""Changes to a capture that change nothing about what happened: other names, addresses, distances, hops, TTLs.

Each takes a recording and returns the bytes of a new pcap file. Checksums are left as they were; the reader does not
take them as evidence.
"""

from __future__ import annotations

import codecs
import ipaddress
import struct
from collections.abc import Callable

from captures import Recording

Frame = bytearray
RST, SYN, ACK = 0x04, 0x02, 0x10


def pcap(recording: Recording, edit: Callable[[int, Frame], None], times: list[int] | None = None) -> bytes:
    """A nanosecond pcap with every frame edited in place, sorted by time where times were changed."""
    c = recording.columns
    link = recording.interfaces[0].link_type
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link)]
    when = times or c.time_ns.tolist()
    order = sorted(range(len(c)), key=lambda row: (when[row], row)) if times else range(len(c))
    for row in order:
        frame = bytearray(recording.frame(row))
        edit(row, frame)
        seconds, rest = divmod(when[row], 10**9)
        out.append(struct.pack("<IIII", seconds, rest, len(frame), int(c.wire_bytes[row])) + bytes(frame))
    return b"".join(out)


def _unchanged(_row: int, _frame: Frame) -> None:
    """The frame stays as it is."""


def other_names(recording: Recording) -> bytes:
    """Every name that the capture shows, replaced by one of the same length and letters in another order."""
    labels = {label for name in recording.names for label in name.split(".") if label.isalpha() and len(label) > 1}
    swaps = {}
    for label in labels:
        mixed = ["".join(c.upper() if i % 2 == odd else c for i, c in enumerate(label)) for odd in (0, 1)]
        for shown in {label, label.upper(), label.capitalize(), *mixed}:
            new = codecs.encode(shown, "rot13")
            swaps[shown.encode()] = new.encode()

    def edit(row: int, frame: Frame) -> None:
        start = int(recording.columns.payload_offset[row])
        payload = bytes(frame[start:])
        marks = {}
        for i, (old, new) in enumerate(sorted(swaps.items(), key=lambda kv: -len(kv[0]))):
            # An SNI has the length of the whole name in front of its first label, a final dot included.
            mine = [len(n) for n in recording.names if n.encode().startswith(old.lower() + b".") and len(n) < 255]
            whole = {bytes([n + dot]) for n in mine for dot in (0, 1)}
            for before in (b".", bytes([len(old)]), b" ", b"\0", b"/", *sorted(whole - {bytes([len(old)])})):
                token = before + old
                if token in payload:
                    place = b"\xf1" + struct.pack(">H", i)
                    place = before + (place * len(old))[: len(old)]
                    if len(old) >= 3:
                        marks[place] = before + new
                        payload = payload.replace(token, place)
        for place, new in marks.items():
            payload = payload.replace(place, new)
        frame[start:] = payload

    return pcap(recording, edit)


def other_addresses(recording: Recording) -> bytes:
    """Other last two bytes in every public IPv4 address, neighbours staying such, in headers, DNS answers and ICMP."""
    swaps = {}
    for flow in range(len(recording.flows)):
        if recording.flows.family[flow] != 4:
            continue
        for side in (recording.flows.address_a, recording.flows.address_b):
            old = side[flow][:4].tobytes()
            if ipaddress.IPv4Address(old).is_global:
                swaps[old] = old[:2] + bytes([old[2] ^ 0x28, old[3] ^ 0x15])

    def edit(row: int, frame: Frame) -> None:
        c = recording.columns
        if c.family[row] != 4:
            return
        at = int(c.l3_offset[row])
        # An ICMP error quotes an IP header behind its own eight bytes.
        quoted = int(c.l4_offset[row]) + 8
        told = c.protocol[row] == 1 and len(frame) >= quoted + 20
        for place in (at + 12, at + 16, *((quoted + 12, quoted + 16) if told else ())):
            old = bytes(frame[place : place + 4])
            frame[place : place + 4] = swaps.get(old, old)
        if c.mark[row] == 8:
            start = int(c.payload_offset[row]) + 12
            body = bytes(frame[start:])
            for old, new in swaps.items():
                body = body.replace(b"\x00\x04" + old, b"\x00\x04" + new)
            frame[start:] = body

    return pcap(recording, edit)


def farther(recording: Recording, extra_ns: int = 40_000_000) -> bytes:
    """The path longer by ``extra_ns`` there and back: every answer, and all that follows it in its flow, comes later.

    A turn begins with a SYN or with payload from the client; in a running transfer, acknowledgements and data keep
    their distance.
    """
    c = recording.columns
    client = _clients(recording)
    shift: dict[int, int] = {}
    outbound: dict[int, bool] = {}
    times = c.time_ns.tolist()
    for row, flow in enumerate(c.flow.tolist()):
        if flow < 0:
            continue
        sent_by_client = int(c.direction[row]) == client.get(flow, 0)
        if not sent_by_client and outbound.get(flow, True):
            shift[flow] = shift.get(flow, 0) + extra_ns
        asks = c.protocol[row] != 6 or c.payload_bytes[row] > 0 or int(c.tcp_flags[row]) & SYN
        if not sent_by_client or asks:
            outbound[flow] = sent_by_client
        times[row] += shift.get(flow, 0)
    return pcap(recording, _unchanged, times)


def other_hops(recording: Recording, hops: int = 2) -> bytes:
    """Everything that was sent towards the client crosses ``hops`` routers more."""
    client = _clients(recording)

    def edit(row: int, frame: Frame) -> None:
        c = recording.columns
        flow = int(c.flow[row])
        if flow >= 0 and int(c.direction[row]) != client.get(flow, 0) and c.ttl[row] > hops:
            _set_ttl(recording, row, frame, int(c.ttl[row]) - hops)

    return pcap(recording, edit)


def mimicked_ttl(recording: Recording) -> bytes:
    """Every reset and every DNS answer carries the TTL of its claimed sender's first plain packet."""
    c = recording.columns
    genuine: dict[tuple[int, int], int] = {}
    for row, flow in enumerate(c.flow.tolist()):
        plain = c.protocol[row] == 6 and not int(c.tcp_flags[row]) & RST
        if plain or (c.mark[row] == 8):
            genuine.setdefault((flow, int(c.direction[row])), int(c.ttl[row]))

    def edit(row: int, frame: Frame) -> None:
        reset = c.protocol[row] == 6 and int(c.tcp_flags[row]) & RST
        if reset or c.mark[row] == 8:
            ttl = genuine.get((int(c.flow[row]), int(c.direction[row])))
            if ttl is not None:
                _set_ttl(recording, row, frame, ttl)

    return pcap(recording, edit)


def _set_ttl(recording: Recording, row: int, frame: Frame, ttl: int) -> None:
    c = recording.columns
    at = int(c.l3_offset[row]) + (8 if c.family[row] == 4 else 7)
    if c.family[row] and at < len(frame):
        frame[at] = ttl


def _clients(recording: Recording) -> dict[int, int]:
    """Flow → direction number of the client's packets."""
    c = recording.columns
    out: dict[int, int] = {}
    for row, flow in enumerate(c.flow.tolist()):
        if flow < 0 or flow in out:
            continue
        if c.protocol[row] == 6 and (int(c.tcp_flags[row]) & (SYN | ACK)) == SYN | ACK:
            out[flow] = 1 - int(c.direction[row])
        else:
            out[flow] = int(c.direction[row])
    return out


TRANSFORMS: dict[str, Callable[[Recording], bytes]] = {
    "other names": other_names,
    "other addresses": other_addresses,
    "40 ms farther": farther,
    "two hops more": other_hops,
    "the server's TTL": mimicked_ttl,
}
