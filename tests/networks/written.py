"""A database as MaxMind's format describes it (version 2.0), with 24-bit records, written by hand for the tests."""

from __future__ import annotations

from ipaddress import ip_network

MARKER = b"\xab\xcd\xefMaxMind.com"


def control(kind: int, size: int) -> bytes:
    assert size < 285
    first = min(size, 29)
    if kind > 7:
        return bytes([first, kind - 7]) + (bytes([size - 29]) if size >= 29 else b"")
    return bytes([kind << 5 | first]) + (bytes([size - 29]) if size >= 29 else b"")


def encoded(value) -> bytes:
    """Text, numbers, lists and mappings."""
    match value:
        case str():
            return control(2, len(value.encode())) + value.encode()
        case int():
            packed = value.to_bytes(8).lstrip(b"\0")
            return control(9 if len(packed) > 4 else 6, len(packed)) + packed
        case list():
            return control(11, len(value)) + b"".join(map(encoded, value))
        case dict():
            return control(7, len(value)) + b"".join(encoded(k) + encoded(v) for k, v in value.items())
    raise TypeError(value)


def mmdb(records: dict[str, dict], *, built: int = 1_589_673_600) -> bytes:
    """A tree of IPv6, in which IPv4 lies at the start, as in GeoLite2."""
    tree: list[list] = [[None, None]]
    data, offsets = b"", {}
    for prefix, record in records.items():
        network = ip_network(prefix)
        bits = f"{int(network.network_address):0128b}"[: network.prefixlen + (96 if network.version == 4 else 0)]
        offsets[prefix], data = len(data), data + encoded(record)
        at = 0
        for bit in map(int, bits[:-1]):
            if not isinstance(tree[at][bit], int):
                tree.append([None, None])
                tree[at][bit] = len(tree) - 1
            at = tree[at][bit]
        tree[at][int(bits[-1])] = prefix
    nodes = b""
    for node in tree:
        for side in node:
            value = side if isinstance(side, int) else len(tree) if side is None else len(tree) + 16 + offsets[side]
            nodes += value.to_bytes(3)
    about = {
        "node_count": len(tree), "record_size": 24, "ip_version": 6, "database_type": "Test-ASN", "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": built, "description": {"en": "x"},
    }  # fmt: skip
    return nodes + b"\0" * 16 + data + MARKER + encoded(about)
