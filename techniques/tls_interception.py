"""Somebody between answers TLS in the server's name, with a certificate that is not the server's.

What it looks for
    A first flight that comes sooner than the server could answer, for one name and not for others at its address; a
    certificate whose key and signer contradict another for the same name, shown to another client, elsewhere, or to
    the same hello in other pieces; a signer that only a state vouches for; a client that turns the certificate away.

What it sends
    Hellos that allow TLS 1.2 at most, so that the certificate is in the clear: control before target, then the target
    with a growing TTL if something was found.

When it is wrong
    Fronts have several certificates for one name and renew them; forgotten servers show one that signed itself.
    Gateways and virus scanners sign for names too: for all of them, or under their own name. A filter that looks into
    one name only and signs under no known name is told from a censor by nothing that packets show.

Papers
    Sundara Raman et al., "Investigating Large Scale HTTPS Interception in Kazakhstan", IMC 2020.
    O'Neill et al., "TLS Proxies: Friend or Foe?", IMC 2016.
    Durumeric et al., "The Security Impact of HTTPS Interception", NDSS 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fingerprint.capture import Capture
from fingerprint.conversations.tls import flights_compared as compared
from fingerprint.conversations.tls.anchors import anchor
from fingerprint.conversations.tls.first_flights import Flight, covers, flights
from fingerprint.conversations.tls.flights_compared import Answered, Rival
from fingerprint.messages.certificate import Certificate
from fingerprint.probing.certificates_shown import CertificatesShown
from fingerprint.steps import Probe, Target
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

# Products that look into one name and not into its neighbour are the exception: they take categories, or everything.
_PRODUCTS = ("corporate-proxy", "chosen-filter")
SOON = Clue(
    id="answer-sooner-than-the-server",
    says="{name} was answered after {took:.1f} ms, where the quickest handshake with {address} takes {floor:.1f} ms; "
    "{control} is answered there after {honest:.1f} ms",
    group="nearness",
    given={
        "tls.mitm": 0.5, **dict.fromkeys(_PRODUCTS, 0.02), "captive-portal": 0.01, "split-tcp": 0.003,
        "local-network": 0.003, "capture-fault": 0.002, "innocent": 0.0005, "*": 0.001,
    },
    source="RFC 8446 section 4.1.3: a ServerHello answers a hello, which takes a round trip; set by hand",
)  # fmt: skip
SOON_ALONE = Clue(
    id="answer-sooner-than-the-handshake",
    says="{name} was answered after {took:.1f} ms, where the quickest handshake with {address} takes {floor:.1f} ms",
    group="nearness",
    given={
        "tls.mitm": 0.5, **dict.fromkeys(_PRODUCTS, 0.2), "captive-portal": 0.1, "split-tcp": 0.1,
        "local-network": 0.03, "capture-fault": 0.02, "innocent": 0.005, "*": 0.01,
    },
    source="as answer-sooner-than-the-server, without another name at the address; set by hand",
)  # fmt: skip
ON_THE_WAY = Clue(
    id="answered-on-the-way",
    says="{name} is answered although its hello dies after {hop} hops; with that reach {control} is reported dead",
    group="place",
    given={
        "tls.mitm": 0.8, **dict.fromkeys((*_PRODUCTS, "captive-portal", "split-tcp", "local-network"), 0.02),
        "innocent": 0.0005, "*": 0.001,
    },
    source="RFC 791: what died on the way was read by nobody behind; set by hand",
)  # fmt: skip
TURNED_AWAY = Clue(
    id="client-turns-the-signer-away",
    says="the client answers the certificate for {name} at {address} with {alert} ({count} of {all}) and takes others",
    group="refusal",
    given={
        "tls.mitm": 0.7, "ordinary": 0.015, **dict.fromkeys(_PRODUCTS, 0.04), "captive-portal": 0.1,
        "local-network": 0.04, "split-tcp": 0.005, "server-refuses": 0.005, "innocent": 0.003, "*": 0.01,
    },
    source="RFC 8446 section 6.2: unknown_ca, bad_certificate, certificate_unknown; set by hand",
)  # fmt: skip
# A bad certificate happens, and so does a near machine in a far block; what is left for both at once is their product.
AWAY_AND_NEAR = Clue(
    id="turned-away-and-nearer-than-its-neighbours",
    says="the client answers the certificate for {name} with {alert} ({count} of {all}) and takes others; {address} "
    "answers handshakes after {floor:.1f} ms, its neighbour {neighbour} after {theirs:.1f} ms",
    group="refusal",
    given={
        "tls.mitm": 0.35, "ordinary": 0.00015, **dict.fromkeys(_PRODUCTS, 0.0012), "captive-portal": 0.0005,
        "split-tcp": 0.001, "local-network": 0.0008, "innocent": 0.00005, "*": 0.0002,
    },
    source="RIPE Labs 2014: nothing longer than a /24 is announced between networks; set by hand",
)  # fmt: skip
STRANGE_HEADER = Clue(
    id="flight-of-another-machine",
    says="the flight for {name} has {unlike} in the handshake; that for {control} at the same address does not",
    group="header",
    given={"tls.mitm": 0.5, "ordinary": 0.02, "split-tcp": 0.2, "innocent": 0.1, "*": 0.1},
    source="RFC 7323 section 3.2; load balancers differ for all names alike; set by hand",
)
OTHER_SHAPE = Clue(
    id="server-hello-of-another-kind",
    says="to one and the same kind of hello {address} answers {name} with another ServerHello than {control}",
    group="server-hello",
    given={"tls.mitm": 0.5, "ordinary": 0.15, "innocent": 0.2, "*": 0.2},
    source="sites on one address may have settings of their own; set by hand",
)
STATE_ROOT = Clue(
    id="signed-under-a-state-root",
    says="{name} is shown a certificate that leads to {anchor}: issuer {issuer}",
    group="signer",
    given={
        "tls.mitm.ca_signed": 0.9, "tls.mitm.self_signed": 0.001, "tls.mitm": 0.01, "corporate-proxy": 0.002,
        "chosen-filter": 0.002, "innocent": 0.0005, "*": 0.001,
    },
    source="tables/anchors.toml, rows of kind state; set by hand",
)  # fmt: skip
PRODUCT = Clue(
    id="signed-by-a-product",
    says="{name} is shown a certificate that {anchor} made: issuer {issuer}",
    group="signer",
    given={"tls.mitm": 0.003, **dict.fromkeys(_PRODUCTS, 0.9), "captive-portal": 0.3, "innocent": 0.01, "*": 0.01},
    source="tables/anchors.toml, rows of kind product; set by hand",
)
OTHERS_TOO = Clue(
    id="others-are-signed-alike",
    says="all {others} other names whose certificate was seen are signed by {issuer} as well",
    group="reach",
    given={"tls.mitm": 0.03, **dict.fromkeys((*_PRODUCTS, "captive-portal"), 0.9), "innocent": 0.3, "*": 0.3},
    source="O'Neill et al., IMC 2016: what signs for everybody is a product or a portal; set by hand",
)
ONE_KEY = Clue(
    id="one-key-for-strangers",
    says="the certificate for {name} has the same key as that for {other} at {elsewhere}",
    group="signer",
    given={
        "tls.mitm": 0.2, **dict.fromkeys((*_PRODUCTS, "captive-portal"), 0.2), "ordinary": 0.01, "innocent": 0.01,
        "*": 0.01,
    },
    source="Durumeric et al., NDSS 2017: products that make leaves on the fly share one key; set by hand",
)  # fmt: skip


def _leaf(kind: str, shown_to: str, says: str, ordinary: float, products: float) -> Clue:
    """A clue about the certificate that ``name`` was shown: its likelihoods tell the two leaves of the node apart."""
    own, other = ("self_signed", "ca_signed") if kind == "self-signed" else ("ca_signed", "self_signed")
    return Clue(
        id=f"{kind}-{shown_to}",
        says=says,
        group="certificate",
        given={
            f"tls.mitm.{own}": 0.9, f"tls.mitm.{other}": 0.003, "tls.mitm": 0.01, "ordinary": ordinary,
            **dict.fromkeys((*_PRODUCTS, "captive-portal", "local-network"), products), "innocent": ordinary,
            "*": ordinary,
        },
        source="RFC 5280; shares of servers that do so set by hand",
    )  # fmt: skip


_BESIDE = {
    "form": "{name} at {address} is shown a certificate by {issuer}; the same hello in other pieces one by {own}",
    "client": "{name} at {address} is shown a certificate by {issuer}; another client there one by {own}",
    "unnamed": "{name} at {address} is shown a certificate by {issuer}; a hello that does not name it one by {own}",
    "elsewhere": "{name} at {address} is shown a certificate by {issuer}; elsewhere or at other times one by {own}",
}
# What the other certificate was shown to → the clue. A server that has a signed certificate for a name and shows a
# self-signed one is rarer than a front with two authorities; none tells segments of one hello apart.
# Products end the connection of TCP themselves, so that a hello in pieces is whole to them.
SELF_SIGNED = {
    kind: _leaf("self-signed", f"beside-{kind}", _BESIDE[kind].replace("by {issuer}", "that signed itself"), p, most)
    for kind, p, most in (
        ("form", 0.001, 0.005), ("client", 0.01, 0.05), ("unnamed", 0.03, 0.05), ("elsewhere", 0.06, 0.05)
    )
}  # fmt: skip
OTHER_SIGNER = {
    kind: _leaf("other-signer", f"beside-{kind}", _BESIDE[kind], p, most)
    for kind, p, most in (
        ("form", 0.001, 0.005), ("client", 0.1, 0.05), ("unnamed", 0.3, 0.05), ("elsewhere", 0.4, 0.05)
    )
}  # fmt: skip
_HERE = "{name} at {address} is shown a certificate that signed itself, {control} one that {own} signed"
SELF_SIGNED_HERE = _leaf("self-signed", "beside-others", _HERE, 0.2, 0.1)
# What kind it is, where nothing beside it says whether it is the server's: as likely under the node as under the rest.
_SHOWN = "{name} at {address} is shown a certificate that "
KINDS = {
    "self-signed": _leaf("self-signed", "alone", f"{_SHOWN}signed itself", 0.3, 0.3),
    "other-signer": _leaf("signed", "alone", f"{_SHOWN}{{issuer}} signed", 0.3, 0.3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsInterception(Technique):
    """How many pairs are sent once an answer came too soon, and how long one is waited for."""

    clues = (
        SOON, SOON_ALONE, ON_THE_WAY, TURNED_AWAY, AWAY_AND_NEAR, STRANGE_HEADER, OTHER_SHAPE, STATE_ROOT, PRODUCT,
        OTHERS_TOO, ONE_KEY, *SELF_SIGNED.values(), *OTHER_SIGNER.values(), SELF_SIGNED_HERE, *KINDS.values(),
    )  # fmt: skip

    pairs: int = 3
    listen_s: float = 3.0
    # Fibre brings an answer from a provider's first router that soon, and so does the client's own network.
    at_home_s: float = compared.AT_HOME_S

    def probe(self, target: Target) -> Probe:
        """Control and target with their certificates in the clear, then the place."""
        told = (OTHER_SIGNER["unnamed"],)
        yield from CertificatesShown(target, shows=told, pairs=self.pairs, listen_s=self.listen_s).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every name at every place: when it was answered, with what, and what the client made of it."""
        everywhere = tuple(flights(capture.streams))
        for mine in compared.answered(everywhere):
            signed = list(_signers(mine, capture))
            if any(isinstance(f, Evidence) and f.clue is PRODUCT for f in signed):
                yield from signed  # whatever else is to be seen, the product does
                continue
            home = [f for f in mine.soon if f.took_s < self.at_home_s and not mine.others_soon]
            if home and not any(isinstance(f, Evidence) for f in signed):
                yield _unsure(mine, f"{mine.name} is answered as soon as a scanner at the client's would", home[0])
                continue
            found = [*signed, *_timing(mine), *_way(mine, capture), *_refusal(mine, everywhere)]
            suspects = _suspects(mine, found)
            found += _certificate(mine, suspects, everywhere)
            if any(isinstance(f, Evidence) for f in found):
                found += [*_beside(mine, suspects), *_alike(mine, suspects, everywhere)]
            yield from found


