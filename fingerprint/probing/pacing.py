"""Who may speak to which address now: one conversation at a time, and silence for the residual window after a block.

A box that has seen a trigger may block the pair for innocent names too, for minutes: what is sent meanwhile shows the
earlier trigger and nothing else. Steps on other addresses go on, and so do those that measure that window's scope.
All targets of a run share one `Pacing`, so that two of them on one address do not disturb each other.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from fingerprint.steps import Crafted, Datagram, Message, Query, Replies, Send, Transfer

# Transfers of a run never share the line: each would be the other's congestion.
LINE = "the line"
# What a step may meet that leaves a block behind; a query over UDP never does (no device of the field does so).
BLOCKS = frozenset({"reset", "closed", "silent", "stalled", "unanswered", "refused", "garbled"})


def address_of(message: Message) -> str:
    """The far end of a message."""
    return message.resolver if isinstance(message, Query) else message.address


def place_of(message: Message) -> str:
    """What only one step at a time may use. What goes over UDP is no concern of connections to the same address."""
    address = address_of(message)
    over_udp = isinstance(message, Datagram) or (isinstance(message, Query) and message.over == "udp")
    return f"{address} over UDP" if over_udp else address


def may_have_triggered(step: Send, replies: Replies) -> bool:
    """Whether a residual window must be assumed after this step."""
    message = step.message
    if step.role == "control" or (isinstance(message, Query) and message.over == "udp"):
        return False
    if isinstance(message, Crafted):
        return True
    expired = getattr(message, "ttl_hops", None) is not None and replies.outcome == "silent" and bool(replies.answers)
    return replies.outcome in BLOCKS and not expired  # a router far from the box sent it back: the box never saw it


class Pacing:
    """Addresses in use, and until when others rest."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        """``now_ns`` is the carrier's clock."""
        self._now_ns = now_ns
        self._busy: set[str] = set()
        self._rests_until_ns: dict[str, int] = {}
        self._freed = asyncio.Event()

    def wait_s(self, step: Send) -> float:
        """Seconds until the step may be taken; infinite while its address is in use."""
        if self._busy & self._keys(step):
            return math.inf
        if step.at_once:
            return 0.0
        until_ns = self._rests_until_ns.get(place_of(step.message), 0)
        return max(0, until_ns - self._now_ns()) / 1e9

    def enter(self, step: Send) -> None:
        """The step is being taken."""
        self._busy |= self._keys(step)

    def leave(self, step: Send, replies: Replies | None, residual_s: float) -> None:
        """It is through; without replies it was interrupted and must be taken for a trigger."""
        self._busy -= self._keys(step)
        if replies is None or may_have_triggered(step, replies):
            until_ns = self._now_ns() + int(residual_s * 1e9)
            place = place_of(step.message)
            self._rests_until_ns[place] = max(until_ns, self._rests_until_ns.get(place, 0))
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    async def freed(self) -> None:
        """Return when some address is out of use again."""
        await self._freed.wait()

    @staticmethod
    def _keys(step: Send) -> set[str]:
        keys = {place_of(step.message)}
        return keys | {LINE} if isinstance(step.message, Transfer) else keys
