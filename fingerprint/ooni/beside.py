"""What other measurements of the same network say: names that pass at an address, names that a resolver answers well.

Another name at the same address is the only thing by which sockets can show that a name is the trigger.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from fingerprint.conversations.dns.answers import is_bogon, network, registrable
from fingerprint.ooni.facts import SYSTEM_ENGINES, Control, Exchange, Greeting, Lookup, Measurement
from fingerprint.ooni.fields import SECOND_NS, beyond_nat64

# Two measurements are of one moment if they lie no farther apart: a probe works through its list of sites in minutes.
TOGETHER_NS = 900 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A name that passed at an address."""

    name: str
    line: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """All that one network's measurements give each other. Endpoints are (address, port, ``tls`` or ``http``).

    Passes are in order of time.
    """

    passes: dict[tuple[str, int, str], tuple[Pass, ...]]
    answered: dict[str, frozenset[str]]  # session → names whose lookup agrees with the test helper's
    proxied: frozenset[tuple[str, str]]  # (session, network) of addresses that nobody can have, and where names worked

    def other_name(self, m: Measurement, address: str, port: int, layer: str) -> Pass | None:
        """The nearest pass of a name that is no relative of the target's, there and within a quarter of an hour."""
        passes, own = self.passes.get((address, port, layer), ()), registrable(m.target)
        first = bisect_left(passes, m.first_ns - TOGETHER_NS, key=_when)
        last = bisect_right(passes, m.first_ns + TOGETHER_NS, key=_when)
        near = [p for p in passes[first:last] if registrable(p.name) != own]
        return min(near, key=lambda p: (abs(p.at_ns - m.first_ns), p.line), default=None)

    def by_proxy(self, m: Measurement, lookup: Lookup) -> bool:
        """Whether it was given stand-ins, as a proxy on the machine gives them: some name worked at one of the kind."""
        return any(is_bogon(a) and (m.session, network(a)) in self.proxied for a in lookup.addresses)

    def others_answered(self, m: Measurement) -> int:
        """How many other names the resolver answered in the same run of the probe as the test helper's did."""
        return sum(registrable(n) != registrable(m.target) for n in self.answered.get(m.session, ()))


def beside(measurements: Iterable[Measurement]) -> Beside:
    """What the measurements of one network give each other."""
    passes: dict[tuple[str, int, str], list[Pass]] = {}
    answered: dict[str, set[str]] = {}
    proxied: set[tuple[str, str]] = set()
    for m in measurements:
        proxied.update((m.session, network(a)) for a in _stand_ins(m))
        for g in m.greetings:
            if g.failure is None and g.sni and g.ttl_hops is None:
                passes.setdefault((g.address, g.port, "tls"), []).append(_pass(m, g.sni))
        for host, address in _served(m):
            passes.setdefault((address, 80, "http"), []).append(_pass(m, host))
        if m.control and any(agrees(q, m.control) for q in m.lookups if q.name == m.target):
            answered.setdefault(m.session, set()).add(m.target)
    return Beside(
        passes={place: tuple(sorted(found, key=lambda p: (p.at_ns, p.line))) for place, found in passes.items()},
        answered={session: frozenset(names) for session, names in answered.items()},
        proxied=frozenset(proxied),
    )


def _stand_ins(m: Measurement) -> Iterable[str]:
    """Addresses that no public service can have, and that the name itself answered at all the same."""
    mine = {a for q in m.lookups if q.name == m.target for a in q.addresses if is_bogon(a)}
    sure = {g.address for g in m.greetings if g.verified and related(g.sni, m.target)}
    return mine if mine and m.alike else mine & sure


def _when(p: Pass) -> int:
    return p.at_ns


def _pass(m: Measurement, name: str) -> Pass:
    return Pass(name=name, line=m.line, at_ns=m.first_ns)


def _served(m: Measurement) -> Iterable[tuple[str, str]]:
    """Hosts that were served over plain HTTP as the test helper was, and at which address."""
    connected = {c.address for c in m.connects if c.port == 80 and c.failure is None}
    for x in m.exchanges:
        where = x.address or (next(iter(connected)) if len(connected) == 1 else None)
        if not x.secure and x.failure is None and x.status and where and m.alike and not x.known:
            yield x.host, where


def agrees(lookup: Lookup, control: Control) -> bool:
    """Whether a lookup by the line's resolver and the test helper's gave addresses of one network or one AS."""
    if lookup.engine not in SYSTEM_ENGINES or not lookup.addresses:
        return False
    theirs = {network(beyond_nat64(a)) for a in control.addresses}
    return bool(theirs & {network(beyond_nat64(a)) for a in lookup.addresses} or lookup.asns & control.asns)


def related(name: str, target: str) -> bool:
    """Whether a name is the target's, with or without ``www.``."""
    return name.removeprefix("www.") == target.removeprefix("www.")


def trusted(m: Measurement, address: str) -> bool:
    """Whether what happens at an address says something of the name: it is not an address that only a lie may give.

    With a control: the test helper was given it, or one of its network or AS, or a certificate of the name was shown
    there. Without one every public address is, and any at which another's name was spoken on purpose.
    """
    if m.foreign or address == m.target:
        return True
    if is_bogon(address):
        return False
    if any(g.verified and related(g.sni, m.target) and g.address == address for g in m.greetings):
        return True
    if m.control is None:
        return True
    if network(beyond_nat64(address)) in {network(beyond_nat64(a)) for a in m.control.addresses}:
        return True
    return any(address in q.addresses and q.asns & m.control.asns for q in m.lookups)


def plain(m: Measurement) -> tuple[Exchange, ...]:
    """The requests in the clear for the target itself."""
    return tuple(x for x in m.exchanges if not x.secure and related(x.host, m.target))


def greeted(m: Measurement) -> tuple[Greeting, ...]:
    """The target's own handshakes with packets of full life; one without a name was meant for the target."""
    return tuple(g for g in m.greetings if g.ttl_hops is None and (not g.sni or related(g.sni, m.target)))
