"""What carries steps: the kernel's sockets on a live wire, or a simulated path in virtual time.

The engine knows nothing else of the world. It asks the clock, performs steps, and reads the recording so far.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fingerprint.steps import Message, Replies


class Carrier(Protocol):
    """Performs messages and records every packet of them."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, by the clock that stamps the recording."""

    async def perform(self, message: Message, *, listen_s: float) -> Replies:
        """Put the message on the wire and listen. Never raises for what a network does: see `Replies.outcome`."""

    async def wait(self, seconds: float) -> None:
        """Let that much time pass."""

    async def flush(self) -> Path:
        """The recording so far, complete up to now, as a readable capture."""


class Talk(Protocol):
    """The bytes of one TCP conversation, without any IO: what to write, given what was heard.

    `fingerprint.probing.talks.talk` makes one for a message. Each piece that is returned is a segment of its own, or
    several full ones where it is longer than one (the records of an upload). A query over UDP is a conversation too:
    each piece and each feed is a datagram.
    """

    def open(self) -> tuple[bytes, ...]:
        """What is written once the connection stands."""

    def feed(self, heard: bytes) -> tuple[bytes, ...]:
        """What is written in answer to these bytes."""

    @property
    def done(self) -> bool:
        """Nothing more is wanted; the connection may be closed."""

    @property
    def received_bytes(self) -> int:
        """Payload heard so far."""

    @property
    def outcome(self) -> str:
        """``answered``, ``alert`` or ``garbled`` by what was heard so far, ``silent`` if nothing was.

        `fingerprint.probing.talks.said` makes a `Replies.outcome` of it, given how the connection ended.
        """

    @property
    def answers(self) -> tuple[str, ...]:
        """Addresses that the answers to a query gave so far."""
