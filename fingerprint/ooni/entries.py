"""The entries that all tests of OONI share, df-001 to df-006, read into facts. What does not fit is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from fingerprint.messages.http_page import REDIRECTS
from fingerprint.ooni import fields
from fingerprint.ooni.facts import Connect, Control, Exchange, Greeting, Lookup
from fingerprint.signatures import LOOKED_AT_CHARS, Signatures

Keys = Mapping[str, Any]
# RFC 1812 section 5.3.1: an ICMP Time Exceeded, in the words of sockets.
REPORTED_DEAD = frozenset({"host_unreachable", "network_unreachable"})
TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,300})", re.IGNORECASE)


def lookups(keys: Keys) -> Iterator[Lookup]:
    """The ``queries`` of df-002."""
    for query in fields.rows(keys.get("queries")):
        name = fields.name(query.get("hostname"))
        if name is None:
            continue
        answers = fields.rows(query.get("answers"))
        given = (fields.address(a.get("ipv4")) or fields.address(a.get("ipv6")) for a in answers)
        asns = (fields.whole(a.get("asn")) for a in answers)
        yield Lookup(
            name=name,
            engine=fields.text(query.get("engine")) or "",
            resolver=_resolver(query.get("resolver_address")),
            failure=fields.failure(query.get("failure")),
            addresses=tuple(dict.fromkeys(a for a in given if a)),
            asns=frozenset(a for a in asns if a),
        )


def _resolver(given: object) -> str | None:
    """An address of df-002's ``resolver_address``: ``8.8.8.8:53``; None for a URL or nothing."""
    where = fields.endpoint(given)
    return where[0] if where else fields.address(given)


def connects(keys: Keys) -> Iterator[Connect]:
    """The ``tcp_connect`` of df-005."""
    for entry in fields.rows(keys.get("tcp_connect")):
        where, port = fields.address(entry.get("ip")), fields.whole(entry.get("port"))
        status = fields.table(entry.get("status"))
        # Where a database has dropped what was null, a success is all that is left.
        told = "failure" in status or status.get("success") is True
        if where and port is not None and 0 <= port < 1 << 16 and told:
            yield Connect(address=where, port=port, failure=fields.failure(status.get("failure")))


def greetings(keys: Keys) -> Iterator[Greeting]:
    """The ``tls_handshakes`` of df-006, and ``quic_handshakes`` of the same form.

    Before 2022 they named no address: where the test connected to one place alone, that is it.
    """
    places = {(c.address, c.port) for c in connects(keys) if c.failure is None}
    only = next(iter(places)) if len(places) == 1 else None
    for key in ("tls_handshakes", "quic_handshakes"):
        for entry in fields.rows(keys.get(key)):
            if made := greeting(entry, only, quic=key.startswith("quic")):
                yield made


def greeting(entry: Keys, at: tuple[str, int] | None, *, quic: bool = False) -> Greeting | None:
    """One handshake; ``at`` is where it went if it does not say so. None where nobody knows."""
    where, sni = fields.endpoint(entry.get("address")) or at, fields.name(entry.get("server_name"))
    if where is None or "failure" not in entry:
        return None
    failed = fields.failure(entry["failure"])
    return Greeting(
        address=where[0],
        port=where[1],
        sni=sni or "",
        failure=failed,
        verified=failed is None and entry.get("no_tls_verify") is False,
        quic=quic or entry.get("network") in ("udp", "quic"),
        # ts-037: until 0.1.2 the error of the socket stands beside the failure, since 0.1.3 it is the failure.
        expired=fields.failure(entry.get("so_error")) is not None or failed in REPORTED_DEAD,
    )


def exchanges(keys: Keys, signatures: Signatures) -> tuple[Exchange, ...]:
    """The ``requests`` of df-001, which has the last one first; here the first comes first."""
    found = []
    anybody = any(entry.get("no_tls_verify") is True for entry in fields.rows(keys.get("tls_handshakes")))
    for entry in fields.rows(keys.get("requests")):
        request, response = fields.table(entry.get("request")), fields.table(entry.get("response"))
        asked = fields.url(request.get("url"))
        if asked is None or fields.table(request.get("tor")).get("is_tor") is True:
            continue
        scheme, host, _, path = asked
        status = fields.whole(response.get("code"))
        given = _headers(response)
        to = fields.url(_joined(request.get("url"), given.get("location"))) if status in REDIRECTS else None
        where = fields.endpoint(entry.get("address"))
        found.append(
            Exchange(
                host=host,
                path=path,
                secure=scheme == "https",
                certified=scheme == "https" and not anybody,
                failure=fields.failure(entry.get("failure")),
                status=status if status and status > 0 else None,
                to_host=to[1] if to else None,
                known=_known(given, response, signatures, host),
                address=where[0] if where else None,
            )
        )
    return tuple(reversed(found))


def _joined(url: object, location: str | None) -> str | None:
    try:
        return urljoin(str(url), location) if location else None
    except ValueError:
        return None


def _headers(response: Keys) -> dict[str, str]:
    """Header fields by name in lower case; the first of each name counts."""
    given: dict[str, str] = {}
    listed = response.get("headers_list")
    pairs = [(p[0], p[1]) for p in listed if isinstance(p, list) and len(p) == 2] if isinstance(listed, list) else []
    for name, value in pairs or list(fields.table(response.get("headers")).items()):
        said = fields.text(value)
        if isinstance(name, str) and said:
            given.setdefault(name.lower(), said)
    return given


def _known(given: dict[str, str], response: Keys, signatures: Signatures, host: str) -> tuple[tuple[str, str], ...]:
    body = (fields.text(response.get("body")) or "")[:LOOKED_AT_CHARS]
    title = TITLE.search(body)
    fits = signatures.page(given, title[1].strip() if title else "", body, host=host)
    return tuple((s.id, s.scope) for s in fits)


def control(keys: Keys) -> Control | None:
    """The ``control`` of ts-017; None where the test helper gave none."""
    told = fields.table(keys.get("control"))
    if fields.failure(keys.get("control_failure")) or not told:
        return None
    dns, page = fields.table(told.get("dns")), fields.table(told.get("http_request"))
    listed = dns.get("addrs")
    addresses = [fields.address(a) for a in listed] if isinstance(listed, list) else []
    about = fields.table(told.get("ip_info"))
    asns = (fields.whole(fields.table(about.get(a)).get("asn")) for a in addresses if a)
    status = fields.whole(page.get("status_code"))
    return Control(
        addresses=frozenset(a for a in addresses if a),
        asns=frozenset(a for a in asns if a),
        dns_failure=fields.failure(dns.get("failure")),
        connects=_reached(told.get("tcp_connect")),
        greetings=_reached(told.get("tls_handshake")),
        page_failure=fields.failure(page.get("failure")),
        status=status if status and status > 0 else None,
    )


def _reached(given: object) -> dict[str, bool]:
    """Endpoint → whether it was reached; ``unknown`` where the helper had no way to go."""
    found = {}
    for said, entry in fields.table(given).items():
        where, told = fields.endpoint(said), fields.table(entry)
        if where and isinstance(told.get("status"), bool) and told.get("failure") != "invalid_socket":
            found[fields.written(*where)] = bool(told["status"])
    return found
