"""What of the accounts cannot be taken as it stands: named, and kept out of what it would spoil.

Contradictions make their time unknown; clocks that were never set keep their sightings out; the rest is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from fingerprint.accounts import TOLD, Account, Problem
from fingerprint.incident.model import BLOCKED, OK, Between, Doubt
from fingerprint.incident.sightings import Seen
from fingerprint.incident.times import WEB_NS, between, moment
from fingerprint.report import wording
from fingerprint.report.wording import count

# So many names are spelled out in one sentence.
NAMED = 5


def contradictions(seen: Sequence[Seen], accounts: Sequence[Account]) -> tuple[tuple[Doubt, ...], frozenset[int]]:
    """Ok and blocked for one name, at one vantage and one time, by two accounts; and the sightings concerned."""
    doubts: list[Doubt] = []
    torn: set[int] = set()
    for _, row in groupby(sorted(seen, key=lambda s: (_name(s), s.held_ns)), key=_name):
        pairs = list(_overlapping([s for s in row if s.settles in (OK, BLOCKED)]))
        if pairs:
            torn |= {s.index for pair in pairs for s in pair}
            doubts.append(_contradiction(pairs, accounts))
    return tuple(doubts), frozenset(torn)


def _contradiction(pairs: Sequence[tuple[Seen, Seen]], accounts: Sequence[Account]) -> Doubt:
    (one, other), more = pairs[0], len(pairs) - 1
    files = tuple(dict.fromkeys(accounts[s.sighting.at.account].file for pair in pairs for s in pair))
    first_ns, last_ns = max(one.held_ns[0], other.held_ns[0]), min(one.held_ns[1], other.held_ns[1])
    by = [f"{s.settles} by {accounts[s.sighting.at.account].file}" for s in (one, other)]
    again = f", and so {wording.again(more)}" if more else ""
    says = (
        f"{one.sighting.target} at {one.sighting.vantage} {between(Between(after_ns=first_ns, before_ns=last_ns))} is"
        f" {by[0]} and {by[1]}{again}; those times count as unknown"
    )
    return Doubt(kind="contradiction", says=says, files=files)


def _name(s: Seen) -> tuple[str, str, str, str]:
    return s.sighting.service, s.sighting.role, s.sighting.vantage, s.sighting.target


def _overlapping(row: Sequence[Seen]) -> Iterator[tuple[Seen, Seen]]:
    """Pairs of different accounts and states whose times overlap; ``row`` is in order of when they begin."""
    open_: list[Seen] = []
    for s in row:
        open_ = [o for o in open_ if o.held_ns[1] >= s.held_ns[0]]
        for o in open_:
            if o.settles != s.settles and o.sighting.at.account != s.sighting.at.account:
                yield o, s
        open_.append(s)


def unset_clocks(seen: Sequence[Seen], accounts: Sequence[Account]) -> tuple[tuple[Doubt, ...], frozenset[int]]:
    """Sightings from before there was a web: a clock that was never set. They say what, and not when."""
    wrong = [s for s in seen if s.sighting.first_ns < WEB_NS]
    doubts = []
    for vantage in dict.fromkeys(s.sighting.vantage for s in wrong):
        its = [s for s in wrong if s.sighting.vantage == vantage]
        says = (
            f"the clock of {vantage} says {moment(its[0].sighting.first_ns)} UTC, so it was never set;"
            f" {count(len(its), 'sighting')} from there are left out until its offset is given"
        )
        files = tuple(dict.fromkeys(accounts[s.sighting.at.account].file for s in its))
        doubts.append(Doubt(kind="clock", says=says, files=files))
    return tuple(doubts), frozenset(s.index for s in wrong)


def clocks(accounts: Sequence[Account]) -> tuple[Doubt, ...]:
    """Vantages whose accounts disagree about their clock by more than its error."""
    doubts = []
    by_vantage: dict[str, list[Account]] = {}
    for a in accounts:
        by_vantage.setdefault(a.vantage.key, []).append(a)
    for key, its in by_vantage.items():
        told = [a.vantage.clock for a in its]
        spread_s = max(c.offset_s for c in told) - min(c.offset_s for c in told)
        if spread_s > max((c.error_s or 0.0) for c in told) and spread_s > 0:
            says = (
                f"accounts from {key} set its clock right by amounts that differ by {spread_s:g} s;"
                " each is taken at its own word"
            )
            doubts.append(Doubt(kind="clock", says=says, files=tuple(dict.fromkeys(a.file for a in its))))
    return (*doubts, *_one_file_two_clocks(accounts))


def _one_file_two_clocks(accounts: Sequence[Account]) -> Iterator[Doubt]:
    by_hash: dict[str, list[Account]] = {}
    for a in accounts:
        by_hash.setdefault(a.sha256, []).append(a)
    for its in by_hash.values():
        keys = tuple(dict.fromkeys(a.vantage.key for a in its))
        if len(keys) > 1 and len({a.vantage.clock.offset_s for a in its}) > 1:
            says = f"one file is filed under {' and '.join(keys)} with clocks that differ; neither is preferred"
            yield Doubt(kind="clock", says=says, files=tuple(dict.fromkeys(a.file for a in its)))


def vantages(accounts: Sequence[Account]) -> tuple[Doubt, ...]:
    """Files of which nobody said where they were taken count as one vantage, which they may not be."""
    unnamed = tuple(dict.fromkeys(a.file for a in accounts if a.vantage.key == "unnamed"))
    if len(unnamed) < 2:
        return ()
    says = f"{len(unnamed)} files do not say where they were taken and count as one vantage; name it with --vantage"
    return (Doubt(kind="vantage", says=says, files=unnamed),)


def services(seen: Sequence[Seen]) -> tuple[Doubt, ...]:
    """Names that no table knows."""
    names = list(dict.fromkeys(s.sighting.target for s in seen if not s.known))
    if not names:
        return ()
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    belong = "name belongs to no service in the tables and stands under its own domain"
    several = "names belong to no service in the tables and stand under their own domains"
    says = f"{count(len(names), belong, several)}: {', '.join(names[:NAMED])}{more}"
    return (Doubt(kind="service", says=says),)


def simulations(accounts: Sequence[Account]) -> tuple[Doubt, ...]:
    """Simulated and real lines in one incident."""
    made_up = tuple(dict.fromkeys(a.file for a in accounts if a.vantage.simulated))
    real = [a for a in accounts if not a.vantage.simulated]
    if not made_up or not real:
        return ()
    says = (
        f"{len(made_up)} accounts are simulated and {len(real)} are not; what is said about all of them together is"
        " about no line that exists"
    )
    return (Doubt(kind="simulation", says=says, files=made_up),)


# Words by which a problem tells what it is about, in order of what they are looked for.
PROBLEMS = (("counted once", "overlap"), ("migrat", "store"), ("technique", "plugin"))


def problems(found: Sequence[Problem]) -> tuple[Doubt, ...]:
    """What was met while the accounts were gathered."""
    return tuple(
        Doubt(kind=next((kind for word, kind in PROBLEMS if word in p.says), "file"), says=p.says, files=(p.file,))
        for p in found
    )


def unknown_clock_errors(accounts: Sequence[Account]) -> tuple[str, ...]:
    """Vantages of which nobody knows how far their clock is off; of no interest where there is but one."""
    keys = dict.fromkeys(a.vantage.key for a in accounts if a.kind != TOLD)  # people's times are vaguer than clocks
    if len(keys) < 2:
        return ()
    return tuple(k for k in keys if all(a.vantage.clock.error_s is None for a in accounts if a.vantage.key == k))


def widest_error_s(accounts: Sequence[Account]) -> float:
    """The largest known error of a clock."""
    return max((a.vantage.clock.error_s or 0.0 for a in accounts), default=0.0)
