"""Answers to requests in the clear that the server did not give: pages of refusal, redirects, other forged bytes.

What it looks for
    Two answers at one place in the stream; an answer sooner than the server could give it, or with headers that the
    server uses nowhere else; a page that is known to say "blocked"; a server that never acknowledged the request that
    was answered in its name; routers that report packets in the client's name that the client never sent. And the
    same request that the same server serves to somebody else: then the server itself refuses by status.

What it sends
    Nothing of its own: the pairs of `http-filtering`.

When it is wrong
    Proxies, caches and portals answer for servers, but open the connection themselves, so that their answers are as
    late as their handshakes. Balancers and firewalls before a server answer in their own headers. Sites refuse
    countries, robots and strangers; a lone 403, 451 or redirect says nothing. A filter in the house answers as one
    in the network does: what crossed hardly a router convicts nobody by its time.

Papers
    Weaver, Kreibich, Paxson, "Redirecting DNS for Ads and Profit", FOCI 2011; Marczak et al., "Bad Traffic", 2018.
    Sundara Raman et al., "Measuring the Deployment of Network Censorship Filters at Global Scale", NDSS 2020.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fingerprint.capture import Capture
from fingerprint.conversations.http import views as side_by_side
from fingerprint.conversations.http.answers import HOUSE_HOPS, Answer, answers, worth_a_look
from fingerprint.conversations.http.views import LONGEST_PAGE_BYTES, View
from fingerprint.conversations.path.expired import TIME_EXCEEDED
from fingerprint.conversations.path.quotations import unsent
from fingerprint.conversations.segments import Endpoint
from fingerprint.conversations.streams import Stream
from fingerprint.messages.http_page import REFUSALS, Page
from fingerprint.quality import tick_s
from fingerprint.signatures import CHOSEN
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Subject,
    Technique,
    Trigger,
    cite,
)

# What an answer says → the action that it would be, if it is not the server's.
ACTIONS = MappingProxyType(
    {"refusal": "blockpage", "redirect": "redirect", "error": "error", "page": "injection", "other": "injection"}
)
# Whoever stands in the way by the owner's choice, and speaks for the servers behind.
_FOR_OTHERS = ("corporate-proxy", "captive-portal", "chosen-filter", "split-tcp")


def _family(
    name: str, says: str, group: str, forged: float, *, source: str = "set by hand", others: float = 0.0, **given: float
) -> Mapping[str, Clue]:
    """One clue for each action; ``others`` is P(seen) under all who answer for servers by their owner's choice."""
    innocents = dict.fromkeys(_FOR_OTHERS, others) if others else {}
    innocents |= {key.replace("_", "-"): p for key, p in given.items() if key != "rest"}
    return MappingProxyType(
        {
            action: Clue(
                id=f"{action}-{name}",
                says=says,
                group=group,
                given={f"http.{action}": forged, **innocents, "*": given["rest"]},
                source=source,
            )
            for action in dict.fromkeys(ACTIONS.values())
        }
    )


