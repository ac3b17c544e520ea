"""What a trigger leaves behind: for a while innocent names fail at the same address too.

A name that never passes there (the trigger) was cut off; within the window others fail that pass there before or after.
Their failures follow from the trigger. How long the window lasts lies between the last of them and the first pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.conversations.openings import may_have_stalled, opening
from fingerprint.conversations.segments import ACK, RST, SYN
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.tls import hello_forms
from fingerprint.conversations.tls.names_and_addresses import FAILURES
from fingerprint.technique import Interval

# The longest residual window on record: TSPU 420 s (Xue et al., IMC 2022).
RESIDUAL_S = 420.0
# RFC 6298: copies of a SYN leave after 1, 3, 7 s; the third is not lost by chance.
LATE_COPIES = 3
# What a residual block breaks before any request is sent.
SET_UP_FAILED = frozenset({"unanswered", "refused", "reset"})


PASSED = ("passed", "late")
_Named = tuple[str | None, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """What followed from the hellos or requests of one name at one address."""

    name: str
    client: str
    address: str
    port: int
    protocol: str
    triggers: tuple[Stream, ...]  # those that something followed from
    failing: tuple[Stream, ...]
    passing: Stream  # of others, before or after
    ended: Stream | None  # the first that passed again
    window_s: Interval | None
    scope: str


def residuals(streams: Sequence[Stream]) -> tuple[Residual, ...]:
    """Every trigger that others failed after."""
    places: dict[tuple[str, str], list[Stream]] = {}
    for s in streams:
        places.setdefault((s.client.address, s.server.address), []).append(s)
    found: list[Residual] = []
    for here in places.values():
        names = {s.name for s in here if s.name}
        if names and (len(names) > 1 or any(not s.name for s in here)) and any(not _plainly_passed(s) for s in here):
            found += _at(sorted(here, key=lambda s: (s.first_ns, int(s.rows[0]))))
    return tuple(found)


def _plainly_passed(s: Stream) -> bool:
    return s.answered and not may_have_stalled(s)


def _named(s: Stream) -> _Named:
    return s.name, s.server.port


def _late_ns(s: Stream) -> tuple[int, int] | None:
    """Of a connection request that was heard only after several copies: the last unheard copy, and the answer."""
    syns = [x for x in s.head if x.from_client and x.flags & (SYN | ACK | RST) == SYN]
    met = next((x for x in s.head if not x.from_client and x.flags & (SYN | ACK | RST) == SYN | ACK), None)
    before = [x for x in syns if met is not None and x.time_ns < met.time_ns]
    if met is None or len(before) < LATE_COPIES:
        return None
    return before[-2].time_ns, met.time_ns


def _outcome(s: Stream) -> str:
    """passed, late (set up after several tries, then passed), failed, or none of these."""
    if s.request_ttl_hops is not None and not _plainly_passed(s):
        return "limited"
    if _plainly_passed(s):
        return "late" if _late_ns(s) else "passed"
    o = opening(s)
    if o.outcome == "answered":
        return "late" if _late_ns(s) else "passed"
    broken = o.outcome in FAILURES if s.client_bytes else o.outcome in SET_UP_FAILED
    return "failed" if broken else "open"


def _at(here: Sequence[Stream]) -> Iterable[Residual]:
    """Those of one client and address; ``here`` is in order of time."""
    told = _without_evasions([(s, _outcome(s)) for s in here])
    # A name that is cut off in its hello may pass in the clear beside it: each port speaks for itself.
    passed = {_named(s) for s, how in told if how in PASSED and s.name}
    never = {_named(s) for s, how in told if how == "failed" and s.name and s.client_bytes} - passed
    if not never or not passed:
        return ()
    caused: dict[_Named, list[tuple[Stream, Stream]]] = {}
    last: Stream | None = None
    for s, how in told:
        if _named(s) in never:
            last = s
            continue
        if last is not None and how == "passed" and s.server.port == last.server.port:
            last = None  # no block holds any more, or none did
        if last is None or how not in ("failed", "late") or (s.first_ns - last.first_ns) / 1e9 > RESIDUAL_S:
            continue
        if _named(s) in passed or (not s.name and not s.client_bytes):
            caused.setdefault(_named(last), []).append((last, s))
        if how == "late":
            last = None
    return [_residual(minded, pairs, told) for minded, pairs in caused.items()]


def _without_evasions(told: Sequence[tuple[Stream, str]]) -> list[tuple[Stream, str]]:
    """A name that fails and passes only where its hello hides it was never let through."""
    failed = {s.name for s, how in told if how == "failed"}
    return [
        (s, "evaded" if how == "passed" and s.name in failed and s.protocol == "tls" and _hides(s) else how)
        for s, how in told
    ]


def _hides(s: Stream) -> bool:
    return hello_forms.form(opening(s)) not in (hello_forms.PLAIN, hello_forms.LARGE, hello_forms.ECH)


def _residual(minded: _Named, pairs: Sequence[tuple[Stream, Stream]], told: Sequence[tuple[Stream, str]]) -> Residual:
    triggers = tuple({t.trial: t for t, _ in pairs}.values())
    failing = tuple(s for _, s in pairs)
    spans, ended = [], None
    for trigger in triggers:
        mine = [s for t, s in pairs if t is trigger]
        if late := _late_ns(mine[-1]):
            spans.append((max(0.0, (late[0] - _said_ns(trigger)) / 1e9), (late[1] - trigger.first_ns) / 1e9))
            ended = ended or mine[-1]
            continue
        later = [s for s, how in told if how in PASSED and s.first_ns > mine[-1].first_ns and _named(s) != minded]
        # What passes on another port meanwhile says who is held, not until when.
        after = next((s for s in later if s.server.port == minded[1]), None)
        renewed = next((s for s, _ in told if _named(s) == minded and s.first_ns > trigger.first_ns), None)
        if after is None or (renewed is not None and renewed.first_ns < after.first_ns):
            continue
        ended = ended or after
        low_s = max(0.0, (mine[-1].first_ns - _said_ns(trigger)) / 1e9)
        spans.append((low_s, (after.first_ns - trigger.first_ns) / 1e9))
    first, passing = triggers[0], [s for s, how in told if how in PASSED and _named(s) != minded]
    return Residual(
        name=minded[0] or "",
        client=first.client.address,
        address=first.server.address,
        port=first.server.port,
        protocol=first.protocol,
        triggers=triggers,
        failing=failing,
        passing=ended or passing[0],
        ended=ended,
        window_s=_interval(spans),
        scope=_scope(triggers, failing, told),
    )


def _said_ns(trigger: Stream) -> int:
    """The last copy of the request: each may begin the window anew."""
    return max((s.time_ns for s in trigger.head if s.from_client and s.payload_bytes), default=trigger.first_ns)


def _interval(spans: Sequence[tuple[float, float]]) -> Interval | None:
    """Longer than all that failed, shorter than all that passed; where they contradict, all that they span."""
    if not spans:
        return None
    low, high = max(a for a, _ in spans), min(b for _, b in spans)
    if low > high:
        low, high = min(a for a, _ in spans), max(b for _, b in spans)
    return Interval(value=(low + high) / 2, low=low, high=high)


def _scope(triggers: Sequence[Stream], failing: Sequence[Stream], told: Sequence[tuple[Stream, str]]) -> str:
    """Which connections the block holds: by ports that failed, and by ports that passed meanwhile."""
    ports = {t.server.port for t in triggers}
    if any(s.server.port not in ports for s in failing):
        return "the two addresses, whatever the port"
    meanwhile = [
        s
        for s, how in told
        if how == "passed" and s.server.port not in ports and triggers[0].first_ns < s.first_ns < failing[-1].first_ns
    ]
    if meanwhile:
        return "the two addresses and the server's port"
    return "the two addresses and the server's port, or more"


def by_trial(found: Iterable[Residual]) -> Mapping[str, Residual]:
    """The connections that follow from a trigger, by trial."""
    return {s.trial: r for r in found for s in r.failing if not s.answered}
