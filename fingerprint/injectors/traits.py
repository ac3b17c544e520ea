"""What forged packets have in common: the value of each header field over all of them, and relations between fields.

A trait that was not seen is absent. `WEIGHTS` says how rarely two devices share a trait by chance, in bits or so, set
by hand. Arriving TTLs weigh little, for they depend on the way, and whoever likes can mirror them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from captures.packet import Packet
from fingerprint.injectors.specimens import Specimen
from fingerprint.messages import dns

Value = int | str | bool

# Trait → weight. The first part names the layer, as Wireshark's fields do.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "ip.id": 5.0, "ip.df": 1.0, "ip.dscp": 2.0, "ip.ttl": 0.5, "tcp.flags": 1.0, "tcp.window": 3.0,
        "tcp.reserved": 4.0, "tcp.ack_without_flag": 3.0, "tcp.options": 1.0, "tcp.port": 1.0, "count": 1.0,
        "payload": 6.0, "http.status": 1.0, "dns.aa": 2.0, "dns.ttl": 2.0, "dns.answer": 6.0,
        "ip.id = client's": 4.0, "ip.id swapped counter": 4.0, "ip.ttl = server's": 1.0,
        "ip.id = server's counter": 2.0,
        "tcp.window - ip.ttl constant": 4.0, "tcp.window rising by one": 4.0,
    }
)  # fmt: skip
# Values that many devices and hosts use without meaning anything by it.
COMMON: Mapping[str, frozenset[Value]] = MappingProxyType(
    {
        "ip.id": frozenset({0}),
        "tcp.window": frozenset({0, 65535}),
        "ip.dscp": frozenset({0}),
        "payload": frozenset({""}),
    }
)
COMMON_WEIGHT = 0.5
# IP IDs of one counter are closer than this from one packet to the next.
NEXT_IDS = 512
FLAGS = ((0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"), (0x08, "PSH"), (0x10, "ACK"), (0x20, "URG"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """All values seen of each trait, in order of first appearance; relations are there if they held throughout."""

    kind: str
    flows: int
    values: Mapping[str, tuple[Value, ...]]

    @property
    def says(self) -> str:
        """In half a sentence."""
        shown = {k: v for k, v in self.values.items() if k != "ip.ttl"}
        return f"{self.kind}: " + ", ".join(f"{k} {text(k, v)}" for k, v in shown.items())


def text(trait: str, values: Sequence[Value]) -> str:
    """The values of a trait as a person reads them."""
    if any(isinstance(v, bool) for v in values):
        return "" if values[0] else "not"
    if len(values) > 4 and all(isinstance(v, int) for v in values):
        numbers = [int(v) for v in values]
        return f"{_number(trait, min(numbers))}–{_number(trait, max(numbers))}"
    return "/".join(_number(trait, v) if isinstance(v, int) else v or "none" for v in values[:4])


def _number(trait: str, value: int) -> str:
    return f"0x{value:04X}" if trait == "ip.id" else str(value)


def traits(found: Sequence[Specimen]) -> tuple[Traits, ...]:
    """What the specimens have in common, those of one kind and one set of flags together; the commonest first."""
    makers: dict[tuple[str, int], list[Specimen]] = {}
    for s in found:
        tcp = s.packets[0].tcp
        makers.setdefault((s.kind, tcp.flags & 0x3F if tcp else 0), []).append(s)
    return tuple(sorted((_common(kind, mine) for (kind, _), mine in makers.items()), key=lambda t: -t.flows))


def _common(kind: str, mine: Sequence[Specimen]) -> Traits:
    values: dict[str, dict[Value, None]] = {}
    # A salvo is cut where it meets the next: the commonest length is the device's.
    values["count"] = {Counter(len(s.packets) for s in mine).most_common(1)[0][0]: None}
    for specimen in mine:
        for packet in specimen.packets:
            for trait, value in _of_packet(kind, packet):
                values.setdefault(trait, {})[value] = None
    relations: dict[str, tuple[Value, ...]] = {name: (True,) for name, holds in RELATIONS.items() if holds(mine)}
    return Traits(kind=kind, flows=len(mine), values={**{k: tuple(v) for k, v in values.items()}, **relations})


def _of_packet(kind: str, packet: Packet) -> Iterator[tuple[str, Value]]:
    ip, tcp = packet.ip, packet.tcp
    if ip is not None:
        if ip.id is not None:
            yield "ip.id", ip.id
            yield "ip.df", int(bool(ip.flags & 2))
        yield "ip.dscp", ip.traffic_class
        yield "ip.ttl", ip.ttl_hops
    if tcp is not None:
        yield "tcp.flags", "+".join(name for bit, name in FLAGS if tcp.flags & bit)
        yield "tcp.window", tcp.window
        yield "tcp.reserved", tcp.flags >> 9
        yield "tcp.ack_without_flag", int(bool(tcp.ack and not tcp.flags & 0x10))
        yield "tcp.options", int(bool(tcp.options))
        if kind == "reset":
            yield "tcp.port", tcp.source_port
            yield "payload", packet.payload[:64].hex()
    if kind == "http":
        yield "http.status", int(packet.payload[9:12]) if packet.payload[9:12].isdigit() else 0
    if kind == "dns" and (message := dns.parse(packet.payload)) is not None:
        yield "dns.aa", int(message.aa)
        for record in message.answers:
            yield "dns.ttl", record.ttl_s
            yield "dns.answer", record.value


def _ids_of_client(found: Sequence[Specimen]) -> bool:
    """Each forged packet bears the IP ID of the packet that set it off, and these differ or are no common one."""
    pairs = [(p.ip.id, s.trigger.ip.id) for s in found if s.trigger and s.trigger.ip for p in s.packets if p.ip]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return bool(known) and all(a == b != 0 for a, b in known)


def _swapped(found: Sequence[Specimen]) -> bool:
    """IP IDs of successive flows count up if their bytes are swapped, and do not as they are."""
    ids = [s.packets[0].ip.id for s in found if s.packets[0].ip and s.packets[0].ip.id is not None]
    if len(ids) < 3 or len(set(ids)) < 3:
        return False
    return _counts([int.from_bytes(i.to_bytes(2, "little")) for i in ids]) and not _counts(ids)


def _counts(ids: Sequence[int]) -> bool:
    return all(0 < (b - a) % 65536 < NEXT_IDS for a, b in pairwise(ids))


def _servers_ttl(found: Sequence[Specimen]) -> bool:
    near = [abs(p.ip.ttl_hops - o.ip.ttl_hops) for s in found for p in s.packets for o in s.own[-1:] if p.ip and o.ip]
    return bool(near) and max(near) <= 2


def _servers_ids(found: Sequence[Specimen]) -> bool:
    """The IP ID goes on where the server's own last one was."""
    steps = [
        (s.packets[0].ip.id - s.own[-1].ip.id) % 65536
        for s in found
        if s.own and s.packets[0].ip and s.own[-1].ip and s.packets[0].ip.id and s.own[-1].ip.id
    ]
    return bool(steps) and max(steps) < NEXT_IDS


def _window_less_ttl(found: Sequence[Specimen]) -> bool:
    pairs = {(p.tcp.window, p.ip.ttl_hops) for s in found for p in s.packets if p.tcp and p.ip}
    return len({t for _, t in pairs}) >= 3 and len({w - t for w, t in pairs}) == 1


def _rising(found: Sequence[Specimen]) -> bool:
    rows = [[p.tcp.window for p in s.packets if p.tcp] for s in found]
    return any(len(r) > 1 for r in rows) and all(b == a + 1 for r in rows for a, b in pairwise(r))


RELATIONS: Mapping[str, Callable[[Sequence[Specimen]], bool]] = MappingProxyType(
    {
        "ip.id = client's": _ids_of_client,
        "ip.id swapped counter": _swapped,
        "ip.ttl = server's": _servers_ttl,
        "ip.id = server's counter": _servers_ids,
        "tcp.window - ip.ttl constant": _window_less_ttl,
        "tcp.window rising by one": _rising,
    }
)