def _timing(mine: Answered) -> Iterator[Finding]:
    if not mine.soon or mine.floor_s is None:
        return
    if mine.others_soon:
        why = f"{mine.name} and other names at {mine.address} are answered sooner than it could, as by a proxy"
        yield _unsure(mine, why, mine.soon[0])
        return
    others = mine.others_in_time
    for f in mine.soon:
        control = others[0] if others else f
        yield cite(
            SOON if others else SOON_ALONE, _subject(mine, f), *f.shown, *filter(None, [f.opening.syn_ack]),
            *control.shown, facets=Facets(position="in-path", trigger=_by_name(mine)),
            name=mine.name, address=mine.address, took=1e3 * f.took_s, floor=1e3 * mine.floor_s,
            control=control.name or "a hello without a name", honest=1e3 * control.took_s,
        )  # fmt: skip


def _way(mine: Answered, capture: Capture) -> Iterator[Evidence]:
    met = compared.on_the_way(mine, capture.shots)
    if met is None:
        return
    sent = [x for s in (*met.hits, *met.controls) for x in s.sent[:1]]
    reports = [e for s in met.controls for e in s.died[:1]]
    yield cite(
        ON_THE_WAY, _subject(mine), *sent, *reports, name=mine.name, hop=met.hop, control=met.controls[0].name,
        facets=Facets(position="in-path", trigger=_by_name(mine), location=Location(hop=met.hop, link=met.link)),
    )  # fmt: skip


