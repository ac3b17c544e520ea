"""DNS messages, twice: a few microseconds for the header and question, dnspython for whoever looks closer.

`head` and `addresses` walk the bytes themselves, because a busy capture holds tens of thousands of messages of which
a verdict cites three. `parse` is the careful reading. All of them take any bytes: what cannot be read is missing from
the result, and `DnsMessage.malformed` tells truncation, bad compression and trailing junk apart, for those are also
the marks that careless forgers leave.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import dns.edns
import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from captures.packet import Malformed

# RFC 1035 section 3.2.2 and RFC 3596 section 2.1: the record types that carry an address.
A, CNAME, AAAA = 1, 5, 28
# RFC 6891 section 6.1.2: the pseudo-record of EDNS.
_OPT = 41
# RFC 1035 section 4.1.1 and RFC 2136 section 2.2: response codes.
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
RCODE_NAMES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_HEADER_BYTES = 12
# RFC 1035 section 2.3.4: a name of at most 255 octets has at most 127 labels; a walk longer than that is a loop.
_MOST_LABELS = 127


class Head(NamedTuple):
    """The header and first question. ``key`` is the question as sent, its name in lower case, b"" where none is."""

    id: int
    flags: int
    answers: int
    key: bytes
    asked: bytes  # the question's name as sent, labels with their length octets

    @property
    def is_answer(self) -> bool:
        """Whether the QR bit says that this is a response."""
        return bool(self.flags & 0x8000)

    @property
    def truncated(self) -> bool:
        """Whether TC asks to come back over TCP."""
        return bool(self.flags & 0x0200)

    @property
    def rcode(self) -> int:
        """The four bits of the header, without EDNS."""
        return self.flags & 0x000F

    @property
    def name(self) -> str | None:
        """The name asked for, in lower case without the final dot ("." for the root); None without a question."""
        return name_text(self.key[:-4]) if self.key else None

    @property
    def qtype(self) -> int | None:
        """The type asked for."""
        return int.from_bytes(self.key[-4:-2], "big") if self.key else None

    @property
    def qclass(self) -> int | None:
        """The class asked for."""
        return int.from_bytes(self.key[-2:], "big") if self.key else None


class AddressRecord(NamedTuple):
    """An A or AAAA record of an answer section."""

    type: int
    address: str
    ttl_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsQuestion:
    """What was asked; ``sent_name`` keeps the case of the bytes (0x20 mixing), ``name`` is in lower case."""

    name: str
    sent_name: str
    qtype: int
    qclass: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """One resource record; ``value`` is its data in presentation format."""

    name: str
    type: int
    ttl_s: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edns:
    """The OPT pseudo-record: version, the sender's UDP payload size in bytes, DO, and the option codes it holds."""

    version: int
    payload_bytes: int
    dnssec_ok: bool
    options: tuple[int, ...]
    errors: tuple[int, ...] = ()  # extended error codes (RFC 8914)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsMessage:
    """A DNS message as far as it can be read; ``rcode`` is the header's four bits."""

    id: int
    opcode: int
    qr: bool
    aa: bool
    tc: bool
    rd: bool
    ra: bool
    ad: bool
    cd: bool
    rcode: int
    question: DnsQuestion | None
    answers: tuple[DnsRecord, ...]
    authority: tuple[DnsRecord, ...]
    additional_records: int  # without OPT, as read
    edns: Edns | None
    malformed: tuple[Malformed, ...]
    raw: bytes


def head(raw: bytes) -> Head | None:
    """The header and first question of a message, or None if the bytes cannot be DNS."""
    if len(raw) < _HEADER_BYTES:
        return None
    id_, flags, questions, answers, _, _ = _HEADER.unpack_from(raw)
    if not questions:
        return Head(id_, flags, answers, b"", b"")
    end = _name_end(raw, _HEADER_BYTES)
    if end is None or end + 4 > len(raw) or raw[end - 1]:  # a compressed name has nothing to point back to here
        return Head(id_, flags, answers, b"", b"")
    asked = raw[_HEADER_BYTES:end]
    # Length octets are below 64, so lower() touches letters only (RFC 1035 section 2.3.4).
    return Head(id_, flags, answers, asked.lower() + raw[end : end + 4], asked)


