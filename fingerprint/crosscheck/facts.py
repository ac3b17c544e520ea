"""What we read in the packets that a verdict cites, fact by fact, under the names of Wireshark's fields.

Headers are taken from the frame alone. A message belongs to the frame in which it becomes whole, as Wireshark shows it:
the last segment of a hello, the datagram that completes a QUIC client's first flight, the end of a head.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from captures.columns import Mark, State
from captures.packet import Packet
from captures.recording import Recording
from fingerprint.conversations.connections import streams
from fingerprint.conversations.dns.over_tcp import messages_over_tcp
from fingerprint.conversations.quic.flows import quic_flows
from fingerprint.conversations.streams import Stream
from fingerprint.messages import dns, http
from fingerprint.messages.quic import read_initials
from fingerprint.messages.tls import ClientHello, client_hello
from fingerprint.verdict import community_id

Facts = dict[str, str]

# Not a field of Wireshark's: SHA-256 of the SubjectPublicKeyInfo of a certificate that it shows (RFC 7469).
KEY = "certificate.key_sha256"
# What an ICMP error quotes: the same fields, under names of their own.
QUOTED = "quoted."
SNI, JA3 = "tls.handshake.extensions_server_name", "tls.handshake.ja3"
# No request of interest is longer, and a stream is read no further.
LONGEST_HEAD_BYTES = 65536
# RFC 1035 section 3.2.2 and RFC 3596 section 2.1: A and AAAA.
_ADDRESSES = {1: "dns.a", 28: "dns.aaaa"}


def of_frames(recording: Recording, numbers: Collection[int]) -> dict[int, Facts]:
    """The facts of each of these packets. Raises IndexError for one that the capture does not hold."""
    out = {number: dict(headers(recording.packet(number - 1))) for number in sorted(set(numbers))}
    for number, found in (*_over_tcp(recording, out), *_over_quic(recording, out), *_over_dns(recording, out)):
        out[number] |= found
    for number, found in out.items():
        if name := community_id.of_row(recording, number - 1):
            found["communityid"] = name
    return out


def headers(packet: Packet) -> Iterator[tuple[str, str]]:
    """Time, length, and what the innermost IP header and the header behind it say."""
    if packet.time_ns >= 0:  # Wireshark takes the small negative times of clockless recorders for a far future
        yield "frame.time_epoch", f"{packet.time_ns // 10**9}.{packet.time_ns % 10**9:09d}"
    yield "frame.len", str(packet.wire_bytes)
    yield "frame.cap_len", str(packet.captured_bytes)
    if packet.ip is not None:
        yield from _ip(packet.ip)
    if packet.tcp is not None:
        yield from _tcp(packet.tcp)
        yield "tcp.len", str(packet.payload_bytes)
    if packet.udp is not None:
        yield "udp.srcport", str(packet.udp.source_port)
        yield "udp.dstport", str(packet.udp.destination_port)
        yield "udp.length", str(packet.udp.length_bytes)
    if packet.icmp is not None:
        name = "icmpv6" if packet.ip is not None and packet.ip.version == 6 else "icmp"
        yield f"{name}.type", str(packet.icmp.type)
        yield f"{name}.code", str(packet.icmp.code)
        if packet.icmp.quoted is not None:
            yield from ((f"{QUOTED}{fact}", value) for fact, value in _quoted(packet.icmp.quoted))


def _quoted(packet: Packet) -> Iterator[tuple[str, str]]:
    """Headers as far as they were quoted: of TCP perhaps no more than ports and sequence number (RFC 792)."""
    short = {"tcp.ack", "tcp.flags", "tcp.window_size_value"} if packet.malformed else set()
    for fact, value in headers(packet):
        if not fact.startswith("frame.") and fact != "tcp.len" and fact not in short:
            yield fact, value


def _ip(ip: Any) -> Iterator[tuple[str, str]]:
    if ip.version == 6:
        yield from (("ipv6.src", ip.source), ("ipv6.dst", ip.destination), ("ipv6.hlim", str(ip.ttl_hops)))
        yield "ipv6.tclass", hex(ip.traffic_class)
        return
    yield from (("ip.src", ip.source), ("ip.dst", ip.destination), ("ip.ttl", str(ip.ttl_hops)))
    yield from (("ip.id", hex(ip.id)), ("ip.dsfield", hex(ip.traffic_class)))
    yield from ((f"ip.flags.{flag}", str(int(bool(ip.flags & bit)))) for flag, bit in (("rb", 4), ("df", 2), ("mf", 1)))


def _tcp(tcp: Any) -> Iterator[tuple[str, str]]:
    yield "tcp.srcport", str(tcp.source_port)
    yield "tcp.dstport", str(tcp.destination_port)
    yield from (("tcp.seq", str(tcp.seq)), ("tcp.ack", str(tcp.ack)), ("tcp.flags", hex(tcp.flags)))
    yield "tcp.window_size_value", str(tcp.window)
    if tcp.options:
        # RFC 9293 section 3.1: kinds 0 and 1 are one byte, all others state their length.
        sent = (bytes((kind,)) if kind < 2 else bytes((kind, len(body) + 2)) + body for kind, body in tcp.options)
        yield "tcp.options", b"".join(sent).hex()


Found = Iterator[tuple[int, Facts]]


def _over_tcp(recording: Recording, numbers: Collection[int]) -> Found:
    wanted = np.fromiter((n - 1 for n in numbers), np.int64)
    flows = set(recording.columns.flow[wanted].tolist())
    for stream in streams(recording):
        if stream.flow not in flows or max(stream.request_row, stream.answer_row) < 0:
            continue
        cited = set((np.intersect1d(stream.rows, wanted) + 1).tolist())
        for from_client, whole in ((True, _request), (False, _response)):
            if found := completed(stream, whole, from_client=from_client):
                number, facts = found
                if number in cited:
                    yield number, facts


def completed(stream: Stream, whole: Callable[[bytes], Facts | None], *, from_client: bool) -> tuple[int, Facts] | None:
    """The packet in which the first message of one side is all there, and what it says; None if it never is."""
    said, held, c = b"", list[tuple[int, int, int]](), stream.recording.columns
    for s in stream.head:
        if (
            s.from_client != from_client
            or not s.payload_bytes
            or s.is_reset
            or int(c.state[s.row]) & int(State.FRAGMENT)
        ):
            continue
        held.append((s.seq - 1, s.end - 1, s.row))
        before = len(said)
        for start, end, row in sorted(held):
            if start <= len(said) < end:
                said += stream.recording.payload(row)[len(said) - start :]
        if len(said) > before and (facts := whole(said)) is not None:
            return s.number, facts
        if len(said) >= LONGEST_HEAD_BYTES:
            return None
    return None


def _request(said: bytes) -> Facts | None:
    if (hello := client_hello(said)) is not None:
        return of_hello(hello) if hello.complete else None
    head = http.read_request(said, checked=False)
    if head is None or not head.complete:
        return None
    asked = {"http.request.uri": head.target}
    return asked | ({"http.host": host} if (host := head.header("host")) else {})


def _response(said: bytes) -> Facts | None:
    head = http.read_response(said, checked=False)
    return {"http.response.code": str(head.status)} if head is not None and head.complete and head.status else None


def of_hello(hello: ClientHello) -> Facts:
    """The name that a hello asks for, and what kind of client it shows."""
    return {JA3: hello.ja3_md5} | ({SNI: hello.sni} if hello.sni else {})


def _over_quic(recording: Recording, numbers: Collection[int]) -> Found:
    if not any(int(recording.columns.mark[n - 1]) == Mark.QUIC_LONG for n in numbers):
        return
    for flow in quic_flows(recording):
        sent = [(d.number, raw) for d, raw in flow.long_datagrams(to_server=True)]
        for count, (number, _) in enumerate(sent, 1):
            hello = read_initials([raw for _, raw in sent[:count]]).client_hello
            if hello is not None and hello.complete:
                if number in numbers:
                    yield number, of_hello(hello)
                break


def _over_dns(recording: Recording, numbers: Collection[int]) -> Found:
    c = recording.columns
    for number in numbers:
        if int(c.mark[number - 1]) not in {Mark.DNS_QUERY, Mark.DNS_ANSWER} or c.state[number - 1] & State.FRAGMENT:
            continue
        message = dns.parse(recording.payload(number - 1))
        if message is not None:
            yield number, of_message(message)
    for _, _, row, _, raw in messages_over_tcp(recording):
        if row + 1 in numbers and (message := dns.parse(raw)) is not None:
            yield row + 1, of_message(message)


def of_message(message: dns.DnsMessage) -> Facts:
    """The question, the response code and the addresses of the answer section."""
    facts = {"dns.id": hex(message.id)}
    if message.question is not None:
        facts["dns.qry.name"] = message.question.name
    if message.qr:
        facts["dns.flags.rcode"] = str(message.rcode)
        for kind, name in _ADDRESSES.items():
            if given := sorted({r.value for r in message.answers if r.type == kind}):
                facts[name] = " ".join(given)
    return facts
