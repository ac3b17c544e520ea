"""What a run may cost a target, and what it has cost so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fingerprint.steps import Crafted, Datagram, Handshake, Hello, Message, Payload, Query, Replies, Request, Transfer

# A policer makes servers send a fifth again (laboratory); headers take a twentieth of full segments and more of others.
REPEATED_RATIO = 1.35
# Headers of Ethernet, IP and TCP with timestamps, as a recorder counts them.
HEADER_BYTES = 66
# A handshake, its end, the server's certificates and a small page, with what is sent again.
HELLO_BYTES, HELLO_PKTS = 20_000, 60
# What is counted of any connection: its handshake and end, and a small hello that is repeated until nobody listens.
LEAST_BYTES, LEAST_PKTS = 9_000, 28
# Less than this moves nothing that a comparison could use.
LEAST_TRANSFER_BYTES = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that is spent on one target, both directions together."""

    packets: int = 50_000
    size_bytes: int = 20_000_000
    seconds: float = 3600.0


def worst(message: Message) -> tuple[int, int]:
    """Packets and bytes on the wire that a message may cost, everything that is sent again included."""
    match message:
        case Query():
            return (12, 6_000) if message.over == "tcp" else (4, 5_000)
        case Handshake():
            return 16, 1_200
        case Hello() | Request():
            return HELLO_PKTS, HELLO_BYTES
        case Transfer():
            moved = int(message.size_bytes * REPEATED_RATIO)
            return HELLO_PKTS + moved // 600, HELLO_BYTES + moved + moved // 10
        case Payload():
            return HELLO_PKTS, HELLO_BYTES
        case Datagram():
            return 2 * message.copies, 2 * message.copies * (len(message.payload) + HEADER_BYTES)
        case Crafted():
            return 2 * len(message.packets), 2 * sum(len(p) + HEADER_BYTES for p in message.packets)


class Purse:
    """The budget of one target while it is spent. A step is paid at its worst before, and at its cost afterwards."""

    def __init__(self, budget: Budget) -> None:
        """Nothing is spent yet."""
        self.budget = budget
        self.packets = self.size_bytes = 0

    def fitting(self, message: Message) -> Message | None:
        """The message as it can be afforded, a transfer perhaps shorter; None if it cannot."""
        if self._affords(message):
            return message
        if not isinstance(message, Transfer):
            return None
        left = min(
            (self.budget.size_bytes - self.size_bytes - HELLO_BYTES) / 1.1,
            (self.budget.packets - self.packets - HELLO_PKTS) * 600,
        )
        shorter = replace(message, size_bytes=min(message.size_bytes, int(left / REPEATED_RATIO) - 1))
        return shorter if shorter.size_bytes >= LEAST_TRANSFER_BYTES and self._affords(shorter) else None

    def _affords(self, message: Message) -> bool:
        packets, size_bytes = worst(message)
        return self.packets + packets <= self.budget.packets and self.size_bytes + size_bytes <= self.budget.size_bytes

    def reserve(self, message: Message) -> None:
        """Pay for a message before it is sent."""
        packets, size_bytes = worst(message)
        self.packets += packets
        self.size_bytes += size_bytes

    def at_least(self, packets: int, size_bytes: int) -> None:
        """So much was recorded: it is spent, whatever was reckoned."""
        self.packets, self.size_bytes = max(self.packets, packets), max(self.size_bytes, size_bytes)

    def settle(self, message: Message, replies: Replies | None) -> None:
        """Take back what a connection did not use; queries cost too little to be counted twice."""
        if not isinstance(message, Transfer | Hello | Request) or replies is None:
            return
        if isinstance(message, Transfer) and message.upload and replies.outcome != "answered":
            return  # of what was sent, more may have been lost than anybody acknowledged
        packets, size_bytes = worst(message)
        used = int((replies.sent_bytes + replies.received_bytes) * REPEATED_RATIO)
        self.packets -= max(0, packets - LEAST_PKTS - used // 600)
        self.size_bytes -= max(0, size_bytes - LEAST_BYTES - used - used // 10)