@lru_cache(maxsize=32768)
def addresses(raw: bytes) -> tuple[AddressRecord, ...]:
    """The A and AAAA records of the answer section, in order, as far as they can be read."""
    if len(raw) < _HEADER_BYTES:
        return ()
    _, _, questions, answers, _, _ = _HEADER.unpack_from(raw)
    found: list[AddressRecord] = []
    at = _HEADER_BYTES
    for _ in range(min(questions, 4)):
        end = _name_end(raw, at)
        if end is None:
            return ()
        at = end + 4
    for _ in range(answers):
        end = _name_end(raw, at)
        if end is None or end + _RECORD.size > len(raw):
            break
        type_, _class, ttl_s, size_bytes = _RECORD.unpack_from(raw, end)
        at = end + _RECORD.size
        value = raw[at : at + size_bytes]
        at += size_bytes
        if type_ == A and len(value) == 4:
            found.append(AddressRecord(A, ".".join(map(str, value)), ttl_s))
        elif type_ == AAAA and len(value) == 16:
            found.append(AddressRecord(AAAA, str(ipaddress.IPv6Address(value)), ttl_s))
    return tuple(found)


class Outline(NamedTuple):
    """What the record boundaries of a message show: ``whole`` if its records fill it exactly; whether OPT is there."""

    whole: bool
    edns: bool


@lru_cache(maxsize=4096)
def outline(raw: bytes) -> Outline:
    """All sections walked from record to record, without reading what they hold; a few microseconds."""
    if len(raw) < _HEADER_BYTES:
        return Outline(whole=False, edns=False)
    _, _, questions, *records = _HEADER.unpack_from(raw)
    at, edns = _HEADER_BYTES, False
    for _ in range(questions):
        end = _name_end(raw, at)
        if end is None or end + 4 > len(raw):
            return Outline(whole=False, edns=edns)
        at = end + 4
    for _ in range(sum(records)):
        end = _name_end(raw, at)
        if end is None or end + _RECORD.size > len(raw) or _points_ahead(raw, at, end):
            return Outline(whole=False, edns=edns)
        type_, _class, _ttl_s, size_bytes = _RECORD.unpack_from(raw, end)
        edns |= type_ == _OPT
        at = end + _RECORD.size + size_bytes
    return Outline(whole=at == len(raw), edns=edns)


def _points_ahead(raw: bytes, at: int, end: int) -> bool:
    """Whether the name between the offsets ends with a pointer that leads to itself or forward."""
    if raw[end - 1] == 0 and (end - 2 < at or raw[end - 2] < 0xC0):
        return False
    return int.from_bytes(raw[end - 2 : end], "big") & 0x3FFF >= at


@lru_cache(maxsize=4096)
def name_text(labels: bytes) -> str:
    r"""Uncompressed labels as text without the final dot; octets that are no plain character become ``\DDD``."""
    words = []
    at = 0
    while at < len(labels) and (size := labels[at]):
        label = labels[at + 1 : at + 1 + size]
        try:
            word = label.decode("ascii")
        except UnicodeDecodeError:
            word = ""
        if not word.replace("-", "a").replace("_", "a").isalnum():
            word = "".join(chr(c) if 0x21 <= c <= 0x7E and c not in b'\\."' else f"\\{c:03d}" for c in label)
        words.append(word)
        at += 1 + size
    return ".".join(words) or "."


