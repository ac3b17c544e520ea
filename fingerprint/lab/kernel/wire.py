"""The wire on which the boxes stand: two packet sockets, and between them what a path does to packets.

A frame from the client's side waits ``before_s``, meets the boxes, then loss, the rate's queue and reordering, waits
``behind_s`` and leaves on the other side; and the other way round. Frames that are no IP pass at once. The wire takes
nothing off the TTL: the boxes stand between two routers and are none.
"""

from __future__ import annotations

import errno
import heapq
import select
import socket
import time
from dataclasses import dataclass, field
from random import Random

from fingerprint.lab.boxes.slowing import Queue
from fingerprint.lab.censor import Direction
from fingerprint.lab.chain import Chain, Onward
from fingerprint.lab.kernel.plan import FAR_END, NEAR_END, End
from fingerprint.lab.packet import parse
from fingerprint.lab.world import Path

# linux/if_ether.h, linux/if_packet.h
_ALL_FRAMES, _SOL_PACKET, _IGNORE_OUTGOING, _SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 3, 263, 23, 33, 32
_IP, _IP6 = b"\x08\x00", b"\x86\xdd"
_ETHERNET_BYTES = 14
_BUFFER_BYTES = 32 << 20
# Frames taken from one side before the other side and the waiting ones get their turn.
_BATCH = 64
# Shorter waits are spent looking: sleeping costs about as much.
_SHORT_S = 0.00005

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT


@dataclass(slots=True)
class Wire:
    """Carries frames until it is killed."""

    path: Path
    chain: Chain
    ends: tuple[End, End]
    _sides: dict[Direction, socket.socket] = field(default_factory=dict)
    _waiting: list[tuple[float, int, Direction, str, object]] = field(default_factory=list)
    _turn: int = 0

    def carry(self) -> None:
        """Until the process ends."""
        path = self.path
        chance = Random(f"wire:{path.seed}")  # noqa: S311  # loss and order, no secret
        queues = {d: Queue(path.rate_bps, path.queue_bytes) if path.rate_bps else None for d in Direction}
        # A frame that comes in on a side travels away from it; it leaves on the other side.
        near, far = _side(NEAR_END), _side(FAR_END)
        arriving = {near: TO_SERVER, far: TO_CLIENT}
        self._sides = {TO_SERVER: far, TO_CLIENT: near}
        first_s = {TO_SERVER: path.before_s, TO_CLIENT: path.behind_s}
        then_s = {TO_SERVER: path.behind_s, TO_CLIENT: path.before_s}
        boxes, waiting = bool(self.chain.boxes), self._waiting
        while True:
            now_s = time.monotonic()
            while waiting and waiting[0][0] <= now_s:
                _, _, direction, stage, thing = heapq.heappop(waiting)
                if stage == "leave":
                    _put(self._sides[direction], thing)
                    continue
                for onward in self._met(direction, thing, now_s):
                    if onward.after_s > 0:
                        self._later(now_s + onward.after_s, onward.direction, "box", onward)
                        continue
                    wait_s = _conditions(path, chance, queues[onward.direction], len(onward.wire_bytes), now_s)
                    if wait_s is not None:
                        frame = self._framed(onward)
                        self._later(now_s + wait_s + then_s[onward.direction], onward.direction, "leave", frame)
            pause_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
            ready, _, _ = select.select([near, far], [], [], 0.0 if pause_s < _SHORT_S else pause_s)
            for side in ready:
                direction = arriving[side]
                for frame in _taken(side):
                    if frame[12:14] not in (_IP, _IP6) or frame[0] & 1:
                        _put(self._sides[direction], frame)
                        continue
                    stage = "box" if boxes or path.loss_ratio or path.rate_bps or path.reorder_ratio else "leave"
                    wait_s = first_s[direction] if stage == "box" else path.before_s + path.behind_s
                    self._later(time.monotonic() + wait_s, direction, stage, frame)

    def _later(self, due_s: float, direction: Direction, stage: str, thing: object) -> None:
        self._turn += 1
        heapq.heappush(self._waiting, (due_s, self._turn, direction, stage, thing))

    def _met(self, direction: Direction, thing: object, now_s: float) -> tuple[Onward, ...]:
        """What comes of a frame, or of a packet that was held on the way, at the boxes."""
        if isinstance(thing, Onward):
            if thing.box is not None:
                return self.chain.resume(thing, now_s)
            return (Onward(packet=thing.packet, direction=thing.direction, raw=thing.raw),)
        assert isinstance(thing, bytes)
        packet = parse(thing[_ETHERNET_BYTES:], now_s)
        if packet is None:
            return ()
        return self.chain.arrive(packet, direction, thing[_ETHERNET_BYTES:])

    def _framed(self, onward: Onward) -> bytes:
        near, far = self.ends
        sender, receiver = (near, far) if onward.direction is TO_SERVER else (far, near)
        kind = _IP6 if onward.packet.version == 6 else _IP
        return _mac(receiver) + _mac(sender) + kind + onward.wire_bytes


def _conditions(path: Path, chance: Random, queue: Queue | None, size_bytes: int, now_s: float) -> float | None:
    """Seconds that the path adds behind the boxes; None where it loses the packet."""
    if path.loss_ratio and chance.random() < path.loss_ratio:
        return None
    wait_s: float | None = queue.take(size_bytes, now_s) if queue else 0.0
    if wait_s is None:
        return None
    return wait_s + (path.reorder_s if path.reorder_ratio and chance.random() < path.reorder_ratio else 0.0)


def _side(interface: str) -> socket.socket:
    side = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    side.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    for option in (_SO_RCVBUFFORCE, _SO_SNDBUFFORCE):
        try:
            side.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
        except PermissionError:  # in a user namespace the system's limit stands
            side.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    side.bind((interface, _ALL_FRAMES))
    side.settimeout(0)
    return side


def _taken(side: socket.socket) -> list[bytes]:
    frames: list[bytes] = []
    try:
        while len(frames) < _BATCH:
            frames.append(side.recv(65536))
    except BlockingIOError:
        pass
    return frames


def _put(side: socket.socket, frame: object) -> None:
    assert isinstance(frame, bytes)
    try:
        side.send(frame)
    except OSError as error:
        # A full queue, or a packet that a box made larger than the link carries: that is loss, as on any wire.
        if error.errno not in {errno.EAGAIN, errno.ENOBUFS, errno.EMSGSIZE}:
            raise


def _mac(end: End) -> bytes:
    return bytes.fromhex(end.mac.replace(":", ""))
