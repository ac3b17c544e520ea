"""Ladders: the packets of the conversation that decided a verdict, and of a control beside it, for a picture.

Nothing is decided here. The conversation is the one whose packets carry most of the mechanism's weight; the control is
one that the same evidence cites, else another name that passed on the same address, else the nearest that passed for
the same client.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from fingerprint.capture import Capture
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.segments import ACK, FIN, RST, SYN
from fingerprint.conversations.streams import Stream
from fingerprint.pictures.packet_words import words
from fingerprint.pictures.talks import Talk, Talks
from fingerprint.technique import Cited
from fingerprint.verdict.model import Ladder, Mechanism, Rung, Verdict

# What one look takes in. A control is there to be compared with and needs fewer.
MOST_RUNGS, CONTROL_RUNGS = 14, 10
# An opening: handshake and request, or query and answer.
OPENING = 4
# So many conversations on either side in time are looked at for a control.
NEIGHBOURS = 100

# Last labels of nodes whose trigger is not the name, and nodes of which another resolver's answer is the control.
FORMS = frozenset({"ech", "fingerprint", "version", "keyword", "path", "payload", "port", "entropy"})
ELSEWHERE = frozenset({"dns.nxdomain", "dns.refused", "dns.servfail", "dns.timeout"})

T = TypeVar("T", Stream, Lookup)


class Drawer:
    """Draws the ladders of one capture's verdicts."""

    def __init__(self, capture: Capture, verdicts: Iterable[Verdict]) -> None:
        """The verdicts say which names are no controls."""
        self.capture = capture
        self.talks = Talks(capture)
        states = {v.target: v.state for v in verdicts}
        self._blocked = frozenset(name for name, state in states.items() if state == "blocked")
        self._not_ok = frozenset(name for name, state in states.items() if state != "ok")

    def ladders(self, verdict: Verdict, mechanism: Mechanism) -> tuple[Ladder, ...]:
        """The deciding conversation, then the control if there is one; nothing where no packet belongs to a flow."""
        cited = {c for w in mechanism.evidence for c in w.evidence.packets}
        forged = forged_packets(verdict, mechanism)
        talks = self.weighed(mechanism, cited)
        mine = deciding(talks, verdict.target)
        if mine is None:
            return ()
        name = mine.name or (verdict.target if verdict.target != mine.server.address else None)
        out = [ladder(mine, _title(mine, name), cited | forged, forged, control=False)]
        others = [talk for talk, _ in talks if talk.key != mine.key]
        control = self.control(mine, name, others, otherwise=tried_otherwise(mechanism.node))
        if control is not None:
            out.append(ladder(control, _control_title(control, mine, name), cited, forged, control=True))
        return tuple(out)

    def weighed(self, mechanism: Mechanism, cited: Collection[Cited]) -> list[tuple[Talk, float]]:
        """The conversations that the evidence cites, heaviest first, each with the log-odds of what is about it.

        Evidence about one trial weighs for that alone: what else it cites stands beside it to be compared.
        """
        of = {c: self.talks.of(c) for c in sorted(cited)}
        talks: dict[tuple[int, int, int], Talk] = {}
        weight: dict[tuple[int, int, int], float] = {}
        for w in mechanism.evidence:
            here = {t.key: t for c in w.evidence.packets if (t := of[c]) is not None}
            about = {key for key in here if (w.evidence.subject.trial or "").startswith(f"{key[0]}:{key[1]}:")} or set(
                here
            )
            for key, talk in here.items():
                talks[key] = talk
                weight[key] = weight.get(key, 0.0) + (w.log_odds if key in about else 0.0)
        return sorted(((talks[key], weight[key]) for key in talks), key=lambda pair: (-pair[1], pair[0].key))

    def control(self, mine: Talk, name: str | None, cited: Sequence[Talk], *, otherwise: bool) -> Talk | None:
        """What passed beside a conversation that did not; the same name too, where something else decided."""
        wrong = self._blocked | ({name} if name else set())
        passed = [t for t in cited if t.kind == mine.kind and t.answered]
        passed.sort(key=lambda t: (t.server != mine.server, abs(t.first_ns - mine.first_ns), t.key))
        same = (t for t in passed if otherwise and t.name in {name, None})
        other = (t for t in passed if t.name not in wrong and t.name is not None)
        if found := next(same, None) or next(other, None):
            return found
        if mine.kind == "lookup":
            return self._other_lookup(mine, wrong)
        if mine.kind == "quic":
            return self._other_quic(mine, wrong)
        return self._other_stream(mine, wrong) if mine.kind == "stream" else None

    def _other_stream(self, mine: Talk, wrong: Collection[str]) -> Talk | None:
        def fits(s: Stream) -> bool:
            if not s.answered or s.client.address != mine.client.address or s.trial in self.capture.aftermath:
                return False
            return s.name is not None and s.name not in wrong and s.name not in self._not_ok

        here = self.capture.by_server.get(mine.server.address, [])
        there = self.capture.by_client.get(mine.client.address, [])
        for group in (here, there):
            found = nearest(group, mine.first_ns, fits)
            if found is not None:
                return self.talks.of_stream(found)
        return None

    def _other_lookup(self, mine: Talk, wrong: Collection[str]) -> Talk | None:
        def fits(x: Lookup) -> bool:
            same = x.resolver == mine.server and x.client.address == mine.client.address
            return same and x.name not in wrong and len(x.distinct_answers) == 1 and bool(x.addresses)

        found = nearest(self.capture.lookups, mine.first_ns, fits)
        return self.talks.of_lookup(found) if found is not None else None

    def _other_quic(self, mine: Talk, wrong: Collection[str]) -> Talk | None:
        tried = [a for a in self.capture.quic_tried if a.flow.client.address == mine.client.address and a.passed]
        for same in (True, False):
            named = [a for a in tried if a.name is not None and a.name not in wrong]
            group = [a for a in named if (a.flow.server == mine.server) == same]
            if group:
                best = min(group, key=lambda a: (abs(a.first_ns - mine.first_ns), a.flow.rows[0]))
                return self.talks.of_quic(best.flow)
        return None


