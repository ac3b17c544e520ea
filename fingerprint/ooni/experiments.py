"""The tests that are read, each into a `Measurement`: ts-017, ts-027, ts-028, ts-037, and our own export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fingerprint.conversations.dns.answers import registrable
from fingerprint.ooni import entries, fields
from fingerprint.ooni.facts import Exchange, Greeting, Measurement
from fingerprint.signatures import Signatures

Keys = Mapping[str, Any]
# How our own export calls itself.
OURS = "censorship_fingerprint"
RESOLVER = "resolver"
# Options by which urlgetter speaks another name than the host of its input (ooni/probe-cli, urlgetter).
NAMED_BY = ("TLSServerName=", "SNI=", "HTTPHost=")
# ts-037: what its traces are called, and were for the first weeks of 2022.
TRACES = ("iterative_trace", "trace")
# ts-017: whatever of these is true makes two final answers with equal status alike.
ALIKE_PAGES = ("body_length_match", "title_match")
ALIKE = (*ALIKE_PAGES, "headers_match")
# What the applications of OONI call a phone's own line, where the provider's resolver is asked with nobody between.
MOBILE = "mobile"


class UnknownTest(ValueError):
    """A test that is not read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What stands at the top of every measurement (df-000)."""

    line: int
    test: str
    input: str
    session: str
    asn: int | None
    country: str | None
    network: str | None
    first_ns: int
    last_ns: int
    own_resolver: bool
    mobile: bool
    options: tuple[str, ...]

    def of(self, target: str, **more: Any) -> Measurement:
        """A measurement of that target."""
        return Measurement(
            line=self.line, test=self.test, target=target, asked=self.input, session=self.session, asn=self.asn,
            country=self.country, network=self.network, first_ns=self.first_ns, last_ns=self.last_ns,
            own_resolver=self.own_resolver, mobile=self.mobile, **more,
        )  # fmt: skip


def measurement(line: int, document: Mapping[str, Any], signatures: Signatures) -> Measurement:
    """The facts of a measurement. Raises UnknownTest, and ValueError saying what a measurement lacks."""
    test = fields.text(document.get("test_name")) or "without a name"
    read = TESTS.get(test)
    if read is None:
        raise UnknownTest(test)
    keys = fields.table(document.get("test_keys"))
    if not keys:
        raise ValueError("it failed: it has no test_keys")
    return read(_common(line, test, document), keys, signatures)


def _common(line: int, test: str, document: Mapping[str, Any]) -> Common:
    first_ns = fields.time_ns(document.get("measurement_start_time") or document.get("test_start_time"))
    asn, said = fields.asn(document.get("probe_asn")), document.get("input")
    resolver = fields.asn(document.get("resolver_asn"))
    options = document.get("options")
    return Common(
        line=line,
        test=test,
        input=said if isinstance(said, str) else "",
        session=fields.text(document.get("report_id")) or f"line {line}",
        asn=asn,
        country=fields.country(document.get("probe_cc")),
        network=fields.text(document.get("probe_network_name")),
        first_ns=first_ns,
        last_ns=first_ns + round(fields.seconds(document.get("test_runtime")) * fields.SECOND_NS),
        own_resolver=asn is not None and asn == resolver,
        mobile=fields.table(document.get("annotations")).get("network_type") == MOBILE,
        options=tuple(o for o in options if isinstance(o, str)) if isinstance(options, list) else (),
    )


def web_connectivity(common: Common, keys: Keys, signatures: Signatures) -> Measurement:
    """ts-017, versions 0.4 and 0.5: the page of a site, with the test helper's view of it."""
    asked = _asked(common)
    exchanges = entries.exchanges(keys, signatures)
    alike = _alike(keys, exchanges, asked[1])
    made = common.of(asked[1], **_steps(keys, exchanges), control=entries.control(keys), alike=alike)
    return replace(made, notes=tuple(_concluded(keys)))


def _asked(common: Common) -> tuple[str, str, int | None, str]:
    asked = fields.url(common.input)
    if asked is None:
        raise ValueError(f"its input is {common.input[:80]!r}, which is no URL")
    return asked


def _steps(keys: Keys, exchanges: tuple[Exchange, ...] = ()) -> dict[str, Any]:
    return {
        "lookups": tuple(entries.lookups(keys)),
        "connects": tuple(entries.connects(keys)),
        "greetings": tuple(entries.greetings(keys)),
        "exchanges": exchanges,
    }


