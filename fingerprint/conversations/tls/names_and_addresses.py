"""The 2 x 2 of name and address: what became of each name's hello at each address.

Facts for name filtering: which attempts of a name failed and how, and which other names passed beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.openings import Opening, may_have_stalled, opening
from fingerprint.conversations.segments import SYN, Segment
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.tls import hello_forms
from fingerprint.conversations.tls.client_kinds import kind, veil

# Outcome of an opening → the action that it would be, if it were interference.
FAILURES = {
    "reset": "reset",
    "unacknowledged": "timeout",
    "part-acknowledged": "timeout",
    "silent": "timeout",
    "closed": "close",
    "alert": "alert",
    "stalled": "timeout",
}
# DESIGN, "What a qualifier needs": a control elsewhere counts within a minute.
BESIDE_S = 60.0


# RFC 8446 section 6: an alert is two bytes in a record of five; less than this from a server is no ServerHello.
SERVER_HELLO_BYTES = 64
# IEEE 802.3: 1500 bytes a frame, less 40 of RFC 791 and RFC 9293, 12 of timestamps, and what tunnels commonly take.
FULL_BYTES = 1350
# Two first flights whose longest segments differ by less than a name's length fit through the same paths.
ALIKE_BYTES = 64
# Failures and passes of one name that tell a rule from an accident.
SEVERAL = 2
# Controls that are looked at closely, nearest in time first.
LOOKED_AT = 8


@dataclass(slots=True, kw_only=True)
class Attempts:
    """All hellos of one name at one address and port from one client; those that passed are told by their summaries."""

    name: str
    client: str
    address: str
    port: int
    failed: list[Opening] = field(default_factory=list)
    passed: list[Stream] = field(default_factory=list)
    evaded: list[Stream] = field(default_factory=list)  # passed, in a form that only the box may have missed
    unlike: list[Stream] = field(default_factory=list)  # passed, with a hello of another client or veil

    @property
    def despite_its_name(self) -> bool:
        """What fails under a veil passes as the same client says it without: the name in the open is not minded."""
        unveiled = {(None, told) for shown, told in alike(self) if shown is not None}
        return bool(unveiled & set(map(_told_by, (*self.passed, *self.unlike))))

    @property
    def largest_failed_bytes(self) -> int:
        """Size of the largest hello that failed."""
        return max((o.request_bytes for o in self.failed), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """Attempts by place, by name and by the length of the first segment of a hello that passed."""

    by_place: dict[tuple[str, str, int], list[Attempts]]
    by_name: dict[tuple[str, str], list[Attempts]]
    passed_by_length: dict[tuple[str, int], list[Stream]]

    def failing(self) -> Iterator[Attempts]:
        """The attempts with at least one failure, in order of first appearance."""
        return (a for same in self.by_place.values() for a in same if a.failed)


def attempts(streams: Iterable[Stream]) -> Square:
    """Every connection that carried a ClientHello, TTL-limited probes left out."""
    table = Square(by_place={}, by_name={}, passed_by_length={})
    found: dict[tuple[str, str, str, int], Attempts] = {}
    tls = [s for s in streams if s.protocol == "tls"]
    doubtful = [s for s in tls if not _passed(s)]
    if not doubtful:
        return table
    clients = {s.client.address for s in doubtful}
    for stream in tls:
        if stream.client.address not in clients or not stream.name or stream.request_ttl_hops is not None:
            continue
        key = (stream.client.address, stream.name, stream.server.address, stream.server.port)
        mine = found.get(key)
        if mine is None:
            mine = found[key] = Attempts(name=stream.name, client=key[0], address=key[2], port=key[3])
            table.by_place.setdefault((key[0], key[2], key[3]), []).append(mine)
            table.by_name.setdefault(key[:2], []).append(mine)
        if _passed(stream):
            mine.passed.append(stream)
            length = int(stream.recording.columns.payload_bytes[stream.request_row])
            table.passed_by_length.setdefault((key[0], length), []).append(stream)
            continue
        first = opening(stream)
        if first.outcome == "answered":
            mine.passed.append(stream)
        elif first.outcome in FAILURES:
            mine.failed.append(first)
    for same in table.by_place.values():
        for mine in same:
            _set_evasions_apart(mine)
    return table


def _set_evasions_apart(mine: Attempts) -> None:
    """A name that fails in its plain form and passes in another did not pass: the server reads both alike."""
    if not mine.failed or not mine.passed:
        return
    passing = {id(s): (s, opening(s)) for s in mine.passed}
    told = hello_forms.forms([*mine.failed, *(o for _, o in passing.values())])
    failing = {form for form, _ in told[: len(mine.failed)]}
    for form, o in told[len(mine.failed) :]:
        if form != hello_forms.PLAIN and form not in failing:
            mine.evaded.append(o.stream)
    mine.passed = [s for s in mine.passed if not any(s is e for e in mine.evaded)]
    # What fails under one veil, or as one client says it, and passes as others do, fails for that and not for its name.
    several = len(mine.failed) >= SEVERAL <= len(mine.passed)
    if several and not alike(mine) & set(map(_told_by, mine.passed)):
        mine.unlike, mine.passed = mine.passed, []


def alike(mine: Attempts) -> set[tuple[str | None, object]]:
    """What the hellos that failed are, their name aside: veils and clients."""
    return {_told_by(o.stream) for o in mine.failed}


def _told_by(s: Stream) -> tuple[str | None, object]:
    return veil(s.hello), kind(s.hello)


def _passed(stream: Stream) -> bool:
    """The summary shows an answer before any ending."""
    return stream.server_bytes >= SERVER_HELLO_BYTES and stream.answered and not may_have_stalled(stream)


def _nearest(streams: Iterable[Stream], mine: Attempts) -> Iterator[Opening]:
    """Openings of the passing streams nearest in time to the first failure."""
    at = mine.failed[0].stream.first_ns
    nearest = nsmallest(LOOKED_AT, streams, key=lambda s: (abs(s.first_ns - at), s.first_ns))
    return (o for o in map(opening, nearest) if o.outcome == "answered")


def others_here(table: Square, mine: Attempts) -> list[Opening]:
    """Passing hellos of other names at the same address and port, from the same client.

    Where the name itself passes as another client says it, only those of the client that failed; where it failed under
    a veil, only those under the same; and none if it passes without, for then its name does not decide.
    """
    if mine.despite_its_name:
        return []
    same = [a for a in table.by_place[mine.client, mine.address, mine.port] if a.name != mine.name]
    passed = [s for a in same for s in (*a.passed, *a.unlike)]
    veiled = None not in {veil(o.stream.hello) for o in mine.failed}
    if veiled or not alike(mine).issuperset(map(_told_by, (*mine.passed, *mine.unlike))):
        passed = [s for a in same for s in _same_kind(a, mine)]
    return list(_nearest(passed, mine))


def _same_kind(control: Attempts, mine: Attempts) -> list[Stream]:
    """What of another name passes with the kind of hello that failed; nothing if as much of it fails."""
    failing, actions = alike(mine), {FAILURES[o.outcome] for o in mine.failed}
    passed = [s for s in (*control.passed, *control.unlike) if _told_by(s) in failing]
    failed = [o for o in control.failed if FAILURES[o.outcome] in actions and _told_by(o.stream) in failing]
    return passed if len(passed) > len(failed) else []


def pair(
    mine: Attempts, here: Sequence[Opening], lookups: Sequence[Lookup], *, small_bytes: int
) -> tuple[str, Opening]:
    """What the controls of the same address are worth, and the one that shows it.

    ``here``: another name passes; ``later``: not meanwhile; ``decides``: every hello follows its name, in turns;
    ``foreign``: so does a name that lives elsewhere; ``smaller``: only hellos pass that fit smaller packets.
    """
    control = max(here, key=lambda o: (largest_bytes(o), o.request_bytes, -o.stream.first_ns))
    failed_bytes = max(map(largest_bytes, mine.failed))
    if failed_bytes > small_bytes and largest_bytes(control) + ALIKE_BYTES < failed_bytes:
        return "smaller", control
    if not any(meanwhile(o, mine) for o in here):
        return "later", control
    several = len(mine.failed) >= 2 and len(here) >= 2 and not mine.passed
    if several:
        for o in here:
            homes = {a for lookup in lookups if lookup.name == o.stream.name for a in lookup.addresses}
            if homes and mine.address not in homes:
                return "foreign", o
    return ("decides" if several else "here"), control


def other_elsewhere(table: Square, mine: Attempts) -> Opening | None:
    """A passing hello of another name at another address within a minute, of equal length and equal JA4."""
    failed = next((o for o in mine.failed if o.request), None)
    if failed is None or mine.despite_its_name:
        return None
    length = failed.request[0].payload_bytes
    at = failed.stream.first_ns
    near = (
        s
        for s in table.passed_by_length.get((mine.client, length), ())
        if s.name != mine.name and s.server.address != mine.address and abs(s.first_ns - at) <= BESIDE_S * 1e9
    )
    shape = None
    for o in _nearest(near, mine):
        shape = shape or _shape(failed)
        if _shape(o) == shape:
            return o
    return None


def others_fail_here(table: Square, mine: Attempts) -> list[Attempts]:
    """Other names that fail as this one does at the same place, if no name at all passes there."""
    same = table.by_place[mine.client, mine.address, mine.port]
    if any(a.passed or a.evaded or a.unlike for a in same):
        return []
    actions = {FAILURES[o.outcome] for o in mine.failed}
    return [a for a in same if a is not mine and actions & {FAILURES[o.outcome] for o in a.failed}]


def works_otherwise(beside: Iterable[Stream], mine: Attempts) -> list[Stream]:
    """Of the streams to an address, those of the same client to another port that were answered, within a minute."""
    return [
        s
        for s in beside
        if s.client.address == mine.client
        and s.server.port != mine.port
        and s.server_bytes
        and s.client_bytes
        and any(abs(s.first_ns - o.stream.first_ns) <= BESIDE_S * 1e9 for o in mine.failed)
    ]


def fails_otherwise(beside: Iterable[Stream], mine: Attempts) -> list[Segment]:
    """First packets of connections beside the failures whose SYN, or whose hello once acknowledged, got no answer."""
    silent = [o.request[0] for o in mine.failed if o.outcome == "silent" and not o.unheard]
    if all(o.outcome == "silent" for o in mine.failed):
        silent = []
    unanswered = [
        s.head[0]
        for s in beside
        if s.client.address == mine.client
        and s.server.port == mine.port
        and not s.server_flags
        and s.client_flags == SYN
        and any(abs(s.first_ns - o.stream.first_ns) <= BESIDE_S * 1e9 for o in mine.failed)
    ]
    return [*silent, *unanswered]


def meanwhile(control: Opening, mine: Attempts) -> bool:
    """It began between the first failure and the end of the last: what ails the address would have met it too."""
    begun = control.stream.first_ns
    return mine.failed[0].stream.first_ns < begun < max(o.stream.last_ns for o in mine.failed)


def largest_bytes(o: Opening) -> int:
    """The longest segment of the first flight as a path sees it: offload shows longer ones, no path carries them."""
    return min(FULL_BYTES, max((s.payload_bytes for s in o.request), default=0))


def fails_elsewhere(table: Square, mine: Attempts, action: str) -> list[Opening]:
    """Failures of the same kind of the same name at addresses of other networks (first 16 or 32 bits differ).

    None for a name that passes as another client says it, or without a veil: there it is not the name that fails.
    """
    if mine.unlike:
        return []
    return [
        o
        for a in table.by_name[mine.client, mine.name]
        if _network(a.address) != _network(mine.address)
        for o in a.failed
        if FAILURES[o.outcome] == action
    ]


def _shape(o: Opening) -> tuple[int, int, str | None]:
    hello = o.stream.hello
    return o.request_bytes, len(o.request), hello.ja4 if hello is not None else None


def _network(address: str) -> str:
    cut = ":" if ":" in address else "."
    return cut.join(address.split(cut)[:2])
