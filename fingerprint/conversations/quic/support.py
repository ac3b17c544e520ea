"""What shows that a server speaks QUIC: without it, silence over UDP/443 is what most servers have to say.

It answered an Initial, or named its versions, at any time and under any name; or the name's owner says so, in an HTTPS
record of the DNS (RFC 9460) or an Alt-Svc header that crossed the wire in the clear (RFC 7838, RFC 9114 section 3.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fingerprint.conversations.dns.lookups import DnsPacket, Lookup
from fingerprint.conversations.quic.attempts import NEGOTIATED
from fingerprint.conversations.quic.places import QuicPlace, QuicTried
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.tls.encrypted_resolvers import DOQ, Operators
from fingerprint.conversations.tls.encrypted_resolvers import PORT as DOQ_PORT
from fingerprint.technique import Cited

# IANA DNS parameters: type 65.
HTTPS_RECORD = 65
# RFC 9114 section 3.1: the ALPN id of HTTP/3, and of its drafts.
_H3_IN_RECORD = re.compile(r'alpn="?[^" ]*\bh3\b')
_H3_IN_HEADER = re.compile(r'\bh3(?:-\d+)?="(?P<host>[^":]*):(?P<port>\d+)"')
# RFC 9460 section 9.5: without a port the HTTPS record means the port of the URL.
_PORT_IN_RECORD = re.compile(r'\bport="?(?P<port>\d+)')
# Streams that are asked for an Alt-Svc.
ASKED_STREAMS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """``itself``: the server was heard; else somebody says so for it."""

    itself: bool
    says: str
    packets: tuple[Cited, ...]


def heard(place: QuicPlace, everywhere: Iterable[QuicPlace], version: str | None) -> Support | None:
    """The server's own words, to this client or another; a list of versions counts if it has this one."""
    for other in (place, *(p for p in everywhere if p is not place and _same_server(p, place))):
        for a in other.passed:
            if a.answer is not None:
                shown = (*a.initials[:1], a.answer)
                cited = tuple(Cited(d.capture, d.number) for d in shown)
                return Support(itself=True, says=f"it answered {a.name or 'a hello without a name'}", packets=cited)
    for a in place.attempts:
        if a.outcome == NEGOTIATED and a.answer is not None and version in place.versions_offered:
            says = f"it offers {version} to who asks in an unknown version"
            return Support(itself=True, says=says, packets=(Cited(a.answer.capture, a.answer.number),))
    return None


def advertised(
    mine: QuicTried, lookups: Sequence[Lookup], streams: Sequence[Stream], known: Operators
) -> Support | None:
    """What the owner of the name says, or the operator of a resolver in the table."""
    name, place = mine.name, mine.place
    source = known.offers(place.address, DOQ) if place.port == DOQ_PORT else None
    if source is not None:
        return Support(itself=False, says=f"its operator says so ({source})", packets=())
    for lookup in lookups:
        if lookup.name == name and lookup.qtype == HTTPS_RECORD:
            for packet in lookup.answers:
                if _in_record(packet, place.port):
                    says = "the HTTPS record of the name says so"
                    return Support(itself=False, says=says, packets=(Cited(packet.capture, packet.number),))
    for stream, port in _alternatives(name, place.address, streams):
        if port == place.port:
            says = "an Alt-Svc header of the name says so"
            answer = Cited(stream.capture, stream.answer_row + 1)
            return Support(itself=False, says=says, packets=(answer,))
    return None


def _same_server(one: QuicPlace, other: QuicPlace) -> bool:
    return (one.address, one.port) == (other.address, other.port)


def _in_record(packet: DnsPacket, port: int) -> bool:
    message = packet.message
    for record in message.answers if message else ():
        if record.type == HTTPS_RECORD and _H3_IN_RECORD.search(record.value):
            told = _PORT_IN_RECORD.search(record.value)
            if (int(told["port"]) if told else 443) == port:
                return True
    return False


def _alternatives(name: str, address: str, streams: Sequence[Stream]) -> Iterator[tuple[Stream, int]]:
    """Alt-Svc headers for HTTP/3 on the same host, in answers to requests for the name or from the address."""
    asked = (s for s in streams if s.protocol == "http" and s.answered and s.name == name)
    for stream, _ in zip(asked, range(ASKED_STREAMS), strict=False):
        response = stream.http_response
        header = response.header("alt-svc") if response else None
        for told in _H3_IN_HEADER.finditer(header or ""):
            if told["host"] in ("", name, address):
                yield stream, int(told["port"])
