"""What a first payload is, and whether it looks fully encrypted: the two questions that filters of protocols ask.

Recognised by published formats alone: a few fixed bytes, lengths that must agree, and nothing of the port. A transport
that was made to look like nothing (obfs4, Shadowsocks, a scrambled OpenVPN) is ``unknown`` here, as it should be.
"""

from __future__ import annotations

import re
from struct import unpack_from

UNKNOWN = "unknown"

# RFC 4253 section 4.2: the identification string of either side; 1.99 and older name version 1.
_SSH = re.compile(rb"SSH-[12]\.\d{1,2}-")
# RFC 9110 section 9.3, RFC 5789 and RFC 4918; a request line begins with one and a space.
_HTTP = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|PRI) \S")
# RFC 8446 section 5.1: a handshake record; the version on the record layer was 0x0300 to 0x0304.
_TLS = re.compile(rb"\x16\x03[\x00-\x04]")
# RFC 6347 section 4.1 and RFC 9147: a handshake record of epoch 0, version 1.0 or 1.2.
_DTLS = re.compile(rb"\x16\xfe[\xff\xfd]\x00\x00")
# RFC 8489 section 5.
STUN_COOKIE = bytes.fromhex("2112a442")
# https://www.wireguard.com/protocol/: type 1, three bytes of zero, 148 bytes in all; 92 and 64 are what answers it.
_WIREGUARD = {(1, 148), (2, 92), (3, 64)}
# https://openvpn.net/community-docs/openvpn-protocol.html: opcode in the high five bits, key id 0 in the low three.
_RESET_V1, _RESET_V2, _RESET_V3 = 1, 7, 10
# Session id (8), number of acknowledgements (1, none yet), packet id (4, the first is 0).
_OPENVPN_PLAIN_BYTES = 14
# With --tls-auth stand between them an HMAC (MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512), packet id, and time.
_HMAC_BYTES = (16, 20, 28, 32, 48, 64)
# With --tls-crypt: packet id and time, an HMAC of 32 bytes, and the rest encrypted; version 2 appends a wrapped key.
_OPENVPN_CRYPTED_BYTES = 54
# A first packet's replay counter starts with 1; each repetition counts it up.
_MOST_REPETITIONS = 64
# RFC 3550 section 5.1: version 2, then a payload type; section 6 and RFC 5761 section 4 keep 192 to 223 for RTCP.
_RTP_BYTES = 12
_RTCP = range(192, 224)


def first_payload(data: bytes, *, over: str) -> str:
    """What these first bytes of a flow are; ``over`` is tcp or udp.

    tls, http, ssh, openvpn, dns over TCP; wireguard, openvpn, stun, stun-classic (RFC 3489, without the cookie), dtls,
    rtp, rtcp over UDP; unknown otherwise. RTP is told by two bits only and wants a second datagram to be sure.
    """
    return _over_tcp(data) if over == "tcp" else _over_udp(data)


def _over_tcp(data: bytes) -> str:
    if _TLS.match(data):
        return "tls"
    if _HTTP.match(data):
        return "http"
    if _SSH.match(data):
        return "ssh"
    if len(data) > 2 and int.from_bytes(data[:2], "big") == len(data) - 2:
        # RFC 1035 section 4.2.2, and OpenVPN over TCP: two bytes of length go before the message.
        if _is_openvpn(data[2:]):
            return "openvpn"
        if _is_dns(data[2:]):
            return "dns"
    return UNKNOWN


def _over_udp(data: bytes) -> str:
    if len(data) < 4:
        return UNKNOWN
    if (data[0], len(data)) in _WIREGUARD and data[1:4] == bytes(3):
        return "wireguard"
    if _is_openvpn(data):
        return "openvpn"
    if _DTLS.match(data):
        return "dtls"
    if len(data) >= 20 and data[0] < 0x40 and int.from_bytes(data[2:4], "big") == len(data) - 20:
        if data[4:8] == STUN_COOKIE:
            return "stun"
        # RFC 3489 section 11.1: a Binding Request, 16 bytes of transaction id.
        return "stun-classic" if data[:2] == b"\x00\x01" else UNKNOWN
    if data[0] >> 6 == 2 and len(data) >= _RTP_BYTES:
        return "rtcp" if data[1] in _RTCP else "rtp"
    return UNKNOWN


def _is_openvpn(data: bytes) -> bool:
    """A client's hard reset, bare, with --tls-auth, or with --tls-crypt in either version."""
    if len(data) < _OPENVPN_PLAIN_BYTES or data[0] & 7:
        return False
    opcode = data[0] >> 3
    first = 0 < _number(data, 9) <= _MOST_REPETITIONS
    if opcode == _RESET_V3:
        return len(data) > _OPENVPN_CRYPTED_BYTES and first
    if opcode not in (_RESET_V1, _RESET_V2):
        return False
    if len(data) == _OPENVPN_PLAIN_BYTES:
        return data[9:] == bytes(5)
    # No acknowledgements, and packet id 0.
    authenticated = len(data) - _OPENVPN_PLAIN_BYTES - 8 in _HMAC_BYTES and data[-5:] == bytes(5)
    return authenticated or (len(data) == _OPENVPN_CRYPTED_BYTES and first)


def _number(data: bytes, at: int) -> int:
    return int(unpack_from("!I", data, at)[0]) if len(data) >= at + 4 else 0


def _is_dns(data: bytes) -> bool:
    """RFC 1035 section 4.1.1: a query of one question."""
    return len(data) >= 17 and not data[2] & 0xF8 and data[4:6] == b"\x00\x01" and data[6:10] == bytes(4)


# Wu et al., "How the Great Firewall of China Detects and Blocks Fully Encrypted Traffic" (USENIX Security 2023),
# algorithm 1, and its published artifact (gfw-report/usenixsecurity23-artifact).
FEWEST_BITS, MOST_BITS = 3.4, 4.6  # set, per byte: what lies between looks random
PRINTABLE_START_BYTES = 6
PRINTABLE_SHARE = 0.5
PRINTABLE_RUN_BYTES = 20
_PRINTABLE = re.compile(rb"[\x20-\x7e]+")
_PREFIXES = re.compile(rb"[\x16\x17]\x03[\x00-\x09]|(?:GET|PUT|POST|HEAD) ")


def exemption(data: bytes) -> str | None:
    """Why these first bytes do not look fully encrypted, by the rules of Wu et al.; None if they do.

    An empty payload looks like nothing at all: "nothing was said".
    """
    if not data:
        return "nothing was said"
    if _PREFIXES.match(data):
        return "begins like TLS or HTTP"
    runs = [len(run) for run in _PRINTABLE.findall(data)]
    start = _PRINTABLE.match(data)
    if start and start.end() >= PRINTABLE_START_BYTES:
        return f"the first {PRINTABLE_START_BYTES} bytes are printable"
    if sum(runs) > PRINTABLE_SHARE * len(data):
        return "more than half of the bytes are printable"
    if max(runs, default=0) > PRINTABLE_RUN_BYTES:
        return f"more than {PRINTABLE_RUN_BYTES} printable bytes in a row"
    bits = int.from_bytes(data, "big").bit_count() / len(data)
    if bits <= FEWEST_BITS or bits >= MOST_BITS:
        return f"{bits:.2f} bits are set per byte"
    return None
