"""The state of a target, in the order of DESIGN section 5, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fingerprint.conversations.openings import Opening
from fingerprint.conversations.quic.attempts import QuicAttempt
from fingerprint.conversations.quic.flows import QuicFlow
from fingerprint.conversations.streams import Stream
from fingerprint.technique import Cited
from fingerprint.verdict.model import Cause, Mechanism
from fingerprint.verdict.targets import Target

# Sentences about a failure that nobody explained: what was seen, and the step that would settle it.
UNEXPLAINED: dict[str, tuple[str, str]] = {
    "unanswered": (
        "connection requests were never answered",
        "try the address from a second vantage, and another port of it from this one",
    ),
    "refused": ("connections were refused", "try the address from a second vantage"),
    "unacknowledged": (
        "the request was sent and never acknowledged",
        "send another name of equal length to the same address, and this name to another address",
    ),
    "part-acknowledged": (
        "a part of the request was never acknowledged",
        "send a hello that fits one segment to the same address",
    ),
    "silent": (
        "the request was acknowledged and never answered",
        "send another name to the same address, and this name from a second vantage",
    ),
    "reset": ("the connection was reset after the request", "send another name of equal length to the same address"),
    "closed": ("the connection was closed without an answer", "send another name of equal length to the same address"),
    "cut": (
        "the answer began and the connection was reset before the exchange was through",
        "repeat with another name of equal length on the same address",
    ),
    "stalled": (
        "the answer began and nothing more came or was heard on either side",
        "send another name of equal length to the same address",
    ),
    "alert": ("the server side answered with a TLS alert", "send this name to the address from a second vantage"),
    "unseen": ("packets from the server were not captured", "capture both directions"),
}


# The same for a name that was only looked up: what the answers gave, and the next step.
LOOKED_UP = {
    "addresses": ("the name was looked up and no connection followed", "connect to the address that was answered"),
    "none": ("no answer gave an address for the name", "ask another resolver for it"),
    "silence": ("the query for the name was not answered", "ask the same resolver for another name"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """State, reach, cause and advice for one target."""

    state: str
    reach: str
    cause: Cause | None
    next: tuple[str, ...]


# DESIGN, "What a qualifier needs": a limit without a control that runs free is no censorship, and no clean bill either.
SLOWED = Answer(
    state="insufficient",
    reach="none",
    cause=Cause(
        hypothesis="undecided",
        posterior=None,
        says="a limit held a transfer back; whether it is meant for this name or address is open",
    ),
    next=("repeat the transfer in turns with another name of equal length on the same address",),
)


# Interference that looks like work done: something came back.
ANSWERS = frozenset({"blockpage", "redirect", "injection", "error"})
# From here on, ten times the prior, an answer is not called the server's any more.
DOUBTFUL = 0.1
DOUBTED = Answer(
    state="insufficient",
    reach="none",
    cause=Cause(
        hypothesis="undecided",
        posterior=None,
        says="an answer came that may not be the server's; whether its owner, the network's or somebody between gave it"
        " is open",
    ),
    next=("ask for the same page from a second vantage, and sweep the TTL of the request beside another host's",),
)


def answer(
    target: Target,
    mechanisms: Sequence[Mechanism],
    causes: Sequence[Cause],
    explained: Collection[str],
    controls: Sequence[Target] = (),
) -> Answer:
    """The state of a target; ``explained`` holds the trials whose failure has a known innocent or earlier cause.

    ``controls`` are the targets that a script calls so, at this vantage.
    """
    if mechanisms:
        return Answer(state="blocked", reach=_reach(target, mechanisms), cause=None, next=_confirm(mechanisms))
    open_failures = [o for o in target.failed if o.stream.trial not in explained and not _passed_again(o, target)]
    open_quic = [a for a in target.quic_failed if a.trial not in explained]
    done = bool(_at_home(target)) or not target.failed
    if target.completed and done and not open_failures and not open_quic:
        work = target.completed[0]
        says = f"{len(target.completed)} of {len(target.completed) + len(target.failed)} connections did their work"
        return _plain(
            "ok", Cause(hypothesis="ordinary", posterior=None, says=says), f"nothing: {work.endpoint} answered"
        )
    if open_failures and all(o.outcome == "unseen" for o in open_failures) and not target.completed:
        says, todo = UNEXPLAINED["unseen"]
        return _plain("invalid", Cause(hypothesis="capture-fault", posterior=None, says=says), todo)
    if open_failures and _controls_failed(open_failures, controls):
        says = "every control that was sent to the same address failed as well"
        cause = Cause(hypothesis="controls-failed", posterior=None, says=says)
        return _plain("invalid", cause, "run again with controls that pass")
    best = max(causes, key=lambda c: c.posterior or 0.0, default=None)
    if best is not None and not open_failures and target.failed:
        state = "invalid" if best.hypothesis == "capture-fault" else "down"
        return _plain(state, best, "measure again later and from a second vantage to see whether it follows the server")
    return _undecided(target, open_failures, open_quic)


def _controls_failed(failures: Sequence[Opening], controls: Sequence[Target]) -> bool:
    """Whether controls failed where this target did, and none of them passed there."""
    places = {o.stream.server for o in failures}
    passed = {s.server for c in controls for s in c.completed}
    failed = {o.stream.server for c in controls for o in c.failed}
    return bool(places & failed) and not places & passed


def _undecided(target: Target, failures: Sequence[Opening], quic: Sequence[QuicAttempt]) -> Answer:
    if quic and not failures:
        where = quic[0].flow.endpoint
        says = f"{where} speaks QUIC and left {len(quic)} connections unanswered, and nothing beside them tells why"
        todo = "send an Initial with another name, and one in another version, to the same address and to others"
        return _plain("insufficient", Cause(hypothesis="undecided", posterior=None, says=says), todo)
    if failures:
        counted: dict[str, int] = {}
        for o in failures:
            counted[o.outcome] = counted.get(o.outcome, 0) + 1
        most = max(counted, key=lambda k: (counted[k], k))
        says, todo = UNEXPLAINED[most]
        tried = len(target.failed) + len(target.completed)
        says = f"{says} ({counted[most]} of {tried} connections), and nothing beside them tells why"
        return _plain("insufficient", Cause(hypothesis="undecided", posterior=None, says=says), todo)
    if target.quic_unanswered and not target.completed and not target.idle:
        says = (
            f"QUIC was tried {len(target.quic_unanswered)} times and not answered, as by servers that do not speak it"
        )
        todo = "try TCP on port 443 of the same address, and QUIC with another name there"
        return _plain("insufficient", Cause(hypothesis="undecided", posterior=None, says=says), todo)
    if target.datagrams and not target.completed and not target.idle:
        answered = sum(f.answered for f in target.datagrams)
        says = f"{answered} of {len(target.datagrams)} UDP flows were answered; silence on UDP is ordinary"
        todo = "send other bytes of equal length to the same port, and these bytes to another one"
        return _plain("insufficient", Cause(hypothesis="undecided", posterior=None, says=says), todo)
    if target.lookups and not target.completed and not target.idle:
        says, todo = LOOKED_UP[_answered(target)]
        return _plain("insufficient", Cause(hypothesis="undecided", posterior=None, says=says), todo)
    says = "no request was sent or its answer lies outside the capture"
    return _plain(
        "insufficient", Cause(hypothesis="undecided", posterior=None, says=says), "capture a whole connection"
    )


def _answered(target: Target) -> str:
    if any(lookup.addresses for lookup in target.lookups):
        return "addresses"
    return "none" if any(lookup.answers for lookup in target.lookups) else "silence"


def _plain(state: str, cause: Cause, todo: str) -> Answer:
    return Answer(state=state, reach="none", cause=cause, next=(todo,))


def _passed_again(failure: Opening, target: Target) -> bool:
    """The same name passed at the same address after this failure, so the failure was of this one connection."""
    if any(s.server == failure.stream.server and s.first_ns >= failure.stream.first_ns for s in target.completed):
        return True
    if failure.outcome == "unanswered" and _only_that_port(failure, target):
        return False
    return failure.outcome in ("unanswered", "closed", "unseen") and bool(_at_home(target))


def _only_that_port(failure: Opening, target: Target) -> bool:
    """Another port of the address worked and this one never did: no loser of a race, which another address wins."""
    address, port = failure.stream.server
    there = [s.server.port for s in target.completed if s.server.address == address]
    return bool(there) and port not in there


def _at_home(target: Target) -> list[Stream | QuicFlow]:
    """Work that was done where the name lives, as far as the capture tells: a host of others does it no service."""
    return [s for s in target.completed if s.trial not in target.away]


def _reach(target: Target, mechanisms: Sequence[Mechanism]) -> str:
    if all(".throttle" in m.node for m in mechanisms):
        return "degraded"
    if (
        target.completed
        and not target.failed
        and all(m.node.startswith("dns.") and m.position == "on-path" for m in mechanisms)
    ):
        return "none"  # the forged answer lost its race: attempted, not effective
    convicted = {c for m in mechanisms for w in m.evidence for c in w.evidence.packets}
    whole = [s for s in target.completed if not _shares(s.capture, s.rows[0] + 1, s.rows[-1] + 1, convicted)]
    return "partial" if whole else "full"


def _shares(capture: int, first: int, last: int, cited: Collection[Cited]) -> bool:
    return any(c.capture == capture and first <= c.number <= last for c in cited)


def _confirm(mechanisms: Sequence[Mechanism]) -> tuple[str, ...]:
    out = []
    for m in mechanisms:
        if m.trigger is None:
            out.append("repeat with another name of equal length on the same address to find the trigger")
        elif m.position == "unknown":
            out.append("sweep the TTL of the trigger, with a control sweep beside it, to find where it sits")
        else:
            out.append("repeat from another provider to see whether the same device answers there")
    return tuple(dict.fromkeys(out))
