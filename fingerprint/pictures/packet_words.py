"""What one packet is, in the few words that stand on a rung of a ladder: ``SYN``, ``ClientHello forum.test``, ``RST``.

Names come from the wire and are not made safe here; whoever shows them cleans them.
"""

from __future__ import annotations

from captures.columns import Mark
from captures.recording import Recording
from fingerprint.conversations.path.unreachable import SAID
from fingerprint.conversations.segments import ACK, FIN, RST, SYN
from fingerprint.messages import dns, http, tls

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
# IANA's registry of DNS resource record types: those that a client asks for, by the names everybody knows.
RECORD_TYPES = {1: "A", 5: "CNAME", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS"}
# RFC 792 and RFC 4443: time exceeded in transit.
EXCEEDED = {(ICMP, 11), (ICMP6, 3)}
# A rung is read at a glance: longer words are cut in the middle, where a name says least.
LONGEST = 58
# Addresses of one answer that fit on a rung.
ADDRESSES_SHOWN = 2


def words(recording: Recording, row: int, *, name: str | None = None) -> str:
    """What the packet in that row is. ``name`` is the conversation's, for a hello that its first packet cuts."""
    c = recording.columns
    match int(c.protocol[row]):
        case 6:
            said = _tcp(recording, row, name)
        case 17:
            said = _udp(recording, row, name)
        case 1 | 58 as protocol:
            said = _icmp(protocol, int(c.icmp[row]))
        case protocol:
            said = f"IP protocol {protocol}" if protocol else "not IP"
    return shortened(said)


def shortened(text: str) -> str:
    """The text, its middle left out where it is too long for a rung."""
    if len(text) <= LONGEST:
        return text
    tail = LONGEST // 3
    return f"{text[: LONGEST - tail - 1]}…{text[-tail:]}"


def flags_words(flags: int) -> str:
    """``SYN``, ``SYN-ACK``, ``RST``, ``RST-ACK``, ``FIN``, ``ACK``; the ACK of a FIN goes without saying."""
    if flags & RST:
        return "RST-ACK" if flags & ACK else "RST"
    if flags & SYN:
        return "SYN-ACK" if flags & ACK else "SYN"
    if flags & FIN:
        return "FIN"
    return "ACK" if flags & ACK else "no flags"


def _tcp(recording: Recording, row: int, name: str | None) -> str:
    c = recording.columns
    flags, size = int(c.tcp_flags[row]), int(c.payload_bytes[row])
    if not size or flags & (SYN | RST):
        with_bytes = f" with {size:,} bytes" if size else ""
        return flags_words(flags) + with_bytes
    said = _payload(recording, row, name) or f"{size:,} bytes"
    return f"{said}, FIN" if flags & FIN else said


def _payload(recording: Recording, row: int, name: str | None) -> str | None:
    """A TCP payload by what it begins with; None where that is nothing known."""
    c = recording.columns
    at = int(c.name[row])
    shown = recording.names[at] if at >= 0 else name
    match int(c.mark[row]):
        case Mark.TLS_HELLO:
            return f"ClientHello {shown}" if shown else "ClientHello"
        case Mark.TLS_HANDSHAKE:
            return _handshake(recording.payload(row))
        case Mark.TLS_ALERT:
            return _alert(recording.payload(row))
        case Mark.TLS_OTHER:
            change = recording.payload(row)[:1] == b"\x14"  # RFC 8446 section 5.1: change_cipher_spec
            return f"{'TLS, keys change' if change else 'TLS data'}, {int(c.payload_bytes[row]):,} bytes"
        case Mark.HTTP_REQUEST:
            return _request(recording.payload(row), shown)
        case Mark.HTTP_RESPONSE:
            response = http.read_response(recording.payload(row), checked=False)
            if response is None or response.status is None:
                return "HTTP answer"
            return f"HTTP {response.status} {response.reason}".strip()
    return None


def _handshake(payload: bytes) -> str:
    side = tls.tls_server_side(payload)
    if side.hello_retry_request is not None:
        return "HelloRetryRequest"
    return "ServerHello" if side.server_hello is not None else "TLS handshake"


def _alert(payload: bytes) -> str:
    alerts = tls.tls_server_side(payload).alerts
    return f"TLS alert {alerts[0].name}" if alerts else "TLS alert"


def _request(payload: bytes, host: str | None) -> str:
    request = http.read_request(payload, checked=False)
    if request is None:
        return "HTTP request"
    return f"{request.method} {request.target}" + (f" of {host}" if host else "")


def _udp(recording: Recording, row: int, name: str | None) -> str:
    c = recording.columns
    size = int(c.payload_bytes[row])
    match int(c.mark[row]):
        case Mark.DNS_QUERY | Mark.DNS_ANSWER:
            return _dns(recording.payload(row))
        case Mark.QUIC_LONG:
            return f"QUIC Initial {name}" if name else f"QUIC, {size:,} bytes"
    return f"{size:,} bytes"


def _dns(raw: bytes) -> str:
    first = dns.head(raw)
    if first is None:
        return "DNS, unreadable"
    if not first.is_answer:
        kind = RECORD_TYPES.get(first.qtype or 0, f"type {first.qtype}")
        return f"DNS query {kind} {first.name or ''}".strip()
    if first.rcode:
        return f"DNS answer {dns.RCODE_NAMES.get(first.rcode, f'rcode {first.rcode}')}"
    given = list(dict.fromkeys(record.address for record in dns.addresses(raw)))
    if not given:
        return "DNS answer, no address"
    more = f" and {len(given) - ADDRESSES_SHOWN} more" if len(given) > ADDRESSES_SHOWN else ""
    return f"DNS answer {', '.join(given[:ADDRESSES_SHOWN])}{more}"


def _icmp(protocol: int, kind: int) -> str:
    number, code = kind >> 8, kind & 0xFF
    if (protocol, number) in EXCEEDED:
        return "ICMP time exceeded"
    said = SAID.get((protocol, number, code))
    return f"ICMP {said}" if said else f"ICMP type {number} code {code}"
