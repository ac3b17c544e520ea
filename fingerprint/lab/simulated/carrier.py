"""The `Carrier` of a simulated path: the steps of a probe performed in virtual time, without root, in milliseconds.

One step at a time: while it is performed the clock runs, between steps it stands still. The same preset, path and seed
give the same packets at the same times; only what TLS draws for itself differs.
"""

from __future__ import annotations

from pathlib import Path as File
from tempfile import mkdtemp

from fingerprint.lab import services
from fingerprint.lab.chain import Chain
from fingerprint.lab.packet import ICMP, ICMP6, UDP, Packet
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets import preset as preset_of
from fingerprint.lab.simulated import corrupt, icmp
from fingerprint.lab.simulated.ailing import AilingTls, AilingWeb
from fingerprint.lab.simulated.client import Speaker
from fingerprint.lab.simulated.host import Host
from fingerprint.lab.simulated.network import Network
from fingerprint.lab.simulated.recording import SimulatedRecording
from fingerprint.lab.simulated.resolver import Resolver
from fingerprint.lab.simulated.services import QuicServer, serve
from fingerprint.lab.simulated.tcp import Connection
from fingerprint.lab.simulated.web import TlsApp, WebApp
from fingerprint.lab.world import PUBLIC_RESOLVER, WORLD, Path, World
from fingerprint.live.filling import filled
from fingerprint.live.headers import Glance, glance
from fingerprint.live.insertion import judged
from fingerprint.probing.carrier import Talk
from fingerprint.probing.talks import LATE_S, decoy, said, talk
from fingerprint.steps import Crafted, Datagram, Handshake, Hello, Message, Payload, Query, Replies, Request, Transfer

# A connection on which nothing is said is held as long as a censor takes to reset it after the handshake.
HELD_S = 0.3
# A program that is woken reads all that has come, and closes a moment later.
_WAKES_S = 0.001


