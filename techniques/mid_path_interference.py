"""Interference with requests that died before they reached their server: whoever reacts stands on the way.

What it looks for
    Requests with small TTLs: the smallest with which a name draws a reset, a close, an alert, a page or a DNS answer,
    or from which on routers no longer report it dying while they report a control. And connections under an innocent
    name that suffer from some reach of a decoy on, which names the target and dies on the way. Either names a link.

What it sends
    Nothing of its own: the sweeps of `sni-filtering`, `http-filtering`, `dns-injection` and `throttling`.

When it is wrong
    A request that came as far as the server proves nothing: the control tells how far that is. Source ports vary, and
    with them the path where routers balance: links are then those of several paths. Routers limit their reports, so
    that one missing report is no drop. A proxy or a filter in the home stands on the way as well, at the first hop.

Papers
    Sundara Raman et al., "Network Measurement Methods for Locating and Examining Censorship Devices", CoNEXT 2022.
    Xue et al., "TSPU: Russia's Decentralized Censorship System", IMC 2022.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fingerprint.capture import Capture
from fingerprint.conversations.dns.lookups import DnsPacket
from fingerprint.conversations.http.answers import HOUSE_HOPS
from fingerprint.conversations.path.armed import ArmedSweep
from fingerprint.conversations.path.place import Shot, routers
from fingerprint.conversations.path.sweeps import Sweep
from fingerprint.messages.dns import NXDOMAIN, REFUSED, SERVFAIL
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Location,
    Subject,
    Technique,
    Trigger,
    cite,
)

# A decoy that no router reports was stopped, or the report was: twice is no accident.
UNREPORTED_DECOYS = 2
_SOURCE = "RFC 791: what died on the way was read by nobody behind; set by hand"
# A box in the home or office stands at the first hop, by its owner's choice.
_FIRST_HOP = {"chosen-filter": 0.3, "corporate-proxy": 0.3, "captive-portal": 0.2, "local-network": 0.2}
_ON_THE_WAY = dict.fromkeys(
    ("split-tcp", "captive-portal", "corporate-proxy", "chosen-filter", "local-network", "capture-fault"), 0.0005
)


def _named(action: str) -> Mapping[str, float]:
    """That a control with the same reach met nothing makes the name the trigger."""
    # A query has no field but the name that could set anything off, and no node below.
    slower = {"throttle": {"ip.throttle": 0.003}, "timeout": {"dns.timeout": 0.6}}.get(action, {})
    leaves = ("sni",) if action in ("close", "alert") else ("sni", "host")
    # Controls have the same path: they tell a Host, alone or (more seldom) with its path, from any other word.
    rarer = {f"http.{action}.path": 0.1} if action in ("reset", "timeout") else {}
    return {**{f"*.{action}.{leaf}": 0.6 for leaf in leaves}, **rarer, f"*.{action}": 0.005, **slower}


def _family(
    name: str, says: str, actions: tuple[str, ...], given: Mapping[str, float], *, named: bool
) -> Mapping[str, Clue]:
    return MappingProxyType(
        {
            action: Clue(
                id=f"{action}-{name}",
                says=says.replace("WHAT", _SAID[action]),
                group="mid-path",
                given={**(_named(action) if named else {f"*.{action}": 0.6}), **given},
                source=_SOURCE,
            )
            for action in actions
        }
    )


_SAID = {
    "reset": "reset",
    "close": "closed",
    "alert": "answered by an alert",
    "timeout": "cut off",
    "throttle": "held back",
}
_SHORT = {**_ON_THE_WAY, "nat-timeout": 0.0002, "innocent": 0.00005, "*": 0.00005}
_ALONE = {
    **dict.fromkeys(_ON_THE_WAY, 0.03),
    "nat-timeout": 0.01,
    "server-refuses": 0.002,
    "innocent": 0.003,
    "*": 0.003,
}
_CUT = ("reset", "close", "alert")
DREW = _family(
    "of-a-request-that-died",
    "requests for {name} are WHAT from {hop} hops on though they die before the server; {control} meets nothing there",
    _CUT, _SHORT, named=True,
)  # fmt: skip
DREW_ALONE = _family(
    "of-a-request-that-died-alone",
    "requests for {name} are WHAT from {hop} hops on though they die before the server",
    _CUT, {**_ALONE, **_FIRST_HOP}, named=False,
)  # fmt: skip
UNREPORTED = _family(
    "before-the-next-router",
    "requests for {name} are no longer reported by routers from {hop} hops on; those for {control} are",
    ("timeout",), {**_SHORT, "loss": 0.005, "path-failure": 0.02, "*": 0.001}, named=True,
)  # fmt: skip
ARMED = _family(
    "behind-a-decoy",
    "connections under {control} are WHAT behind decoys for {name} of {hop} hops and more, which die on the way;"
    " they pass behind shorter ones ({hits} against {misses})",
    _CUT, _SHORT, named=True,
)  # fmt: skip
# Packets are lost, and lines are slow, for other reasons too, though hardly by the reach of a decoy.
ARMED_SILENCE = _family(
    "behind-a-decoy", ARMED["reset"].says.replace(_SAID["reset"], "WHAT"), ("timeout", "throttle"),
    {**_SHORT, "loss": 0.002, "path-failure": 0.004, "congestion": 0.002, "server-down": 0.001}, named=True,
)  # fmt: skip
_PAGES = dict.fromkeys(("http.blockpage", "http.redirect", "http.injection", "http.error"), 0.6)
_IN_THE_HOUSE = ("corporate-proxy", "captive-portal", "local-network")
PAGE = Clue(
    id="page-for-a-request-that-died",
    says="requests for {name} are answered from {hop} hops on though they die before the server",
    group="mid-path",
    given={**_PAGES, **_ALONE, **_FIRST_HOP},
    source=_SOURCE,
)
# Farther out than a house reaches, proxies and filters that somebody chose are rare; and those that answer one name
# of two mind it.
PAGE_AFAR = Clue(
    id="page-for-a-request-that-died-afar",
    says=PAGE.says,
    group="mid-path",
    given={**_PAGES, **_ALONE, "split-tcp": 0.01, "chosen-filter": 0.01, **dict.fromkeys(_IN_THE_HOUSE, 0.003)},
    source=_SOURCE,
)
PAGE_FOR_ONE = Clue(
    id="page-for-one-of-two-requests-that-died",
    says=f"{PAGE.says}; {{control}} meets nothing there",
    group="mid-path",
    given={**_PAGES, **_SHORT, "chosen-filter": 0.005},
    source=_SOURCE,
)
FALSE_ANSWER = Clue(
    id="answer-to-a-query-that-died",
    says="queries for {name} are answered from {hop} hops on though they die before {address}; {control} is not",
    group="mid-path",
    given={"dns.injection": 0.6, **_SHORT, "local-network": 0.005},
    source=_SOURCE,
)
FALSE_DENIAL = MappingProxyType(
    {
        code: Clue(
            id=f"{node}-of-a-query-that-died",
            says=f"queries for {{name}} draw {node.upper()} from {{hop}} hops on though they die before {{address}}; "
            "{control} does not",
            group="mid-path",
            given={f"dns.{node}": 0.6, **_SHORT, "local-network": 0.005},
            source=_SOURCE,
        )
        for code, node in ((NXDOMAIN, "nxdomain"), (REFUSED, "refused"), (SERVFAIL, "servfail"))
    }
)
MIRRORED = Clue(
    id="replies-mirror-the-ttl",
    says="replies arrive with the TTL of what they answer less {less}: whoever sends them copies it",
    group="observation",
    given={},
    source="Anonymous et al., Wallbleed, NDSS 2025; Aryan et al., FOCI 2013",
)
ROUTERS = Clue(
    id="routers-on-the-way",
    says="requests to {address} were reported by {routers}",
    group="observation",
    given={},
    source="RFC 792, time exceeded",
)
REWRITTEN = Clue(
    id="rewritten-on-the-way",
    says="{router} saw the request with another {fields} than it was sent with",
    group="observation",
    given={},
    source="Detal et al., 'Revealing Middlebox Interference with Tracebox', IMC 2013",
)
FAMILIES = (DREW, DREW_ALONE, UNREPORTED, ARMED, ARMED_SILENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MidPathInterference(Technique):
    """Thresholds live with the facts, in `fingerprint.conversations.path.sweeps` and beside it."""

    clues = (
        *(clue for family in FAMILIES for clue in family.values()), PAGE, PAGE_AFAR, PAGE_FOR_ONE, FALSE_ANSWER,
        *FALSE_DENIAL.values(), MIRRORED, ROUTERS, REWRITTEN,
    )  # fmt: skip

    reads_steps_of = ("sni-filtering", "http-filtering", "dns-injection", "throttling")

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every sweep with the link that it names, then what the routers said."""
        for sweep in capture.sweeps:
            yield _placed(sweep)
            if sweep.mirrored:
                less = sweep.hits[0].ttl_hops - sweep.hits[0].arrived_hops[0]
                yield cite(MIRRORED, _subject(sweep), *(p for h in sweep.hits for p in h.replies), less=less)
        for armed in capture.armed_sweeps:
            yield _behind_decoys(armed)
        yield from _unplaced(capture)
        yield from _seen_by_routers(capture)


