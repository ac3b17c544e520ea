"""Transfers of target and control in turns, from the same server, equally long, down and up.

The first pair is small. Only if the target was slower is it repeated, longer until it lasts as long as the statistics
need, and never beyond `Target.transfer_bytes`. Where the server has nothing for the control's name, the control is
fetched from its own server.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count

from fingerprint.probing.sweep import Beam, armed_sweep, control_sweep
from fingerprint.steps import Decoy, Hello, Probe, Replies, Send, Target, Transfer
from fingerprint.technique import Clue

FIRST_BYTES = 1_000_000
# Below this a transfer never leaves slow start (ten segments to begin with, RFC 6928).
LEAST_BYTES = 50_000
# The smallest cap on bytes that is known freezes a flow after about 15 KB (net4people/bbs#490).
CAP_BYTES = 12_000
# Slower than this share of the control is worth another turn.
SLOWER_RATIO = 0.6
UNKNOWN_RTT_S = 0.2


class TurnsTaken:
    """The steps; ``seconds`` is how long one transfer may take."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], turns: int, seconds: float) -> None:
        """``turns`` pairs at most in each direction."""
        self.target, self.shows, self.turns, self.seconds = target, shows, turns, seconds
        self.trials = count(1)
        self.slow = self.blocked = False
        self.rtt_s = UNKNOWN_RTT_S

    def steps(self) -> Probe:
        """Downloads, uploads, and the place of what slows them."""
        if not self.target.addresses or not self.target.controls:
            return
        address = self.target.addresses[0]
        for up in (False, True):
            slow = yield from self._direction(address, up=up)
            self.slow |= slow
            if self.blocked:
                break
        if self.slow:
            yield from self._place(address)

    def _direction(self, address: str, *, up: bool) -> Generator[Send, Replies | None, bool]:
        size_bytes, where, slow = min(FIRST_BYTES, self.target.transfer_bytes), address, False
        control = self.target.controls[0]
        for number in range(self.turns):
            trial = next(self.trials)
            free = yield self._send(where, control.name, size_bytes, "control", trial, up=up)
            if free is None or free.outcome in ("skipped", "failed"):
                return slow
            if not up:
                self.rtt_s = free.took_s or self.rtt_s
            if moved_bytes(free, up=up) < LEAST_BYTES:
                if number or up or not control.addresses:
                    return slow
                where = control.addresses[0]  # this server has nothing under that name
                free = yield self._send(where, control.name, size_bytes, "control", trial, up=up)
                if free is None or moved_bytes(free, up=up) < LEAST_BYTES:
                    return slow
            mine = yield self._send(address, self.target.name, size_bytes, "target", trial, up=up)
            if mine is None or not self._flowed(mine, up=up):
                self.blocked = mine is not None and mine.outcome not in ("skipped", "failed")
                return slow  # what is blocked outright is the question of other techniques
            if pace(mine, up=up) > SLOWER_RATIO * pace(free, up=up):
                return slow
            slow = True
            if mine.outcome == "answered" and mine.span_s < self.seconds / 2:
                size_bytes = min(4 * size_bytes, self.target.transfer_bytes)
        return slow

    def _flowed(self, mine: Replies, *, up: bool) -> bool:
        """Whether a transfer was slow or fast at all, and not cut off before any cap on bytes that is known."""
        moved, cut_s = moved_bytes(mine, up=up), self.seconds / 2
        cut_off = moved < CAP_BYTES and mine.span_s < cut_s and mine.outcome != "answered"
        return mine.outcome in ("answered", "slow") and moved > 0 and not cut_off

    def _send(self, address: str, name: str, size_bytes: int, role: str, trial: int, *, up: bool) -> Send:
        return Send(
            Transfer(
                address=address, port=self.target.port, name=name, secure=self.target.secure, path=self.target.path,
                size_bytes=size_bytes, seconds=self.seconds, upload=up,
            ),
            label=f"{'upload to' if up else 'download from'} {address} as {name}",
            role=role,
            listen_s=self.seconds,
            shows=self.shows,
            trial=trial,
        )  # fmt: skip

    def _place(self, address: str) -> Generator[Send, Replies | None, tuple[int, int] | None]:
        """A limiter sees the decoy and slows the control: how far the decoy must go."""
        t, control = self.target, self.target.controls[0].name
        beam = Beam(
            message=lambda name, hops: Hello(address=address, port=t.port, name=name, ttl_hops=hops),
            address=address, control=control, trigger=t.name, full="slow", what=f"download from {address}", hops=t.hops,
            rtt_s=self.rtt_s, trials=self.trials,
        )  # fmt: skip
        way = yield from control_sweep(beam)
        if way.reach_hops is None:
            return None

        def armed(hops: int) -> Transfer:
            return Transfer(
                address=address, port=t.port, name=control, secure=t.secure, path=t.path,
                size_bytes=min(FIRST_BYTES, t.transfer_bytes), seconds=self.seconds / 2,
                decoy=Decoy(name=t.name, ttl_hops=hops),
            )  # fmt: skip

        return (
            yield from armed_sweep(
                armed, lambda r: r.outcome == "slow", beam=beam, reach_hops=way.reach_hops, listen_s=self.seconds / 2
            )
        )


def moved_bytes(replies: Replies, *, up: bool) -> int:
    """What a transfer carried in its own direction."""
    return replies.sent_bytes if up else replies.received_bytes


def pace(replies: Replies, *, up: bool) -> float:
    """Bytes a second, from the first byte to the last; of a stream that froze, over all the time it had."""
    return moved_bytes(replies, up=up) / max(replies.span_s, replies.took_s or 0.0, 1e-3)
