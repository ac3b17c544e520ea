"""The mechanisms that a verdict can name, and the innocent explanations that race against them.

Ids are append-only. A node stands for everything below it; reporting an inner node is a complete answer.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

# Mechanism nodes, version 1. A residual hypothesis stands at every inner node: "this, by none of the children".
NODES: tuple[str, ...] = (
    "dns.injection", "dns.injection.blockpage", "dns.injection.bogon", "dns.injection.other",
    "dns.nxdomain", "dns.refused", "dns.servfail", "dns.timeout",
    "ip.drop", "ip.unreachable", "ip.throttle",
    "tcp.reset", "tcp.reset.port", "tcp.reset.payload", "tcp.refused", "tcp.refused.port",
    "tcp.timeout", "tcp.timeout.port", "tcp.timeout.entropy", "tcp.timeout.payload",
    "tls.reset", "tls.reset.sni", "tls.reset.ech", "tls.reset.fingerprint", "tls.reset.other",
    "tls.timeout", "tls.timeout.sni", "tls.timeout.ech", "tls.timeout.fingerprint", "tls.timeout.other",
    "tls.close", "tls.close.sni", "tls.alert", "tls.alert.sni",
    "tls.mitm", "tls.mitm.self_signed", "tls.mitm.ca_signed",
    "tls.throttle", "tls.throttle.sni", "quic.throttle", "quic.throttle.sni", "http.throttle", "http.throttle.host",
    "http.blockpage", "http.redirect", "http.injection", "http.error", "http.close",
    "http.reset", "http.reset.host", "http.reset.path", "http.reset.keyword",
    "http.timeout", "http.timeout.host", "http.timeout.path", "http.timeout.keyword",
    "udp.timeout", "udp.timeout.port", "udp.timeout.payload", "udp.throttle",
    "quic.timeout", "quic.timeout.sni", "quic.timeout.version", "quic.close",
)  # fmt: skip

# Innocent explanation → how it is said in a report.
INNOCENTS: MappingProxyType[str, str] = MappingProxyType(
    {
        "ordinary": "ordinary behaviour of the two ends",
        "server-down": "the server is down",
        "server-refuses": "the server itself refuses",
        "loss": "packet loss",
        "congestion": "congestion shared with other traffic",
        "slow-access": "a slow access link",
        "path-failure": "one of several equal-cost paths fails",
        "pmtu": "a path-MTU black hole",
        "nat-timeout": "a NAT or load balancer forgot the connection",
        "client-abort": "the client gave up or closed",
        "race-loser": "the client dropped the loser of a race",
        "idle-timeout": "the server's idle timeout",
        "split-tcp": "a split-TCP or transparent proxy",
        "captive-portal": "a captive portal",
        "corporate-proxy": "a corporate proxy",
        "chosen-filter": "a filter that the network's owner chose",
        "local-network": "the local network is at fault",
        "capture-fault": "the capture is at fault",
    }
)

# DESIGN: P(blocked) before any evidence, given that something failed. Also reported under the two others.
PRIOR_BLOCKED = 0.01
OTHER_PRIORS = (0.001, 0.1)

# Weights of the innocents before evidence, summing to one; measured shares do not exist, so these are set by hand
# after Cloudflare's finding (blog of 5 September 2024) that a fifth of all connections ends early for ordinary reasons.
INNOCENT_PRIOR: MappingProxyType[str, float] = MappingProxyType(
    {
        "ordinary": 0.25, "server-down": 0.08, "server-refuses": 0.10, "loss": 0.08, "congestion": 0.04,
        "slow-access": 0.04, "path-failure": 0.02, "pmtu": 0.02, "nat-timeout": 0.05, "client-abort": 0.10,
        "race-loser": 0.05, "idle-timeout": 0.05, "split-tcp": 0.02, "captive-portal": 0.02, "corporate-proxy": 0.02,
        "chosen-filter": 0.02, "local-network": 0.02, "capture-fault": 0.02,
    }
)  # fmt: skip

# Share of a family's prior that its commonest trigger takes, where the family has one: nearly all TLS and HTTP
# interference in OONI's and Censored Planet's reports is by name. Set by hand; the rest is split evenly.
COMMON_TRIGGERS = ("sni", "host")
COMMON_SHARE = 0.7

# Last label of a qualified node → trigger fields, one of which the evidence must carry before the node is reported.
QUALIFIERS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "sni": ("tls.sni", "quic.sni"),
        "host": ("http.host",),
        "path": ("http.path",),
        "keyword": ("http.keyword", "http.path"),
        "ech": ("tls.ech",),
        "fingerprint": ("tls.fingerprint",),
        "port": ("tcp.dport", "udp.dport"),
        "version": ("quic.version",),
        "entropy": ("payload.entropy",),
        "payload": ("payload.first", "payload.entropy"),
    }
)


@cache
def ancestors(node: str) -> tuple[str, ...]:
    """The node and all nodes above it, deepest first; a bare layer is not a node."""
    labels = node.split(".")
    return tuple(".".join(labels[:i]) for i in range(len(labels), 1, -1))


@cache
def below(node: str) -> tuple[str, ...]:
    """The node and every node below it."""
    return tuple(n for n in NODES if n == node or n.startswith(node + "."))


def action(node: str) -> str:
    """The second label: what was done."""
    return node.split(".")[1]


@cache
def node_prior(nodes: tuple[str, ...]) -> dict[str, float]:
    """How a blocked symptom's prior is shared among its nodes; sums to one."""
    common = [n for n in nodes if n.rsplit(".", 1)[-1] in COMMON_TRIGGERS]
    rest = [n for n in nodes if n not in common]
    if not common or not rest:
        return dict.fromkeys(nodes, 1 / len(nodes))
    return dict.fromkeys(common, COMMON_SHARE / len(common)) | dict.fromkeys(rest, (1 - COMMON_SHARE) / len(rest))