def _placed(sweep: Sweep) -> Evidence:
    compared = bool(sweep.controls) and sweep.hop > 1
    clue, disputes = _clue(sweep, compared=compared)
    shown = (*sweep.hits, *sweep.misses[-2:], *sweep.controls[:4])
    packets = [p for s in shown for p in (*s.sent[:1], *s.replies)]
    reports = [Cited(e.capture, e.number) for s in shown for e in s.died[:1]]
    control = sweep.controls[0].name if sweep.controls else "no control"
    return _located(
        clue, sweep, packets=(*(Cited(p.capture, p.number) for p in packets), *reports),
        position=sweep.position, trigger=_trigger(sweep) if compared else None, disputes=disputes,
        forged=_of_another(sweep),
        words={"name": sweep.name, "hop": sweep.hop, "control": control, "address": sweep.address},
    )  # fmt: skip


def _of_another(sweep: Sweep) -> tuple[Cited, ...]:
    """The first answer to each request that a router on the way reported as dead: the far end never had it.

    And, from whoever copies the TTL, every answer that bears it.
    """
    if sweep.mirrored:
        less = sweep.hits[0].ttl_hops - sweep.hits[0].arrived_hops[0]
        copied = [
            p for s in sweep.hits for p, ttl in zip(s.replies, s.arrived_hops, strict=False) if ttl == s.ttl_hops - less
        ]
    else:
        copied = []
    dead = [s for s in sweep.hits if any(e.router != s.address for e in s.died)]
    return tuple(sorted({Cited(p.capture, p.number) for p in (*copied, *(r for s in dead for r in s.replies[:1]))}))


