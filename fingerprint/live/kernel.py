"""The live wire: steps performed with the kernel's own sockets, and by hand what they cannot say.

Every socket is bound to a fresh port of the run. A connection that is limited in hops is opened with the host's own
limit and never gets it back: the kernel repeats an unanswered ClientHello for minutes, and one of these repeats at full
range would be seen by whatever stands behind the hop that is asked about.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Collection
from pathlib import Path

from fingerprint.live import sockets
from fingerprint.live.clock import Clock
from fingerprint.live.insertion import Inserter
from fingerprint.live.ports import Ports
from fingerprint.live.pumping import READ_BYTES, Pumped, linger, pump, readiness
from fingerprint.live.recorder import Recorder
from fingerprint.probing.carrier import Talk
from fingerprint.probing.talks import LATE_S, decoy, said, talk
from fingerprint.steps import (
    Crafted,
    Datagram,
    Decoy,
    Handshake,
    Hello,
    Message,
    Payload,
    Query,
    Replies,
    Request,
    Transfer,
)

# A connection on which nothing is said is held as long as a censor takes to reset it after the handshake.
HELD_S = 0.3
UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENONET, errno.EPROTO})


class Wire:
    """The `Carrier` of a live run."""

    def __init__(
        self,
        *,
        path: Path,
        ports: Ports,
        recorder: Recorder,
        clock: Clock,
        addresses: Collection[str],
        seed: int = 0,
        interface: str | None = None,
        inserter: Inserter | None = None,
    ) -> None:
        """``addresses`` are those of the hosts that were named: nothing is sent anywhere else."""
        self._path, self._ports, self._recorder, self._clock = path, ports, recorder, clock
        self._addresses = frozenset(addresses)
        self._seed, self._interface, self._inserter = seed, interface, inserter
        self._performed = 0
        self._resting: dict[socket.socket, asyncio.TimerHandle] = {}

    def begin(self) -> None:
        """Listen on the running loop."""
        if self._inserter:
            self._inserter.begin()

    def now_ns(self) -> int:
        """By the recorder's clock."""
        return self._clock.now_ns()

    async def wait(self, seconds: float) -> None:
        """Real time."""
        await asyncio.sleep(seconds)

    async def flush(self) -> Path:
        """All up to now, on disk."""
        await self._recorder.sync()
        return self._path

    def close(self) -> None:
        """Close what still listens."""
        for sock, timer in self._resting.items():
            timer.cancel()
            sock.close()
        self._resting.clear()
        if self._inserter:
            self._inserter.close()

    async def perform(self, message: Message, *, listen_s: float) -> Replies:
        """See `Carrier`. Nothing is sent that would not be recorded, and nothing to a host that was not named."""
        if self._recorder.trouble:
            return Replies(outcome="failed", why=self._recorder.trouble)
        address = message.resolver if isinstance(message, Query) else message.address
        if address not in self._addresses:
            return Replies(outcome="failed", why=f"{address} is no host of this run; name it to have it probed")
        self._performed += 1
        if isinstance(message, Crafted):
            return await self._craft(message, listen_s)
        talked = talk(message, self._seed + self._performed)
        stream = not (isinstance(message, Datagram) or (isinstance(message, Query) and message.over == "udp"))
        try:
            sock = sockets.opened(address, self._ports, stream=stream, interface=self._interface)
        except OSError as error:
            return Replies(outcome="failed", why=reason(error))
        if isinstance(message, Datagram) or (isinstance(message, Query) and not stream):
            return await self._ask(sock, message, talked, listen_s)
        return await self._converse(sock, message, talked, listen_s)

    # A datagram

    async def _ask(self, sock: socket.socket, message: Query | Datagram, talked: Talk, listen_s: float) -> Replies:
        loop = asyncio.get_running_loop()
        port, began = sock.getsockname()[1], loop.time()
        if message.ttl_hops is not None:
            sockets.limit(sock, message.ttl_hops)
        try:
            sock.connect((message.resolver if isinstance(message, Query) else message.address, message.port))
            sent = sum(sock.send(piece) for piece in talked.open())
        except OSError as error:
            sock.close()
            return Replies(outcome=outcome_of(error), why=reason(error), local_port=port)
        until, took_s, why = began + listen_s, None, None
        routers: tuple[str, ...] = ()
        again = _repeats(message, began)
        while True:
            deadline = min([until, *again[:1]])
            ready = await readiness(sock, deadline)
            try:
                if ready:
                    talked.feed(sock.recv(READ_BYTES))
                    took_s = loop.time() - began if took_s is None else took_s
                elif deadline < until:
                    again.pop(0)
                    sent += sum(sock.send(piece) for piece in talked.open())
                else:
                    break
            except (BlockingIOError, InterruptedError):
                pass
            except OSError as error:
                why = error
            routers += sockets.complaints(sock)
            if talked.done or (why and why.errno == errno.ECONNREFUSED):
                until = min(until, loop.time() + LATE_S)
            if talked.done or why:
                again.clear()
        self._rest(sock, began + listen_s - loop.time())
        outcome = outcome_of(why) if why and talked.outcome == "silent" else talked.outcome
        return Replies(
            outcome=outcome,
            took_s=took_s,
            received_bytes=talked.received_bytes,
            sent_bytes=sent,
            local_port=port,
            answers=talked.answers if talked.outcome != "silent" else tuple(dict.fromkeys(routers)),
            why=reason(why) if why else "",
            heard=getattr(talked, "heard", b""),
        )

    def _rest(self, sock: socket.socket, seconds: float) -> None:
        """Keep the port open for late answers, which the kernel would otherwise refuse aloud; nobody waits for that."""

        def close() -> None:
            self._resting.pop(sock, None)
            sock.close()

        self._resting[sock] = asyncio.get_running_loop().call_later(max(0.0, seconds), close)

    # A connection

    async def _converse(
        self,
        sock: socket.socket,
        message: Query | Handshake | Hello | Request | Transfer | Payload,
        talked: Talk,
        listen_s: float,
    ) -> Replies:
        loop = asyncio.get_running_loop()
        port, began, orderly = sock.getsockname()[1], loop.time(), False
        address = message.resolver if isinstance(message, Query) else message.address
        try:
            if isinstance(message, Handshake) and message.ttl_hops is not None:
                sockets.limit(sock, message.ttl_hops)
            async with asyncio.timeout(listen_s):
                await loop.sock_connect(sock, (address, message.port))
            opened_s = loop.time() - began
            if isinstance(message, Handshake):
                went = await self._hold(sock, began, opened_s, min(listen_s, HELD_S))
            else:
                if isinstance(message, Hello | Transfer) and message.decoy:
                    await self._mislead(port, message, message.decoy)
                if (ttl_hops := getattr(message, "ttl_hops", None)) is not None:
                    sockets.limit(sock, ttl_hops)
                whole_s = message.seconds if isinstance(message, Transfer) else listen_s
                silent_s = whole_s if isinstance(message, Transfer) and message.upload else listen_s
                went = await pump(sock, talked, silent_s=silent_s, whole_s=whole_s)
            if isinstance(message, Payload) and went.ended == "done":
                await linger(sock, talked, went, late_s=LATE_S, until_s=went.began_s + listen_s)
            taken = went.ended != "reset" and sockets.acknowledged(sock)
            # An orderly end only where somebody is there to take part in it and no hop limit forbids it.
            orderly = went.ended in ("done", "fin") and getattr(message, "ttl_hops", None) is None
            orderly &= taken or not isinstance(message, Payload)
        except TimeoutError:
            return Replies(outcome="unanswered", local_port=port, answers=self._routers(port))
        except OSError as error:
            outcome = outcome_of(error)
            took_s = loop.time() - began if outcome in ("refused", "reset") else None
            return Replies(
                outcome=outcome, took_s=took_s, local_port=port, why=reason(error), answers=self._routers(port)
            )
        finally:
            sock.close() if orderly else sockets.abandon(sock)
        return Replies(
            outcome=held(went)
            if isinstance(message, Handshake)
            else said(message, talked, went.ended, acknowledged=taken),
            took_s=went.took_s,
            received_bytes=talked.received_bytes,
            sent_bytes=went.sent_bytes,
            span_s=went.span_s if isinstance(message, Transfer) else 0.0,
            local_port=port,
            answers=talked.answers or self._routers(port),
            heard=getattr(talked, "heard", b""),
        )

    async def _hold(self, sock: socket.socket, began: float, opened_s: float, held_s: float) -> Pumped:
        """Say nothing for a moment, and see whether the connection lives."""
        loop = asyncio.get_running_loop()
        went = Pumped(began_s=began, first_reply_s=began + opened_s)
        if await readiness(sock, loop.time() + held_s):
            try:
                went.ended = "done" if sock.recv(READ_BYTES) else "fin"
            except OSError:
                went.ended = "reset"
        else:
            went.ended = "done"
        return went

    # By hand

    async def _mislead(self, port: int, message: Hello | Transfer, wanted: Decoy) -> None:
        """Put the decoy where the first words will stand. Raises OSError without the means for it."""
        if self._inserter is None:
            raise OSError(errno.EPERM, "a decoy needs CAP_NET_RAW; run it with sudo")
        opening = b"".join(talk(message, self._seed + self._performed).open())
        words = decoy(message, opening, self._seed + self._performed)
        await self._inserter.insert(port, words, ttl_hops=wanted.ttl_hops)

    async def _craft(self, message: Crafted, listen_s: float) -> Replies:
        if self._inserter is None:
            return Replies(outcome="failed", why="crafted packets need CAP_NET_RAW; run it with sudo")
        try:
            return await self._inserter.craft(message, self._ports.fresh_crafted(), listen_s)
        except OSError as error:
            return Replies(outcome=outcome_of(error), why=reason(error))

    def _routers(self, port: int) -> tuple[str, ...]:
        return self._inserter.routers(port) if self._inserter else ()


def _repeats(message: Query | Datagram, began_s: float) -> list[float]:
    """When a datagram is said again, by the loop's clock."""
    if isinstance(message, Query):
        return []
    return [began_s + number * message.gap_s for number in range(1, message.copies)]


def held(went: Pumped) -> str:
    """The outcome of a connection on which nothing was said."""
    return {"reset": "reset", "fin": "closed"}.get(went.ended, "answered")


def outcome_of(error: OSError) -> str:
    """What a failed call of the kernel means for the step."""
    if error.errno == errno.ECONNREFUSED:
        return "refused"
    if error.errno in (errno.ECONNRESET, errno.EPIPE):
        return "reset"
    if error.errno == errno.ETIMEDOUT:
        return "unanswered"
    return "unreachable" if error.errno in UNREACHABLE else "failed"


def reason(error: OSError) -> str:
    """In the kernel's words."""
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error))
