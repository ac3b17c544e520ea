"""Censors and innocents that nobody has written a preset for, drawn from a seed, with what must be said of them.

The presets show that known devices are told apart; these show that nothing was learned by heart. Trigger, action, header
fields, memory, place and path are drawn apart from each other, so that most of what comes out exists nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from fingerprint.lab.boxes.closing import AlertInjector
from fingerprint.lab.boxes.dns_forging import RA, DnsInjector
from fingerprint.lab.boxes.dropping import AddressBlackHole, HelloDropper
from fingerprint.lab.boxes.forging import Injector, back, both, opposite
from fingerprint.lab.boxes.load_balancer import LoadBalancer
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.syn_proxy import SynProxy
from fingerprint.lab.boxes.tspu import Dropper, LateDropper, QuicDropper, Rewriter
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Action, Box, Direction, Inject
from fingerprint.lab.packet import ACK, FIN, PSH, RST, Packet
from fingerprint.lab.preset import Preset
from fingerprint.lab.world import MINDED, SERVER_A, Path, Servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What may be said: one of these nodes or one above it, at one of these positions; nothing where there are none."""

    nodes: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    everybody: bool = False  # it minds no name


@dataclass(slots=True, kw_only=True)
class Mirror:
    """Wraps a box whose packets arrive with the TTL that the server's own have on the same link."""

    box: Box
    _seen: dict[str, int] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """As the box, TTLs replaced where the true one is known."""
        if direction is Direction.TO_CLIENT:
            self._seen[packet.source] = packet.ttl
        action = self.box.inspect(packet, direction)
        if not isinstance(action, Inject):
            return action
        return replace(action, packets=tuple((self._like(p, d), d) for p, d in action.packets))

    def _like(self, packet: Packet, direction: Direction) -> Packet:
        known = self._seen.get(packet.source) if direction is Direction.TO_CLIENT else None
        return packet.with_(ttl=known) if known else packet


@dataclass(slots=True, kw_only=True)
class DropAnd:
    """Wraps an injector so that it stands in the path: what it answers goes no further, nor does anything after it."""

    box: Box
    closed: Residual = field(default_factory=lambda: Residual(seconds=30.0, scope="4-tuple", renews=True))

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """One answer a flow."""
        if self.closed.holds(packet, direction):
            return Inject((), drop=True)
        action = self.box.inspect(packet, direction)
        if isinstance(action, Inject):
            self.closed.start(packet, direction)
            return replace(action, drop=True)
        return action


def _header(random: Random) -> dict[str, object]:
    return {
        "ttl": random.choice((random.randint(30, 64), random.randint(65, 128), random.randint(200, 255))),
        "ip_id": random.choice((0, 1, random.randint(2, 65535))),
        "df": random.random() < 0.5,
        "window": random.choice((0, 1, 512, 8192, 65535, random.randint(2, 65535))),
    }


def _residual(random: Random) -> Residual | None:
    # A run in the laboratory believes in windows of two seconds; longer ones would be a fault of the experiment.
    scope = random.choice(("4-tuple", "3-tuple", "pair"))
    return random.choice((None, Residual(seconds=1.5, scope=scope)))


def _watch(random: Random, *reads: str) -> Watch:
    return Watch(
        names=Names(match=random.choice(("suffix", "exact", "substring")), folds_case=random.random() < 0.8),
        reads=reads,
        joins_segments=random.random() < 0.7,
    )


def _after_s(random: Random, way: Path) -> float:
    """Sooner than the server's answer by the time that an injector is worth having."""
    return random.uniform(0.0002, max(0.0004, 0.3 * way.behind_s))


def _ends(random: Random, way: Path) -> tuple[Box, bool, Want]:
    """A forged reset or FIN on TLS."""
    header, copies, flags = _header(random), random.randint(1, 4), random.choice((RST, RST | ACK, FIN | ACK))
    to_both = random.random() < 0.6

    def salvo(p: Packet, d: Direction) -> tuple[tuple[Packet, Direction], ...]:
        one = both(p, d, flags, **header) if to_both else ((back(p, flags, **header), opposite(d)),)
        return one * copies

    box = Injector(
        watch=_watch(random, "sni"), salvo=salvo, residual=_residual(random) if flags & RST else None,
        after_s=_after_s(random, way),
    )  # fmt: skip
    node = "tls.close.sni" if flags & FIN else "tls.reset.sni"
    if random.random() < 0.35:
        return DropAnd(box=box), False, Want(nodes=(node,), positions=("in-path", "on-path", "unknown"))
    return box, True, Want(nodes=(node,), positions=("on-path", "unknown"))


