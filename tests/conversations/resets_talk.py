"""A TCP conversation written packet by packet, for tests that ask who sent a reset."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from captures.reading import read
from fingerprint.capture import Capture
from fingerprint.conversations.segments import Segment

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
CLIENT, SERVER = "198.51.100.7", "203.0.113.9"
CLIENT6, SERVER6 = "2001:db8:1::7", "2001:db8:2::9"
ALERT = bytes.fromhex("15030300020228")


def hello(name: str) -> bytes:
    """A small ClientHello with a server name."""
    host = name.encode()
    sni = struct.pack("!HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + struct.pack("!H", len(sni)) + sni
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


@dataclass
class Talk:
    """Packets of any number of connections. ``at`` is in milliseconds; sequence numbers are relative, a SYN has 0."""

    client: str = CLIENT
    server: str = SERVER
    server_port: int = 443
    packets: list[tuple[float, bytes]] = field(default_factory=list)
    ids: dict[bool, int] = field(default_factory=lambda: {True: 0x1000, False: 0x9000})

    def send(
        self, at: float, who: str, flags: int, *, seq: int, ack: int = 0, payload: bytes = b"", port: int = 40000,
        ttl: int | None = None, ip_id: int | None = None, df: bool = True, window: int = 500, stamps: bool = True,
        tclass: int = 0, raw_ack: int | None = None,
    ) -> Talk:  # fmt: skip
        """One packet from the client ("c") or in the server's name ("s")."""
        mine = who == "c"
        self.ids[mine] += 1
        source, sink = (self.client, self.server) if mine else (self.server, self.client)
        ports = (port, self.server_port) if mine else (self.server_port, port)
        base = {True: 1_000_000, False: 4_294_960_000}  # the server's numbers wrap
        tsval = (7_000_000 if mine else 90_000_000) + int(at)
        options = b"\x01\x01\x08\x0a" + struct.pack("!II", tsval, 1) if stamps else b""
        acknowledged = (base[not mine] + ack) % 2**32 if flags & ACK else 0
        tcp = struct.pack(
            "!HHIIHHHH", *ports, (base[mine] + seq) % 2**32, acknowledged if raw_ack is None else raw_ack,
            (5 + len(options) // 4) << 12 | flags, window, 0, 0,
        )  # fmt: skip
        segment = tcp + options + payload
        hops = ttl if ttl is not None else (64 if mine else 52)
        a, b = ip_address(source), ip_address(sink)
        if a.version == 6:
            header = struct.pack("!IHBB", 6 << 28 | tclass << 20, len(segment), 6, hops)
        else:
            number = self.ids[mine] if ip_id is None else ip_id
            header = struct.pack("!BBHHHBBH", 0x45, tclass, 20 + len(segment), number, 0x4000 if df else 0, hops, 6, 0)
        self.packets.append((at, header + a.packed + b.packed + segment))
        return self

    def handshake(self, at: float = 0, *, rtt: float = 40, port: int = 40000, **server: object) -> Talk:
        """SYN, SYN-ACK, ACK at the client; ``server`` changes the SYN-ACK."""
        self.send(at, "c", SYN, seq=0, port=port, window=64240)
        self.send(at + rtt, "s", SYN | ACK, seq=0, ack=1, port=port, **{"ip_id": 0, "window": 65160, **server})  # type: ignore[arg-type]
        return self.send(at + rtt + 0.05, "c", ACK, seq=1, ack=1, port=port)

    def asked(self, at: float = 0, *, name: str = "news.example", rtt: float = 40, port: int = 40000) -> int:
        """A handshake and a ClientHello 2 ms later; the sequence number after the hello."""
        self.handshake(at, rtt=rtt, port=port)
        self.send(at + rtt + 2, "c", PSH | ACK, seq=1, ack=1, payload=hello(name), port=port)
        return 1 + len(hello(name))

    def works(self, at: float, *, port: int, rtt: float = 40, name: str = "park.example") -> Talk:
        """A connection that is answered."""
        end = self.asked(at, name=name, rtt=rtt, port=port)
        self.send(at + 2 * rtt + 3, "s", ACK, seq=1, ack=end, port=port)
        return self.send(at + 2 * rtt + 4, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02", port=port)

    def dies(
        self, at: float, router: str, *, of: int = -1, size: int = 28, change: dict[int, int] | None = None
    ) -> Talk:
        """A router reports that a packet (the last one) died there; ``change`` alters bytes of what it quotes."""
        quoted = bytearray(self.packets[of][1][:size] if ":" not in router else self.packets[of][1][: size + 20])
        for place, value in (change or {}).items():
            quoted[place] = value
        kind = b"\x0b\0" if ":" not in router else b"\x03\0"
        body = kind + bytes(6) + bytes(quoted)
        a, b = ip_address(router), ip_address(self.client)
        if a.version == 6:
            header = struct.pack("!IHBB", 6 << 28, len(body), 58, 60)
        else:
            header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 9, 0, 250, 1, 0)
        self.packets.append((at, header + a.packed + b.packed + body))
        return self

    def limited(
        self,
        at: float,
        *,
        port: int,
        ttl: int,
        name: str = "news.example",
        router: bool = True,
        copies: int = 1,
        rtt: float = 40,
    ) -> int:
        """A handshake that travels and a hello that dies after ``ttl`` hops; the sequence number after the hello."""
        self.handshake(at, rtt=rtt, port=port)
        for i in range(copies):
            sent = at + rtt + 2 + 300 * (2**i - 1)
            self.send(sent, "c", PSH | ACK, seq=1, ack=1, payload=hello(name), port=port, ttl=ttl)
            if router:
                self.dies(sent + 4 * ttl, f"192.0.2.{ttl}")
        return 1 + len(hello(name))

    def capture(self, folder: Path) -> Capture:
        """The packets as a capture, in time order."""
        path = folder / "talk.pcap"
        out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101)
        for at, raw in sorted(self.packets, key=lambda p: p[0]):
            ns = 1_600_000_000_000_000_000 + round(at * 1e6)
            out += struct.pack("<IIII", ns // 10**9, ns % 10**9, len(raw), len(raw)) + raw
        path.write_bytes(out)
        return Capture(recordings=(read(path),))

    def segments(self, folder: Path) -> tuple[Segment, ...]:
        """The segments of the only stream."""
        (stream,) = self.capture(folder).streams
        return stream.segments
