"""What Wireshark reads in the same packets, under the same names: every value that it shows for a fact.

Of packets within packets the innermost IP header counts that stands before the first TCP, UDP or ICMP header; what a
tunnel over UDP holds is no part of it, and what an ICMP error quotes has names of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fingerprint.crosscheck.facts import JA3, KEY, QUOTED, SNI
from fingerprint.messages.certificate import Certificate, read_certificate
from fingerprint.wireshark.shark import Layer

Values = dict[str, tuple[str, ...]]

_NETWORK = frozenset(("ip", "ipv6"))
_TRANSPORT = frozenset(("tcp", "udp", "icmp", "icmpv6"))


def _number(text: str) -> str:
    return str(int(text, 0))


def _hex(text: str) -> str:
    return hex(int(text, 0))


def _flag(text: str) -> str:
    return str(int(text in {"1", "True"}))


def _time(text: str) -> str:
    seconds, _, rest = text.partition(".")
    return f"{int(seconds)}.{rest:0<9}"


def _name(text: str) -> str:
    return text.lower().removesuffix(".")


def _same(text: str) -> str:
    return text


Reader = Callable[[str], str]
# Of the frame itself, of the IP header and of the header behind it: fact, and how its value is written.
FRAME: Mapping[str, Reader] = {"frame.time_epoch": _time, "frame.len": _number, "frame.cap_len": _number}
NETWORK: Mapping[str, Reader] = {
    "ip.src": _same, "ip.dst": _same, "ip.ttl": _number, "ip.id": _hex, "ip.dsfield": _hex, "ip.flags.rb": _flag,
    "ip.flags.df": _flag, "ip.flags.mf": _flag, "ipv6.src": _same, "ipv6.dst": _same, "ipv6.hlim": _number,
    "ipv6.tclass": _hex,
}  # fmt: skip
TRANSPORT: Mapping[str, Reader] = {
    "tcp.srcport": _number, "tcp.dstport": _number, "tcp.seq": _number, "tcp.ack": _number, "tcp.flags": _hex,
    "tcp.window_size_value": _number, "tcp.len": _number, "udp.srcport": _number, "udp.dstport": _number,
    "udp.length": _number, "icmp.type": _number, "icmp.code": _number, "icmpv6.type": _number,
    "icmpv6.code": _number,
}  # fmt: skip
MESSAGES: Mapping[str, Reader] = {
    SNI: _name, JA3: _same, "dns.id": _hex, "dns.qry.name": _name, "dns.flags.rcode": _number, "dns.a": _same,
    "dns.aaaa": _same, "http.host": _same, "http.request.uri": _same, "http.response.code": _number,
    "http2.headers.authority": _same, "http2.headers.status": _number, "communityid": _same,
}  # fmt: skip
# The acknowledgement as sent: with the flag unset Wireshark shows the one, and the other is what the bytes say.
_RAW = {"tcp.seq": "tcp.seq_raw", "tcp.ack": "tcp.ack_raw"}


def values(layers: Sequence[Layer]) -> Values:
    """Every fact of a frame with all values that Wireshark shows for it."""
    out: Values = {}
    for layer in layers:
        if layer.name == "frame":
            out |= _read(layer, FRAME)
    network, transport = innermost(layers)
    if network is not None:
        out |= _read(network, NETWORK)
    if transport is not None:
        out |= _header(transport, transport.name)
    about = transport is not None and transport.name in {"icmp", "icmpv6"}
    if transport is not None and about:
        # What an ICMP error quotes is nested in it under the names of its own layers.
        quoted = _read(transport, NETWORK) | _header(transport, "tcp") | _header(transport, "udp")
        out |= {f"{QUOTED}{fact}": found for fact, found in quoted.items()}
    for layer in layers:
        if layer.name in _NETWORK | _TRANSPORT:
            continue
        wanted = {"communityid": _same} if about else MESSAGES
        for fact, found in (_read(layer, wanted) | ({} if about else _keys(layer))).items():
            out[fact] = tuple(dict.fromkeys((*out.get(fact, ()), *found)))
    return out


def _header(layer: Layer, name: str) -> Values:
    """The fields of a TCP, UDP or ICMP header."""
    out = _read(layer, {fact: reader for fact, reader in TRANSPORT.items() if fact.startswith(f"{name}.")})
    if options := layer.fields.get("tcp.options") if name == "tcp" else None:
        out["tcp.options"] = (options[0].value,)
    return out


def innermost(layers: Sequence[Layer]) -> tuple[Layer | None, Layer | None]:
    """The IP header that counts, and the TCP, UDP or ICMP header behind it."""
    network = None
    for layer in layers:
        if layer.name in _NETWORK:
            network = layer
        if layer.name in _TRANSPORT:
            return network, layer
    return network, None


def addresses(layers: Sequence[Layer]) -> set[str]:
    """Every address that a frame shows anywhere: in its headers, in packets it quotes, in answers it carries."""
    wanted = ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "dns.a", "dns.aaaa")
    return {shown.show for layer in layers for name in wanted for shown in layer.fields.get(name, ())}


def _keys(layer: Layer) -> Values:
    """The hashes of the public keys of certificates, in the clear or decrypted: what tells one signer's work apart."""
    shown = layer.fields.get("tls.handshake.certificate", ())
    read = (read_certificate(bytes.fromhex(s.value or s.show.replace(":", ""))) for s in shown)
    keys = tuple(c.key_sha256 for c in read if isinstance(c, Certificate) and c.key_sha256)
    return {KEY: keys} if keys else {}


def _read(layer: Layer, wanted: Mapping[str, Reader]) -> Values:
    out: Values = {}
    for fact, reader in wanted.items():
        found = layer.fields.get(_RAW.get(fact, fact)) or layer.fields.get(fact, ())
        try:
            read = tuple(dict.fromkeys(reader(shown.show) for shown in found if shown.show))
        except ValueError:
            continue
        if read:
            out[fact] = read
    return out
