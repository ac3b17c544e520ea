"""Small packets and files, made byte by byte so that the reader's oracle is the specification and not another reader."""

from __future__ import annotations

import os
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from struct import pack

from captures import Recording, read

CLIENT, SERVER = "192.0.2.1", "198.51.100.2"
CLIENT6, SERVER6 = "2001:db8::1", "2001:db8::2"
MACS = bytes(range(12))


def tcp(payload=b"", *, sport=40000, dport=443, seq=1000, ack=2000, flags=0x018, window=512, options=b""):
    words = 5 + len(options) // 4
    return pack(">HHIIHHHH", sport, dport, seq, ack, words << 12 | flags, window, 0, 0) + options + payload


def udp(payload=b"", *, sport=5000, dport=53, length=None):
    return pack(">HHHH", sport, dport, 8 + len(payload) if length is None else length, 0) + payload


def ip4(
    body=b"", *, protocol=6, ttl=64, ip_id=7, fragment=0x4000, options=b"", length=None, src=CLIENT, dst=SERVER, tos=0
):
    size = 20 + len(options) + len(body) if length is None else length
    first = 0x40 | (5 + len(options) // 4)
    addresses = ip_address(src).packed + ip_address(dst).packed
    return pack(">BBHHHBBH", first, tos, size, ip_id, fragment, ttl, protocol, 0) + addresses + options + body


def ip6(body=b"", *, protocol=6, ttl=64, length=None, src=CLIENT6, dst=SERVER6, traffic_class=0):
    size = len(body) if length is None else length
    addresses = ip_address(src).packed + ip_address(dst).packed
    return pack(">IHBB", 6 << 28 | traffic_class << 20, size, protocol, ttl) + addresses + body


def ethernet(packet, ethertype=None):
    if ethertype is None:
        ethertype = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return MACS + pack(">H", ethertype) + packet


def pcap(
    frames, *, link_type=1, order="<", magic=0xA1B2C3D4, version=(2, 4), fraction=5, wire=None, extra=b"", swap=False
):
    parts = [pack(order + "IHHiIII", magic, *version, 0, 0, 65535, link_type)]
    for second, frame in enumerate(frames):
        lengths = (len(frame), wire or len(frame))
        parts.append(
            pack(order + "IIII", 1000 + second, fraction, *(lengths[::-1] if swap else lengths)) + extra + frame
        )
    return b"".join(parts)


def option(code, value, order="<"):
    return pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body, order="<"):
    length = 12 + len(body)
    return pack(order + "II", kind, length) + body + pack(order + "I", length)


def section(order="<"):
    return block(0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type=1, *, order="<", snaplen=0, options=b""):
    return block(1, pack(order + "HHI", link_type, 0, snaplen) + options, order)


def enhanced(frame, *, number=0, units=1_000_000, order="<", options=b"", wire=None):
    header = pack(order + "IIIII", number, units >> 32, units & 0xFFFFFFFF, len(frame), wire or len(frame))
    return block(6, header + frame + bytes(-len(frame) % 4) + options, order)


def simple(frame, *, order="<", wire=None):
    return block(3, pack(order + "I", wire or len(frame)) + frame + bytes(-len(frame) % 4), order)


def read_bytes(tmp_path: Path, content: bytes, name: str = "x.pcap") -> Recording:
    path = tmp_path / name
    path.write_bytes(content)
    return read(path)


def one_row(recording: Recording, row: int = 0) -> dict[str, int]:
    """All columns of a row."""
    columns = recording.columns
    return {name: int(getattr(columns, name)[row]) for name in columns.__slots__}


@contextmanager
def reference_pass():
    """Reads with the plain-Python pass, whatever was built."""
    before = os.environ.get("FINGERPRINT_CORE")
    os.environ["FINGERPRINT_CORE"] = "python"
    try:
        yield
    finally:
        if before is None:
            del os.environ["FINGERPRINT_CORE"]
        else:
            os.environ["FINGERPRINT_CORE"] = before


def client_hello(name: bytes = b"example.org") -> bytes:
    entry = pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = pack(">HH", 0, len(entry)) + entry + pack(">HH", 43, 3) + b"\x02\x03\x04"
    body = (
        b"\x03\x03"
        + bytes(32)
        + b"\0"
        + pack(">H", 2)
        + b"\x13\x01"
        + b"\x01\0"
        + pack(">H", len(extensions))
        + extensions
    )
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + pack(">H", len(message)) + message


def question(name: bytes = b"example.org", *, answer: bool = False) -> bytes:
    labels = b"".join(bytes((len(label),)) + label for label in name.split(b"."))
    return pack(">HHHHHH", 1, 0x8180 if answer else 0x0100, 1, 0, 0, 0) + labels + b"\0" + pack(">HH", 1, 1)