def forged_packets(verdict: Verdict, mechanism: Mechanism) -> set[Cited]:
    """Packets that the evidence, or an observation of the same layer, says nobody but an injector can have sent."""
    layer = mechanism.node.partition(".")[0]
    own = {c for w in mechanism.evidence for c in w.evidence.forged}
    return own | {c for _, e in verdict.observations if e.subject.protocol == layer for c in e.forged}


def tried_otherwise(node: str) -> bool:
    """Whether a name that passes in another form, or asked elsewhere, is the control."""
    return node.rpartition(".")[2] in FORMS or node in ELSEWHERE


def deciding(talks: Sequence[tuple[Talk, float]], target: str) -> Talk | None:
    """The heaviest conversation of the target itself, else one without a name, else the heaviest."""
    own = (t for t, _ in talks if t.name == target)
    nameless = (t for t, _ in talks if t.name is None)
    return next(own, None) or next(nameless, None) or next((t for t, _ in talks), None)


def nearest(group: Sequence[T], at_ns: int, fits: Callable[[T], bool]) -> T | None:
    """Of a group in order of time the one that fits and began nearest; only so many on either side are looked at."""
    at = bisect_left(group, at_ns, key=lambda x: x.first_ns)
    near = group[max(0, at - NEIGHBOURS) : at + NEIGHBOURS]
    return min((x for x in near if fits(x)), key=lambda x: abs(x.first_ns - at_ns), default=None)


def ladder(talk: Talk, title: str, cited: Collection[Cited], forged: Collection[Cited], *, control: bool) -> Ladder:
    """The talk's packets that matter, in order of time."""
    c, index = talk.recording.columns, talk.capture
    most = CONTROL_RUNGS if control else MOST_RUNGS
    chosen = {row for _, row in zip(range(most), dict.fromkeys(_in_order_of_need(talk, cited, forged)), strict=False)}
    return Ladder(
        capture=index,
        title=title,
        control=control,
        display_filter=talk.display_filter,
        rungs=tuple(
            Rung(
                number=row + 1,
                time_s=round((int(c.time_ns[row]) - talk.first_ns) / 1e9, 6),
                from_client=talk.from_client(row),
                says=words(talk.recording, row, name=talk.name if talk.from_client(row) else None),
                deciding=Cited(index, row + 1) in cited,
                forged=Cited(index, row + 1) in forged,
            )
            for row in talk.rows[np.isin(talk.rows, sorted(chosen))].tolist()
        ),
        left_out=len(talk.rows) - len(chosen),
    )


def _in_order_of_need(talk: Talk, cited: Collection[Cited], forged: Collection[Cited]) -> Iterator[int]:
    """The talk's rows, those first without which it cannot be understood."""
    index = talk.capture
    rows = talk.rows
    of_forged, of_cited = (
        np.flatnonzero(np.isin(rows, [c.number - 1 for c in some if c.capture == index])) for some in (forged, cited)
    )
    head = rows[: 4 * MOST_RUNGS].tolist()
    yield from rows[of_forged].tolist()
    yield from head[:OPENING]
    yield from rows[of_cited].tolist()
    for at in of_cited.tolist():
        yield from rows[max(at - 1, 0) : at + 2].tolist()
    flags, size = talk.recording.columns.tcp_flags, talk.recording.columns.payload_bytes
    yield from (row for row in head if size[row] or flags[row] & (SYN | FIN | RST) or not flags[row] & ACK)
    yield int(rows[-1])
    yield from head


def _title(talk: Talk, name: str | None) -> str:
    """``forum.test at 45.83.220.10:443``."""
    if talk.kind == "lookup":
        return f"{name or 'a name'} asked of {talk.server}"
    return f"{name} at {talk.server}" if name else str(talk.server)


def _control_title(control: Talk, mine: Talk, name: str | None) -> str:
    """The same, how near the control is, and whether it differs in something else than its name."""
    where = "the same address" if control.server.address == mine.server.address else "another address"
    if control.kind == "lookup":
        return f"{control.name} asked of {'the same resolver' if control.server == mine.server else control.server}"
    otherwise = ", tried otherwise" if control.name in {name, None} else ""
    return f"{control.name or f'port {control.server.port}'} at {where}{otherwise}"
