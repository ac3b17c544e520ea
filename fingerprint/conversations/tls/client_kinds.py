"""What a ClientHello is, its name aside: who greets (the client's software), and under which veil (ECH, ESNI).

JA4 reads the padding and the resumption of a session as well, which one client has in one hello and not in the next. A
kind leaves out what varies between the hellos of one client: GREASE, padding, tickets, names and veils.
"""

from __future__ import annotations

from collections.abc import Iterable

from fingerprint.messages.tls_hello import ENCRYPTED_CLIENT_HELLO, ENCRYPTED_SERVER_NAME, SERVER_NAME, ClientHello

# What the veils are called in a report; the values are those of the extensions.
VEILS = {"ech": "encrypted_client_hello (0xfe0d)", "esni": "encrypted_server_name (0xffce)"}
# RFC 7685 padding; RFC 5077 and 8446 tickets, earlier sessions, early data; names and veils are asked for apart.
VARYING = frozenset({21, 35, 41, 42, SERVER_NAME, ENCRYPTED_CLIENT_HELLO, ENCRYPTED_SERVER_NAME})

Kind = tuple[object, ...]


def veil(hello: ClientHello | None) -> str | None:
    """``ech`` or ``esni``, None for a hello whose name is open; a GREASE extension looks like a real one."""
    if hello is None:
        return None
    return "ech" if hello.ech_present else "esni" if hello.esni_present else None


def kind(hello: ClientHello | None) -> Kind | None:
    """Everything that a client's software decides; equal for all hellos of one client to servers it has not met."""
    if hello is None or not hello.complete:
        return None
    return (
        hello.legacy_version,
        _plain(hello.cipher_suites),
        tuple(sorted(x for x in _plain(k for k, _ in hello.extensions) if x not in VARYING)),
        _plain(hello.groups),
        _plain(hello.signature_algorithms),
        _plain(hello.supported_versions),
    )


def _plain(numbers: Iterable[int]) -> tuple[int, ...]:
    """Numbers without GREASE (RFC 8701 section 2)."""
    return tuple(n for n in numbers if not (n & 0x0F0F == 0x0A0A and n >> 8 == n & 0xFF))