class SimulatedCarrier:
    """``path`` and ``residual_s`` replace what the preset says; ``folder`` takes the recording.

    A scenario brings the names, addresses and time of its own ``world``.
    """

    def __init__(
        self,
        preset: Preset | str,
        path: Path | None = None,
        *,
        seed: int = 0,
        residual_s: float | None = None,
        folder: File | None = None,
        world: World = WORLD,
    ) -> None:
        self.preset = preset_of(preset) if isinstance(preset, str) else preset
        self.path = path or self.preset.path
        boxes = self.preset.boxes(self.preset.residual_s if residual_s is None else residual_s)
        self.network = Network(self.path, Chain(boxes, on_path=self.preset.on_path), seed=seed, world=world)
        self.world = world
        self.clock = self.network.clock
        self.seed = seed
        self._performed = 0
        self._heard: list[Packet] = []
        self._heard_ns: int | None = None  # the first of them
        self._folder = folder
        self._recording: SimulatedRecording | None = None
        self._people(seed)
        self.network.tap = self._tap

    def _people(self, seed: int) -> None:
        servers, world = self.preset.servers, self.world
        self.client = Host(self.network, world.client, seed=seed, timestamps=self.path.timestamps)
        for number, addresses in enumerate(world.webs):
            web = Host(self.network, addresses, seed=seed)
            web.listening[443] = lambda: TlsApp(servers, world.names)
            web.listening[80] = lambda: WebApp(servers, world.names)
            web.listening[services.TLS_PORT] = lambda: TlsApp(servers, world.names)
            for port in servers.closed if number == 0 else ():
                del web.listening[port]
            if world.down.intersection(addresses):
                web.listening |= {443: AilingTls, 80: AilingWeb, services.TLS_PORT: AilingTls}
            serve(web)
            self._quic(web, 443)
        public = Host(self.network, PUBLIC_RESOLVER, seed=seed)
        Resolver(host=public, servers=servers, names=world.names)
        for port in (443, services.ENCRYPTED_DNS_PORT):
            public.listening[port] = lambda: TlsApp(servers, world.names)
            self._quic(public, port)
        Resolver(
            host=Host(self.network, world.resolver, seed=seed), servers=servers, names=world.names,
            lies=dict(servers.resolver_lies), denies=dict(servers.resolver_denies), hijacks=servers.resolver_hijacks,
        )  # fmt: skip

    def _quic(self, host: Host, port: int) -> None:
        """A server that is made when the first datagram comes: most runs send none."""
        if not self.preset.servers.quic:
            return
        made: list[QuicServer] = []

        def take(packet: Packet) -> None:
            made[:] = made or [QuicServer(host)]
            made[0](packet)

        host.datagrams[port] = take

    @property
    def recording(self) -> SimulatedRecording:
        """What the client's interface saw. Its folder is made when it is first needed."""
        if self._recording is None:
            folder = self._folder or File(mkdtemp(prefix="fingerprint-simulated-"))
            self._recording = SimulatedRecording(self.clock, folder / "run.pcapng")
        return self._recording

    def _tap(self, packet: Packet) -> None:
        self.recording.see(packet)
        if packet.destination in self.world.client:
            self._heard.append(packet)
            self._heard_ns = self.clock.now_ns if self._heard_ns is None else self._heard_ns

    # Carrier

    def now_ns(self) -> int:
        """The virtual clock; it begins when the world does."""
        return self.clock.time_ns

    async def wait(self, seconds: float) -> None:
        """Virtual seconds, which take no time."""
        self.clock.run(seconds)

    async def flush(self) -> File:
        """The file, which witnesses the time up to now."""
        return self.recording.flush()

    async def perform(self, message: Message, *, listen_s: float) -> Replies:
        """See `Carrier`."""
        self._performed += 1
        self._heard.clear()
        self._heard_ns = None
        if isinstance(message, Crafted):
            return self._craft(message, listen_s)
        talked = talk(message, self.seed + self._performed)
        if isinstance(message, Datagram) or (isinstance(message, Query) and message.over == "udp"):
            return self._ask(message, talked, listen_s)
        return self._converse(message, talked, listen_s)

    # A datagram

    def _ask(self, message: Query | Datagram, talked: Talk, listen_s: float) -> Replies:
        client, clock = self.client, self.clock
        address = message.resolver if isinstance(message, Query) else message.address
        port, began_ns = client.port(), clock.now_ns
        arrived_ns: list[int] = []

        def take(packet: Packet) -> None:
            if (packet.source, packet.sport) == (address, message.port):
                arrived_ns.append(clock.now_ns)
                talked.feed(packet.payload)

        client.datagrams[port] = take
        source, sent = client.address_towards(address), 0
        for number in range(message.copies if isinstance(message, Datagram) else 1):
            if number and isinstance(message, Datagram):
                clock.run(message.gap_s, until=lambda: talked.done or bool(self._complaints(port)))
                if talked.done or self._complaints(port):
                    break
            for piece in talked.open():
                sent += len(piece)
                client.datagram(
                    Packet(
                        source=source, destination=address, protocol=UDP, sport=port, dport=message.port,
                        payload=piece, ttl=message.ttl_hops or 64,
                    )
                )  # fmt: skip
        left_s = listen_s - (clock.now_ns - began_ns) / 1e9
        clock.run(max(0.0, left_s), until=lambda: talked.done or "port" in self._refusals(port))
        if talked.done or "port" in self._refusals(port):
            # The recorder goes on listening, and so does the port.
            clock.run(max(0.0, min(LATE_S, listen_s - (clock.now_ns - began_ns) / 1e9)))
        clock.at(
            max(0.0, listen_s - (clock.now_ns - began_ns) / 1e9), lambda: client.datagrams.pop(port, None) and None
        )
        routers, outcome = self._routers(port), talked.outcome
        if outcome == "silent" and routers:
            outcome = "refused" if "port" in self._refusals(port) else "unreachable"
        return Replies(
            outcome=outcome,
            took_s=(arrived_ns[0] - began_ns) / 1e9 if arrived_ns else None,
            received_bytes=talked.received_bytes,
            sent_bytes=sent,
            local_port=port,
            answers=talked.answers if talked.outcome != "silent" else routers,
            heard=getattr(talked, "heard", b""),
        )

    # A connection

    def _converse(
        self, message: Query | Handshake | Hello | Request | Transfer | Payload, talked: Talk, listen_s: float
    ) -> Replies:
        clock, began_ns = self.clock, self.clock.now_ns
        address = message.resolver if isinstance(message, Query) else message.address
        ttl_hops = message.ttl_hops if not isinstance(message, Transfer) else None
        speaker = Speaker(talked, clock, before=lambda c: self._prepare(c, message, ttl_hops))
        syn_ttl_hops = ttl_hops or 64 if isinstance(message, Handshake) else 64
        connection = self.client.connect(address, message.port, speaker, ttl_hops=syn_ttl_hops)
        went, port = speaker.went, connection.local[1]
        clock.run(listen_s, until=lambda: went.opened or went.over)
        if not went.opened:
            connection.forget()
            why = went.failed if went.failed not in ("", "time") else "unanswered"
            took_s = (clock.now_ns - began_ns) / 1e9 if why in ("refused", "reset") else None
            return Replies(outcome=why, took_s=took_s, local_port=port, answers=self._routers(port))
        if isinstance(message, Handshake):
            went.replied(clock.now_ns)
            clock.run(min(listen_s, HELD_S), until=lambda: went.over)
            outcome = {"reset": "reset", "fin": "closed"}.get(went.ended or "", "answered")
            went.ended = went.ended or "done"
            took_s = (went.first_reply_ns or clock.now_ns) - began_ns
            self._end(connection, orderly=ttl_hops is None)
            return Replies(outcome=outcome, took_s=took_s / 1e9, local_port=port, answers=self._routers(port))
        self._listen(speaker, message, listen_s)
        taken = True
        if isinstance(message, Payload):
            taken = self._taken(speaker, connection, message, listen_s)
        ended = went.ended or "time"
        self._end(connection, orderly=ended in ("done", "fin") and ttl_hops is None and taken)
        return Replies(
            outcome=said(message, talked, ended, acknowledged=taken),
            took_s=went.took_s,
            received_bytes=talked.received_bytes,
            sent_bytes=connection.acknowledged_bytes,
            span_s=went.span_s if isinstance(message, Transfer) else 0.0,
            local_port=port,
            answers=talked.answers or self._routers(port),
            heard=getattr(talked, "heard", b""),
        )

    def _prepare(self, connection: Connection, message: Message, ttl_hops: int | None) -> None:
        """The decoy goes first; then everything travels as far as it may."""
        if isinstance(message, Hello | Transfer) and message.decoy is not None:
            seed = self.seed + self._performed
            words = decoy(message, b"".join(talk(message, seed).open()), seed)
            connection.insert(words, ttl_hops=message.decoy.ttl_hops)
        if ttl_hops is not None:
            connection.ttl_hops = ttl_hops

    def _listen(self, speaker: Speaker, message: Message, listen_s: float) -> None:
        """Until the talk is over; a transfer may take longer than the first reply."""
        went, clock = speaker.went, self.clock
        whole_s = message.seconds if isinstance(message, Transfer) else listen_s
        silent_s = whole_s if isinstance(message, Transfer) and message.upload else listen_s
        clock.run(silent_s, until=lambda: went.over or went.first_reply_ns is not None)
        if went.first_reply_ns is not None and not went.over:
            left_s = max(silent_s, whole_s) - (clock.now_ns - went.began_ns) / 1e9
            clock.run(max(0.0, left_s), until=lambda: went.over)

    def _taken(self, speaker: Speaker, connection: Connection, message: Payload, listen_s: float) -> bool:
        """Whether the far end acknowledged the payload; what follows its first words is heard, as on a live wire."""
        went, clock = speaker.went, self.clock
        until_ns = went.began_ns + round(listen_s * 1e9)
        while went.ended == "done" and not went.cut and clock.now_ns < until_ns:
            clock.run(min(LATE_S, (until_ns - clock.now_ns) / 1e9), until=lambda: went.cut)
            if connection.acknowledged_bytes >= len(message.payload):
                break
        went.ended = "reset" if went.cut else went.ended
        return connection.acknowledged_bytes >= len(message.payload)

    def _end(self, connection: Connection, *, orderly: bool) -> None:
        """As a kernel closes: a FIN where both took part in it to the end, else a reset."""
        if connection.state == "gone":
            return
        if orderly:
            self.clock.run(_WAKES_S)
            connection.close()
        else:
            connection.abort()

    # By hand

    def _craft(self, message: Crafted, listen_s: float) -> Replies:
        client, clock = self.client, self.clock
        port, source = client.port(), client.address_towards(message.address)
        if message.user_space:
            client.muted.add(port)
        began_ns, sent, acknowledge = clock.now_ns, 0, None
        for number, raw in enumerate(message.packets):
            if number == 1 and message.user_space:
                clock.run(listen_s, until=lambda: self._syn_ack(port) is not None)
                answer = self._syn_ack(port)
                if answer is None:
                    break
                acknowledge = answer.seq + 1
            try:
                ready = filled(raw, source, port, message.address, acknowledge)
            except OSError as error:
                return Replies(outcome="failed", why=error.strerror or str(error), local_port=port)
            packet = corrupt.read(ready)
            if packet is None:
                why = "the simulated path knows no fragments and no IP options"
                return Replies(outcome="failed", why=why, local_port=port)
            sent += len(ready)
            self.network.send(packet)
        clock.run(max(0.0, listen_s - (clock.now_ns - began_ns) / 1e9))
        seen = self._seen(port)
        self._reset(message, seen, acknowledge)
        client.muted.discard(port)
        return Replies(
            outcome=judged(message, seen),
            took_s=(self._heard_ns - began_ns) / 1e9 if self._heard_ns is not None else None,
            received_bytes=sum(s.payload_bytes for s in seen),
            sent_bytes=sent,
            local_port=port,
            answers=tuple(dict.fromkeys(s.complainer for s in seen if s.complainer)),
        )

    def _syn_ack(self, port: int) -> Glance | None:
        # SYN 2, RST 4, ACK 16
        return next((s for s in self._seen(port) if s.flags & 22 == 18), None)

    def _seen(self, port: int) -> list[Glance]:
        """What came for that port, ICMP about its packets included."""
        heard = (glance(p.to_bytes()) for p in self._heard)
        return [g for g in heard if g is not None and (g.sport if g.complainer else g.dport) == port]

    def _reset(self, message: Crafted, seen: list[Glance], acknowledge: int | None) -> None:
        """Reset a handshake of our own, so that the server does not wait for us."""
        last = max((s for s in seen if s.flags & 16), key=lambda s: s.seq, default=None)
        if acknowledge is None or last is None or any(s.flags & 4 for s in seen):
            return
        self.network.send(
            Packet(
                source=last.destination, destination=message.address, sport=last.dport, dport=last.sport, seq=last.ack,
                flags=4, window=0,
            )
        )  # fmt: skip

    # Who complained

    def _routers(self, port: int) -> tuple[str, ...]:
        """Who sent an ICMP error about what left from that port, first one first."""
        return tuple(dict.fromkeys(source for source, _ in self._complaints(port)))

    def _refusals(self, port: int) -> list[str]:
        return [kind for _, kind in self._complaints(port) if kind != "expired"]

    def _complaints(self, port: int) -> list[tuple[str, str]]:
        told = [(p.source, icmp.quoted(p)) for p in self._heard if p.protocol in (ICMP, ICMP6)]
        return [(source, what[0]) for source, what in told if what is not None and what[1].sport == port]