def _clue(sweep: Sweep, *, compared: bool) -> tuple[Clue, tuple[str, ...]]:
    if sweep.action == "timeout":
        return UNREPORTED["timeout"], ()
    if sweep.action != "answer":
        return (DREW if compared else DREW_ALONE)[sweep.action], ()
    if sweep.protocol != "dns":
        return PAGE if sweep.hop <= HOUSE_HOPS else PAGE_FOR_ONE if compared else PAGE_AFAR, ()
    replies = [p for s in sweep.hits for p in s.replies if isinstance(p, DnsPacket)]
    if sweep.mirrored:
        less = sweep.hits[0].ttl_hops - sweep.hits[0].arrived_hops[0]
        asked = {s.trial: s.ttl_hops for s in sweep.hits}
        replies = [
            p for s in sweep.hits for p in s.replies if isinstance(p, DnsPacket) and p.ttl_hops == asked[s.trial] - less
        ]
    false = tuple(sorted({record.address for p in replies for record in p.addresses}))
    if false:
        return FALSE_ANSWER, false
    codes = [p.head.rcode for p in replies if p.head.rcode in FALSE_DENIAL]
    return FALSE_DENIAL[max(codes, key=codes.count, default=NXDOMAIN)], ()


def _behind_decoys(sweep: ArmedSweep) -> Evidence:
    shown = [*sweep.hits, *sweep.misses[-2:]]
    packets = [s for t in shown for s in (*t.armed.decoys[:1], *t.armed.stream.head[-2:])]
    packets += [s for stream in sweep.free[:1] for s in stream.from_server[:1]]
    stops = sweep.action in ("timeout", "throttle") or sweep.unreported >= UNREPORTED_DECOYS
    return _located(
        {**ARMED, **ARMED_SILENCE}[sweep.action], sweep, packets=tuple(Cited(p.capture, p.number) for p in packets),
        position="in-path" if stops or _rewrites(sweep) else None, trigger=_trigger(sweep), disputes=(),
        words={
            "name": sweep.name, "hop": sweep.hop, "control": sweep.hits[0].armed.stream.name or "another name",
            "hits": len(sweep.hits), "misses": len(sweep.misses) + len(sweep.free),
        },
    )  # fmt: skip


