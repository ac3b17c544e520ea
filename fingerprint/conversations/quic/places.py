"""QUIC connections side by side: which names and versions a server answered, which it did not, and in which order.

What a name leaves behind is told from the order as well. Some boxes let the Initial with a minded name pass and then
drop whatever the client sends to that address and port, under any name, for a while (Zohaib et al., USENIX Security
2025): names that are answered otherwise fall silent right after it, and after no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fingerprint.conversations.quic import attempts as tried
from fingerprint.conversations.quic.attempts import QuicAttempt, offered
from fingerprint.technique import Interval

# The longest residual window on record: TSPU 420 s (Xue et al., IMC 2022).
RESIDUAL_S = 420.0
# DESIGN, "What a qualifier needs": a control elsewhere counts within a minute.
BESIDE_S = 60.0
# Fewer Initials, nearer to one another or listened to for less, may be lost, or a client's that gives up: RFC 9002
# section 6.2 doubles a pause that begins below a second.
COPIES, SPREAD_S, LISTENED_S = 3, 1.0, 2.0
# Once is an accident.
SEVERAL = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Silencing:
    """One Initial that was answered, and the silence that fell after it."""

    trigger: QuicAttempt
    silent: tuple[QuicAttempt, ...]
    ended: QuicAttempt | None  # the first that was answered again


@dataclass(kw_only=True, eq=False)
class QuicPlace:
    """All that one client tried at one address and port, in order of time."""

    client: str
    address: str
    port: int
    attempts: list[QuicAttempt] = field(default_factory=list)

    @property
    def passed(self) -> list[QuicAttempt]:
        """What was answered there."""
        return [a for a in self.attempts if a.passed]

    @cached_property
    def names(self) -> tuple[QuicTried, ...]:
        """Every name of which something failed here."""
        return _names(self)

    @property
    def versions_offered(self) -> frozenset[str]:
        """The versions that Version Negotiations from there list."""
        return frozenset(v for a in self.attempts for v in offered(a))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuicTried:
    """One name at one place: what failed that no earlier trigger explains, what passed, and what passed beside it."""

    name: str
    place: QuicPlace
    silent: tuple[QuicAttempt, ...]  # never answered
    deaf: tuple[QuicAttempt, ...]  # answered once, and nothing afterwards was heard
    silencings: tuple[Silencing, ...]
    passed: tuple[QuicAttempt, ...]
    others: tuple[QuicAttempt, ...]  # of other names, answered there in the version that failed
    fellows: tuple[QuicAttempt, ...]  # of other names, not answered there

    @property
    def failures(self) -> tuple[QuicAttempt, ...]:
        """Everything that went wrong, in order of time."""
        every = (*self.silent, *self.deaf, *(s.trigger for s in self.silencings))
        return tuple(sorted(every, key=_when))

    @property
    def span_s(self) -> float:
        """From the first Initial that went unanswered to the last."""
        times = [d.time_ns for a in self.silent for d in a.initials]
        return (max(times) - min(times)) / 1e9 if times else 0.0

    @property
    def lasting(self) -> bool:
        """Enough Initials went unanswered for long enough to be a failure."""
        return lasting(self.silent)

    @property
    def passed_after(self) -> bool:
        """The last word is an answer."""
        return bool(self.passed and self.silent) and _when(self.passed[-1]) > _when(self.silent[-1])

    @property
    def in_turn(self) -> bool:
        """Other names were answered before a failure and after it, and no outage of the server fits in between.

        An outage takes every name; it may begin with this one once, but not twice.
        """
        if len(self.silencings) >= SEVERAL:
            return True
        runs = self._runs()
        return len(runs) >= SEVERAL or any(all(a.name == self.name for a in run) for run in runs)

    def _runs(self) -> list[list[QuicAttempt]]:
        """Its failures with all that failed beside them, from one answer to another name to the next."""
        failed, passed = {a.trial for a in self.failures}, {a.trial for a in self.others}
        runs: list[list[QuicAttempt]] = []
        open_run: list[QuicAttempt] | None = None
        for a in self.place.attempts:
            if a.trial in passed:
                if open_run and any(x.trial in failed for x in open_run):
                    runs.append(open_run)
                open_run = []
            elif open_run is not None:
                open_run.append(a)
        return runs

    @property
    def version(self) -> str | None:
        """The version in which it failed, where it is one."""
        versions = {a.version for a in self.failures}
        return versions.pop() if len(versions) == 1 else None

    @property
    def in_other_versions(self) -> tuple[QuicAttempt, ...]:
        """What was answered there in another version than failed, if nothing was in this one."""
        if self.version is None or any(a.version == self.version for a in self.place.passed):
            return ()
        return tuple(a for a in self.place.passed if a.version != self.version)

    @property
    def offers(self) -> tuple[QuicAttempt, ...]:
        """Answers from there that list the version that failed, if nothing was answered in it."""
        if self.version is None or any(a.version == self.version for a in self.place.passed):
            return ()
        return tuple(a for a in self.place.attempts if self.version in offered(a) and a.version != self.version)

    @property
    def residual_s(self) -> Interval | None:
        """How long the silence after a trigger lasts: up to the last silent Initial, less than to the next answer."""
        low = [(_last(s.silent[-1]) - _when(s.trigger)[0]) / 1e9 for s in self.silencings if s.silent]
        high = [(_when(s.ended)[0] - _when(s.trigger)[0]) / 1e9 for s in self.silencings if s.ended]
        if not low or not high or max(low) > min(high):
            return None
        return Interval(value=(max(low) + min(high)) / 2, low=max(low), high=min(high))


def lasting(silent: Sequence[QuicAttempt], *, copies: int = COPIES, listened_s: float = LISTENED_S) -> bool:
    """Enough Initials, spread over enough time, and nothing came for ``listened_s`` from the first on."""
    told = [d.time_ns for a in silent for d in a.initials]
    if len(told) < copies or (max(told) - min(told)) / 1e9 < SPREAD_S:
        return False
    return (max(a.flow.recording.ended_ns for a in silent) - min(told)) / 1e9 >= listened_s


def places(attempts: Iterable[QuicAttempt]) -> dict[tuple[str, str, int], QuicPlace]:
    """The attempts by client, address and port."""
    out: dict[tuple[str, str, int], QuicPlace] = {}
    for a in sorted(attempts, key=_when):
        client, address, port = a.place
        place = out.setdefault(a.place, QuicPlace(client=client, address=address, port=port))
        place.attempts.append(a)
    return out


def _names(place: QuicPlace) -> tuple[QuicTried, ...]:
    never = {a.name for a in place.attempts if a.name} - {a.name for a in place.passed}
    silencers = {name: _silencings(place, name) for name in dict.fromkeys(a.name for a in place.passed) if name}
    explained = {a.trial for found in silencers.values() for s in found for a in s.silent}
    explained |= _shadows(place, never)
    out = []
    for name in dict.fromkeys(a.name for a in place.attempts if a.name):
        mine = [a for a in place.attempts if a.name == name and a.trial not in explained]
        silent = tuple(a for a in mine if a.outcome == tried.UNANSWERED)
        deaf = tuple(a for a in mine if a.outcome == tried.DEAF)
        if not silent and not deaf and not silencers.get(name):
            continue
        versions = {a.version for a in (*silent, *deaf)} or {s.trigger.version for s in silencers[name]}
        beside = [a for a in place.attempts if a.name and a.name != name and a.version in versions]
        out.append(
            QuicTried(
                name=name,
                place=place,
                silent=silent,
                deaf=deaf,
                silencings=silencers.get(name, ()),
                passed=tuple(a for a in mine if a.outcome == tried.ANSWERED and not silencers.get(name)),
                others=tuple(a for a in beside if a.outcome == tried.ANSWERED),
                fellows=tuple(a for a in beside if a.outcome == tried.UNANSWERED and a.trial not in explained),
            )
        )
    return tuple(out)


def answered_elsewhere(mine: QuicTried, attempts: Iterable[QuicAttempt]) -> QuicAttempt | None:
    """The same name, answered to the same client at another address within a minute, where nothing answers here."""
    if not mine.silent or mine.place.passed:
        return None
    first, last = _when(mine.silent[0])[0], _when(mine.silent[-1])[0]
    for a in attempts:
        same = a.name == mine.name and a.place[0] == mine.place.client and a.version == mine.version
        near = first - BESIDE_S * 1e9 <= a.first_ns <= last + BESIDE_S * 1e9
        if same and a.passed and a.place[1] != mine.place.address and near:
            return a
    return None


def _silencings(place: QuicPlace, name: str) -> tuple[Silencing, ...]:
    """The silences that follow the answered Initials of a name, if none follows those of the others."""
    found, after_others, quiet_others = [], 0, 0
    for i, a in enumerate(place.attempts):
        later = _within(place.attempts[i + 1 :], a)
        if not a.passed or not later:
            continue
        silent = _run(later)
        if a.name == name and silent:
            rest = later[len(silent) :]
            found.append(Silencing(trigger=a, silent=silent, ended=rest[0] if rest and rest[0].passed else None))
        elif a.name == name and later[0].passed:
            return ()
        elif a.name != name:
            quiet_others += bool(silent)
            after_others += later[0].passed
    # The names that fell silent pass otherwise: an outage would have taken them at another time as well.
    others = {a.name for a in place.passed if a.name != name}
    fell = {a.name for s in found for a in s.silent}
    shown = after_others and not quiet_others and bool(fell & others)
    return tuple(found) if shown else ()


def _shadows(place: QuicPlace, never: Iterable[str | None]) -> frozenset[str]:
    """Trials of names that pass there otherwise, and failed right after one that never does."""
    never, out = frozenset(never), set()
    for i, a in enumerate(place.attempts):
        if a.name not in never:
            continue
        for later in _within(place.attempts[i + 1 :], a):
            if later.passed:
                break
            if later.name not in never:
                out.add(later.trial)
    return frozenset(out)


def _run(attempts: Sequence[QuicAttempt]) -> tuple[QuicAttempt, ...]:
    """Those at the start that were not answered."""
    out = []
    for a in attempts:
        if a.outcome != tried.UNANSWERED:
            break
        out.append(a)
    return tuple(out)


def _within(attempts: Sequence[QuicAttempt], first: QuicAttempt) -> list[QuicAttempt]:
    return [a for a in attempts if 0 <= a.first_ns - first.first_ns <= RESIDUAL_S * 1e9]


def _when(a: QuicAttempt) -> tuple[int, int]:
    return a.first_ns, int(a.flow.rows[0])


def _last(a: QuicAttempt) -> int:
    return a.initials[-1].time_ns if a.initials else a.first_ns
