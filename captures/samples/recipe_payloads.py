"""Programs that speak neither TLS nor HTTP: first bytes of any kind over TCP, datagrams of any kind over UDP.

Formats from their documents: RFC 4253 for SSH, RFC 8489 and RFC 3489 for STUN, RFC 3550 for RTP, the pages
of OpenVPN and WireGuard for theirs. Contents are drawn from the scene's seed.
"""

# Programs share one signature each, whether they need all of it or not.
# ruff: noqa: ARG002, D102

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Sequence

from captures.samples.recipe import App, Box, Connection, Line, Packet, Scene
from captures.samples.recipe_dns import reply_to
from captures.samples.recipe_tcp import Host

PORT_UNREACHABLE = (3, 3)
KEXINIT_BYTES = 1080


class Says(App):
    """A client: some first bytes, then more of the like, and a FIN after a while."""

    def __init__(self, payload: bytes, *, more: Sequence[bytes] = (), leave_after_s: float = 12.0) -> None:
        self.payload, self.more, self.leave_after_s = payload, list(more), leave_after_s

    def opened(self, connection: Connection) -> None:
        connection.send(self.payload)
        for i, data in enumerate(self.more):
            connection.net.at(0.4 * (i + 1), lambda data=data: connection.send(data))
        connection.net.at(self.leave_after_s, connection.close)


class SpeaksWhenSpokenTo(Says):
    """A client that waits for the server's banner, as one of SSH may."""

    def opened(self, connection: Connection) -> None:
        connection.net.at(self.leave_after_s, connection.close)
        self.waiting = True

    def received(self, connection: Connection, data: bytes) -> None:
        if self.waiting:
            self.waiting = False
            connection.send(self.payload)


class Sink(App):
    """A server that takes everything and says nothing."""


class Answers(App):
    """A server that answers whatever it is told with bytes of its own."""

    def __init__(self, rng: random.Random, size_bytes: int = 64) -> None:
        self.rng, self.size_bytes = rng, size_bytes

    def received(self, connection: Connection, data: bytes) -> None:
        connection.send(self.rng.randbytes(self.size_bytes))


class ClosesOnGarbage(App):
    """A server that ends a connection over bytes it cannot read: by FIN, or by RST."""

    def __init__(self, reads: Callable[[bytes], bool], rng: random.Random, *, by: str = "fin") -> None:
        self.reads, self.rng, self.by = reads, rng, by

    def received(self, connection: Connection, data: bytes) -> None:
        if self.reads(data):
            connection.send(self.rng.randbytes(96))
        elif self.by == "fin":
            connection.close()
        else:
            connection.abort()


class Sshd(App):
    """An SSH server: its banner first; keys for a client of its own kind, a word and a FIN for everybody else."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.met = rng, False

    def opened(self, connection: Connection) -> None:
        connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")

    def received(self, connection: Connection, data: bytes) -> None:
        if self.met:
            return
        self.met = True
        if data.startswith(b"SSH-"):
            connection.send(self.rng.randbytes(KEXINIT_BYTES))
        else:
            connection.send(b"Invalid SSH identification string.\r\n")
            connection.close()


def ssh_banner(version: str = "OpenSSH_9.6p1 Debian-3") -> bytes:
    """A client's identification string."""
    return f"SSH-2.0-{version}\r\n".encode()


def openvpn_reset(rng: random.Random, *, tcp: bool) -> bytes:
    """P_CONTROL_HARD_RESET_CLIENT_V2 with key id 0, a session id, no acknowledgements, packet id 0."""
    message = b"\x38" + rng.randbytes(8) + b"\x00" + bytes(4)
    return struct.pack(">H", len(message)) + message if tcp else message


def wireguard_initiation(rng: random.Random) -> bytes:
    """Type 1, three zero bytes, then what looks random: 148 bytes."""
    return b"\x01\x00\x00\x00" + rng.randbytes(144)


def wireguard_response(rng: random.Random) -> bytes:
    """Type 2: 92 bytes."""
    return b"\x02\x00\x00\x00" + rng.randbytes(88)


def stun_request(rng: random.Random, *, cookie: bool = True) -> bytes:
    """A Binding Request without attributes; without the cookie it is one of RFC 3489."""
    number = rng.randbytes(16)
    return b"\x00\x01\x00\x00" + (b"\x21\x12\xa4\x42" + number[4:] if cookie else number)


def stun_answer(request: bytes) -> bytes:
    """A Binding Response with a mapped address of no interest."""
    return b"\x01\x01\x00\x0c" + request[4:20] + b"\x00\x20\x00\x08\x00\x01" + bytes(6)


def is_stun(data: bytes) -> bool:
    """Whether a STUN server takes it for a Binding Request of either kind."""
    return len(data) == 20 and data[:4] == b"\x00\x01\x00\x00"


def rtp(rng: random.Random, number: int, *, source: int) -> bytes:
    """A packet of speech."""
    return struct.pack(">BBHII", 0x80, 96, number & 0xFFFF, 160 * number, source) + rng.randbytes(80)


