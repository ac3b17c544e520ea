"""DNS queries as bytes, and the addresses that an answer gives."""

from __future__ import annotations

from random import Random
from struct import error as StructError  # noqa: N812  # the class is named so
from struct import pack

from fingerprint.steps import Query

# DNS flag day 2020: the EDNS buffer size that is never fragmented.
EDNS_BYTES = 1232


def datagram(query: Query, seed: int) -> bytes:
    """The query as a UDP datagram; its transaction id comes from the seed."""
    from dns.message import make_query

    number = Random(f"dns:{seed}").randrange(65536)  # noqa: S311  # recorded, so that a run can be told again
    return make_query(query.name, query.rtype, id=number, use_edns=0, payload=EDNS_BYTES).to_wire()


def framed(message: bytes) -> bytes:
    """A message as DNS over TCP has it (RFC 7766 section 8)."""
    return pack("!H", len(message)) + message


def addresses(message: bytes, asked: bytes) -> tuple[str, ...] | None:
    """The addresses in an answer to that query, none for a denial; None for what is no answer to it."""
    from dns.exception import DNSException
    from dns.message import from_wire
    from dns.rdatatype import AAAA, A

    if len(message) < 12 or message[:2] != asked[:2] or not message[2] & 0x80:
        return None
    try:
        read = from_wire(message, ignore_trailing=True, continue_on_error=True, raise_on_truncation=False)
    except (DNSException, StructError, ValueError, IndexError):
        return ()
    return tuple(str(record) for rrset in read.answer if rrset.rdtype in (A, AAAA) for record in rrset)
