"""From the bytes of a capture file to frames: the pcap formats, and what both families share.

A walk takes one step a record and hands every frame to a sink; it keeps no bytes. The pcapng walk is in
`captures.blocks`. Formats: https://www.tcpdump.org/manpages/pcap-savefile.5.html and the IETF draft of pcap.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Protocol

from captures.recording import Interface

# What libpcap and Wireshark (WTAP_MAX_PACKET_SIZE_STANDARD) accept as the length of one packet.
LONGEST_FRAME_BYTES = 262144


class Fault(Exception):
    """Where a file stops making sense; the sentence comes without the file's name."""


class Sink(Protocol):
    """Takes frames in the order of the file."""

    def add(self, frame: bytes, time_ns: int, offset: int, wire_bytes: int, interface: int, link_type: int) -> None:
        """One frame of the given interface."""

    def __len__(self) -> int: ...


class Walk(Protocol):
    """One step a record through a file of one format."""

    order: str  # "<" or ">", of the section at hand

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces seen so far."""

    def step(self, block: memoryview, at: int, base: int, sink: Sink) -> int:
        """Reads the record at ``at`` of a block that starts at offset ``base`` of the stream.

        Returns where the next record starts, or ``at`` where the block holds too little of this one.
        Raises Fault where the file is broken.
        """

    def tail(self, block: memoryview, at: int, sink: Sink) -> str | None:
        """What is wrong with bytes that end the file without completing a record; None if nothing is."""


@dataclass(frozen=True, slots=True)
class PcapLayout:
    """What the magic number of a pcap file says: fraction of a second in ns, record header, file header."""

    unit_ns: int
    record_header_bytes: int = 16
    file_header_bytes: int = 24


# The magic numbers that libpcap and Wireshark know: plain, nanoseconds, Kuznetzov's patch, and two of IXIA's.
PCAP_LAYOUTS = {
    0xA1B2C3D4: PcapLayout(1000),
    0xA1B23C4D: PcapLayout(1),
    0xA1B2CD34: PcapLayout(1000, record_header_bytes=24),
    0x1C0001AC: PcapLayout(1, file_header_bytes=28),
    0x1C0001AB: PcapLayout(1, file_header_bytes=28),
}


def pcap_order(start: bytes) -> str | None:
    """The byte order of a pcap file by its first four bytes, None if it is none."""
    if int.from_bytes(start[:4], "little") in PCAP_LAYOUTS:
        return "<"
    return ">" if int.from_bytes(start[:4], "big") in PCAP_LAYOUTS else None


class PcapWalk:
    """A pcap file: a header, then packets, each behind a header of 16 bytes (24 with Kuznetzov's patch)."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.layout = PcapLayout(1000)
        self.link_type = -1
        self.swaps_always = False  # the two lengths stand in the other order
        self.swaps_perhaps = False
        self.interfaces: tuple[Interface, ...] = ()
        self._record = Struct(order + "IIII")

    def step(self, block: memoryview, at: int, base: int, sink: Sink) -> int:
        """One packet, or the file header; see `Walk.step`."""
        if self.link_type < 0:
            return self._header(block, at)
        header_bytes = self.layout.record_header_bytes
        start = at + header_bytes
        if start > len(block):
            return at
        seconds, fraction, captured, wire = self._record.unpack_from(block, at)
        if self.swaps_always or (self.swaps_perhaps and captured > wire):
            captured, wire = wire, captured
        if captured > LONGEST_FRAME_BYTES:
            raise Fault(
                f"packet {len(sink) + 1} claims {captured} bytes, which no packet has; "
                "the file is damaged from there on, fetch it again"
            )
        end: int = start + captured
        if end > len(block):
            return at
        frame = bytes(block[start:end])
        time_ns = seconds * 1_000_000_000 + fraction * self.layout.unit_ns
        sink.add(frame, time_ns, base + start, max(wire, captured), 0, self.link_type)
        return end

    def _header(self, block: memoryview, at: int) -> int:
        if len(block) < 24:
            return at
        magic, major, minor, _, _, snaplen, network = Struct(self.order + "IHHiIII").unpack_from(block, at)
        self.layout = PCAP_LAYOUTS[magic]
        if len(block) < self.layout.file_header_bytes:
            return at
        # Wireshark, wiretap/libpcap.c: up to version 2.2 and in DG/UX's 543 the lengths are swapped, in 2.3 perhaps.
        self.swaps_always = (major == 2 and minor < 3) or major == 543
        self.swaps_perhaps = major == 2 and minor == 3
        self.link_type = network & 0xFFFF  # the bits above hold the length of the frame check sequence
        self.interfaces = (Interface(link_type=self.link_type, name=None, snaplen_bytes=snaplen, dropped_pkts=None),)
        return at + self.layout.file_header_bytes

    def tail(self, block: memoryview, at: int, sink: Sink) -> str | None:
        """What the end of the file lacks; see `Walk.tail`."""
        left = len(block) - at
        if self.link_type < 0:
            return "ends inside the file header; capture again"
        if not left:
            return None
        number = len(sink) + 1
        if left < self.layout.record_header_bytes:
            return f"ends inside the header of packet {number}; stop the recorder before copying its file"
        captured, wire = self._record.unpack_from(block, at)[2:4]
        if self.swaps_always or (self.swaps_perhaps and captured > wire):
            captured = wire
        kept = left - self.layout.record_header_bytes
        return (
            f"packet {number} is cut short ({kept} of {captured} bytes kept); stop the recorder before copying its file"
        )
