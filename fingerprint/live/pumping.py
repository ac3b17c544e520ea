"""Bytes between a non-blocking socket and a conversation that knows nothing of sockets."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from fingerprint.live.sockets import acknowledged
from fingerprint.probing.carrier import Talk

READ_BYTES = 1 << 18
# What the kernel says when the far end, or somebody in its name, cut the connection.
CUT = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})


@dataclass(slots=True)
class Pumped:
    """How a conversation went. Times are of the event loop's clock."""

    began_s: float
    ended: Literal["done", "fin", "reset", "time"] = "time"
    sent_bytes: int = 0
    first_reply_s: float | None = None
    moved_s: list[float] = field(default_factory=list)  # first and last time that payload moved

    @property
    def took_s(self) -> float | None:
        """From the first byte said to the first sign of the far end."""
        return None if self.first_reply_s is None else self.first_reply_s - self.began_s

    @property
    def span_s(self) -> float:
        """From the first payload to the last."""
        return self.moved_s[1] - self.moved_s[0] if len(self.moved_s) == 2 else 0.0

    def moved(self, now_s: float) -> None:
        """Payload was sent or heard."""
        self.moved_s[:] = [self.moved_s[0] if self.moved_s else now_s, now_s]


async def pump(sock: socket.socket, talk: Talk, *, silent_s: float, whole_s: float) -> Pumped:
    """Let the conversation run until it is done, cut, or out of time.

    ``silent_s`` is how long one waits for the first reply, ``whole_s`` (at least as long) for the end.
    """
    loop = asyncio.get_running_loop()
    waiting = deque(memoryview(piece) for piece in talk.open())
    went = Pumped(began_s=loop.time())
    try:
        while not talk.done or waiting:
            until = went.began_s + (silent_s if went.first_reply_s is None else max(silent_s, whole_s))
            ready = await readiness(sock, until, write=bool(waiting))
            if not ready:
                return went
            if "w" in ready and waiting:
                _write(sock, waiting, went, loop.time())
            if "r" in ready and _read(sock, talk, waiting, went, loop.time()):
                went.ended = "done" if talk.done else "fin"
                return went
    except OSError as error:
        if error.errno in CUT:
            went.ended = "reset"
            went.first_reply_s = went.first_reply_s or loop.time()
        return went
    went.ended = "done"
    return went


async def linger(sock: socket.socket, talk: Talk, went: Pumped, *, late_s: float, until_s: float) -> None:
    """Hear what follows the first words of the far end, for ``late_s``, and longer while it has not taken ours.

    A server that speaks first is heard before it has read anything, and what it is told may still be cut.
    """
    loop = asyncio.get_running_loop()
    quiet_s = min(until_s, loop.time() + late_s)
    try:
        while True:
            if await readiness(sock, quiet_s):
                if _read(sock, talk, deque(), went, loop.time()):
                    went.ended = "fin"
                    return
            elif quiet_s >= until_s or acknowledged(sock):
                return
            else:
                quiet_s = min(until_s, loop.time() + late_s)
    except OSError as error:
        if error.errno in CUT:
            went.ended = "reset"


def _write(sock: socket.socket, waiting: deque[memoryview], went: Pumped, now_s: float) -> None:
    """Say one piece, as much of it as the kernel takes."""
    try:
        took = sock.send(waiting[0])
    except (BlockingIOError, InterruptedError):
        return
    went.sent_bytes += took
    went.moved(now_s)
    if took == len(waiting[0]):
        waiting.popleft()
    else:
        waiting[0] = waiting[0][took:]


def _read(sock: socket.socket, talk: Talk, waiting: deque[memoryview], went: Pumped, now_s: float) -> bool:
    """Hear what came, and queue what is said in return. True if the far end has closed."""
    try:
        heard = sock.recv(READ_BYTES)
    except (BlockingIOError, InterruptedError):
        return False
    if went.first_reply_s is None:
        went.first_reply_s = now_s
    if not heard:
        return True
    went.moved(now_s)
    waiting.extend(memoryview(piece) for piece in talk.feed(heard))
    return False


async def readiness(sock: socket.socket, until_s: float, *, write: bool = False) -> str:
    """``r``, ``w`` or both, as soon as the socket is ready for that; empty if it is not before ``until_s``."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    signs: set[str] = set()

    def note(sign: str) -> None:
        signs.add(sign)
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock, note, "r")
    if write:
        loop.add_writer(sock, note, "w")
    try:
        async with asyncio.timeout_at(until_s):
            await ready
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(sock)
        if write:
            loop.remove_writer(sock)
    return "".join(signs)
