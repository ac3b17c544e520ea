"""What two DNS answers say of each other: facts about contents and headers, no opinion about who sent them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fingerprint.conversations.dns.lookups import DnsPacket, Lookup
from fingerprint.messages.dns import AAAA, NOERROR, A, outline

# IANA IPv4 Special-Purpose Address Registry (RFC 6890, with RFC 6598 and RFC 5771): never a public server's address.
_SPECIAL_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    )
)  # fmt: skip
# RFC 4291 section 2.4: global unicast is 2000::/3 today. RFC 6052 and RFC 8215: NAT64, which DNS64 answers with.
_GLOBAL_V6 = tuple(ip_network(text) for text in ("2000::/3", "64:ff9b::/96", "64:ff9b:1::/48"))
# RFC 3849 and RFC 9637: documentation, inside 2000::/3.
_DOCUMENTATION_V6 = tuple(ip_network(text) for text in ("2001:db8::/32", "3fff::/20"))
# RFC 4380 section 2.6: an address of a Teredo client, behind which no service is run.
_TEREDO = ip_network("2001::/32")
# RFC 1918, RFC 4193, RFC 3927, RFC 4291, RFC 1122: addresses that a network's own owner hands out.
_OWN = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10",
        "::1/128",
    )
)  # fmt: skip
# RFC 6598: shared address space, between a carrier and its customers.
_CARRIERS = ip_network("100.64.0.0/10")
# RFC 1122 section 3.2.1.3 and RFC 4291: "this host" and loopback, which filters answer with to say "nowhere".
_NOWHERE = tuple(ip_network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "::/127"))

# IPv4 addresses of one operator often share 16 bits, IPv6 ones 32 (the usual sizes of an LIR's allocation, RFC 6177).
NETWORK_BITS = {4: 16, 6: 32}

# RFC 7020: providers hold large aggregated blocks. Two unrelated addresses share 12 bits by chance once in thousands;
# RFC 6177 and the registries' practice give an IPv6 provider one /32 or more.
PROVIDER_BITS = {4: 12, 6: 32}

# Second-level labels under which country registries sell names.
_REGISTRY_LABELS = frozenset(("ac", "co", "com", "edu", "gob", "gov", "mil", "net", "ne", "or", "org"))

ANY = 255

# What `unlike` names of the IP header, as against the DNS message.
IP_LEVEL = frozenset(("IP TTL", "DF", "reserved flag", "IP ID of zero", "IP ID sequence", "traffic class"))


@lru_cache(maxsize=65536)
def _ip(address: str) -> IPv4Address | IPv6Address:
    return ip_address(address)


@lru_cache(maxsize=65536)
def is_bogon(address: str) -> bool:
    """Whether no public service can have this address: private, reserved, documentation, loopback, multicast."""
    ip = _ip(address)
    if isinstance(ip, IPv4Address):
        return any(ip in network for network in _SPECIAL_V4)
    return not any(ip in network for network in _GLOBAL_V6) or any(ip in network for network in _DOCUMENTATION_V6)


@lru_cache(maxsize=65536)
def is_nowhere(address: str) -> bool:
    """Whether the address is 0.0.0.0/8, loopback or the unspecified one."""
    return any(_ip(address) in network for network in _NOWHERE)


@lru_cache(maxsize=65536)
def is_teredo(address: str) -> bool:
    """Whether an IPv6 address belongs to a Teredo client."""
    return _ip(address) in _TEREDO


@lru_cache(maxsize=65536)
def is_carriers(address: str) -> bool:
    """Whether the address is in the space that carriers share among themselves, where users run nothing."""
    return _ip(address) in _CARRIERS


@lru_cache(maxsize=65536)
def is_owned(client: str, resolver: str) -> bool:
    """Whether the resolver stands in the client's own network, whose owner may filter as they please."""
    there, here = _ip(resolver), _ip(client)
    if any(there in network for network in _OWN):
        return True
    bits = 24 if there.version == 4 else 64
    return there.version == here.version and there in ip_network((here, bits), strict=False)