def _signers(mine: Answered, capture: Capture) -> Iterator[Finding]:
    rows = capture.known.rows("anchors")
    seen: set[object] = set()
    for f in mine.flights:
        if f.unreadable is not None:
            yield _unsure(mine, f"the certificate for {mine.name} does not parse: {f.unreadable.malformed.why}", f)
        for each in f.chain:
            row = anchor(each.issuer, rows) if isinstance(each, Certificate) else None
            if row is None or row["name"] in seen or not isinstance(each, Certificate):
                continue
            seen.add(row["name"])
            clue = STATE_ROOT if row["kind"] == "state" else PRODUCT
            yield cite(clue, _subject(mine), *f.shown, name=mine.name, anchor=row["name"], issuer=each.issuer)


def _refusal(mine: Answered, everywhere: Sequence[Flight]) -> Iterator[Finding]:
    refused = mine.turned_away
    if not refused:
        return
    own = [f for f in everywhere if f.place[0] == mine.flights[0].place[0]]
    taken = next((f for f in own if f.name != mine.name and f.taken), None)
    away = {f.name for f in own if f.name != mine.name and f.turned_away and not f.taken}
    if taken is None or len(away) > len({f.name for f in own if f.taken}):
        yield _unsure(
            mine, "the client turned the certificate away and takes no other, so that it may mind all", refused[0]
        )
        return
    words: dict[str, Any] = {"name": mine.name, "address": mine.address, "alert": refused[0].turned_away}
    words |= {"count": len(refused), "all": len(mine.flights)}
    alerts = [s for f in refused for s in f.alerting]
    far = compared.nearer_than_neighbours(mine, everywhere)
    if not far or mine.floor_s is None:
        yield cite(TURNED_AWAY, _subject(mine), *alerts, *taken.shown, **words)
        return
    shaken = [f.opening.syn_ack for f in (*refused, *far) if f.opening.syn_ack]
    words |= {"floor": 1e3 * mine.floor_s, "neighbour": far[0].place[1]}
    words |= {"theirs": 1e3 * min(f.handshake_s for f in far if f.handshake_s is not None)}
    yield cite(AWAY_AND_NEAR, _subject(mine), *alerts, *taken.shown, *shaken, **words)