# RFC 9293 section 3.8.1: what is sent again is the same. Only broken offloading and a cluster that forgets break it.
TWO_ANSWERS = _family(
    "beside-another-answer", "two answers stand at one place of the stream: {first}, and {other}", "http-answers",
    0.7, others=0.002, local_network=0.002, server_refuses=0.0003, ordinary=0.0003, rest=0.0005,
    source="Haagsma, 'Deep dive into QUANTUM INSERT', Fox-IT 2015; set by hand",
)  # fmt: skip
SOONER = _family(
    "sooner-than-the-server-could",
    "answered {elapsed_ms:.1f} ms after the request; the server is {rtt_ms:.1f} ms away ({samples} samples)",
    "http-timing", 0.6, others=0.006, local_network=0.006, nat_timeout=0.001, rest=0.002,
)  # fmt: skip
SOONER_BY_ONE_SAMPLE = _family(
    "sooner-by-one-sample",
    "answered {elapsed_ms:.1f} ms after the request; the server may be {rtt_ms:.1f} ms away ({samples} samples)",
    "http-timing", 0.6, others=0.06, slow_access=0.1, local_network=0.1, rest=0.06,
)  # fmt: skip
SOONER_FROM_NEARBY = _family(
    "sooner-from-nearby",
    "answered {elapsed_ms:.1f} ms after the request from hardly outside the house; the server is {rtt_ms:.1f} ms away",
    "http-timing", 0.3, others=0.3, local_network=0.3, rest=0.005,
)  # fmt: skip
# By number of independent fields. A firewall before its servers refuses in its own headers, and so does a proxy.
UNLIKE = {
    2: _family("headers-differ", "{fields} unlike the server's", "http-headers", 0.6, others=0.4, rest=0.25),
    3: _family(
        "headers-unlike-the-server", "{fields} unlike the server's", "http-headers", 0.5, others=0.3,
        server_refuses=0.15, rest=0.04,
    ),
    4: _family(
        "headers-of-another-host", "{fields} unlike the server's", "http-headers", 0.4, others=0.25,
        server_refuses=0.1, rest=0.012,
    ),
}  # fmt: skip
# A SYN proxy opens the connection, and the server that then answers is unlike it in everything.
UNLIKE_THE_HANDSHAKE = _family(
    "headers-unlike-the-handshake", "{fields} unlike the handshake's", "http-headers", 0.5, others=0.4,
    server_refuses=0.3, rest=0.1,
)  # fmt: skip
KNOWN_PAGE = _family(
    "known-page", "the answer is known as {page}", "http-page", 0.5, others=0.02, server_refuses=0.001, rest=0.0005,
    source="the block pages of the table that the report names; set by hand",
)  # fmt: skip
# Products stand in companies and in states alike; what a page says does not tell where.
KNOWN_PRODUCT = _family(
    "known-product", "the answer is known as {page}", "http-page", 0.5, others=0.5, server_refuses=0.2, rest=0.001,
    source=KNOWN_PAGE["blockpage"].source,
)  # fmt: skip
AMONG_STRANGERS = _family(
    "same-for-strangers", "{hosts} hosts of as many networks answer in the same words; others there are served",
    "http-strangers", 0.5, others=0.4, captive_portal=0.05, server_refuses=0.1, ordinary=0.05, rest=0.02,
    source="Jones et al., 'Automated Detection and Fingerprinting of Censorship Block Pages', IMC 2014; set by hand",
)  # fmt: skip
WHERE_IT_IS_A_STRANGER = _family(
    "where-the-host-is-a-stranger", "{address} serves {control}, which does not live there, and answers {name} so",
    "name-pair", 0.8, others=0.5, captive_portal=0.02, server_refuses=0.02, ordinary=0.05, rest=0.05,
)  # fmt: skip
OTHERS_SERVED = _family(
    "others-served", "{address} serves {control} at the same time, and answers {name} so", "name-pair", 0.9, others=0.5,
    captive_portal=0.02, server_refuses=0.9, rest=0.5,
)  # fmt: skip
CUT_BEHIND = _family(
    "cut-behind-the-page", "the segment with the page ends the connection, and a RST follows it", "http-manner", 0.4,
    others=0.3, server_refuses=0.05, rest=0.03, source="Marczak et al., 'Bad Traffic', 2018; set by hand",
)  # fmt: skip
UNAWARE = _family(
    "server-never-had-it", "later the server itself still acknowledges nothing of the request", "http-witness", 0.3,
    others=0.2, split_tcp=0.05, server_refuses=0.003, rest=0.005, source="RFC 9293 section 3.10.7.4; set by hand",
)  # fmt: skip
IN_THE_CLIENTS_NAME = _family(
    "beside-packets-of-a-third", "a router reports a packet of this connection that the client never sent",
    "http-third", 0.2, others=0.005, capture_fault=0.002, nat_timeout=0.001, server_refuses=0.0002, rest=0.0005,
    source="RFC 792: a report quotes what arrived there; set by hand",
)  # fmt: skip
FROM_AFAR = _family(
    "from-afar", "answered from a reach of {hop} hops on, and not within {least}: nobody in the house does it",
    "http-distance", 0.5, others=0.003, local_network=0.003, capture_fault=0.01, rest=0.3,
    source="RFC 791: what died nearer was read by nobody farther; set by hand",
)  # fmt: skip
# Whoever speaks for others seldom takes the trouble to speak in their headers and at their time.
SERVED_ELSEWHERE = _family(
    "served-elsewhere", "{status} here ({refusals}), and the same request is served to another client ({served})",
    "http-vantages", 0.6, others=0.02, server_refuses=0.005, ordinary=0.01, rest=0.005,
    source="DESIGN: the same request passes from another vantage; set by hand",
)  # fmt: skip
# Sites turn away robots and strangers by 403, and nobody by 451.
FOR_LEGAL_REASONS = _family(
    "for-legal-reasons-here", "{status} here ({refusals}), and the same request is served to another client ({served})",
    "http-vantages", 0.6, others=0.01, server_refuses=0.005, ordinary=0.0005, rest=0.001,
    source="RFC 7725 (451 says that it is the law); set by hand",
)  # fmt: skip
REFUSED = Clue(
    id="refused-by-status",
    says="{name} answered {status}: {title}",
    group="observation",
    given={},
    source="RFC 9110 section 15.5.4, RFC 7725",
)
FAMILIES = (
    TWO_ANSWERS, SOONER, SOONER_BY_ONE_SAMPLE, SOONER_FROM_NEARBY, *UNLIKE.values(), UNLIKE_THE_HANDSHAKE, KNOWN_PAGE,
    KNOWN_PRODUCT, AMONG_STRANGERS, WHERE_IT_IS_A_STRANGER, OTHERS_SERVED, CUT_BEHIND, UNAWARE, IN_THE_CLIENTS_NAME,
    FROM_AFAR, SERVED_ELSEWHERE, FOR_LEGAL_REASONS,
)  # fmt: skip


