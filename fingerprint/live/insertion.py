"""Packets put on the wire by hand, with numbers that fit into connections of the kernel's own.

The kernel opens the connection, the ear hears its numbers, and a raw socket says what no socket can. The raw sockets
are opened while there is a right to; using them needs none.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from captures.errors import PrivilegeError
from fingerprint.live.admission import TCP
from fingerprint.live.ear import Ear, Standing
from fingerprint.live.filling import filled, own_address
from fingerprint.live.guard import Guard
from fingerprint.live.headers import ACK, FIN, RST, SYN, Glance, glance
from fingerprint.steps import Crafted, Replies

# Marks what was made by hand, so that the guard lets our own resets through. Any number that nobody else uses.
MARK = 0x66_70_72_74
IPPROTO_RAW = 255


@dataclass(slots=True)
class RawSockets:
    """One for each family that this machine has."""

    four: socket.socket | None
    six: socket.socket | None

    def send(self, packet: bytes, destination: str) -> None:
        """As it is, IP header first. Raises OSError."""
        sock = self.six if ":" in destination else self.four
        if sock is None:
            raise OSError(errno.EAFNOSUPPORT, "this machine has no such protocol")
        sock.sendto(packet, (destination, 0))

    def close(self) -> None:
        """Both."""
        for sock in (self.four, self.six):
            if sock:
                sock.close()


def open_raw(interface: str | None = None) -> RawSockets:
    """Raw sockets. Raises PrivilegeError without CAP_NET_RAW."""
    opened: list[socket.socket | None] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            sock = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, IPPROTO_RAW)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
            if interface:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        except PermissionError:
            raise PrivilegeError("crafted packets need CAP_NET_RAW; run it with sudo") from None
        except OSError:
            opened.append(None)
            continue
        opened.append(sock)
    return RawSockets(*opened)


class Inserter:
    """The hand that puts packets on the wire."""

    def __init__(self, raw: RawSockets, ear: Ear, guard: Guard | None, interface: str | None = None) -> None:
        """``guard`` holds back the kernel's resets; None where it could not be set up."""
        self._raw, self._ear, self._guard, self._interface = raw, ear, guard, interface

    def begin(self) -> None:
        """Listen on the running loop."""
        self._ear.begin()

    def close(self) -> None:
        """Sockets and guard."""
        self._raw.close()
        self._ear.close()
        if self._guard:
            self._guard.close()

    def routers(self, port: int) -> tuple[str, ...]:
        """Who complained by ICMP about what was sent from that port."""
        return self._ear.complainers(port)

    async def insert(self, port: int, words: bytes, *, ttl_hops: int) -> None:
        """Say ``words`` where the next byte of the connection from that port would stand, as far as ``ttl_hops``.

        Raises OSError if the connection's handshake was not heard.
        """
        from fingerprint.probing import crafting

        standing = self._ear.standing(port)
        if standing is None:
            raise OSError(errno.ENOTCONN, "the handshake of the connection was not heard")
        ends = crafting.Ends(source=standing.source, destination=standing.destination, sport=port, dport=standing.dport)
        options = times(standing, asyncio.get_running_loop().time())
        # RFC 9293 section 3.7.1: options count against the size of a segment.
        size = standing.segment_size_bytes - (12 if options else 0)
        for at in range(0, len(words), size):
            packet = crafting.segment(
                ends,
                seq=(standing.seq + at) % (1 << 32),
                ack=standing.ack,
                payload=words[at : at + size],
                options=options,
                ttl_hops=ttl_hops,
            )
            self._raw.send(packet, standing.destination)

    async def craft(self, message: Crafted, port: int, listen_s: float) -> Replies:
        """Send crafted packets from ``port`` and listen. Raises OSError if they cannot be sent."""
        if message.user_space and (self._guard is None or not self._guard.verified):
            raise OSError(errno.EPERM, "a handshake of our own needs nft and CAP_NET_ADMIN; run fingerprint doctor")
        source = own_address(message.address, self._interface)
        self._ear.forget(port)
        heard = self._ear.listen(port)
        loop = asyncio.get_running_loop()
        began, seen, acknowledge = loop.time(), [], None
        until, took_s, sent = began + listen_s, None, 0
        try:
            for number, packet in enumerate(message.packets):
                if number == 1 and message.user_space:
                    answer = await opened(heard, until)
                    if answer is None:
                        break
                    seen.append(answer)
                    took_s, acknowledge = loop.time() - began, answer.seq + 1
                ready = filled(packet, source, port, message.address, acknowledge)
                self._raw.send(ready, message.address)
                sent += len(ready)
            while reply := await following(heard, until):
                took_s = loop.time() - began if took_s is None else took_s
                seen.append(reply)
        finally:
            self._ear.forget(port)
            if acknowledge is not None:
                self._end(message, source, port, seen)
        return Replies(
            outcome=judged(message, seen),
            took_s=took_s,
            received_bytes=sum(s.payload_bytes for s in seen),
            sent_bytes=sent,
            local_port=port,
            answers=tuple(dict.fromkeys(s.complainer for s in seen if s.complainer)),
        )

    def _end(self, message: Crafted, source: str, port: int, seen: Sequence[Glance]) -> None:
        """Reset a handshake of our own, so that the server does not wait for us."""
        from fingerprint.probing import crafting

        last = max((s for s in seen if s.flags & ACK), key=lambda s: s.seq, default=None)
        if last is None or any(s.flags & RST for s in seen):
            return
        ends = crafting.Ends(source=source, destination=message.address, sport=port, dport=last.sport)
        self._raw.send(crafting.reset(ends, seq=last.ack), message.address)


def times(standing: Standing, now_s: float) -> list[tuple[str, object]]:
    """The time stamp option of the next segment, if the connection has agreed on one (RFC 7323)."""
    if standing.timestamps is None:
        return []
    # Linux counts milliseconds.
    ours = (standing.timestamps[0] + int((now_s - standing.heard_s) * 1000) + 1) % (1 << 32)
    return [("NOP", None), ("NOP", None), ("Timestamp", (ours, standing.timestamps[1]))]


async def following(heard: asyncio.Queue[Glance], until_s: float) -> Glance | None:
    """The next packet, None if none comes in time."""
    try:
        async with asyncio.timeout_at(until_s):
            return await heard.get()
    except TimeoutError:
        return None


async def opened(heard: asyncio.Queue[Glance], until_s: float) -> Glance | None:
    """The SYN-ACK, None if another end or none comes."""
    reply = await following(heard, until_s)
    return reply if reply and reply.flags & (SYN | ACK | RST) == SYN | ACK else None


def judged(message: Crafted, seen: Sequence[Glance]) -> str:
    """The outcome of crafted packets by what came back."""
    first = glance(message.packets[0]) if message.packets else None
    lone_syn = first is not None and first.protocol == TCP and bool(first.flags & SYN) and len(message.packets) == 1
    opening = [s for s in seen if s.flags & SYN]
    if any(s.payload_bytes for s in seen) or (lone_syn and opening):
        return "answered"
    if any(s.flags & RST for s in seen):
        return "refused" if lone_syn else "reset"
    if any(s.complainer for s in seen):
        return "unreachable"
    if any(s.flags & FIN for s in seen):
        return "closed"
    return "unanswered" if first is not None and first.flags & SYN and not opening else "silent"
