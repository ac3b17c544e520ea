"""DNS conversations for tests, packet by packet: who said what at which second, and under which IP header."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset

import captures
from fingerprint.capture import Capture

CLIENT = "198.41.0.77"
RESOLVER = "9.9.9.9"
OTHER = "8.8.8.8"
SITE = "93.184.216.20"
FALSE = "31.13.94.37"

SYN, ACK, PSH = 0x02, 0x10, 0x08


def query(name: str, kind: str = "A", *, id_: int = 7, edns: bool = False) -> bytes:
    """The bytes of a query."""
    return dns.message.make_query(name, kind, id=id_, use_edns=edns).to_wire()


def answer(
    asked: bytes, *addresses: str, rcode: int = 0, aa: bool = False, ttl_s: int = 300, truncated: bool = False
) -> bytes:
    """The bytes of an answer to a query, with A and AAAA records in the order given."""
    made = dns.message.make_response(dns.message.from_wire(asked), recursion_available=True)
    name = made.question[0].name
    for address in addresses:
        kind = "AAAA" if ":" in address else "A"
        made.answer.append(dns.rrset.from_text(name, ttl_s, "IN", kind, address))
    made.set_rcode(rcode)
    made.flags |= (dns.flags.AA if aa else 0) | (dns.flags.TC if truncated else 0)
    return made.to_wire()


@dataclass
class Talk:
    """Packets in the making; ``ttl_hops``, ``df`` and the IP ID counter are the resolver's unless said otherwise."""

    path: Path
    packets: list[tuple[float, bytes]] = field(default_factory=list)
    ids: int = 100

    def udp(
        self,
        at_s: float,
        source: tuple[str, int],
        destination: tuple[str, int],
        payload: bytes,
        *,
        ttl_hops: int = 60,
        ip_id: int | None = None,
        df: bool = True,
    ) -> int:
        """One datagram; gives its packet number."""
        body = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
        return self._ip(at_s, source[0], destination[0], 17, body, ttl_hops, ip_id, df=df)

    def tcp(
        self, at_s: float, source: tuple[str, int], destination: tuple[str, int], flags: int, seq: int, ack: int,
        payload: bytes = b"",
    ) -> int:  # fmt: skip
        """One segment; gives its packet number."""
        body = struct.pack("!HHIIBBHHH", source[1], destination[1], seq, ack, 0x50, flags, 64240, 0, 0) + payload
        return self._ip(at_s, source[0], destination[0], 6, body, 60, None, df=True)

    def lookup(
        self, at_s: float, name: str, *addresses: str, resolver: str = RESOLVER, client: str = CLIENT, port: int = 0,
        kind: str = "A", rtt_s: float = 0.03, ttl_hops: int = 60, df: bool = True, record_ttl_s: int = 300,
    ) -> bytes:  # fmt: skip
        """A query and its answer over UDP; gives the query's bytes."""
        port = port or 20000 + len(self.packets)
        asked = query(name, kind, id_=port & 0xFFFF)
        self.udp(at_s, (client, port), (resolver, 53), asked, ttl_hops=64)
        said = answer(asked, *addresses, ttl_s=record_ttl_s)
        self.udp(at_s + rtt_s, (resolver, 53), (client, port), said, ttl_hops=ttl_hops, df=df)
        return asked

    def handshake(self, at_s: float, server: str, port: int, *, rtt_s: float = 0.03, client: str = CLIENT) -> int:
        """SYN, SYN-ACK, ACK; gives the client's port."""
        own = 30000 + len(self.packets)
        here, there = (client, own), (server, port)
        self.tcp(at_s, here, there, SYN, 100, 0)
        self.tcp(at_s + rtt_s, there, here, SYN | ACK, 900, 101)
        self.tcp(at_s + rtt_s + 0.0001, here, there, ACK, 101, 901)
        return own

    def over_tcp(self, at_s: float, name: str, *addresses: str, resolver: str = RESOLVER, rtt_s: float = 0.03) -> None:
        """A whole lookup over TCP."""
        own = self.handshake(at_s, resolver, 53, rtt_s=rtt_s)
        asked = query(name)
        said = answer(asked, *addresses)
        here, there = (CLIENT, own), (resolver, 53)
        self.tcp(at_s + 0.05, here, there, PSH | ACK, 101, 901, struct.pack("!H", len(asked)) + asked)
        self.tcp(
            at_s + 0.05 + rtt_s, there, here, PSH | ACK, 901, 103 + len(asked), struct.pack("!H", len(said)) + said
        )

    def capture(self) -> Capture:
        """What a technique gets."""
        header = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)  # nanosecond pcap, Ethernet
        records = (
            struct.pack("<IIII", *divmod(round(at_s * 1e9), 10**9), len(frame), len(frame)) + frame
            for at_s, frame in self.packets
        )
        self.path.write_bytes(header + b"".join(records))
        return Capture(recordings=(captures.read(self.path),))

    def _ip(
        self, at_s: float, source: str, destination: str, protocol: int, body: bytes, ttl_hops: int,
        ip_id: int | None, *, df: bool,
    ) -> int:  # fmt: skip
        self.ids += 1
        ip = struct.pack(
            "!BBHHHBBH",
            0x45,
            0,
            20 + len(body),
            self.ids if ip_id is None else ip_id,
            0x4000 * df,
            ttl_hops,
            protocol,
            0,
        )
        ends = ip_address(source).packed + ip_address(destination).packed
        self.packets.append((1000.0 + at_s, b"\2" * 12 + b"\x08\x00" + ip + ends + body))
        return len(self.packets)


def numbers(packets: Iterable[object]) -> list[int]:
    """Packet numbers of anything that has one."""
    return [p.number for p in packets]  # type: ignore[attr-defined]
