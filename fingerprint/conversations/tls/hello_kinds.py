"""Greetings: the hellos of a place with what became of each, told apart by name, by client and by veil.

Facts for what is blocked by the form of a hello: which greetings fail and pass that differ in one thing alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fingerprint.conversations.openings import Opening, may_have_stalled, opening
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.tls.client_kinds import Kind, kind, veil
from fingerprint.conversations.tls.names_and_addresses import FAILURES, largest_bytes
from fingerprint.technique import Citable

# RFC 8446 section 6: less than this from a server is no ServerHello.
SERVER_HELLO_BYTES = 64
# Hellos of one name, veil and kind at one place that are looked at closely.
READ = 8
# RFC 8200 section 5: segments of 1200 bytes pass every link, so that size explains nothing below.
SMALL_BYTES = 1200
# A hello counts as unheard once it was sent so often over such a time (RFC 6298: the second copy leaves within one
# second, each later one after twice the pause), and as unanswered once so long was waited.
COPIES, SPAN_S, WAITED_S = 3, 1.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """A hello and what became of it: ``action`` is reset, timeout, close or alert, None where it passed."""

    opening: Opening
    name: str | None
    veil: str | None
    kind: Kind | None
    action: str | None

    @property
    def stream(self) -> Stream:
        """The connection."""
        return self.opening.stream

    @property
    def address(self) -> str:
        """Where it went."""
        return self.stream.server.address

    @property
    def segment_bytes(self) -> int:
        """The longest segment of its first flight, as a path sees it."""
        return largest_bytes(self.opening)

    @property
    def never_taken(self) -> bool:
        """No acknowledgement covers it, so that no program has read it."""
        return self.opening.outcome in ("unacknowledged", "part-acknowledged")


Places = dict[tuple[str, str, int], list[Greeting]]


def greetings(streams: Iterable[Stream]) -> Places:
    """The hellos by client, address and port, in order of time, where some fail; no TTL-limited ones."""
    places: dict[tuple[str, str, int], list[Stream]] = {}
    failing: set[tuple[str, str, int]] = set()
    for s in streams:
        if s.protocol != "tls" or s.request_ttl_hops is not None:
            continue
        where = (s.client.address, s.server.address, s.server.port)
        places.setdefault(where, []).append(s)
        if where not in failing and not _passed(s) and opening(s).outcome in FAILURES:
            failing.add(where)
    return {where: _read(places[where]) for where in places if where in failing}


def _passed(s: Stream) -> bool:
    return s.server_bytes >= SERVER_HELLO_BYTES and s.answered and not may_have_stalled(s)


def _read(streams: list[Stream]) -> list[Greeting]:
    out: list[Greeting] = []
    counted: dict[object, int] = {}
    for s in streams:
        hello = s.hello
        who = (s.name, veil(hello), kind(hello), _passed(s))
        counted[who] = counted.get(who, 0) + 1
        if counted[who] > READ:
            continue
        o = opening(s)
        if o.outcome == "answered" or o.outcome in FAILURES:
            out.append(Greeting(opening=o, name=s.name, veil=who[1], kind=who[2], action=FAILURES.get(o.outcome)))
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Hellos of one name at one place that differ in one thing: with it they failed, without it they passed."""

    failed: tuple[Greeting, ...]
    passed: tuple[Greeting, ...]

    @property
    def larger(self) -> bool:
        """What failed has longer segments than anything that passed, and longer than every link carries."""
        most = max(g.segment_bytes for g in self.failed)
        return most > SMALL_BYTES and most > max(g.segment_bytes for g in self.passed)

    @property
    def in_turn(self) -> bool:
        """Something passed after a failure and something failed after a pass: no outage parts them."""
        fails, passes = ([g.stream.first_ns for g in x] for x in (self.failed, self.passed))
        return min(fails) < max(passes) and min(passes) < max(fails)

    @property
    def how(self) -> str:
        """``reset``; or ``unheard`` where no acknowledgement covers the hello, ``unanswered`` where one does."""
        if self.failed[0].action == "reset":
            return "reset"
        return "unheard" if all(g.never_taken for g in self.failed) else "unanswered"


def failures(several: Iterable[Greeting]) -> list[Greeting]:
    """Those that failed by reset or silence, of which enough was seen; of the two kinds the commoner."""
    seen = [g for g in several if g.action == "reset" or (g.action == "timeout" and _listened(g))]
    resets = [g for g in seen if g.action == "reset"]
    return resets if 2 * len(resets) >= len(seen) else [g for g in seen if g.action == "timeout"]


def _listened(g: Greeting) -> bool:
    o = g.opening
    if g.never_taken:
        return o.copies >= COPIES and o.span_s >= SPAN_S
    return o.outcome == "stalled" or o.waited_s >= WAITED_S


def shown(several: Sequence[Greeting], *, most: int = 6) -> list[Citable]:
    """What to cite of them: each hello with its copies, and what answered or ended it."""
    out: list[Citable] = []
    for g in several[:most]:
        o = g.opening
        out += [*o.request[:1], *(x for x in (o.answer or o.ending,) if x is not None)]
        out += o.repeats if g.never_taken else ()
    return out
