"""JA3 and JA4: what a ClientHello says about the program that sent it.

JA3 after Althouse, Atkinson and Atkins (2017), JA4 after FoxIO's specification of the TLS client fingerprint, the one
member of its family under BSD-3-Clause. Both leave out GREASE values (RFC 8701).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

# RFC 8701 section 2: 0x0A0A, 0x1A1A, ..., 0xFAFA, for cipher suites, extensions, groups, versions and signatures alike.
GREASE: Final = frozenset(byte << 8 | byte for byte in range(0x0A, 0x100, 0x10))

# FoxIO JA4, "TLS and DTLS version": what each version is written as; others are 00.
_VERSIONS: Final = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}

_SERVER_NAME: Final = 0
_ALPN: Final = 16

# FoxIO JA4: the hash of an empty list.
_NOTHING: Final = "0" * 12


def ja3(
    *,
    legacy_version: int,
    cipher_suites: Iterable[int],
    extensions: Iterable[int],
    groups: Iterable[int],
    point_formats: Iterable[int],
) -> str:
    """The JA3 string: version, cipher suites, extensions, groups and point formats, decimal, in order of the wire."""
    lists = ("-".join([str(n) for n in each if n not in GREASE]) for each in (cipher_suites, extensions, groups))
    return f"{legacy_version},{','.join(lists)},{'-'.join(map(str, point_formats))}"


def ja4(
    *,
    over_quic: bool,
    legacy_version: int,
    supported_versions: Iterable[int],
    cipher_suites: Iterable[int],
    extensions: Iterable[int],
    alpn: bytes,
    signature_algorithms: Iterable[int],
) -> str:
    """The JA4 fingerprint, for example t13d1516h2_8daaf6152771_e5627efa2ab1; ``alpn`` is the first value offered."""
    suites = [n for n in cipher_suites if n not in GREASE]
    kinds = [n for n in extensions if n not in GREASE]
    offered = [n for n in supported_versions if n not in GREASE]
    version = _VERSIONS.get(max(offered) if offered else legacy_version, "00")
    return (
        f"{'q' if over_quic else 't'}{version}{'d' if _SERVER_NAME in kinds else 'i'}"
        f"{min(len(suites), 99):02d}{min(len(kinds), 99):02d}{_alpn_ends(alpn)}"
        f"_{_hash12(_hex(sorted(suites)))}_{_extensions_hash(kinds, signature_algorithms)}"
    )


def md5_hex(text: str) -> str:
    """MD5 of an ASCII text, in hex; a name for a fingerprint, protecting nothing."""
    return hashlib.md5(text.encode("ascii"), usedforsecurity=False).hexdigest()


def _extensions_hash(kinds: Sequence[int], signature_algorithms: Iterable[int]) -> str:
    """The hash over sorted extensions but SNI and ALPN, and signature algorithms as sent."""
    if not kinds:
        return _NOTHING
    listed = _hex(sorted(kind for kind in kinds if kind not in (_SERVER_NAME, _ALPN)))
    signatures = _hex([n for n in signature_algorithms if n not in GREASE])
    return _hash12(f"{listed}_{signatures}" if signatures else listed)


def _alpn_ends(alpn: bytes) -> str:
    """First and last character of the protocol, of its hex form where either is not alphanumeric; 00 for none."""
    if not alpn:
        return "00"
    ends = alpn[:1] + alpn[-1:]
    if ends.isalnum():
        return ends.decode("ascii")
    return alpn.hex()[0] + alpn.hex()[-1]


def _hex(values: Sequence[int]) -> str:
    return ",".join([f"{n:04x}" for n in values])


def _hash12(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12] if text else _NOTHING
