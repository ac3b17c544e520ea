"""Who is joined to whom: nodes, links and the commands of `ip` that make them.

Nodes have no addresses on their links: a router answers from the one address it has, whatever the way, and neighbours
are written down, so that no packet waits for address resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fingerprint.lab import world
from fingerprint.lab.world import Path

CLIENT, FAR, PROVIDER = "client", "far", "provider"
# The two ends of the wire stand in the laboratory's own namespace; what they join is the link of the boxes.
NEAR_END, FAR_END = "wire-near", "wire-far"
# What the client's interface is called, as on any machine.
CLIENT_INTERFACE = "eth0"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: the node, its interface there, and the interface's MAC address."""

    node: str
    interface: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The nodes of a path and the links between them."""

    path: Path
    congestion: str = "cubic"

    @property
    def routers(self) -> tuple[str, ...]:
        """Their names, nearest to the client first."""
        return tuple(f"r{k}" for k in range(1, self.path.hops + 1))

    @property
    def row(self) -> tuple[str, ...]:
        """Everybody on the way, client first."""
        return (CLIENT, *self.routers, FAR)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every namespace."""
        return (*self.row, PROVIDER)

    @property
    def links(self) -> tuple[tuple[End, End], ...]:
        """Every link, nearer end first; the link of the boxes is the one at index ``path.at``."""
        row = [
            (_end(a, "eth0" if a == CLIENT else "uplink", i, 1), _end(b, "downlink", i, 2))
            for i, (a, b) in enumerate(pairwise(self.row))
        ]
        return (*row, (_end(PROVIDER, "eth0", 99, 1), _end("r1", "side", 99, 2)))

    @property
    def wired(self) -> tuple[End, End]:
        """The two ends that the wire joins."""
        return self.links[self.path.at]

    def addresses(self, node: str) -> tuple[str, ...]:
        """The addresses that a node answers to."""
        match node:
            case "client":
                return world.CLIENT
            case "far":
                return (*world.SERVER_A, *world.SERVER_B, *world.PUBLIC_RESOLVER)
            case "provider":
                return world.RESOLVER
        return world.router(int(node[1:]))

    def joining(self) -> Iterator[str]:
        """Commands of the laboratory's own namespace: nodes, and links between them."""
        yield from (f"netns add {node}" for node in self.nodes)
        for near, far in self.links:
            if (near, far) == self.wired:
                yield _pair(near, NEAR_END)
                yield _pair(far, FAR_END)
            else:
                yield (
                    f"link add {near.interface} address {near.mac} netns {near.node} type veth "
                    f"peer name {far.interface} address {far.mac} netns {far.node}"
                )
        yield f"link set {NEAR_END} up"
        yield f"link set {FAR_END} up"

    def settling(self, node: str) -> Iterator[str]:
        """Commands of one node: its addresses, neighbours and routes."""
        yield "link set lo up"
        mine = [(a, b) if a.node == node else (b, a) for a, b in self.links if node in (a.node, b.node)]
        yield from (f"link set {end.interface} up" for end, _ in mine)
        home = "eth0" if node in (CLIENT, PROVIDER) else "lo"
        for address in self.addresses(node):
            yield f"addr add {address}/{128 if ':' in address else 32} dev {home}{' nodad' if ':' in address else ''}"
        for end, other in mine:
            for gateway in _gateways(other):
                yield f"neigh add {gateway} lladdr {other.mac} dev {end.interface} nud permanent"
            yield from self._routes(node, end, other)
        if node == FAR:
            # Whoever asks there gets no answer and no complaint.
            yield from (f"route add blackhole {a}" for a in world.NO_RESOLVER)

    def _routes(self, node: str, end: End, other: End) -> Iterator[str]:
        tail = f" congctl {self.congestion}" if node in (CLIENT, FAR) else ""
        sources = self.addresses(node)[:2]
        for gateway, source, near, aside in zip(_gateways(other), sources, world.CLIENT, world.RESOLVER, strict=True):
            via = f"via {gateway} dev {end.interface} onlink src {source}{tail}"
            everything = "::/0" if ":" in source else "default"
            match end.interface:
                case "eth0" | "uplink":
                    yield f"route add {everything} {via}"
                case "side":
                    yield f"route add {aside} {via}"
                case "downlink" if node == FAR:
                    yield f"route add {everything} {via}"
                case "downlink":
                    yield f"route add {near} {via}"
                    # Everything before this router, the provider's resolver among it, lies the same way.
                    if node != "r1":
                        yield f"route add {aside} {via}"
                        yield from self._nearer(node, via, version=6 if ":" in source else 4)

    def _nearer(self, node: str, via: str, *, version: int) -> Iterator[str]:
        for k in range(1, int(node[1:])):
            yield f"route add {world.router(k)[version == 6]} {via}"


def _end(node: str, interface: str, link: int, side: int) -> End:
    return End(node=node, interface=interface, mac=f"02:00:5e:00:{link:02x}:{side:02x}")


def _gateways(end: End) -> tuple[str, str]:
    """What a neighbour calls this end: addresses that nobody has, only the neighbour table."""
    link, side = (int(part, 16) for part in end.mac.split(":")[-2:])
    return f"169.254.{link}.{side}", f"fe80::{link:x}:{side:x}"


def _pair(end: End, wire_end: str) -> str:
    return f"link add {wire_end} type veth peer name {end.interface} address {end.mac} netns {end.node}"
