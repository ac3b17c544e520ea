"""What a report says about its packets, as facts that can be compared: triggers, Community IDs, addresses, TTLs.

A claim rests on several packets: it holds if one of them shows the value, it fails if they show other values of that
fact and never this one, and it is not available where none shows any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from captures.errors import TargetError
from fingerprint.crosscheck.comparing import AGREE, DISAGREE, NOT_AVAILABLE, Compared
from fingerprint.crosscheck.facts import KEY, SNI
from fingerprint.crosscheck.wireshark import Values
from fingerprint.report.document import SCHEMA
from fingerprint.report.privacy import ADDRESS

# The field of a trigger, and the facts that show it.
TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "tls.sni": (SNI,), "quic.sni": (SNI,), "dns.qname": ("dns.qry.name",), "http.host": ("http.host",),
    "http.path": ("http.request.uri",), "ip.dst": ("ip.dst", "ip.src", "ipv6.dst", "ipv6.src"),
    "tcp.dport": ("tcp.dstport", "tcp.srcport"), "udp.dport": ("udp.dstport", "udp.srcport"),
}  # fmt: skip
# How sentences write a TTL and an IP ID that they saw.
_TTL = re.compile(r"\bTTL (\d{1,3})\b(?! s\b)")
_IP_ID = re.compile(r"\bIP ID 0x([0-9A-Fa-f]{4})\b")
_KEY = re.compile(r"\bSHA-256 of its key ([0-9a-f]{64})\b")
# What a stranger wrote into a packet is quoted, and claims nothing: payloads, pages, addresses of pages.
_QUOTED = re.compile(r"'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|\w+://\S+")
# More than one dissection of a file is for: the strongest evidence comes first.
MOST_PACKETS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A value that one of these packets shows. ``facts`` are names for it; ADDRESSES is any place in a frame."""

    facts: tuple[str, ...]
    value: str
    packets: tuple[int, ...]
    says: str


ADDRESSES = "address"


def of_file(document: Any, sha256: str) -> list[int]:
    """The captures of a report that are this file. Raises TargetError for another file's report, or for no report."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise TargetError(
            f"the report is none of {SCHEMA}; make one with: fingerprint analyse FILE --json --with-vantage"
        )
    mine = [i for i, c in enumerate(document["captures"]) if c["sha256"] == sha256]
    if not mine:
        raise TargetError(f"the report is about another file: none of its captures has SHA-256 {sha256}")
    return mine


def cited(document: Any, captures: Iterable[int]) -> list[int]:
    """The packets of these captures that the report cites, each once, what convicts before what does not."""
    found: dict[int, None] = {}
    places = sorted(enumerate(_places(document)), key=lambda p: (p[1][0], p[0]))
    wanted = set(captures)
    for _, (_, place) in places:
        if place.get("capture") in wanted:
            found.update(dict.fromkeys(place["packets"]))
    return list(found)


def _places(document: Any) -> Iterator[tuple[int, Any]]:
    """Everything that cites packets, with a rank: mechanisms, causes, the rest."""
    for target in document["targets"]:
        for mechanism in target["mechanisms"]:
            yield from ((0, e) for e in mechanism["evidence"])
        yield from ((1, e) for e in (target.get("cause") or {}).get("evidence", ()))
        yield from ((1, {"capture": f["capture"], "packets": [f["packet"]]}) for f in target.get("flows", ()))
        for kind in ("observations", "inconclusive", "consequences"):
            yield from ((2, e) for e in target.get(kind, ()))


def claims(document: Any, captures: Iterable[int]) -> Iterator[Claim]:
    """What the report claims of these captures."""
    wanted = set(captures)
    for target in document["targets"]:
        for flow in target.get("flows", ()):
            if flow["capture"] in wanted:
                says = f"a conversation of {target['target']}"
                yield Claim(facts=("communityid",), value=flow["community_id"], packets=(flow["packet"],), says=says)
        for mechanism in target["mechanisms"]:
            yield from _of_trigger(mechanism, wanted)
        causes = (target.get("cause") or {}).get("evidence", ())
        evidence = (e for m in target["mechanisms"] for e in m["evidence"])
        for e in (*evidence, *causes, *target.get("observations", ())):
            if e["capture"] in wanted:
                yield from _of_sentence(e["says"], tuple(e["packets"]))


def _of_trigger(mechanism: Any, wanted: set[int]) -> Iterator[Claim]:
    trigger = mechanism["trigger"]
    if trigger is None or trigger["field"] not in TRIGGERS:
        return
    packets = tuple(sorted({n for e in mechanism["evidence"] if e["capture"] in wanted for n in e["packets"]}))
    if packets:
        says = f"{mechanism['mechanism']} is set off by {trigger['field']} = {trigger['value']}"
        # Ports that share a fate are one trigger: "8801, 8804".
        for value in str(trigger["value"]).split(", "):
            yield Claim(facts=TRIGGERS[trigger["field"]], value=value, packets=packets, says=says)


def _of_sentence(says: str, packets: tuple[int, ...]) -> Iterator[Claim]:
    plain = _QUOTED.sub(" ", says)
    for found in ADDRESS.findall(plain):
        try:
            address = str(ip_address(found))
        except ValueError:
            continue
        yield Claim(facts=(ADDRESSES,), value=address, packets=packets, says=says)
    for ttl in _TTL.findall(plain):
        yield Claim(facts=("ip.ttl", "ipv6.hlim"), value=str(int(ttl)), packets=packets, says=says)
    for key in _KEY.findall(plain):
        yield Claim(facts=(KEY,), value=key, packets=packets, says=says)
    for number in _IP_ID.findall(plain):
        yield Claim(facts=("ip.id",), value=hex(int(number, 16)), packets=packets, says=says)


def compare(claim: Claim, theirs: Mapping[int, Values], addresses: Mapping[int, Iterable[str]]) -> Compared:
    """What Wireshark's frames say to a claim; those beyond `MOST_PACKETS` were not looked at."""
    shown: dict[str, None] = {}
    number = claim.packets[0]
    for packet in claim.packets:
        if claim.facts == (ADDRESSES,):
            values = tuple(addresses.get(packet, ()))
        else:
            values = tuple(v for fact in claim.facts for v in theirs.get(packet, {}).get(fact, ()))
        if claim.value in values:
            return Compared(
                number=packet, fact=claim.facts[0], ours=claim.value, wireshark=values, outcome=AGREE, says=claim.says
            )
        shown.update(dict.fromkeys(values))
    outcome = DISAGREE if shown and all(p in theirs for p in claim.packets) else NOT_AVAILABLE
    return Compared(
        number=number, fact=claim.facts[0], ours=claim.value, wireshark=tuple(sorted(shown)), outcome=outcome,
        says=claim.says,
    )  # fmt: skip
