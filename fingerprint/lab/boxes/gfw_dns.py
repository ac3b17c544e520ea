"""The three DNS injectors of the Great Firewall.

Hoang et al., "How Great is the Great Firewall?" (USENIX Security 2021): type 1 sets AA; type 2 has AA 0 and DF 1; type
3 has AA 0 and DF 0. "Wallbleed" (NDSS 2025): type 3 mirrors the TTL of the probe and walks through a pool of 592
IPv4 and 30 IPv6 addresses in fixed order.
"""

from __future__ import annotations

from random import Random

from fingerprint.lab.boxes.dns_forging import AA, RA, DnsInjector
from fingerprint.lab.boxes.watching import Names
from fingerprint.lab.packet import Packet

# As many as the real pools hold. The addresses are made up within networks of large services, as the real ones are.
_NETWORKS = ("31.13.64", "31.13.85", "69.171.224", "104.244.42", "108.160.165", "157.240.7", "162.125.32", "199.59.148")
POOL_V4 = tuple(f"{net}.{host}" for host in range(1, 75) for net in _NETWORKS)[:592]
# Teredo addresses (RFC 4380), which no site publishes.
POOL_V6 = tuple(f"2001::{number:x}" for number in range(0x1F0D, 0x1F0D + 30))


def injector(number: int, names: Names | None = None) -> DnsInjector:
    """Type 1, 2 or 3."""
    random = Random(number)  # noqa: S311  # header fields, no secret

    def drawn(packet: Packet) -> dict[str, object]:
        mirrored = number == 3
        return {
            "ttl": packet.ttl if mirrored else random.randint(60, 240),
            "ip_id": random.randint(1, 0xFFFF),
            "df": number == 2,
        }

    return DnsInjector(
        names=names or Names(),
        header=drawn,
        v4=POOL_V4,
        v6=POOL_V6,
        bits=RA | (AA if number == 1 else 0),
        record_ttl_s=random.randint(60, 300),
    )
