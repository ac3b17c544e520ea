"""Our findings in the words of OONI's data ontology (ooni/data, docs/ontology.md, section 12): a label for each target.

Our taxonomy extends theirs and changes none of its nodes, so a node of ours is said by its deepest ancestor that they
have too; a layer by itself is a legal label there. What they have no layer for is not said at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Section 12.3, version 1, inner nodes included.
VERSION = "v1"
VOCABULARY = frozenset(
    {
        "dns", "dns.injection", "dns.injection.blockpage", "dns.injection.bogon", "dns.injection.other", "dns.nxdomain",
        "dns.refused", "dns.timeout",
        "tcp", "tcp.reset", "tcp.timeout", "tcp.refused",
        "tls", "tls.reset", "tls.reset.sni", "tls.reset.other", "tls.timeout", "tls.mitm", "tls.mitm.self_signed",
        "tls.mitm.ca_signed", "tls.throttle.sni",
        "http", "http.blockpage", "http.redirect", "http.error", "http.reset.host", "http.timeout",
        "http.throttle.host",
        "ip", "ip.unreachable", "ip.prefix_null_route",
    }
)  # fmt: skip
# Section 12.5: what `insufficient` and `invalid` are there.
VERDICTS: Mapping[str, str] = {"ok": "ok", "down": "down", "blocked": "blocked"}
# Section 12.5, ``locus``: the far end, or somebody on the way to it.
LOCI: Mapping[str, str] = {
    "server": "server_side", "on-path": "network", "in-path": "network", "resolver": "network"
}  # fmt: skip


def node(ours: str) -> str | None:
    """The deepest ancestor of a node of ours, or itself, that OONI has; None if it has not even the layer."""
    labels = ours.split(".")
    prefixes = (".".join(labels[:n]) for n in range(len(labels), 0, -1))
    return next((p for p in prefixes if p in VOCABULARY), None)


def label(target: Mapping[str, Any]) -> dict[str, Any]:
    """A target of a report as a label record: verdict, mechanisms, and the locus of each.

    Section 12.5 wants one node a layer: of several their common ancestor is said.
    """
    by_layer: dict[str, list[tuple[str, str]]] = {}
    for mechanism in target["mechanisms"]:
        if said := node(mechanism["mechanism"]):
            locus = LOCI.get(mechanism["position"], "unknown")
            by_layer.setdefault(said.split(".")[0], []).append((said, locus))
    merged = {_common([n for n, _ in said]): {locus for _, locus in said} for said in by_layer.values()}
    return {
        "verdict": VERDICTS.get(target["state"], "unknown"),
        "mechanisms": sorted(merged),
        "locus": {n: loci.pop() if len(loci) == 1 else "unknown" for n, loci in sorted(merged.items())},
        "taxonomy_version": VERSION,
    }


def _common(nodes: list[str]) -> str:
    """The deepest node of the vocabulary that all of them are, or lie below."""
    first = nodes[0].split(".")
    for n in range(len(first), 0, -1):
        prefix = ".".join(first[:n])
        if prefix in VOCABULARY and all(x == prefix or x.startswith(prefix + ".") for x in nodes):
            return prefix
    return first[0]
