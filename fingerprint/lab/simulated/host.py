"""A machine with addresses: its connections and ports, and what it answers to packets that belong to none."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from zlib import crc32

from fingerprint.lab.packet import ACK, RST, SYN, TCP, UDP, Packet
from fingerprint.lab.simulated import icmp
from fingerprint.lab.simulated.corrupt import Corrupt
from fingerprint.lab.simulated.network import Network
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.tcp import Connection

# RFC 6056 and Linux's ip_local_port_range.
_FIRST_PORT, _LAST_PORT = 32768, 60999
Datagram = Callable[[Packet], None]


class Host:
    """``listening`` gives a program for each connection to a port; ``datagrams`` takes what comes over UDP."""

    def __init__(self, network: Network, addresses: tuple[str, ...], *, seed: int = 0, timestamps: bool = True) -> None:
        self.network, self.addresses, self.timestamps = network, addresses, timestamps
        self.random = Random(f"{addresses[0]}:{seed}")  # noqa: S311  # header fields, no secret
        self.listening: dict[int, Callable[[], App]] = {}
        self.datagrams: dict[int, Datagram] = {}
        self.muted: set[int] = set()  # ports on which nothing is refused: somebody speaks there without a socket
        self.on_icmp: list[Callable[[Packet], None]] = []
        self._connections: dict[tuple[str, int, str, int], Connection] = {}
        self._next_port = self.random.randrange(_FIRST_PORT, _LAST_PORT)
        self._udp_ids = self.random.randrange(1 << 16)
        for address in addresses:
            network.receivers[address] = self.receive

    def address_towards(self, peer: str) -> str:
        """The own address of the same version."""
        return next(a for a in self.addresses if (":" in a) == (":" in peer))

    def stamp_ms(self, peer: str) -> int:
        """Where the timestamp clock stands, one for each pair of addresses, as in Linux."""
        return crc32(f"{self.addresses[0]}:{peer}".encode()) & 0x3FFFFFFF

    def port(self) -> int:
        """The next source port, as a kernel gives them out."""
        step = 2 * self.random.randrange(1, 9)
        self._next_port = _FIRST_PORT + (self._next_port - _FIRST_PORT + step) % (_LAST_PORT - _FIRST_PORT)
        return self._next_port

    def connect(self, peer: str, port: int, app: App, *, ttl_hops: int = 64) -> Connection:
        """Open a connection from the next port."""
        local = (self.address_towards(peer), self.port())
        new = Connection(self, app, local=local, peer=(peer, port), opener=True)
        new.ttl_hops = ttl_hops
        self._connections[*local, peer, port] = new
        new.open()
        return new

    def datagram(self, packet: Packet) -> None:
        """Send one over UDP, with an IP ID of the socket's counter."""
        self._udp_ids = (self._udp_ids + 1) & 0xFFFF
        self.network.send(packet.with_(ip_id=self._udp_ids))

    def forget(self, connection: Connection) -> None:
        """The connection is no more."""
        key = (*connection.local, *connection.peer)
        if self._connections.get(key) is connection:
            del self._connections[key]

    def receive(self, packet: Packet) -> None:
        """Whatever arrives for one of the addresses."""
        if isinstance(packet, Corrupt):
            return
        if packet.protocol == TCP:
            self._segment(packet)
        elif packet.protocol == UDP:
            taken = self.datagrams.get(packet.dport)
            if taken is not None:
                taken(packet)
            else:
                self.network.send(icmp.message("port", packet, source=packet.destination))
        else:
            self._told(packet)

    def _segment(self, packet: Packet) -> None:
        key = (packet.destination, packet.dport, packet.source, packet.sport)
        known = self._connections.get(key)
        if known is not None and not (known.state == "gone" and packet.flags & SYN):
            known.packet(packet)
        elif packet.flags & (SYN | ACK | RST) == SYN and packet.dport in self.listening:
            app = self.listening[packet.dport]()
            new = Connection(self, app, local=key[:2], peer=key[2:], opener=False)
            self._connections[key] = new
            new.packet(packet)
        elif not packet.flags & RST and packet.dport not in self.muted:
            self.refuse(packet)

    def refuse(self, packet: Packet) -> None:
        """RFC 9293 section 3.10.7.1: a reset for what belongs to no connection. Linux: IP ID 0, window 0."""
        blind = not packet.flags & ACK
        self.network.send(
            Packet(
                source=packet.destination, destination=packet.source, sport=packet.dport, dport=packet.sport,
                seq=0 if blind else packet.ack, ack=packet.end if blind else 0, flags=RST | ACK if blind else RST,
                window=0,
            )
        )  # fmt: skip

    def _told(self, packet: Packet) -> None:
        for listener in tuple(self.on_icmp):
            listener(packet)
        told = icmp.quoted(packet)
        if told is None or told[1].protocol != TCP:
            return
        about = told[1]
        known = self._connections.get((about.source, about.sport, about.destination, about.dport))
        if known is not None:
            known.unreachable()
