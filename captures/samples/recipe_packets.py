"""Packets of a recipe, their bytes on the wire, and the capture file they end up in."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

CLIENT_MAC, GATEWAY_MAC = "02:00:5e:10:00:01", "02:00:5e:10:00:fe"
# pcapng (draft-ietf-opsawg-pcapng): block types, and the options that this writer uses.
SECTION, INTERFACE, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 5, 6
TIME_RESOLUTION_OPTION, DROPPED_OPTION = 9, 5
ETHERNET_LINK = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet on its way, IPv6 where the addresses are.

    `flags` are scapy's letters; `protocol` is tcp, udp or icmp, whose type and code stand in the ports.
    """

    source: str
    destination: str
    protocol: str = "tcp"
    ttl_hops: int = 64
    ip_id: int = 0
    df: bool = True
    dscp: int = 0
    source_port: int = 0
    destination_port: int = 0
    seq: int = 0
    ack: int = 0
    flags: str = "A"
    window: int = 0
    options: tuple[tuple[str, object], ...] = ()
    payload: bytes = b""
    link_bits: int = 0  # of the next-hop MTU, for ICMP fragmentation needed

    @property
    def wire_bytes(self) -> int:
        """About the size on the wire, options of timestamps included."""
        return 14 + 20 + (32 if self.protocol == "tcp" else 8) + len(self.payload)

    def option(self, name: str) -> object:
        """The value of a TCP option, None where it is absent."""
        return next((v for k, v in self.options if k == name), None)

    def _ip(self) -> IP | IPv6:
        if ":" in self.source:
            return IPv6(src=self.source, dst=self.destination, hlim=self.ttl_hops, tc=self.dscp << 2)
        return IP(
            src=self.source,
            dst=self.destination,
            ttl=self.ttl_hops,
            id=self.ip_id,
            flags="DF" if self.df else 0,
            tos=self.dscp << 2,
        )

    def ip_bytes(self) -> bytes:
        """The packet from its IP header on, checksums filled in."""
        ip = self._ip()
        match self.protocol:
            case "tcp":
                layer = TCP(
                    sport=self.source_port,
                    dport=self.destination_port,
                    seq=self.seq & 0xFFFFFFFF,
                    ack=self.ack & 0xFFFFFFFF,
                    flags=self.flags,
                    window=self.window,
                    options=list(self.options),
                )
            case "udp":
                layer = UDP(sport=self.source_port, dport=self.destination_port)
            case _:
                layer = ICMP(type=self.source_port, code=self.destination_port, nexthopmtu=self.link_bits)
        return (ip / layer / Raw(self.payload) if self.payload else ip / layer).build()

    def frame(self, *, towards_client: bool) -> bytes:
        """The packet as an Ethernet frame between client (or server) and its gateway."""
        ends = (GATEWAY_MAC, CLIENT_MAC) if towards_client else (CLIENT_MAC, GATEWAY_MAC)
        return Ether(src=ends[0], dst=ends[1], type=0x86DD if ":" in self.source else 0x0800).build() + self.ip_bytes()


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def write_pcapng(
    file: Path, frames: Sequence[tuple[int, bytes]], *, snaplen_bytes: int = 0, dropped_pkts: int | None = None
) -> None:
    """Frames with their times in ns since the epoch, as one Ethernet interface with nanosecond stamps.

    A name ending in ``.xz`` is compressed. ``dropped_pkts`` adds the recorder's own count of what it lost.
    """
    out = [
        _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
        _block(
            INTERFACE,
            struct.pack("<HHI", ETHERNET_LINK, 0, snaplen_bytes)
            + _option(TIME_RESOLUTION_OPTION, b"\x09")
            + struct.pack("<HH", 0, 0),
        ),
    ]
    for time_ns, frame in sorted(frames, key=lambda f: f[0]):
        kept = frame[:snaplen_bytes] if snaplen_bytes else frame
        head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(kept), len(frame))
        out.append(_block(ENHANCED, head + kept))
    if dropped_pkts is not None:
        last_ns = max(t for t, _ in frames)
        head = struct.pack("<III", 0, last_ns >> 32, last_ns & 0xFFFFFFFF)
        body = head + _option(DROPPED_OPTION, struct.pack("<Q", dropped_pkts)) + struct.pack("<HH", 0, 0)
        out.append(_block(STATISTICS, body))
    data = b"".join(out)
    file.write_bytes(lzma.compress(data, preset=9) if file.suffix == ".xz" else data)
