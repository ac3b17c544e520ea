"""The pcapng walk: sections, interfaces, packets in three kinds of block, and what the recorder lost.

Format: draft-ietf-opsawg-pcapng; the sections named below are its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct

from captures.recording import Interface
from captures.records import LONGEST_FRAME_BYTES, Fault, Sink

SECTION_HEADER = 0x0A0D0D0A

# Wireshark, wiretap/pcapng.c MAX_BLOCK_SIZE: 16 MiB and the overhead of a packet block.
LONGEST_BLOCK_BYTES = (16 << 20) + 1024

# The column of interfaces has 16 bits.
MOST_INTERFACES = 65535

# By byte order: one number, type and length, and what an enhanced packet block starts with.
_NUMBER = {order: Struct(order + "I") for order in "<>"}
_TWO_NUMBERS = {order: Struct(order + "II") for order in "<>"}
_ENHANCED = {order: Struct(order + "IIIII") for order in "<>"}
_OPTION = {order: Struct(order + "HH") for order in "<>"}

_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_INT64_MAX = (1 << 63) - 1


@dataclass(slots=True)
class InterfaceState:
    """One interface as the walk needs it."""

    link_type: int
    snaplen_bytes: int
    name: str | None = None
    units_per_s: int = 1_000_000  # section 4.2, if_tsresol: microseconds unless it says otherwise
    offset_s: int = 0
    reported_pkts: int | None = None  # what the last statistics block says was lost
    summed_pkts: int | None = None  # what the packets themselves say, added up
    received_pkts: int | None = None
    ended_ns: int | None = None

    @property
    def unit_ns(self) -> int:
        """Whole nanoseconds per time unit, 0 where it is not that plain."""
        plain = self.offset_s == 0 and 1_000_000_000 % self.units_per_s == 0
        return 1_000_000_000 // self.units_per_s if plain else 0

    def time_ns(self, units: int) -> int:
        """Since the epoch, in nanoseconds, cut down to what 64 bits hold.

        Recorders without a clock have written small negative times; unsigned, they would all be one far future.
        """
        signed = units - (1 << 64) if units >> 63 else units
        time_ns = self.offset_s * 1_000_000_000 + signed * 1_000_000_000 // self.units_per_s
        return max(min(time_ns, _INT64_MAX), -_INT64_MAX)

    def lose(self, pkts: int) -> None:
        """Adds packets that were lost before one that was kept."""
        self.summed_pkts = (self.summed_pkts or 0) + pkts


@dataclass(slots=True)
class PcapngWalk:
    """A pcapng file: blocks of a type, a length, a body and the length again."""

    order: str = "<"
    states: list[InterfaceState] = field(default_factory=list)
    first_of_section: int = 0  # interfaces are numbered anew in every section

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """All interfaces of all sections."""
        return tuple(
            Interface(
                link_type=state.link_type,
                name=state.name,
                snaplen_bytes=state.snaplen_bytes,
                dropped_pkts=state.summed_pkts if state.reported_pkts is None else state.reported_pkts,
                received_pkts=state.received_pkts,
                ended_ns=state.ended_ns,
            )
            for state in self.states
        )

    def step(self, block: memoryview, at: int, base: int, sink: Sink) -> int:
        """One block; see `Walk.step`."""
        if at + 12 > len(block):
            return at
        (kind,) = _NUMBER[self.order].unpack_from(block, at)
        if kind == SECTION_HEADER:
            self.order = _section_order(block, at, sink)
        length = self._length(block, at, sink)
        end = at + length
        if end > len(block):
            return at
        (again,) = _NUMBER[self.order].unpack_from(block, end - 4)
        if again != length and again + -again % 4 != length:
            raise Fault(
                f"the block after packet {len(sink)} states two lengths ({length} and {again} bytes); fetch it again"
            )
        self._block(kind, block, at, end - 4, base, sink)
        return end

    def _length(self, block: memoryview, at: int, sink: Sink) -> int:
        (length,) = _NUMBER[self.order].unpack_from(block, at + 4)
        if not 12 <= length <= LONGEST_BLOCK_BYTES:
            raise Fault(
                f"the block after packet {len(sink)} claims {length} bytes, which no block has; "
                "the file is damaged from there on, fetch it again"
            )
        return int(length) + -int(length) % 4

    def _block(self, kind: int, block: memoryview, at: int, end: int, base: int, sink: Sink) -> None:
        match kind:  # the numbers of section 11.1
            case 6:
                self._enhanced(block, at, end, base, sink)
            case 3:
                self._simple(block, at, end, base, sink)
            case 2:
                self._old_packet(block, at, end, base, sink)
            case 1:
                self._interface(block, at, end, sink)
            case 5:
                self._statistics(block, at, end)
            case 0x0A0D0D0A:
                self.first_of_section = len(self.states)
            case 9 | 0x204 | 0x208:
                self._numbered(block, at + 8, end, base, sink)
            case 0x0BAD | 0x40000BAD:
                self._numbered(block, at + 12, end, base, sink)

    def _numbered(self, block: memoryview, start: int, end: int, base: int, sink: Sink) -> None:
        """A block that is no packet, but that Wireshark numbers among the packets, and so must we."""
        size = min(end - start, LONGEST_FRAME_BYTES)
        if size >= 0:
            self._frame(bytes(block[start : start + size]), 0, base + start, size, self.first_of_section, -1, sink)

    def _interface(self, block: memoryview, at: int, end: int, sink: Sink) -> None:
        if end - at < 16:
            raise Fault(f"the interface after packet {len(sink)} is cut short; fetch it again")
        if len(self.states) >= MOST_INTERFACES:
            raise Fault(f"has more than {MOST_INTERFACES} interfaces; split it with editcap")
        link_type, _, snaplen = Struct(self.order + "HHI").unpack_from(block, at + 8)
        state = InterfaceState(link_type=link_type, snaplen_bytes=snaplen)
        for code, value in self._options(block, at + 16, end):
            if code == 2:
                state.name = value.rstrip(b"\0").decode("utf-8", "replace")
            elif code == 9 and value:
                # Section 4.2: the highest bit set means a negative power of two, otherwise of ten.
                power = value[0] & 0x7F
                state.units_per_s = 2**power if value[0] & 0x80 else 10**power
            elif code == 14 and len(value) == 8:
                (state.offset_s,) = Struct(self.order + "q").unpack(value)
        self.states.append(state)

    def _options(self, block: memoryview, at: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Code and value of every option up to the end mark or to the first that does not fit."""
        header = _OPTION[self.order]
        while at + 4 <= end:
            code, size = header.unpack_from(block, at)
            at += 4
            if code == 0 or at + size > end:
                return
            yield code, bytes(block[at : at + size])
            at += size + -size % 4

    def _statistics(self, block: memoryview, at: int, end: int) -> None:
        if end - at < 20:
            return
        (number,) = _NUMBER[self.order].unpack_from(block, at + 8)
        if self.first_of_section + number >= len(self.states):
            return
        state = self.states[self.first_of_section + number]
        lost: list[int] = []
        for code, value in self._options(block, at + 20, end):
            if len(value) != 8:
                continue
            count = int.from_bytes(value, "little" if self.order == "<" else "big")
            match code:  # the numbers of section 4.6
                case 3:
                    high, low = _TWO_NUMBERS[self.order].unpack(value)
                    state.ended_ns = state.time_ns(high << 32 | low)
                case 4:
                    state.received_pkts = count
                case 5 | 7:  # isb_ifdrop, isb_osdrop
                    lost.append(count)
        if lost:
            state.reported_pkts = sum(lost)

    def _state(self, number: int, sink: Sink) -> InterfaceState:
        index = self.first_of_section + number
        if index >= len(self.states):
            raise Fault(f"packet {len(sink) + 1} names interface {number}, which is not described; fetch it again")
        return self.states[index]

    def _enhanced(self, block: memoryview, at: int, end: int, base: int, sink: Sink) -> None:
        if end - at < 28:
            raise Fault(f"packet {len(sink) + 1} is cut short inside its header; fetch it again")
        number, high, low, captured, wire = _ENHANCED[self.order].unpack_from(block, at + 8)
        state = self._state(number, sink)
        start = at + 28
        self._check(captured, end - start, sink)
        for code, value in self._options(block, start + captured + -captured % 4, end):
            if code == 4 and len(value) == 8:  # epb_dropcount
                state.lose(int.from_bytes(value, "little" if self.order == "<" else "big"))
        frame = bytes(block[start : start + captured])
        time_ns = state.time_ns(high << 32 | low)
        self._frame(frame, time_ns, base + start, wire, self.first_of_section + number, state.link_type, sink)

    def _old_packet(self, block: memoryview, at: int, end: int, base: int, sink: Sink) -> None:
        if end - at < 28:
            raise Fault(f"packet {len(sink) + 1} is cut short inside its header; fetch it again")
        number, lost, high, low, captured, wire = Struct(self.order + "HHIIII").unpack_from(block, at + 8)
        state = self._state(number, sink)
        start = at + 28
        self._check(captured, end - start, sink)
        if lost != 0xFFFF:  # appendix A: the count is not known
            state.lose(lost)
        frame = bytes(block[start : start + captured])
        time_ns = state.time_ns(high << 32 | low)
        self._frame(frame, time_ns, base + start, wire, self.first_of_section + number, state.link_type, sink)

    def _simple(self, block: memoryview, at: int, end: int, base: int, sink: Sink) -> None:
        """No time, no interface but the first, and a captured length that follows from snaplen."""
        state = self._state(0, sink)
        if end - at < 12:
            raise Fault(f"packet {len(sink) + 1} is cut short inside its header; fetch it again")
        (wire,) = _NUMBER[self.order].unpack_from(block, at + 8)
        start = at + 12
        captured = min(wire, state.snaplen_bytes or wire)
        self._check(captured, end - start, sink)
        frame = bytes(block[start : start + captured])
        self._frame(frame, 0, base + start, wire, self.first_of_section, state.link_type, sink)

    def _check(self, captured: int, room: int, sink: Sink) -> None:
        if captured > LONGEST_FRAME_BYTES or captured > room:
            raise Fault(
                f"packet {len(sink) + 1} claims {captured} bytes in a block that has room for {room}; "
                "the file is damaged from there on, fetch it again"
            )

    def _frame(
        self, frame: bytes, time_ns: int, offset: int, wire: int, interface: int, link_type: int, sink: Sink
    ) -> None:
        sink.add(frame, time_ns, offset, max(wire, len(frame)), interface, link_type)

    def tail(self, block: memoryview, at: int, sink: Sink) -> str | None:
        """What the end of the file lacks; see `Walk.tail`."""
        left = len(block) - at
        if not left:
            return None
        if left < 12:
            return f"ends inside the block after packet {len(sink)}; stop the recorder before copying its file"
        kind, length = _TWO_NUMBERS[self.order].unpack_from(block, at)
        what = f"packet {len(sink) + 1}" if kind in (2, 3, 6) else f"the block after packet {len(sink)}"
        return (
            f"{what} is cut short ({left} of {length} bytes of its block kept); "
            "stop the recorder before copying its file"
        )


def _section_order(block: memoryview, at: int, sink: Sink) -> str:
    magic = bytes(block[at + 8 : at + 12])
    for order, endian in (("<", "little"), (">", "big")):
        if magic == _BYTE_ORDER_MAGIC.to_bytes(4, endian):  # type: ignore[arg-type]
            return order
    raise Fault(f"the section after packet {len(sink)} has no byte order; fetch it again")
