"""The client's side of one conversation: a `Talk` between it and the simulated TCP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fingerprint.lab.simulated.clock import Clock
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.tcp import Connection
from fingerprint.probing.carrier import Talk
from fingerprint.probing.talks import Ended


@dataclass(slots=True)
class Went:
    """How it went, by the virtual clock."""

    began_ns: int
    opened: bool = False
    failed: str = ""  # refused, unreachable, reset, time: before it was open
    ended: Ended | None = None
    cut: bool = False  # a reset came, perhaps after the talk was done
    first_reply_ns: int | None = None
    moved_ns: list[int] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Nothing more is to be waited for."""
        return bool(self.failed) or self.ended is not None

    @property
    def took_s(self) -> float | None:
        """From the first byte said to the first sign of the far end."""
        return None if self.first_reply_ns is None else (self.first_reply_ns - self.began_ns) / 1e9

    @property
    def span_s(self) -> float:
        """From the first payload to the last."""
        return (self.moved_ns[-1] - self.moved_ns[0]) / 1e9 if self.moved_ns else 0.0

    def replied(self, now_ns: int) -> None:
        """The far end gave a sign."""
        if self.first_reply_ns is None:
            self.first_reply_ns = now_ns

    def moved(self, now_ns: int) -> None:
        """Payload was said or heard."""
        self.moved_ns[:] = [self.moved_ns[0] if self.moved_ns else now_ns, now_ns]


class Speaker(App):
    """Says what the talk wants to say. ``before`` is done between handshake and first word."""

    def __init__(self, talk: Talk, clock: Clock, *, before: Callable[[Connection], None] = lambda _: None) -> None:
        self.talk, self._clock, self._before = talk, clock, before
        self.went = Went(clock.now_ns)
        self.connection: Connection | None = None

    def opened(self, connection: Connection) -> None:
        """Begin to speak."""
        self.connection = connection
        self.went.opened, self.went.began_ns = True, self._clock.now_ns
        self._before(connection)
        self._say(self.talk.open())

    def received(self, connection: Connection, data: bytes) -> None:  # noqa: ARG002  # the one that was opened
        """Hear, and answer."""
        if self.went.ended is not None:
            return
        self.went.replied(self._clock.now_ns)
        self.went.moved(self._clock.now_ns)
        self._say(self.talk.feed(data))
        if self.talk.done:
            self.went.ended = "done"

    def drained(self, connection: Connection) -> None:
        """An upload moves while it is acknowledged."""
        if connection.acknowledged_bytes and self.went.ended is None:
            self.went.moved(self._clock.now_ns)

    def ended(self, connection: Connection) -> None:  # noqa: ARG002  # closed by whoever waits
        """The far end closed."""
        self.went.replied(self._clock.now_ns)
        self.went.ended = self.went.ended or "fin"

    def broken(self, connection: Connection, why: str) -> None:  # noqa: ARG002  # it is gone
        """The connection is no more."""
        if not self.went.opened:
            self.went.failed = why
            return
        if why == "reset":
            self.went.cut = True
            self.went.replied(self._clock.now_ns)
        self.went.ended = self.went.ended or ("reset" if why == "reset" else "time")

    def _say(self, pieces: Iterable[bytes]) -> None:
        assert self.connection is not None
        for piece in pieces:
            self.went.moved(self._clock.now_ns)
            self.connection.send(piece, apart=True)