def _suspects(mine: Answered, found: Sequence[Finding]) -> tuple[Flight, ...]:
    """The flights in the clear that something speaks against; where nothing does, those that signed themselves."""
    soon = set(mine.soon) if not mine.others_soon else set()
    by_state = any(isinstance(f, Evidence) and f.clue in (STATE_ROOT, ON_THE_WAY) for f in found)
    told = [f for f in mine.flights if f in soon or f.turned_away or (f.leaf and by_state)]
    if told:
        return tuple(f for f in told if f.leaf)
    return tuple(f for f in mine.flights if f.leaf and f.leaf.self_issued and covers(f.leaf, mine.name))


def _certificate(mine: Answered, suspects: Sequence[Flight], everywhere: Sequence[Flight]) -> Iterator[Evidence]:
    leaf = suspects[0].leaf if suspects else None
    if leaf is None:
        return
    kind = "self-signed" if leaf.self_issued else "other-signer"
    own = compared.rival(mine, suspects, everywhere) if covers(leaf, mine.name) else None
    told = mine.soon or mine.turned_away
    if own is not None and not (leaf.self_issued and own.leaf.self_issued and not told):
        yield from _contradicted(mine, kind, suspects, own)
        return
    signed = next((f for f in mine.others if f.leaf and not f.leaf.self_issued), None)
    words: dict[str, Any] = {"name": mine.name, "address": mine.address, "issuer": leaf.issuer}
    if leaf.self_issued and signed is not None and signed.leaf and covers(leaf, mine.name):
        clue, shown = SELF_SIGNED_HERE, signed.shown
        words |= {"control": signed.name or "a hello without a name", "own": signed.leaf.issuer}
        yield cite(clue, _subject(mine), *suspects[0].shown, *shown, **words)
    elif told:
        yield cite(KINDS[kind], _subject(mine), *suspects[0].shown, **words)