def printable(rng: random.Random, size_bytes: int) -> bytes:
    """Letters that mean nothing."""
    return bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz") for _ in range(size_bytes))


def looks_random(data: bytes) -> bool:
    """The rules of Wu et al. as a device might write them: about half of the bits, little text, no known beginning."""
    text = sum(0x20 <= b <= 0x7E for b in data)
    bits = sum(b.bit_count() for b in data) / len(data)
    begins_plain = all(0x20 <= b <= 0x7E for b in data[:6])
    return 2 * text <= len(data) and 3.4 < bits < 4.6 and not begins_plain and data[:2] != b"\x16\x03"


class Datagrams:
    """What a host does with UDP: a program for each open port; closed ports are refused by ICMP, or ignored."""

    def __init__(self, host: Host, *, refuses: bool = True) -> None:
        self.host, self.refuses = host, refuses
        self.open: dict[int, Callable[[bytes], bytes | None]] = {}
        self.ip_id = host.net.rng.randrange(65536)
        host.udp = self.heard

    def heard(self, p: Packet) -> None:
        """One datagram."""
        program = self.open.get(p.destination_port)
        if program is not None:
            answer = program(p.payload)
            if answer is not None:
                self._send(reply_to(p, answer, ttl_hops=self.host.ttl_hops, ip_id=self._count()))
        elif self.refuses:
            kind, code = PORT_UNREACHABLE
            self._send(
                Packet(
                    source=self.host.address,
                    destination=p.source,
                    protocol="icmp",
                    ttl_hops=self.host.ttl_hops,
                    ip_id=self._count(),
                    df=False,
                    source_port=kind,
                    destination_port=code,
                    payload=p.ip_bytes()[:28],
                )
            )

    def _count(self) -> int:
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        return self.ip_id

    def _send(self, p: Packet) -> None:
        self.host.net.send(p)


def tell(
    scene: Scene,
    server: str,
    port: int,
    payload: bytes | Callable[[int], bytes],
    *,
    at_s: float,
    copies: int = 5,
    gap_s: float = 1.0,
    goes_on: bool = False,
    source_port: int = 0,
) -> None:
    """A datagram from one port, again and again until something comes back (or all of them, if it goes on anyway)."""
    chosen = source_port or scene.port()
    heard = [False]
    below = scene.client.udp

    def udp(p: Packet) -> None:
        if p.source == server and p.destination_port == chosen and p.source_port == port:
            heard[0] = True
        elif below:
            below(p)

    scene.client.udp = udp

    def send(i: int) -> None:
        if i == copies or (heard[0] and not goes_on):
            return
        data = payload if isinstance(payload, bytes) else payload(i)
        net = scene.net
        net.send(
            Packet(
                source=net.client,
                destination=server,
                protocol="udp",
                ip_id=net.rng.randrange(65536),
                source_port=chosen,
                destination_port=port,
                payload=data,
            )
        )
        net.at(gap_s, lambda: send(i + 1))

    scene.net.when(at_s, lambda: send(0))


class DropsFirstBytes(Box):
    """In-path, TCP: a client's first data packet that matches dies, and everything to that address and port after it.

    ``residual_s`` is for how long; ``share`` which of the matching connections are taken; ``passes_first`` lets the
    packet itself through. ``whole`` silences the flow alone.
    """

    def __init__(
        self,
        match: Callable[[bytes], bool],
        *,
        residual_s: float = 0.0,
        share: Callable[[int], bool] = lambda _: True,
        passes_first: bool = False,
        ports: Sequence[int] = (),
    ) -> None:
        self.match, self.residual_s, self.share = match, residual_s, share
        self.passes_first, self.ports = passes_first, ports
        self.seen: set[tuple[str, int, str, int]] = set()
        self.dead: set[tuple[str, int, str, int]] = set()
        self.until_ns: dict[tuple[str, str, int], int] = {}
        self.count = 0

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        if packet.protocol != "tcp" or not outbound:
            return (packet,)
        flow = (packet.source, packet.source_port, packet.destination, packet.destination_port)
        triple = (packet.source, packet.destination, packet.destination_port)
        if flow in self.dead or self.net.now_ns < self.until_ns.get(triple, 0):
            return ()
        if not packet.payload or flow in self.seen or (self.ports and packet.destination_port not in self.ports):
            return (packet,)
        self.seen.add(flow)
        if not self.match(packet.payload):
            return (packet,)
        self.count += 1
        if not self.share(self.count):
            return (packet,)
        self.dead.add(flow)
        if self.residual_s:
            self.until_ns[triple] = self.net.now_ns + int(self.residual_s * 1e9)
        return (packet,) if self.passes_first else ()


class DropsDatagrams(Box):
    """In-path, UDP towards servers: what matches by port or payload dies."""

    def __init__(self, match: Callable[[Packet], bool]) -> None:
        self.match = match

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        return () if packet.protocol == "udp" and outbound and self.match(packet) else (packet,)