def _drops(random: Random, _: Path) -> tuple[Box, bool, Want]:
    """The hello, or what follows it, vanishes."""
    residual = Residual(seconds=30.0, scope="4-tuple", renews=True)
    box: Box = random.choice(
        (
            lambda: Dropper(residual=residual, watch=_watch(random, "sni")),
            lambda: LateDropper(residual=residual, watch=_watch(random, "sni")),
            lambda: HelloDropper(watch=replace(_watch(random, "sni"), joins_segments=False)),
        )
    )()
    return box, False, Want(nodes=("tls.timeout.sni",), positions=("in-path", "unknown"))


def _rewrites(random: Random, _: Path) -> tuple[Box, bool, Want]:
    """The server's own answer becomes a reset."""
    box = Rewriter(residual=Residual(seconds=30.0, scope="4-tuple", renews=True), watch=_watch(random, "sni"))
    return box, False, Want(nodes=("tls.reset.sni",), positions=("in-path", "on-path", "unknown"))


def _alerts(random: Random, _: Path) -> tuple[Box, bool, Want]:
    """An alert in the server's name."""
    box = AlertInjector(watch=_watch(random, "sni"))
    return box, False, Want(nodes=("tls.alert.sni", "tls.close.sni"), positions=("in-path", "on-path", "unknown"))


def _lies(random: Random, way: Path) -> tuple[Box, bool, Want]:
    """Forged DNS answers."""
    pool = tuple(
        f"{random.randint(11, 99)}.{random.randint(0, 255)}.{random.randint(0, 255)}.{i + 1}" for i in range(5)
    )
    bogus = random.random() < 0.4
    header = {k: v for k, v in _header(random).items() if k != "window"}
    box: Box = DnsInjector(
        header=lambda _: header,
        v4=("10.11.12.13",) if bogus else pool[: random.randint(1, 5)],
        v6=("fc00::1",) if bogus else ("2a0b:1234::9",),
        bits=random.choice((RA, 0, RA | 0x0400)),
        record_ttl_s=random.randint(1, 900),
        names=Names(match=random.choice(("suffix", "exact"))),
        copies=random.randint(1, 3),
        after_s=_after_s(random, way),
        drops=(drops := random.random() < 0.3),
    )
    kinds = ("bogon", "other", "blockpage")
    return box, not drops, Want(
        nodes=tuple(f"dns.injection.{k}" for k in kinds),
        positions=("on-path", "in-path", "resolver", "unknown") if drops else ("on-path", "unknown"),
    )  # fmt: skip


def _pages(random: Random, way: Path) -> tuple[Box, bool, Want]:
    """A page or a redirect for requests in the clear."""
    header = _header(random)
    page = random.random() < 0.5
    words = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 58\r\nConnection: close\r\n\r\n"
        b"<html><body>Access to this site is not allowed.</body></html>"[:58]
        if page
        else b"HTTP/1.1 302 Found\r\nLocation: http://notice.invalid/?u=1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    flags = FIN | PSH | ACK if random.random() < 0.6 else PSH | ACK

    def salvo(p: Packet, d: Direction) -> tuple[tuple[Packet, Direction], ...]:
        return ((back(p, flags, payload=words, **header), opposite(d)),)

    box: Box = Injector(watch=_watch(random, "host"), salvo=salvo, after_s=_after_s(random, way))
    nodes = ("http.blockpage", "http.injection") if page else ("http.redirect",)
    if random.random() < 0.4:
        return DropAnd(box=box), False, Want(nodes=nodes, positions=("in-path", "on-path", "unknown"))
    return box, True, Want(nodes=nodes, positions=("on-path", "unknown"))


def _cuts_requests(random: Random, way: Path) -> tuple[Box, bool, Want]:
    """Requests in the clear are reset or vanish."""
    if random.random() < 0.5:
        box: Box = Dropper(residual=Residual(seconds=30.0, scope="4-tuple", renews=True), watch=_watch(random, "host"))
        return box, False, Want(nodes=("http.timeout.host",), positions=("in-path", "unknown"))
    header = _header(random)
    box = Injector(
        watch=_watch(random, "host"), salvo=lambda p, d: both(p, d, RST | ACK, **header), after_s=_after_s(random, way)
    )
    return box, True, Want(nodes=("http.reset.host",), positions=("on-path", "unknown"))


