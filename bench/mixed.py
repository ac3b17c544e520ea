"""A mixed capture for timing, seeded: mixed.py PACKETS OUT.pcap.

TLS downloads (a few reset or unanswered), DNS lookups and UDP streams, interleaved, mean near 900 bytes. Only sizes and
kinds matter here; what a verdict needs is in captures/samples.
"""

from __future__ import annotations

import heapq
import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

# Flows that are open at any moment.
OPEN_FLOWS = 200
SYN, RST, PSH, ACK = 0x02, 0x04, 0x08, 0x10
CLIENT, RESOLVER = b"\xc0\x00\x02\x0a", b"\x08\x08\x08\x08"

Frame = tuple[float, bytes]


def ipv4(source: bytes, destination: bytes, protocol: int, ttl: int, body: bytes) -> bytes:
    """An Ethernet frame with an IPv4 packet; checksums are left zero, since nobody here checks them."""
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0x4000, ttl, protocol, 0, source, destination)
    return bytes(12) + b"\x08\x00" + header + body


def tcp(ports: tuple[int, int], seq: int, ack: int, flags: int, payload: bytes = b"") -> bytes:
    """A TCP segment without options."""
    return struct.pack("!HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, 0x50, flags, 64000, 0, 0) + payload


def udp(ports: tuple[int, int], payload: bytes) -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload


def extension(kind: int, body: bytes) -> bytes:
    """A TLS extension."""
    return struct.pack("!HH", kind, len(body)) + body


def hello(name: bytes) -> bytes:
    """A ClientHello of 517 bytes that names ``name``."""
    listed = extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name) + extension(43, b"\x02\x03\x04")
    start = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    padding = extension(21, bytes(517 - 9 - len(start) - 2 - len(listed) - 4))
    body = start + struct.pack("!H", len(listed + padding)) + listed + padding
    return b"\x16\x03\x01" + struct.pack("!HB", len(body) + 4, 1) + len(body).to_bytes(3, "big") + body


def download(rng: random.Random, number: int, start: float) -> Iterator[Frame]:
    """A TLS connection: most carry some hundred segments, one in twelve is reset, one in twenty unanswered."""
    server = bytes((93, 184, number // 250 % 200, 1 + number % 250))
    up, down = (40_000 + number % 20_000, 443), (443, 40_000 + number % 20_000)
    rtt, sent, got = rng.uniform(0.01, 0.2), 1000 + number, 70_000 + number
    name = b"site%06d.example.test" % (number % 5000)

    def out(flags: int, payload: bytes = b"") -> bytes:
        return ipv4(CLIENT, server, 6, 64, tcp(up, sent, got, flags, payload))

    def back(flags: int, payload: bytes = b"", ttl: int = 52) -> bytes:
        return ipv4(server, CLIENT, 6, ttl, tcp(down, got, sent, flags, payload))

    yield start, ipv4(CLIENT, server, 6, 64, tcp(up, sent, 0, SYN))
    sent += 1
    yield start + rtt, back(SYN | ACK)
    got += 1
    now = start + rtt + 0.0001
    yield now, out(ACK)
    request = hello(name)
    fate = rng.random()
    if fate < 0.05:
        for wait in (0, 0.3, 0.9, 2.1, 4.5):
            yield now + wait, out(PSH | ACK, request)
        return
    yield now, out(PSH | ACK, request)
    sent += len(request)
    if fate < 0.13:
        yield now + rtt / 5, back(RST, ttl=60)
        return
    now += rtt
    for turn in range(rng.randint(20, 400)):
        payload = (b"\x16\x03\x03\x05\xa3\x02" if turn == 0 else b"\x17\x03\x03\x05\xa3\x00") + bytes(1442)
        yield now, back(ACK, payload)
        got += len(payload)
        if turn % 2:
            yield now + 0.00002, out(ACK)
        now += rtt if turn % 20 == 19 else 0.00006


def lookup(rng: random.Random, number: int, start: float) -> Iterator[Frame]:
    """A DNS query and its answer."""
    labels = (b"site%06d" % (number % 5000), b"example", b"test")
    question = b"".join(bytes([len(part)]) + part for part in labels) + b"\x00\x00\x01\x00\x01"
    ident, port = struct.pack("!H", number % 65536), 20_000 + number % 40_000
    query = ident + b"\x01\x00\x00\x01" + bytes(6) + question
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04" + bytes(
        (93, 184, number // 250 % 200, 1 + number % 250)
    )
    answer = ident + b"\x81\x80\x00\x01\x00\x01" + bytes(4) + question + record
    yield start, ipv4(CLIENT, RESOLVER, 17, 64, udp((port, 53), query))
    yield start + rng.uniform(0.005, 0.05), ipv4(RESOLVER, CLIENT, 17, 58, udp((53, port), answer))


def call(rng: random.Random, number: int, start: float) -> Iterator[Frame]:
    """A stream of datagrams both ways."""
    peer, port = bytes((170, 114, number % 250, 7)), 50_000 + number % 10_000
    for turn in range(rng.randint(20, 200)):
        payload = rng.randbytes(16) + bytes(rng.choice((100, 900, 1100)))
        ends = (peer, CLIENT, (8801, port)) if turn % 3 else (CLIENT, peer, (port, 8801))
        yield start + turn * 0.02, ipv4(ends[0], ends[1], 17, 57, udp(ends[2], payload))


def frames(rng: random.Random) -> Iterator[Frame]:
    """Frames of all flows in order of time, without end."""
    waiting: list[tuple[float, int, bytes, Iterator[Frame]]] = []
    number, now = 0, 1_589_736_000.0
    while True:
        while len(waiting) < OPEN_FLOWS:
            kind = rng.choices((download, lookup, call), (5, 4, 1))[0]
            flow = kind(rng, number, now + rng.uniform(0, 0.5))
            heapq.heappush(waiting, (*next_of(flow, number), flow))
            number += 1
        now, key, frame, flow = heapq.heappop(waiting)
        yield now, frame
        following = next(flow, None)
        if following:
            heapq.heappush(waiting, (following[0], key, following[1], flow))


def next_of(flow: Iterator[Frame], number: int) -> tuple[float, int, bytes]:
    """The first frame of a flow as it waits its turn."""
    at, frame = next(flow)
    return at, number, frame


def main() -> None:
    """Write the capture: nanosecond pcap, Ethernet."""
    packets, out = int(sys.argv[1]), Path(sys.argv[2])
    with out.open("wb", buffering=1 << 20) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for _, (at, frame) in zip(range(packets), frames(random.Random(20200517)), strict=False):
            seconds, rest = divmod(round(at * 1e9), 1_000_000_000)
            file.write(struct.pack("<IIII", seconds, rest, len(frame), len(frame)) + frame)


if __name__ == "__main__":
    main()
