"""Who lives where in the laboratory: the same addresses and names on the simulated path and between namespaces.

    client – router 1 – router 2 – … – router n – servers
                 └ resolver of the provider

The addresses look public, or every answer would be a bogon; none of these packets leaves a namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

CLIENT = ("81.17.24.10", "2a0d:5600:24::10")
# The provider's own resolver, beside router 1 and before every box.
RESOLVER = ("81.17.25.53", "2a0d:5600:25::53")
# Two web servers behind the last router. Both answer any name; `NAMES` says which lives where.
SERVER_A = ("45.83.220.10", "2a0e:97c0:220::10")
SERVER_B = ("45.83.221.20", "2a0e:97c0:221::20")
# A public resolver, and an address that runs none, behind the last router as well.
PUBLIC_RESOLVER = ("45.83.222.53", "2a0e:97c0:222::53")
NO_RESOLVER = ("45.83.223.99", "2a0e:97c0:223::99")

# Name → its addresses. `forum.test` is what the presets of censors mind; nobody minds the others.
MINDED = "forum.test"
NAMES: dict[str, tuple[str, str]] = {
    "forum.test": SERVER_A,
    "herbs.test": SERVER_A,
    "garden.test": SERVER_B,
    "harbor.test": SERVER_B,
    "lookup.test": PUBLIC_RESOLVER,  # it speaks DNS over TLS, HTTPS and QUIC as well
}


def router(number: int) -> tuple[str, str]:
    """The addresses from which router ``number`` (1 is next to the client) answers."""
    return (f"62.115.{number}.1", f"2001:2034:{number:x}::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What the way from client to server is like. Box and conditions stand on the link behind router ``at``.

    One way from client to box takes ``before_s``, from box to server ``behind_s``; a round trip twice the sum.
    """

    hops: int = 4  # routers
    at: int = 2  # the box is on the link between router `at` and the next
    before_s: float = 0.005
    behind_s: float = 0.020
    loss_ratio: float = 0.0  # of packets, both directions
    reorder_ratio: float = 0.0  # of packets that are held back for `reorder_s`
    reorder_s: float = 0.004
    rate_bps: float | None = None  # both directions each, with a queue of `queue_bytes`
    queue_bytes: int = 64_000
    seed: int = 1  # of loss and reordering
    timestamps: bool = True  # the client offers TCP timestamps and window scaling, as Linux does


# 17 May 2020, 17:30 UTC, in nanoseconds since the epoch: when a simulated recording begins, if nothing else is said.
EPOCH_NS = 1_589_736_600 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Names and addresses of a scenario on the simulated path, and when it begins. Presets all share `WORLD`.

    Web servers whose address is in ``down`` take connections, and end each with an alert or an error of their own.
    """

    client: tuple[str, ...] = CLIENT
    resolver: tuple[str, ...] = RESOLVER
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType(NAMES))
    down: frozenset[str] = frozenset()
    begins_ns: int = EPOCH_NS

    @property
    def webs(self) -> tuple[tuple[str, ...], ...]:
        """The web servers, each with its addresses, in the order in which names are given."""
        return tuple(dict.fromkeys(a for a in self.names.values() if a != PUBLIC_RESOLVER))


WORLD = World()


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What the far ends do beside serving. Names not listed are served as fast as the path carries."""

    # ClientHellos with these names are answered by a reset of the server's own; "*" is every name.
    resets: frozenset[str] = frozenset()
    closed: frozenset[int] = frozenset()  # of the first web server: ports on which nobody listens, 80 or 443
    limits_bps: dict[str, float] = field(default_factory=dict)  # the server's own speed limit, by name
    # Names with a certificate of their own, and who signed it; None where it signed itself.
    certificates: dict[str, str | None] = field(default_factory=dict)
    newest_tls_only: bool = False  # older hellos draw an alert
    lame: frozenset[str] = frozenset()  # names for which the resolvers get no answer from the zone's servers
    quic: bool = True  # False: nobody listens there, and the kernel says so by ICMP
    statuses: dict[str, int] = field(default_factory=dict)  # the server's own refusal (403, 451), by name
    resolver_lies: dict[str, str] = field(default_factory=dict)  # the provider's resolver gives these addresses
    resolver_denies: dict[str, int] = field(default_factory=dict)  # it answers these names with a bare code
    resolver_hijacks: str | None = None  # it gives this address for names that nobody registered
    gone: frozenset[str] = frozenset()  # names that nobody knows any more
