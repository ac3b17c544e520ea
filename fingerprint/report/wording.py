"""How a report speaks to people: one sentence for each word of the taxonomy."""

from __future__ import annotations

from fingerprint.report.numbers import probability
from fingerprint.technique import Interval
from fingerprint.vantages.vantage import Clock, Vantage
from fingerprint.verdict.model import Mechanism

# State → (symbol, the same in ASCII, word, colour).
STATES = {
    "blocked": ("✗", "x", "blocked", "bold red"),
    "down": ("↓", "v", "down", "yellow"),
    "insufficient": ("?", "?", "cannot tell", "cyan"),
    "invalid": ("–", "-", "unusable", "magenta"),
    "ok": ("✓", "+", "works", "green"),
}

LAYERS = {
    "dns": "the DNS lookup",
    "ip": "the address",
    "tcp": "the TCP handshake",
    "tls": "the TLS ClientHello",
    "http": "the HTTP request",
    "quic": "the QUIC Initial",
    "udp": "the datagram",
}

# Second label of a node → what was done, where {layer} is what it was done to.
ACTIONS = {
    "injection": "a forged answer to {layer}",
    "nxdomain": "the name is denied",
    "refused": "{layer} is refused",
    "servfail": "the resolver is made to fail",
    "drop": "packets to {layer} vanish, whatever the protocol",
    "unreachable": "{layer} is declared unreachable",
    "reset": "a reset cuts the connection after {layer}",
    "timeout": "{layer} or its answer is dropped",
    "close": "the connection is closed by a forged FIN after {layer}",
    "alert": "a forged TLS alert answers {layer}",
    "mitm": "another certificate than the server's",
    "throttle": "the transfer is slowed down",
    "blockpage": "a page of refusal instead of the answer",
    "redirect": "an injected redirect",
    "error": "refusal by status code",
}
# Where the bare sentence would mislead.
NODES = {
    "tcp.reset": "a reset cuts the TCP handshake",
    "tcp.timeout": "the SYN, or the first payload, is never answered",
    "tcp.timeout.entropy": "a stream of unrecognisable bytes is cut",
    "dns.timeout": "the query or its answer is dropped",
    "dns.injection": "a false DNS answer",
    "dns.injection.bogon": "a false DNS answer: an address that nobody can own",
    "dns.injection.blockpage": "a false DNS answer: the address of a block page",
    "ip.throttle": "everything from this address is slowed down",
}
TRIGGERS = {
    "tls.sni": "the name in the ClientHello",
    "quic.sni": "the name in the QUIC Initial",
    "dns.qname": "the name in the DNS query",
    "http.host": "the Host header",
    "http.path": "the path of the request",
    "ip.dst": "the destination address",
    "tcp.dport": "the destination port",
    "udp.dport": "the destination port",
    "tls.ech": "the encrypted ClientHello extension",
    "payload.entropy": "bytes that look like no protocol",
}
POSITIONS = {
    "on-path": "on-path: it injects and cannot drop",
    "in-path": "in-path: it drops, rewrites or delays",
    "resolver": "the resolver itself answers falsely",
    "server": "the far end itself refuses",
    "unknown": "on-path or in-path: these packets do not tell",
}
SHAPES = {
    "policer": "policer: what exceeds the rate is dropped",
    "shaper": "shaper: what exceeds the rate waits in a queue",
    "freeze": "freeze: after a number of bytes nothing arrives any more",
    "delay": "added delay",
    "loss": "added random loss",
}


RATES = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))


def how(node: str) -> str:
    """A mechanism as half a sentence; an unknown node (a plugin's) as itself."""
    if node in NODES:
        return NODES[node]
    layer, _, rest = node.partition(".")
    action = rest.split(".")[0]
    return ACTIONS[action].format(layer=LAYERS[layer]) if action in ACTIONS and layer in LAYERS else node


def confidence(m: Mechanism) -> str:
    """The posterior, whether it was measured, and what it would be under other priors."""
    standing = f"calibrated on {m.calibrated.get('n')} captures" if m.calibrated else "uncalibrated"
    rarities = [(f"{1 / float(at):,.0f}", p) for at, p in sorted(m.posterior_at.items())]
    others = ", ".join(
        f"{percent(p)} if {'1 failure in' if not n else '1 in'} {rarity}{' is blocking' if not n else ''}"
        for n, (rarity, p) in enumerate(rarities)
    )
    return f"{percent(m.posterior)}, {standing}" + (f"; {others}" if others else "")


def percent(p: float | None) -> str:
    """A probability in per cent, never rounded up to certainty or down to nothing."""
    p = probability(p)  # as the JSON has it, so that every form says the same
    if p is None:
        return "not weighed"
    if p > 0.9999:
        return "> 99.99 %"
    if p < 0.0001:
        return "< 0.01 %"
    return f"{p * 100:.2f} %" if p > 0.99 or p < 0.01 else f"{p * 100:.1f} %"


def rate(value: Interval) -> str:
    """Bits per second with the interval, in the unit that fits."""
    scale, unit = next((u for u in RATES if value.value >= u[0]), RATES[-1])
    return f"{value.value / scale:.3g} {unit} ({value.low / scale:.3g}–{value.high / scale:.3g})"


def size(value: Interval) -> str:
    """Bytes with the interval."""
    scale, unit = (1e6, "MB") if value.value >= 1e6 else (1e3, "kB") if value.value >= 1e3 else (1, "bytes")
    return f"{value.value / scale:.3g} {unit} ({value.low / scale:.3g}–{value.high / scale:.3g})"


def count(n: int, thing: str, things: str | None = None) -> str:
    """``1 packet``, ``1,024 packets``."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def again(n: int) -> str:
    """``once more``, ``twice more``, ``5 times more``."""
    return {1: "once more", 2: "twice more"}.get(n, f"{n:,} times more")


def vantage(of: Vantage) -> str:
    """Where a capture was taken and how its clock stood, as somebody said; empty where nobody did."""
    number = f"AS{of.asn}" if of.asn else None
    words = [word for word in (of.name, of.provider, number, of.place, of.country) if word]
    parts = [f"taken at {', '.join(words)}"] if words else []
    if of.clock != Clock():
        within = "error unknown" if of.clock.error_s is None else f"± {of.clock.error_s:.3g} s"
        source = f", by {of.clock.source}" if of.clock.source else ""
        parts.append(f"clock {of.clock.offset_s:+.3f} s ({within}{source})")
    if of.simulated:
        parts.insert(0, f"a simulation ({of.simulated})")
    return "; ".join([*parts, *([of.note] if of.note else [])])