# Answers to other hosts that are looked at beside a doubtful one, nearest in time first.
NEAREST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpInjection(Technique):
    """Thresholds: how many strangers must say the same, and how often a server must have refused and served."""

    clues = (*(clue for family in FAMILIES for clue in family.values()), REFUSED)

    reads_steps_of = ("http-filtering",)

    strangers: int = 3
    refusals: int = 2

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every doubtful answer for itself, then what answers say beside each other."""
        ticks_s = {r.index: tick_s(r) for r in capture.recordings}
        third = {
            (r.index, flow): Cited(r.index, number)
            for r in capture.recordings
            for number, flow, _ in unsent(r, TIME_EXCEEDED)
        }
        doubtful: dict[str, str] = {}
        far: dict[tuple[str, str], str] = {}
        for stream in capture.streams:
            if stream.protocol != "http" or stream.trial in capture.aftermath:
                continue
            if worth_a_look(stream):
                for answer in answers(capture, stream, ticks_s[stream.capture]):
                    action = _action(capture, answer.page)
                    against = tuple(_against(answer, action, third.get((stream.capture, stream.flow))))
                    yield from against
                    if against:
                        doubtful[stream.trial] = action
                        if stream.request_ttl_hops is not None:
                            far[stream.name or "", stream.server.address] = action
        for (name, address), action in far.items():
            yield from self._afar(capture, name, address, action)
        yield from self._beside(capture, doubtful)

    @staticmethod
    def _afar(capture: Capture, name: str, address: str, action: str) -> Iterator[Evidence]:
        """Requests that were answered from some reach on, and those that died before it unanswered."""
        shots = [s for s in capture.shots if (s.name, s.address, s.protocol) == (name, address, "http")]
        hits = [s for s in shots if s.drew == "answer"]
        hop = min((s.ttl_hops for s in hits), default=0)
        misses = [s for s in shots if s.drew is None and s.died and HOUSE_HOPS < s.ttl_hops < hop]
        if not hits or not misses:
            return
        least = max(s.ttl_hops for s in misses)
        subject = Subject(name=name, address=address, port=hits[0].port, protocol="http")
        packets = [p for s in (*hits[:2], *misses[-2:]) for p in (*s.sent[:1], *s.replies[:1], *s.died[:1])]
        yield cite(FROM_AFAR[action], subject, *(Cited(p.capture, p.number) for p in packets), hop=hop, least=least)

    def _beside(self, capture: Capture, doubtful: Mapping[str, str]) -> Iterator[Finding]:
        views = side_by_side.views(s for s in capture.streams if s.trial not in capture.aftermath)
        by_place: dict[tuple[str, str, int], list[View]] = {}
        by_host: dict[tuple[Endpoint, str], list[View]] = {}
        for v in views:
            by_place.setdefault(v.where, []).append(v)
            by_host.setdefault((v.stream.server, v.host), []).append(v)
        clients = {v.stream.client.address for v in views if v.served}
        alike: dict[int, list[View]] = {}
        for words in side_by_side.by_words(views).values():
            hosts = side_by_side.strangers(words)
            alike |= {id(v): hosts for v in words if len(hosts) >= self.strangers}
        for v in views:
            if v.stream.server_bytes > LONGEST_PAGE_BYTES and v.status == 200 and v.stream.trial not in doubtful:
                continue
            known = _known(capture, v.stream, v.page)
            yield from filter(None, [known])
            if v.served and not known and v.stream.trial not in doubtful:
                continue
            action = doubtful.get(v.stream.trial) or _action(capture, v.page)
            if id(v) in alike and v.stream.client.address in clients:
                others = alike[id(v)]
                packets = [s for o in (v, *others[:4]) for s in _ends(o)]
                yield cite(AMONG_STRANGERS[action], _subject(v.stream), *packets, hosts=len(others))
            if known or v.stream.trial in doubtful:
                near = side_by_side.nearest(v, by_place[v.where], most=NEAREST)
                served = [o for o in near if o.host != v.host and o.served]
                yield from _pair(capture, v, served, action) if served else ()
            elif v.page.kind in ("refusal", "error"):
                same = side_by_side.nearest(v, by_host[v.stream.server, v.host], most=NEAREST)
                yield from self._refused(v, same, action)

    def _refused(self, v: View, same: Sequence[View], action: str) -> Iterator[Finding]:
        """A refusal that nothing speaks against is the server's own word; elsewhere it may say another one."""
        if v.status not in REFUSALS or not v.comparable:
            return
        subject = _subject(v.stream)
        yield cite(REFUSED, subject, *_ends(v), name=v.host, status=v.page.status, title=v.page.title or "no title")
        elsewhere = side_by_side.served_elsewhere(v, same)
        mine = [o for o in same if o.where == v.where and (o.host, o.page.status) == (v.host, v.page.status)]
        if len(elsewhere) >= self.refusals <= len(mine):
            # Evidence belongs to the vantage of its first packet.
            shown = [s for o in elsewhere for s in _ends(o) if s > _ends(v)[0]][:4]
            family = FOR_LEGAL_REASONS if v.page.status == 451 else SERVED_ELSEWHERE
            yield cite(
                family[action], subject, *_ends(v), *shown,
                facets=Facets(position="server"), status=v.page.status, refusals=len(mine), served=len(elsewhere),
            )  # fmt: skip
            return
        why = f"{v.page.status} in the server's own time and headers: its own word, unless the request passes elsewhere"
        yield Inconclusive(why, tuple(Cited(s.capture, s.number) for s in _ends(v)), subject)


