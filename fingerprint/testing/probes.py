"""A technique's probe, led through everything that may come back: what it asks for, and whether it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle

from fingerprint.plugins import blame
from fingerprint.probing.lanes import Lane
from fingerprint.steps import Control, Query, Replies, Send, Step, Target, Wait
from fingerprint.technique import Technique

# No honest probe takes more steps, whatever comes back.
MOST_STEPS = 2_000
OUTCOMES = (
    "answered", "alert", "reset", "closed", "refused", "silent", "taken", "garbled", "stalled", "unanswered",
    "unreachable", "slow", "failed", "skipped",
)  # fmt: skip
SEEKS = ("mechanism", "location", "profile", "rate")

FULL = Target(
    name="forum.test",
    addresses=("45.83.220.10", "2a0e:97c0:220::10"),
    controls=(
        Control(name="garden.test", addresses=("45.83.221.20", "2a0e:97c0:221::20")),
        Control(name="harbor.test", addresses=("45.83.221.21",)),
        Control(name="nobody-ever-registered.test"),
    ),
    resolvers=("81.17.25.53", "45.83.222.53"),
    seed=7,
)
TARGETS: dict[str, Target] = {
    "as usual": FULL,
    "plain HTTP": replace(FULL, port=80, secure=False),
    "another port": replace(FULL, port=8443),
    "no controls": replace(FULL, controls=()),
    "no addresses": replace(FULL, addresses=()),
    "no resolvers": replace(FULL, resolvers=()),
    "IPv6 alone": replace(FULL, addresses=FULL.addresses[1:]),
    "an address for a name": replace(FULL, name="45.83.220.10", addresses=("45.83.220.10",)),
    "nothing at all": Target(name="forum.test"),
}

Answer = Callable[[Send], Replies]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a probe did: its steps, and what went wrong, None if nothing did."""

    steps: tuple[Step, ...]
    fault: str | None


def course(technique: Technique, target: Target, answer: Answer) -> Course:
    """Lead the probe to its end."""
    lane = Lane("probe", lambda: technique.probe(target))
    file = blame.file_of(type(technique).probe)
    steps: list[Step] = []
    try:
        while (step := lane.pending) is not None:
            steps.append(step)
            if len(steps) > MOST_STEPS:
                return Course(steps=tuple(steps), fault=f"takes more than {MOST_STEPS} steps")
            lane.answer(answer(step) if isinstance(step, Send) else None)
    except Exception as error:  # noqa: BLE001  # whatever a plugin raises is what is looked for
        return Course(steps=tuple(steps), fault=f"{blame.at(error, file)}: {blame.said(error)}")
    finally:
        lane.close()
    return Course(steps=tuple(steps), fault=None)


def answers() -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Ways in which the far end may answer: always so; so for targets only; one after the other."""
    for outcome in OUTCOMES:
        yield f"everything {outcome}", partial(_always, outcome, outcome)
        yield f"targets {outcome}", partial(_always, outcome, "answered")
    yield "everything by turns", _by_turns


def _always(outcome: str, of_controls: str) -> Answer:
    return lambda step: replied(step, of_controls if step.role == "control" else outcome)


def _by_turns() -> Answer:
    turns = cycle(OUTCOMES)
    return lambda step: replied(step, next(turns))


def replied(step: Send, outcome: str) -> Replies:
    """Replies that fit a step and its outcome."""
    spoke = outcome in ("answered", "alert", "slow", "garbled", "stalled")
    return Replies(
        outcome=outcome,
        took_s=0.05 if spoke or outcome in ("reset", "closed", "refused") else None,
        received_bytes=4_000 if spoke else 0,
        sent_bytes=517,
        span_s=1.0 if spoke else 0.0,
        local_port=None if outcome in ("failed", "skipped") else 40_001,
        answers=("45.83.220.10",) if spoke and isinstance(step.message, Query) else (),
        heard=b"\x00\x01" if spoke else b"",
        why="no route" if outcome == "failed" else "",
    )


def complaints(technique: Technique) -> Iterator[str]:
    """What is wrong with a technique's probe, sentence by sentence; each kind once."""
    told: set[str] = set()
    for which, target in TARGETS.items():
        for how, made in answers():
            ways = f"{which}, {how}"
            first = course(technique, target, made())
            found = [first.fault] if first.fault else []
            found += [wrong for step in first.steps if (wrong := of_step(step, technique))]
            if not found and course(technique, target, made()).steps != first.steps:
                found.append("takes other steps the second time; draw from target.shuffled() only")
            for sentence in found:
                if sentence not in told:
                    told.add(sentence)
                    yield f"probe ({ways}): {sentence}"


def of_step(step: Step, technique: Technique) -> str | None:
    """What is wrong with one step."""
    if isinstance(step, Wait):
        return None if 0 <= step.seconds <= 3600 else f"waits for {step.seconds!r} seconds"
    if not isinstance(step.label, str) or not step.label.strip():
        return f"a step has no label: {step.message!r:.80}"
    if step.role not in ("target", "control"):
        return f"{step.label!r} has the role {step.role!r}; want target or control"
    if step.seeks not in SEEKS:
        return f"{step.label!r} seeks {step.seeks!r}; want one of {', '.join(SEEKS)}"
    if not 0 < step.listen_s <= 600:
        return f"{step.label!r} listens for {step.listen_s!r} seconds"
    stray = [clue.id for clue in step.shows if clue not in type(technique).clues]
    return f"{step.label!r} could show {stray[0]!r}, which is not in `clues`" if stray else None
