"""Turkmenistan: resets without ACK and DNS answers of 127.0.0.1, both with IP ID 30000 and an initial TTL of 128.

Source: breakerspace, "Measuring and Evading Turkmenistan's Internet Censorship" (WWW 2023): all ports, both directions.
"""

from __future__ import annotations

from fingerprint.lab.boxes.dns_forging import DnsInjector
from fingerprint.lab.boxes.forging import Injector, both
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Direction
from fingerprint.lab.packet import RST

_IP_ID, _TTL = 30000, 128
# The record's time to live in every forged answer.
_RECORD_TTL_S = 300


def resets(residual_s: float, names: Names | None = None) -> Injector:
    """RST without ACK, window 0, to both ends, for a hello in either direction."""
    return Injector(
        watch=Watch(names=names or Names()),
        salvo=lambda p, d: both(p, d, RST, ip_id=_IP_ID, ttl=_TTL, window=0, df=False),
        residual=Residual(seconds=residual_s, scope="3-tuple", one_way=True) if residual_s else None,
        directions=(Direction.TO_SERVER, Direction.TO_CLIENT),
    )


def answers(names: Names | None = None) -> DnsInjector:
    """127.0.0.1 for an A query, on any port and in either direction."""
    return DnsInjector(
        names=names or Names(),
        header=lambda _: {"ip_id": _IP_ID, "ttl": _TTL, "df": False},
        v4=("127.0.0.1",),
        v6=("::1",),
        record_ttl_s=_RECORD_TTL_S,
        any_port=True,
    )