def _action(capture: Capture, page: Page) -> str:
    """What a page does; one that is known refuses, whatever it says."""
    known = capture.signatures.page(page.fields, page.title, page.body)
    return "blockpage" if known and page.kind != "redirect" else ACTIONS[page.kind]


def _against(a: Answer, action: str, third: Cited | None) -> Iterator[Evidence]:
    """What speaks against the server's having sent an answer."""
    subject, forged = _subject(a.stream), a.segments[:1]
    found: list[Evidence] = []
    if a.rivals:
        other = _said(a.other) if a.other is not None else "other bytes"
        found.append(
            cite(
                TWO_ANSWERS[action], subject, *a.request[-1:], a.first, *a.rivals, forged=forged if a.fields else (),
                facets=Facets(position="on-path" if a.unlike else None), first=_said(a.page), other=other,
            )
        )  # fmt: skip
    if a.delay is not None and a.delay.sooner:
        firm = SOONER if a.delay.agreeing else SOONER_BY_ONE_SAMPLE
        found.append(
            cite(
                (SOONER_FROM_NEARBY if a.nearby else firm)[action], subject, a.delay.cause, a.first, forged=forged,
                elapsed_ms=a.delay.elapsed_s * 1e3, rtt_ms=a.delay.rtt_s * 1e3, samples=a.delay.samples,
            )
        )  # fmt: skip
    if len(a.fields) >= 2 and not a.shared:
        family = UNLIKE[min(4, len(a.fields))] if found or a.settled or len(a.fields) == 2 else UNLIKE_THE_HANDSHAKE
        injected = forged if len(a.fields) >= 3 else ()
        found.append(cite(family[action], subject, a.first, *a.rivals, forged=injected, fields=", ".join(a.fields)))
    # The rest is seen on honest connections too, and weighs only beside something that is not.
    if not found:
        return
    yield from found
    if a.closes and a.resets:
        yield cite(CUT_BEHIND[action], subject, a.first, *a.resets)
    if a.unaware:
        yield cite(UNAWARE[action], subject, a.first, *a.unaware[:4], facets=Facets(position="in-path"))
    if third is not None:
        yield cite(IN_THE_CLIENTS_NAME[action], subject, a.first, _Packet(third.capture, third.number))