@lru_cache(maxsize=1024)
def parse(raw: bytes) -> DnsMessage | None:
    """The careful reading, about 0.1 ms; None only where not even a header is there."""
    first = head(raw)
    if first is None:
        return None
    malformed: list[Malformed] = []
    try:
        read: dns.message.Message | None = dns.message.from_wire(raw, continue_on_error=True, one_rr_per_rrset=True)
    except Exception as error:  # noqa: BLE001 - whatever a forger makes dnspython raise is a property of the bytes
        read = None
        malformed.append(_complaint(error, 0))
    if read is not None:
        malformed.extend(_complaint(error.exception, error.offset) for error in read.errors)
    flags = first.flags
    return DnsMessage(
        id=first.id,
        opcode=flags >> 11 & 0xF,
        qr=first.is_answer,
        aa=bool(flags & 0x0400),
        tc=first.truncated,
        rd=bool(flags & 0x0100),
        ra=bool(flags & 0x0080),
        ad=bool(flags & 0x0020),
        cd=bool(flags & 0x0010),
        rcode=first.rcode,
        question=_question(first),
        answers=_records(read.answer) if read else _bare_records(raw, first),
        authority=_records(read.authority) if read else (),
        additional_records=sum(len(rrset) for rrset in read.additional) if read else 0,
        edns=_edns(read) if read else None,
        malformed=tuple(malformed),
        raw=raw,
    )


def _name_end(raw: bytes, at: int) -> int | None:
    """The offset behind the name that begins at ``at``, or None if it leaves the message."""
    for _ in range(_MOST_LABELS + 1):
        if at >= len(raw):
            return None
        size = raw[at]
        if size == 0:
            return at + 1
        if size >= 0xC0:
            return at + 2 if at + 2 <= len(raw) else None
        if size > 63:
            return None
        at += 1 + size
    return None


def _question(first: Head) -> DnsQuestion | None:
    if first.name is None or first.qtype is None or first.qclass is None:
        return None
    return DnsQuestion(name=first.name, sent_name=name_text(first.asked), qtype=first.qtype, qclass=first.qclass)


def _records(section: list[dns.rrset.RRset]) -> tuple[DnsRecord, ...]:
    return tuple(
        DnsRecord(
            name=rrset.name.to_text(omit_final_dot=True).lower(),
            type=int(rrset.rdtype),
            ttl_s=int(rrset.ttl),
            value=_value(rdata),
        )
        for rrset in section
        for rdata in rrset
    )


def _value(rdata: object) -> str:
    try:
        return str(rdata).rstrip(".") or "."
    except Exception:  # noqa: BLE001 - a value that reads but does not print must not take its message with it
        return "?"


def _bare_records(raw: bytes, first: Head) -> tuple[DnsRecord, ...]:
    """What can be said of the answers of a message that dnspython refuses as a whole."""
    name = first.name or "."
    return tuple(DnsRecord(name=name, type=r.type, ttl_s=r.ttl_s, value=r.address) for r in addresses(raw))


def _edns(read: dns.message.Message) -> Edns | None:
    if read.edns < 0:
        return None
    return Edns(
        version=read.edns,
        payload_bytes=int(read.payload),
        dnssec_ok=bool(read.ednsflags & 0x8000),
        options=tuple(int(option.otype) for option in read.options),
        errors=tuple(int(option.code) for option in read.options if isinstance(option, dns.edns.EDEOption)),
    )


def _complaint(error: BaseException, at_byte: int) -> Malformed:
    match error:
        case dns.message.TrailingJunk():
            why = "trailing junk after the last record"
        case dns.name.BadPointer():
            why = "compression pointer leads forward or nowhere"
        case dns.name.BadLabelType():
            why = "label of an undefined type"
        case dns.message.ShortHeader():
            why = "header cut short"
        case dns.exception.FormError() | struct.error() | IndexError():
            why = "cut short or a length is wrong"
        case _:
            why = f"does not parse ({type(error).__name__})"
    return Malformed(layer="dns", at_byte=at_byte, why=why)
