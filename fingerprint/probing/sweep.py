"""Where it sits: the trigger sent with a growing number of hops, beside a control, and the link that this names.

The control goes first, once for every TTL: it tells how far the far end is and which routers answer. The trigger is
then sent as few times as bisection needs, for each may leave a block behind (the engine keeps the residual window).
What a trigger meets when it dies after k hops is

- interference at once, if all that is needed for it stands within k hops (an injector, a device that resets),
- silence without the router's word, where the control had it, if something before that router drops it,
- the router's word alone, if it met nothing.

What copies the TTL of the trigger answers with packets that die on their way back; it is told by longer triggers.

Interference that needs the server's answer (rewriting it, counting its packets, slowing it) shows nothing of the kind.
There the true hello names the control and travels all the way, and a decoy with the trigger dies after k hops in
front of it: the connection suffers if the decoy reached the box. That needs raw insertion; without it the reply is
``failed``.

Destination, ports and the fields that routers hash stay as they are from step to step but for the source port, which
kernel sockets choose; it is in the script, so that the analysis can tell paths apart.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from fingerprint.steps import Message, Replies, Send

Located = tuple[int, int]
# What is over sooner than the far end answers needs less; a trigger that is dropped is sent twice meanwhile (RFC 6298).
LEAST_S, MOST_S = 0.3, 2.0
# So many different TTLs tell a copied one from any other.
MIRRORED = 3
# In a row, beyond the last router that answered: behind so many silent hops nothing answers any more.
SILENT_HOPS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """What is swept: ``message`` for a name and a TTL, and what the trigger meets at full length (``full``)."""

    message: Callable[[str, int], Message]
    address: str
    control: str
    trigger: str
    full: str  # outcome of the trigger without a limit
    what: str  # "hello", for labels
    hops: int
    rtt_s: float  # of the far end, as the control showed it
    trials: Iterator[int]

    @property
    def control_s(self) -> float:
        """How long a control that dies on the way is listened to."""
        return min(MOST_S, max(LEAST_S, 2 * self.rtt_s + 0.1))

    @property
    def trigger_s(self) -> float:
        """How long a trigger is: what answers it may be slower than a router."""
        return min(MOST_S, max(2 * LEAST_S, 4 * self.rtt_s + 0.3))


@dataclass(slots=True)
class Way:
    """What the control sweep found: hops to the far end, and those whose router answered."""

    reach_hops: int | None = None
    heard: frozenset[int] = frozenset()

    @property
    def bound_hops(self) -> int:
        """So far nothing comes as far as the far end, and what is sent farther may; 0 if that is unknown."""
        return self.reach_hops or max(self.heard, default=-1) + 1


def trigger_sweep(beam: Beam, way: Way) -> Generator[Send, Replies | None, Located | None]:
    """Bisect the reach of the trigger on a way that the control has shown."""
    if not way.bound_hops:
        return None
    dropped = beam.full in ("silent", "unanswered")
    low, high, reported = 0, way.bound_hops, False
    while True:
        between = [k for k in range(low + 1, high) if k in way.heard or not dropped]
        if not between:
            break
        k = between[len(between) // 2]
        replies = yield _send(beam, beam.trigger, k, role="target")
        met = interfered(replies, dropped=dropped)
        if met is None:
            return None
        low, high = (low, k) if met else (k, high)
        reported |= met and bool(replies and replies.answers)
    if high == way.bound_hops:
        return None  # nothing short of the far end sets it off: it may be the far end
    if not reported:  # a router's lost word looks as if the trigger were dropped before it: once more
        replies = yield _send(beam, beam.trigger, high, role="target")
        if not interfered(replies, dropped=dropped):
            return None
    return low, high


def mirror_sweep(beam: Beam, way: Way) -> Generator[Send, Replies | None, None]:
    """Triggers that reach farther and farther beyond: an injector that copies their TTL is told by what arrives of it.

    Behind h routers its answer to t hops arrives with t - 2 h left, and not at all while that is below one. It stands
    before the far end, so that twice as far is far enough.
    """
    for k in range(2 * way.bound_hops - 1, 2 * way.bound_hops - 1 + MIRRORED):
        yield _send(beam, beam.trigger, k, role="target")


def control_sweep(beam: Beam) -> Generator[Send, Replies | None, Way]:
    """How far the far end is, asked with a name that nobody minds."""
    heard: set[int] = set()
    trial = next(beam.trials)
    for k in range(1, beam.hops + 1):
        replies = yield _send(beam, beam.control, k, role="control", trial=trial)
        if replies is None or replies.outcome in ("skipped", "failed"):
            return Way()
        arrived = replies.outcome in ("reset", "closed", "refused", "taken") or beam.address in replies.answers
        if replies.passed or arrived:
            return Way(reach_hops=k, heard=frozenset(heard))
        if replies.answers:
            heard.add(k)
        if k - max(heard, default=0) > SILENT_HOPS:
            break
    return Way(heard=frozenset(heard))


def armed_sweep(
    message: Callable[[int], Message],
    suffers: Callable[[Replies], bool],
    *,
    beam: Beam,
    reach_hops: int,
    listen_s: float,
) -> Generator[Send, Replies | None, Located | None]:
    """Bisect the reach of a decoy; ``message`` names the control and carries a decoy of that many hops."""
    low, high = 0, reach_hops
    while high - low > 1:
        k = (low + high) // 2
        label = f"{beam.what} naming {beam.control}, behind a decoy for {beam.trigger} of {k} hops"
        replies = yield Send(message(k), label=label, listen_s=listen_s, seeks="location", trial=next(beam.trials))
        if replies is None or replies.outcome in ("failed", "skipped"):
            return None
        low, high = (low, k) if suffers(replies) else (k, high)
    return (low, high) if high < reach_hops else None


def interfered(replies: Replies | None, *, dropped: bool) -> bool | None:
    """Whether a trigger that could not reach the far end met something; None if it was not sent."""
    if replies is None or replies.outcome in ("failed", "skipped"):
        return None
    if replies.outcome in ("silent", "unanswered", "unreachable"):
        return dropped and not replies.answers
    return True


def _send(beam: Beam, name: str, hops: int, *, role: str, trial: int | None = None) -> Send:
    return Send(
        beam.message(name, hops),
        label=f"{beam.what} for {name}, {hops} hops",
        role=role,
        listen_s=beam.control_s if role == "control" else beam.trigger_s,
        seeks="location",
        trial=next(beam.trials) if trial is None else trial,
    )
