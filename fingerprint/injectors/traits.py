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
from fingerprint.conversations.dns.answers import is_teredo
from fingerprint.injectors.specimens import Specimen
from fingerprint.messages import dns

Value = int | str | bool

# Trait → weight. The first part names the layer, as Wireshark's fields do.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "ip.id": 5.0, "ip.df": 1.0, "ip.dscp": 3.0, "ip.ttl": 0.5, "tcp.flags": 1.0, "tcp.window": 3.0,
        "tcp.reserved": 4.0, "tcp.ack_without_flag": 3.0, "tcp.options": 1.0, "tcp.port": 1.0, "count": 1.0,
        "payload": 6.0, "http.status": 1.0, "dns.aa": 2.0, "dns.rcode": 1.0, "dns.ttl": 3.0, "dns.answer": 6.0,
        "dns.teredo": 3.0, "ip.id = trigger's": 4.0, "ip.id swapped counter": 4.0, "ip.ttl = sender's": 1.0,
        "ip.ttl = trigger's less the way": 4.0, "ip.ttl above the client's": 0.5, "ip.id = sender's counter": 2.0,
        "tcp.window - ip.ttl constant": 4.0, "tcp.window rising by one": 4.0, "dns.answer another each time": 2.0,
    }
)  # fmt: skip
# What was derived from few captures counts where it holds, and hardly against a row where it does not.
DERIVED = frozenset({"tcp.window - ip.ttl constant"})
# Values that many devices and hosts use without meaning anything by it.
COMMON: Mapping[str, frozenset[Value]] = MappingProxyType(
    {
        "ip.id": frozenset({0}),
        "tcp.window": frozenset({0, 65535}),
        "ip.dscp": frozenset({0}),
        "payload": frozenset({""}),
        "dns.aa": frozenset({0}),
        "dns.rcode": frozenset({0}),
        "dns.teredo": frozenset({0}),
    }
)
COMMON_WEIGHT = 0.5
# IP IDs of one counter are closer than this from one packet to the next.
NEXT_IDS = 512
# Fewer values than this count up, or keep their distance, by chance.
LEAST_TO_COUNT = 3
FLAGS = ((0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"), (0x08, "PSH"), (0x10, "ACK"), (0x20, "URG"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """All values seen of each trait, in order of first appearance; of a relation whether it held throughout.

    What these packets cannot tell is absent.
    """

    kind: str
    flows: int
    values: Mapping[str, tuple[Value, ...]]

    @property
    def says(self) -> str:
        """In half a sentence; relations that do not hold are left out."""
        shown = {k: v for k, v in self.values.items() if k != "ip.ttl" and not any(one is False for one in v)}
        return f"{self.kind}: " + ", ".join(k if k in RELATIONS else f"{k} {text(k, v)}" for k, v in shown.items())


def text(trait: str, values: Sequence[Value]) -> str:
    """The values of a trait as a person reads them."""
    if any(isinstance(v, bool) for v in values):
        return "holds" if all(values) else "does not hold"
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
            for trait, value in _of_packet(kind, packet, to_server=specimen.to_server):
                values.setdefault(trait, {})[value] = None
    for name, asked in RELATIONS.items():
        if (holds := asked(mine)) is not None:
            values[name] = {holds: None}
    return Traits(kind=kind, flows=len(mine), values={k: tuple(v) for k, v in values.items()})


def _of_packet(kind: str, packet: Packet, *, to_server: bool) -> Iterator[tuple[str, Value]]:
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
            yield "tcp.port", tcp.destination_port if to_server else tcp.source_port
            yield "payload", packet.payload[:64].hex()
    if kind == "page" and packet.payload[:5] == b"HTTP/" and packet.payload[9:12].isdigit():
        yield "http.status", int(packet.payload[9:12])
    if kind == "dns" and (message := dns.parse(packet.payload)) is not None:
        yield "dns.aa", int(message.aa)
        yield "dns.rcode", message.rcode
        for record in dns.addresses(packet.payload):
            yield "dns.ttl", record.ttl_s
            yield "dns.answer", record.address
            if ":" in record.address:
                yield "dns.teredo", int(is_teredo(record.address))


def _ids_of_trigger(found: Sequence[Specimen]) -> bool | None:
    """Each forged packet bears the IP ID of a packet that may have set it off, which is no common one."""
    pairs = [(p.ip.id, {a.ip.id for a in s.asked if a.ip} - {None, 0}) for s in found for p in s.packets if p.ip]
    known = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs]
    return all(mine in theirs for mine, theirs in known) if known else None


def _swapped(found: Sequence[Specimen]) -> bool | None:
    """IP IDs of successive flows count up if their bytes are swapped, and do not as they are."""
    ids = [s.packets[0].ip.id for s in found if s.packets[0].ip and s.packets[0].ip.id is not None]
    if len(ids) < LEAST_TO_COUNT:
        return None
    return _counts([int.from_bytes(i.to_bytes(2, "little")) for i in ids]) and not _counts(ids)


def _counts(ids: Sequence[int]) -> bool:
    return all(0 < (b - a) % 65536 < NEXT_IDS for a, b in pairwise(ids))


def _senders_ttl(found: Sequence[Specimen]) -> bool | None:
    near = [abs(p.ip.ttl_hops - o.ip.ttl_hops) for s in found for p in s.packets for o in s.own[-1:] if p.ip and o.ip]
    return max(near) <= 2 if near else None


def _less_the_way(found: Sequence[Specimen]) -> bool | None:
    """Sent with other TTLs, the triggers bring packets whose TTL is lower by the same number of hops each time."""
    pairs = {
        (s.trigger.ip.ttl_hops, p.ip.ttl_hops)
        for s in found
        for p in s.packets[:1]
        if s.trigger and s.trigger.ip and p.ip
    }
    if len({sent for sent, _ in pairs}) < 2:
        return None
    return len({sent - arrived for sent, arrived in pairs}) == 1


def _above_client(found: Sequence[Specimen]) -> bool | None:
    """In the client's name toward the server, and from 2 to 5 hops nearer than the client."""
    above = [
        p.ip.ttl_hops - s.own[-1].ip.ttl_hops
        for s in found
        for p in s.packets
        if s.to_server and s.own and s.own[-1].ip and p.ip
    ]
    return all(2 <= hops <= 5 for hops in above) if above else None


def _senders_ids(found: Sequence[Specimen]) -> bool | None:
    """The IP ID goes on where the named sender's own last one was."""
    steps = [
        (s.packets[0].ip.id - s.own[-1].ip.id) % 65536
        for s in found
        if s.own and s.packets[0].ip and s.own[-1].ip and s.packets[0].ip.id and s.own[-1].ip.id
    ]
    return max(steps) < NEXT_IDS if steps else None


def _window_less_ttl(found: Sequence[Specimen]) -> bool | None:
    pairs = {(p.tcp.window, p.ip.ttl_hops) for s in found for p in s.packets if p.tcp and p.ip}
    return len({w - t for w, t in pairs}) == 1 if len({t for _, t in pairs}) >= LEAST_TO_COUNT else None


def _rising(found: Sequence[Specimen]) -> bool | None:
    rows = [windows for s in found if len(windows := [p.tcp.window for p in s.packets if p.tcp]) > 1]
    return all(b == a + 1 for windows in rows for a, b in pairwise(windows)) if rows else None


def _another_each_time(found: Sequence[Specimen]) -> bool | None:
    """No two queries of one type and name get the same address."""
    given: dict[bytes, list[str]] = {}
    for s in found:
        first = dns.head(s.packets[0].payload) if s.packets[0].udp else None
        addresses = dns.addresses(s.packets[0].payload) if first is not None else ()
        if first is not None and addresses:
            given.setdefault(first.key, []).append(addresses[0].address)
    asked = [addresses for addresses in given.values() if len(addresses) > 1]
    return all(len(set(addresses)) == len(addresses) for addresses in asked) if asked else None


RELATIONS: Mapping[str, Callable[[Sequence[Specimen]], bool | None]] = MappingProxyType(
    {
        "ip.id = trigger's": _ids_of_trigger,
        "ip.id swapped counter": _swapped,
        "ip.id = sender's counter": _senders_ids,
        "ip.ttl = sender's": _senders_ttl,
        "ip.ttl = trigger's less the way": _less_the_way,
        "ip.ttl above the client's": _above_client,
        "tcp.window - ip.ttl constant": _window_less_ttl,
        "tcp.window rising by one": _rising,
        "dns.answer another each time": _another_each_time,
    }
)
