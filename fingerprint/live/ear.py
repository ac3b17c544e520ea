"""What the run must hear itself, beside the recorder: how its connections begin, and who complains about them.

Sequence numbers come from the SYN-ACK. The kernel shows a packet here before it acts on it, so that of a connection
that stands, the SYN-ACK was heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fingerprint.live.headers import ACK, SYN, Glance, glance
from fingerprint.live.packet_sockets import PacketSocket


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A connection as it stands after its handshake, seen from our side."""

    source: str
    destination: str
    sport: int
    dport: int
    seq: int  # of the next byte that we send
    ack: int  # of the next byte that we expect
    segment_size_bytes: int
    timestamps: tuple[int, int] | None  # ours of the SYN, theirs of the SYN-ACK
    heard_s: float  # by the loop's clock


class Ear:
    """AF_PACKET sockets with the filter `fingerprint.live.bpf.of_ear`, open already."""

    def __init__(self, sources: Sequence[PacketSocket]) -> None:
        """Nothing is read before `begin`."""
        self._sources = sources
        self._syns: dict[int, Glance] = {}
        self._standing: dict[int, Standing] = {}
        self._complainers: dict[int, dict[str, None]] = {}
        self._listening: dict[int, asyncio.Queue[Glance]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Listen on the running loop."""
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        for source in self._sources:
            self._loop.add_reader(source.sock, self.drain)

    def close(self) -> None:
        """Hear no more."""
        for source in self._sources:
            if self._loop and not self._loop.is_closed():
                self._loop.remove_reader(source.sock)
            source.sock.close()

    def drain(self) -> None:
        """Take in everything that was heard up to now."""
        for source in self._sources:
            try:
                while heard := source.read():
                    if seen := glance(heard.content[source.header_bytes :]):
                        self._note(seen)
            except OSError:
                continue  # the interface went away, which the recorder tells

    def standing(self, port: int) -> Standing | None:
        """How the connection from that port stands after its handshake; None if no SYN-ACK was heard."""
        self.drain()
        return self._standing.get(port)

    def complainers(self, port: int) -> tuple[str, ...]:
        """Who sent ICMP errors about packets from that port, in order."""
        self.drain()
        return tuple(self._complainers.get(port, ()))

    def listen(self, port: int) -> asyncio.Queue[Glance]:
        """Everything to that port from here on, and complaints about what it sent."""
        self.drain()
        queue = self._listening[port] = asyncio.Queue()
        return queue

    def forget(self, port: int) -> None:
        """That port is about to be used anew, or no longer."""
        for table in (self._syns, self._standing, self._complainers, self._listening):
            table.pop(port, None)

    def _note(self, seen: Glance) -> None:
        if seen.complainer:
            self._complainers.setdefault(seen.sport, {})[seen.complainer] = None
            self._pass_on(seen.sport, seen)
            return
        if seen.flags & (SYN | ACK) == SYN:
            self.forget_connection(seen)
        if seen.flags & (SYN | ACK) == SYN | ACK:
            self._opened(seen)
        self._pass_on(seen.dport, seen)

    def forget_connection(self, syn: Glance) -> None:
        """A new SYN from that port: what was known of the one before is over."""
        self._syns[syn.sport] = syn
        self._standing.pop(syn.sport, None)

    def _opened(self, answer: Glance) -> None:
        syn = self._syns.get(answer.dport)
        if syn is None or (syn.destination, syn.dport) != (answer.source, answer.sport):
            return
        times = (syn.timestamps[0], answer.timestamps[0]) if syn.timestamps and answer.timestamps else None
        assert self._loop is not None
        # The first one counts: an injected second SYN-ACK does not move a connection that stands.
        self._standing.setdefault(
            answer.dport,
            Standing(
                source=answer.destination,
                destination=answer.source,
                sport=answer.dport,
                dport=answer.sport,
                seq=answer.ack,
                ack=(answer.seq + 1) % (1 << 32),
                # RFC 9293 section 3.7.1: what holds where the option is missing.
                segment_size_bytes=answer.segment_size_bytes or (1220 if ":" in answer.source else 536),
                timestamps=times,
                heard_s=self._loop.time(),
            ),
        )

    def _pass_on(self, port: int, seen: Glance) -> None:
        if listening := self._listening.get(port):
            listening.put_nowait(seen)