def _contradicted(mine: Answered, kind: str, suspects: Sequence[Flight], own: Rival) -> Iterator[Evidence]:
    leaf = suspects[0].leaf
    if leaf is None or (own.leaf.self_issued and not leaf.self_issued and not (mine.soon or mine.turned_away)):
        return
    clue = (SELF_SIGNED if kind == "self-signed" else OTHER_SIGNER)[own.shown_to]
    shown = (*(s for f in suspects for s in f.shown), *(s for f in own.flights for s in f.shown))
    words: dict[str, Any] = {"name": mine.name, "address": mine.address, "issuer": leaf.issuer, "own": own.leaf.issuer}
    yield cite(clue, _subject(mine), *shown, facets=Facets(trigger=_by_name(mine)), **words)


def _beside(mine: Answered, suspects: Sequence[Flight]) -> Iterator[Evidence]:
    """What supports it: headers and ServerHellos unlike those for other names at the same address."""
    if not mine.others or mine.others_soon:
        return
    told = mine.soon or suspects
    strange = next((f for f in told if f.strange_header), None)
    plain = [f for f in mine.others if f.strange_header is None]
    if strange is not None and len(plain) == len(mine.others):
        yield cite(
            STRANGE_HEADER, _subject(mine), *strange.shown, *plain[0].shown, name=mine.name,
            unlike=strange.strange_header, control=plain[0].name or "a hello without a name",
        )  # fmt: skip
    for f in told[:1]:
        ja4 = f.stream.hello.ja4 if f.stream.hello else None
        alike = [o for o in mine.others if o.stream.hello and o.stream.hello.ja4 == ja4 and o.shape]
        if f.shape and alike and all(o.shape != f.shape for o in alike):
            yield cite(
                OTHER_SHAPE, _subject(mine), *f.shown, *alike[0].shown, name=mine.name, address=mine.address,
                control=alike[0].name or "a hello without a name",
            )  # fmt: skip


def _alike(mine: Answered, suspects: Sequence[Flight], everywhere: Sequence[Flight]) -> Iterator[Evidence]:
    """What else the same hand signed."""
    leaf = suspects[0].leaf if suspects else None
    if leaf is None:
        return
    client = mine.flights[0].place[0]
    others = {f.name: f for f in everywhere if f.leaf and f.name and f.name != mine.name and f.place[0] == client}
    if len(others) >= 2 and all(f.leaf and f.leaf.issuer == leaf.issuer for f in others.values()):
        shown = [s for f in others.values() for s in f.shown]
        yield cite(OTHERS_TOO, _subject(mine), *suspects[0].shown, *shown, others=len(others), issuer=leaf.issuer)
    stranger = compared.stranger(mine, leaf, others.values())
    if stranger is not None:
        words: dict[str, Any] = {"name": mine.name, "other": stranger.name, "elsewhere": stranger.place[1]}
        yield cite(ONE_KEY, _subject(mine), *suspects[0].shown, *stranger.shown, **words)


def _by_name(mine: Answered) -> Trigger:
    return Trigger(field="tls.sni", value=mine.name)


def _subject(mine: Answered, flight: Flight | None = None) -> Subject:
    trial = flight.stream.trial if flight else None
    return Subject(name=mine.name, address=mine.address, port=mine.flights[0].place[2], protocol="tls", trial=trial)


def _unsure(mine: Answered, why: str, flight: Flight) -> Inconclusive:
    return Inconclusive(why, tuple(Cited(s.capture, s.number) for s in flight.shown), _subject(mine, flight))