def _quic(random: Random, _: Path) -> tuple[Box, bool, Want]:
    """QUIC of one version is silenced."""
    box = QuicDropper(
        residual=Residual(seconds=30.0, scope="4-tuple", renews=True), least_bytes=random.choice((1, 1001))
    )
    return box, False, Want(nodes=("quic.timeout.version",), positions=("in-path", "unknown"), everybody=True)


def _route(_: Random, __: Path) -> tuple[Box, bool, Want]:
    """The addresses of the name are routed to nowhere."""
    box = AddressBlackHole(addresses=frozenset(SERVER_A))
    return box, False, Want(nodes=("ip.drop",), positions=("in-path", "unknown"))


CENSORS: tuple[Callable[[Random, Path], tuple[Box, bool, Want]], ...] = (
    _ends, _ends, _ends, _drops, _drops, _rewrites, _alerts, _lies, _lies, _pages, _pages, _cuts_requests, _quic, _route,
)  # fmt: skip


def way(random: Random) -> Path:
    """Three to ten routers, the box anywhere between them, a round trip of 10 to 220 ms."""
    hops = random.randint(3, 10)
    return Path(
        hops=hops,
        at=random.randint(1, hops - 1),
        before_s=random.uniform(0.001, 0.040),
        behind_s=random.uniform(0.008, 0.070),
        loss_ratio=random.choice((0.0, 0.0, 0.0, 0.005)),
        seed=random.randint(1, 1000),
    )


def censor(seed: int) -> tuple[Preset, Want]:
    """A censor of nobody's, and what may be said of it."""
    random = Random(f"censor {seed}")
    path = way(random)
    made = random.choice(CENSORS)
    box, on_path, want = made(random, path)
    if random.random() < 0.4:
        box = Mirror(box=box)
    name = f"unseen {seed}: {made.__name__.strip('_')}"
    says = (made.__doc__ or "").strip()
    return Preset(name=name, says=says, source="drawn", boxes=lambda _: (box,), on_path=on_path, path=path), want


def innocent(seed: int) -> Preset:
    """Nobody on the way means any harm: loss, reordering, odd headers, odd servers."""
    random = Random(f"innocent {seed}")
    path = replace(
        way(random),
        loss_ratio=random.choice((0.0, 0.01, 0.03)),
        reorder_ratio=random.choice((0.0, 0.05)),
        rate_bps=random.choice((None, None, 2e6, 10e6)),
    )
    boxes: tuple[Callable[[], Box], ...] = (LoadBalancer, SynProxy)
    chosen = random.choice((None, None, *boxes))
    if chosen:
        path = replace(path, at=path.hops, before_s=path.before_s + path.behind_s, behind_s=0.002)
    servers = Servers(
        resets=frozenset(random.choice(((), (), ("*",)))),
        limits_bps=random.choice(({}, {}, {MINDED: 600_000.0})),
        lame=frozenset(random.choice(((), (), (), (MINDED,)))),
    )
    return Preset(
        name=f"innocent {seed}", says="drawn", source="drawn", kind="innocent",
        boxes=lambda _: (chosen(),) if chosen else (), path=path, servers=servers,
    )  # fmt: skip


# Results that say what is not so; all others say too little at most.
FALSE = ("false-block", "wrong", "misplaced")


def worth(want: Want, report: dict[str, Any], at: int) -> str:
    """What a report is worth: exact, ancestor, open or acquitted; wrong, misplaced or false-block."""
    mine = (MINDED, *SERVER_A)
    blocked = [(t["target"], m) for t in report["targets"] if t["state"] == "blocked" for m in t["mechanisms"]]
    if any(name not in mine and not want.everybody for name, _ in blocked) or (blocked and not want.nodes):
        return "false-block"
    if not blocked:
        return "open" if want.nodes else "acquitted"
    found = {m["mechanism"] for _, m in blocked}
    above = {".".join(n.split(".")[:i]) for n in want.nodes for i in range(1, n.count(".") + 1)}
    if found - set(want.nodes) - above:
        return "wrong"
    best = next((m for _, m in blocked if m["mechanism"] in want.nodes), blocked[0][1])
    link = (best["location"] or {}).get("link")
    if best["position"] not in (*want.positions, "unknown") or (link and abs(link[0] - at) > 1):
        return "misplaced"
    return "exact" if found & set(want.nodes) else "ancestor"
