"""First payloads: each format by its own document, and its nearest neighbour that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprint.messages.first_payload import exemption, first_payload
from fingerprint.probing import payload_bytes

RESET = b"\x38" + bytes(range(8)) + bytes(5)
WITH_HMAC = b"\x38" + bytes(range(8)) + b"h" * 20 + b"\0\0\0\x01" + b"time" + bytes(5)
CRYPTED = b"\x38" + bytes(range(8)) + b"\0\0\0\x01" + b"time" + b"h" * 32 + b"sealed"[:5]
WIREGUARD = b"\x01\0\0\0" + b"w" * 144
STUN = b"\0\x01\0\0\x21\x12\xa4\x42" + b"t" * 12
CLASSIC = b"\0\x01\0\0" + b"t" * 16
DNS = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01"


@pytest.mark.parametrize(
    ("over", "data", "kind"),
    [
        ("tcp", b"\x16\x03\x01\x02\0\x01", "tls"),
        ("tcp", b"GET / HTTP/1.1\r\n", "http"),
        ("tcp", b"CONNECT a.example:443 HTTP/1.1\r\n", "http"),
        ("tcp", b"GETAWAY", "unknown"),
        ("tcp", b"SSH-2.0-x\r\n", "ssh"),
        ("tcp", b"SSH-3", "unknown"),
        ("tcp", b"\0\x0e" + RESET, "openvpn"),
        ("tcp", b"\0\x0f" + RESET, "unknown"),
        ("tcp", len(DNS).to_bytes(2, "big") + DNS, "dns"),
        ("tcp", b"", "unknown"),
        ("udp", RESET, "openvpn"),
        ("udp", RESET[:-1] + b"\x01", "unknown"),
        ("udp", WITH_HMAC, "openvpn"),
        ("udp", CRYPTED, "openvpn"),
        ("udp", CRYPTED + b"x", "unknown"),
        ("udp", WIREGUARD, "wireguard"),
        ("udp", WIREGUARD + b"x", "unknown"),
        ("udp", b"\x01\0\0\x01" + b"w" * 144, "unknown"),
        ("udp", STUN, "stun"),
        ("udp", CLASSIC, "stun-classic"),
        ("udp", CLASSIC + b"x", "unknown"),
        ("udp", b"\x16\xfe\xfd" + bytes(8) + b"\0\x10\x01", "dtls"),
        ("udp", b"\x80\x60" + b"r" * 20, "rtp"),
        ("udp", b"\x80\xc8" + b"r" * 20, "rtcp"),
        ("udp", b"\x80", "unknown"),
    ],
)
def test_a_payload_is_what_its_format_says(over: str, data: bytes, kind: str) -> None:
    assert first_payload(data, over=over) == kind


@given(st.binary(max_size=200), st.sampled_from(["tcp", "udp"]))
def test_any_bytes_are_something(data: bytes, over: str) -> None:
    assert first_payload(data, over=over)
    assert exemption(data) is None or exemption(data)


# Half of the bits, nothing printable: 0x8B has four bits set, 0xC5 as well.
RANDOM = b"\x8b\xc5" * 30


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (RANDOM, None),
        (b"abcdef" + RANDOM, "first 6 bytes"),
        (b"abcde" + RANDOM, None),
        (b"".join(bytes((0x8B, 0x61)) for _ in range(20)) + b"aa", "more than half"),
        (RANDOM + b"m" * 21 + RANDOM, "more than 20"),
        (RANDOM + b"m" * 20 + RANDOM, None),
        (b"\x16\x03\x03" + RANDOM, "TLS or HTTP"),
        (b"\x17\x03\x09" + RANDOM, "TLS or HTTP"),
        (b"\x16\x04\x03" + RANDOM, None),
        (b"GET " + RANDOM, "TLS or HTTP"),
        (bytes(40), "bits are set"),
        (b"\xff" * 40, "bits are set"),
        (b"", "nothing"),
    ],
)
def test_only_what_no_rule_exempts_looks_fully_encrypted(data: bytes, why: str | None) -> None:
    said = exemption(data)
    assert (said is None) if why is None else (said is not None and why in said)


@pytest.mark.parametrize("size", [20, 148, 220, 2000])
@pytest.mark.parametrize("over", ["tcp", "udp"])
def test_noise_and_letters_are_what_they_are_meant_to_be(size: int, over: str) -> None:
    for seed in map(str, range(50)):
        drawn = payload_bytes.noise(seed, size, over=over)
        assert (exemption(drawn), first_payload(drawn, over=over)) == (None, "unknown")
        assert exemption(payload_bytes.letters(seed, size)) is not None
        assert len(drawn) == len(payload_bytes.letters(seed, size)) == size


def test_the_probes_own_first_bytes_are_recognised() -> None:
    assert first_payload(payload_bytes.SSH_BANNER, over="tcp") == "ssh"
    assert [first_payload(payload_bytes.openvpn("1", over=over), over=over) for over in ("tcp", "udp")] == [
        "openvpn"
    ] * 2
    assert first_payload(payload_bytes.wireguard("1"), over="udp") == "wireguard"
    assert first_payload(payload_bytes.stun("1"), over="udp") == "stun"
    assert first_payload(payload_bytes.stun("1", cookie=False), over="udp") == "stun-classic"