@dataclass(frozen=True, slots=True)
class _Packet:
    capture: int
    number: int


def _known(capture: Capture, stream: Stream, page: Page) -> Evidence | None:
    """The signature that fits; of several the one that says most."""
    found = capture.signatures.page(page.fields, page.title, page.body, host=stream.name or "")
    if not found:
        return None
    best = min(found, key=lambda s: (s.scope in CHOSEN, s.scope not in ("nat", "isp"), s.id))
    family = KNOWN_PRODUCT if best.scope in CHOSEN or best.scope == "vbw" else KNOWN_PAGE
    answer = [s for s in stream.from_server if s.payload_bytes][:1]
    return cite(family[_action(capture, page)], _subject(stream), *stream.from_client[:1], *answer, page=best.id)


def _pair(capture: Capture, v: View, served: Sequence[View], action: str) -> Iterator[Evidence]:
    at = v.stream.first_ns
    control = min(served, key=lambda o: abs(o.stream.first_ns - at))
    strange = side_by_side.is_foreign(capture, v) and side_by_side.is_foreign(capture, control)
    yield cite(
        (WHERE_IT_IS_A_STRANGER if strange else OTHERS_SERVED)[action], _subject(v.stream), *_ends(v), *_ends(control),
        facets=Facets(trigger=Trigger(field="http.host", value=v.host)),
        address=v.stream.server.address, control=control.host, name=v.host,
    )  # fmt: skip


def _ends(v: View) -> list[Cited]:
    """Request and answer."""
    return [Cited(v.stream.capture, row + 1) for row in (v.stream.request_row, v.stream.answer_row)]


def _said(page: Page) -> str:
    if page.kind == "redirect":
        return f"{page.status} to {page.location}"[:120]
    said = page.title or page.words[:40] or "no text"
    return f"{page.status or 'no status'}, {said!r}"[:120]


def _subject(stream: Stream) -> Subject:
    return Subject(
        name=stream.name, address=stream.server.address, port=stream.server.port, protocol="http", trial=stream.trial
    )