def _rewrites(sweep: ArmedSweep) -> bool:
    """Nothing but the ending came in the server's name after the handshake: there was no second packet to inject."""
    return all(
        sum(not s.from_client and s.time_ns > t.armed.decoys[0].time_ns for s in t.armed.stream.head if s.payload_bytes)
        == 0
        for t in sweep.hits
    )


def _located(
    clue: Clue,
    sweep: Sweep | ArmedSweep,
    *,
    packets: tuple[Cited, ...],
    position: str | None,
    trigger: Trigger | None,
    disputes: tuple[str, ...],
    words: Mapping[str, object],
    forged: tuple[Cited, ...] = (),
) -> Evidence:
    place = Location(hop=sweep.hop, link=sweep.link, address=sweep.router)
    return Evidence(
        clue=clue,
        subject=_subject(sweep),
        packets=tuple(sorted(set(packets))),
        says=clue.says.format(**words),
        facets=Facets(position=position, trigger=trigger, location=place),
        disputes=disputes,
        forged=forged,
    )


def _subject(sweep: Sweep | ArmedSweep) -> Subject:
    return Subject(name=sweep.name, address=sweep.address, port=sweep.port, protocol=sweep.protocol)


def _trigger(sweep: Sweep | ArmedSweep) -> Trigger | None:
    field = {"tls": "tls.sni", "http": "http.host", "dns": "dns.qname"}.get(sweep.protocol)
    return Trigger(field=field, value=sweep.name) if field else None


def _unplaced(capture: Capture) -> Iterator[Inconclusive]:
    """Names whose requests met something with a small TTL, too few of them to say between which routers."""
    placed = {(s.name, s.address, s.protocol) for s in capture.sweeps}
    placed |= {(s.name, s.address, s.protocol) for s in capture.armed_sweeps}
    drawn: dict[tuple[str, str, str], list[Shot]] = {}
    for shot in capture.shots:
        if shot.limited and shot.drew in ("reset", "close", "alert"):
            drawn.setdefault((shot.name, shot.address, shot.protocol), []).append(shot)
    for key, shots in drawn.items():
        if key in placed:
            continue
        least = min(shots, key=lambda s: s.ttl_hops)
        why = (
            f"requests for {least.name} draw a {least.drew} with {least.ttl_hops} hops; with less reach, and for other "
            "names, too few were sent to say whose it is and between which routers it begins"
        )
        packets = tuple(sorted({Cited(p.capture, p.number) for s in shots for p in (*s.sent[:1], *s.replies)}))
        subject = Subject(name=least.name, address=least.address, port=least.port, protocol=least.protocol)
        yield Inconclusive(why, packets, subject)


def _seen_by_routers(capture: Capture) -> Iterator[Evidence]:
    """One observation for each name that was sent to die: the routers, several at one distance where paths differ."""
    swept: dict[tuple[str, str, int, str], list[Shot]] = {}
    for shot in capture.shots:
        if shot.limited and shot.died:
            swept.setdefault((shot.name, shot.address, shot.port, shot.protocol), []).append(shot)
    for (name, address, port, protocol), shots in swept.items():
        subject = Subject(name=name, address=address, port=port, protocol=protocol)
        ways = "; ".join(f"{ttl}: {' or '.join(found)}" for ttl, found in routers(shots).items())
        reports = [e for s in shots for e in s.died[:1]]
        yield cite(ROUTERS, subject, *reports, address=address, routers=ways)
        changed = next((e for s in shots for e in s.died if e.rewritten), None)
        if changed is not None:
            sent = Cited(changed.capture, changed.row + 1)
            fields = ", ".join(changed.rewritten)
            yield cite(REWRITTEN, subject, changed, sent, router=changed.router, fields=fields)