def _alike(keys: Keys, exchanges: tuple[Exchange, ...], target: str) -> bool | None:
    """ts-017, "HTTP diff": the same status and one likeness more. Over TLS the certificate has said whose answer it is.

    Unless a stranger gave it, to whom an answer in the clear had led: there the page itself must be alike, for names of
    header fields are alike on half of all servers. None where the probe could not compare.
    """
    led = next((x.to_host for x in exchanges if not x.secure and x.to_host), None)
    strange = led is not None and registrable(led) != registrable(target)
    if exchanges and exchanges[-1].certified and exchanges[-1].status is not None and not strange:
        return True
    same = keys.get("status_code_match")
    if not isinstance(same, bool):
        return None
    return same and any(keys.get(key) is True for key in (ALIKE_PAGES if strange else ALIKE))


def _concluded(keys: Keys) -> Iterator[str]:
    if isinstance(blocking := keys.get("blocking"), str):
        yield f"the probe itself concluded blocking: {blocking[:40]}"
    elif keys.get("accessible") is False and blocking is False:
        yield "the probe itself concluded: unavailable here as elsewhere"


def urlgetter(common: Common, keys: Keys, signatures: Signatures) -> Measurement:
    """ts-027: one URL, fetched or only looked up, connected to or greeted, sometimes under another name."""
    scheme, host, _, _ = _asked(common)
    spoken = next((o.partition("=")[2] for o in common.options if o.startswith(NAMED_BY)), "")
    target = fields.name(spoken) or host
    steps = _steps(keys, entries.exchanges(keys, signatures))
    return common.of(target, **steps, foreign=target != host, only_lookups=scheme == "dnslookup")


def dnscheck(common: Common, keys: Keys, signatures: Signatures) -> Measurement:
    """ts-028: an encrypted resolver, visited at each of its addresses."""
    host = _asked(common)[1]
    visits = [fields.table(v) for v in fields.table(keys.get("lookups")).values()]
    parts = [_steps(v, entries.exchanges(v, signatures)) for v in (fields.table(keys.get("bootstrap")), *visits)]
    steps = {key: tuple(x for part in parts for x in part[key]) for key in parts[0]}
    return common.of(host, role=RESOLVER, **steps)


def tlsmiddlebox(common: Common, keys: Keys, _: Signatures) -> Measurement:
    """ts-037: two names, greeted in turn at one address with packets that die one hop later each time."""
    steps = _steps(keys)
    traces = [trace for key in TRACES for trace in fields.rows(keys.get(key))]
    greeted = [g for trace in traces for g in _traced(trace)]
    target = next((g.sni for trace in traces for g in _trace(trace, "target_trace")), None)
    host = (fields.url(common.input) or ("", None, None, ""))[1]
    if target is None and host is None:
        raise ValueError("it does not say which name it greeted")
    hosts = {lookup.name for lookup in steps["lookups"]}
    name = target or host or ""
    return common.of(name, **steps | {"greetings": tuple(greeted)}, foreign=name not in hosts)


def _traced(trace: Keys) -> Iterator[Greeting]:
    yield from _trace(trace, "control_trace")
    yield from _trace(trace, "target_trace")


def _trace(trace: Keys, which: str) -> Iterator[Greeting]:
    where, told = fields.endpoint(trace.get("address")), fields.table(trace.get(which))
    for step in fields.rows(told.get("iterations")):
        ttl_hops = fields.whole(step.get("ttl"))
        entry = {"server_name": told.get("server_name"), **fields.table(step.get("handshake"))}
        made = entries.greeting(entry, where)
        if made and made.sni and ttl_hops and 0 < ttl_hops < 256:
            yield replace(made, ttl_hops=ttl_hops)


def ours(common: Common, keys: Keys, signatures: Signatures) -> Measurement:
    """Our own export: what its sockets would have seen, and no node that its report had not claimed."""
    target = fields.name(common.input)
    if target is None:
        raise ValueError(f"its input is {common.input[:80]!r}, which is no name")
    claimed = (fields.text(m.get("node")) for m in fields.rows(keys.get("mechanisms")))
    steps = _steps(keys, entries.exchanges(keys, signatures))
    state = fields.text(keys.get("state")) or "insufficient"
    role, claims = fields.text(keys.get("role")), frozenset(c for c in claimed if c)
    return common.of(target, role=role, **steps, claims=claims, concluded=state)


TESTS: Mapping[str, Callable[[Common, Keys, Signatures], Measurement]] = {
    "web_connectivity": web_connectivity,
    "urlgetter": urlgetter,
    "dnscheck": dnscheck,
    "tlsmiddlebox": tlsmiddlebox,
    OURS: ours,
}
