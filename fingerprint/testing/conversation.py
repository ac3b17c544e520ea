r"""A TCP connection made by hand, packet by packet, for tests that need a capture of five packets and no network.

>>> talk = Conversation(server="45.83.220.10", port=80)
>>> talk.opens()
>>> talk.asks(b"GET / HTTP/1.1\r\nHost: forum.test\r\n\r\n")
>>> talk.reset(ttl_hops=61)
>>> written(folder / "reset.pcapng", talk.packets)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from captures.write import Frame, Link, write
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, Packet

# libpcap's registry: 101 is raw IP.
_RAW = 101
# Times of packets count from here: 17 May 2020, 17:30 UTC.
EPOCH_NS = 1_589_736_600 * 10**9


def written(file: Path, packets: Iterable[Packet], *, until_s: float | None = None) -> Path:
    """A capture of these packets, in order of `Packet.time_s`.

    With ``until_s`` a last packet of nobody's shows that the recorder was still listening then.
    """
    made = sorted(packets, key=lambda p: p.time_s)
    if until_s is not None:
        made.append(Packet(source="192.0.2.1", destination="192.0.2.2", protocol=17, sport=9, dport=9, time_s=until_s))
    frames = [Frame(content=p.to_bytes(), time_ns=EPOCH_NS + round(p.time_s * 1e9)) for p in made]
    write(file, frames, links=[Link(link_type=_RAW)])
    return file


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A connection as the client's side sees it. Every method lets time pass and appends to `packets`."""

    client: str = "81.17.24.10"
    server: str = "45.83.220.10"
    port: int = 443
    source_port: int = 40_001
    rtt_s: float = 0.05
    at_s: float = 0.0  # now; later conversations of one capture begin later
    server_ttl_hops: int = 55  # as it arrives
    packets: list[Packet] = field(default_factory=list)
    _sent: int = 1_000  # next sequence numbers of the two sides
    _heard: int = 5_000

    def opens(self) -> None:
        """The three packets of a handshake."""
        self._from_client(SYN, ack=False)
        self._sent += 1
        self.waits(self.rtt_s)
        self._from_server(SYN | ACK)
        self._heard += 1
        self._from_client(ACK)

    def asks(self, payload: bytes) -> None:
        """The client sends these bytes at once."""
        self._from_client(PSH | ACK, payload=payload)
        self._sent += len(payload)

    def answers(self, payload: bytes) -> None:
        """A round trip later the server sends these bytes, and the client acknowledges them."""
        self.waits(self.rtt_s)
        self._from_server(PSH | ACK, payload=payload)
        self._heard += len(payload)
        self._from_client(ACK)

    def reset(
        self, *, after_s: float = 0.002, ttl_hops: int | None = None, payload: bytes = b"", ack: bool = True
    ) -> None:
        """A reset in the server's name, so long after the last packet."""
        self.waits(after_s)
        self._from_server(RST | (ACK if ack else 0), payload=payload, ttl_hops=ttl_hops, window=0)

    def closes(self, *, after_s: float | None = None) -> None:
        """Both sides close in good order, the server first: a round trip after the last packet, if not told."""
        self.waits(self.rtt_s if after_s is None else after_s)
        self._from_server(FIN | ACK)
        self._heard += 1
        self._from_client(FIN | ACK)
        self._sent += 1
        self.waits(self.rtt_s)
        self._from_server(ACK)

    def waits(self, seconds: float) -> None:
        """Time passes."""
        self.at_s += seconds

    def _from_client(self, flags: int, *, payload: bytes = b"", ack: bool = True) -> None:
        self._add(
            Packet(
                source=self.client, destination=self.server, sport=self.source_port, dport=self.port, seq=self._sent,
                ack=self._heard if ack else 0, flags=flags, payload=payload, time_s=self.at_s,
            )
        )  # fmt: skip

    def _from_server(
        self, flags: int, *, payload: bytes = b"", ttl_hops: int | None = None, window: int = 65535
    ) -> None:
        self._add(
            Packet(
                source=self.server, destination=self.client, sport=self.port, dport=self.source_port, seq=self._heard,
                ack=self._sent if flags & ACK else 0, flags=flags, payload=payload, window=window,
                ttl=ttl_hops or self.server_ttl_hops, time_s=self.at_s,
            )
        )  # fmt: skip

    def _add(self, packet: Packet) -> None:
        self.packets.append(packet)
        self.at_s += 0.0002