@lru_cache(maxsize=65536)
def is_providers(client: str, resolver: str) -> bool:
    """Whether a resolver shares the provider's block with the client, both public, or has a carrier's own address."""
    if is_carriers(resolver):
        return True
    there, here = _ip(resolver), _ip(client)
    if is_bogon(client) or is_bogon(resolver) or there.version != here.version:
        return False
    return there in ip_network((here, PROVIDER_BITS[there.version]), strict=False)


@lru_cache(maxsize=65536)
def network(address: str) -> str:
    """The /16 or /32 around an address."""
    ip = _ip(address)
    return str(ip_network((ip, NETWORK_BITS[ip.version]), strict=False))


@lru_cache(maxsize=65536)
def registrable(name: str) -> str:
    """The label that was registered, without its suffix: ``example`` of www.example.org, example.co.uk, example.de.

    A guess without the Public Suffix List: two names with the same label count as related, which errs to silence.
    """
    labels = name.rstrip(".").split(".")
    if len(labels) >= 3 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY_LABELS:
        return labels[-3]
    return labels[-2] if len(labels) >= 2 else labels[0]


def gives(answer: DnsPacket) -> frozenset[str]:
    """The addresses that an answer gives."""
    return frozenset(record.address for record in answer.addresses)


def of_another_type(lookup: Lookup, answer: DnsPacket) -> bool:
    """Whether the answer section holds addresses though another type was asked for (A for AAAA, A for HTTPS ...)."""
    kinds = {record.type for record in answer.addresses}
    return bool(kinds) and lookup.qtype not in kinds and lookup.qtype != ANY


def contradict(one: DnsPacket, other: DnsPacket) -> bool:
    """Whether two answers to one question exclude each other, beyond rotation, truncation and a failing resolver.

    Overlapping sets are rotation; a message with TC set says nothing of the records.
    """
    if one.head.truncated or other.head.truncated:
        return False
    first, second = gives(one), gives(other)
    if first and second:
        return not first & second
    if first or second:
        return True
    return one.head.rcode != other.head.rcode


def far_apart(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether no address of one set shares an operator's usual network with one of the other."""
    return not {network(address) for address in some} & {network(address) for address in others}


def unlike(one: DnsPacket, other: DnsPacket) -> tuple[str, ...]:
    """What differs between two answers to one query that no resolver chooses per answer, in the field's words.

    IP TTL, DF, reserved flag, IP ID zero or not, traffic class, AA and RA, case of the echoed name, EDNS echoed or not.
    """
    differences = {
        "IP TTL": one.ttl_hops != other.ttl_hops,
        "DF": (one.ip_flags ^ other.ip_flags) & 2 != 0,
        "reserved flag": (one.ip_flags ^ other.ip_flags) & 4 != 0,
        "IP ID of zero": (one.ip_id == 0) != (other.ip_id == 0),
        "traffic class": one.traffic_class != other.traffic_class,
        "AA": (one.head.flags ^ other.head.flags) & 0x0400 != 0,
        "RA": (one.head.flags ^ other.head.flags) & 0x0080 != 0,
        "case of the name": one.head.asked != other.head.asked,
        "EDNS": has_edns(one) != has_edns(other),
    }
    return tuple(word for word, differs in differences.items() if differs)


def has_edns(packet: DnsPacket) -> bool:
    """Whether the message carries an OPT record (RFC 6891)."""
    return outline(packet.raw).edns


def is_address_lookup(lookup: Lookup) -> bool:
    """Whether addresses were asked for."""
    return lookup.qtype in (A, AAAA)


def has_data(answer: DnsPacket) -> bool:
    """Whether the answer says that the name exists and has addresses."""
    return answer.head.rcode == NOERROR and bool(answer.addresses)
