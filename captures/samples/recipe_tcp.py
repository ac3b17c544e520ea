"""A TCP that behaves: handshake and options, timestamps, delayed acknowledgements, SACK, RACK-like recovery, backoff.

Both ends of a recipe's connections are a `Connection`; `Host` owns them and resets what it does not know, as a kernel
does. Sequence numbers inside count from 0 at the SYN; the initial numbers are added on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from captures.samples.recipe_network import Network
from captures.samples.recipe_packets import Packet

MSS_BYTES = 1448  # 1460 less twelve bytes of timestamps
# RFC 6298 section 2: one second before the first sample; Linux lowers the minimum to 200 ms.
FIRST_RTO_S, MIN_RTO_S = 1.0, 0.2
# RFC 9293 section 3.8.6.3 allows 500 ms; Linux and most others wait 40.
DELAYED_ACK_S = 0.040
SYN_TRIES, DATA_TRIES = 5, 8


class App:
    """What a program does with a connection; every method may be left as it is."""

    def opened(self, connection: Connection) -> None:
        """The handshake is complete."""

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes arrived in order."""

    def ended(self, connection: Connection) -> None:
        """The other end sent FIN; the polite answer is to close as well."""
        connection.close()

    def broken(self, connection: Connection) -> None:
        """A reset arrived, or we gave up."""


@dataclass(slots=True)
class _Sent:
    start: int
    end: int
    sent_ns: int
    sacked: bool = False
    lost: bool = False


class Connection:
    """One end of a connection."""

    def __init__(self, host: Host, app: App, *, peer: str, port: int, peer_port: int, opener: bool) -> None:
        self.host, self.app, self.net = host, app, host.net
        self.peer, self.port, self.peer_port, self.opener = peer, port, peer_port, opener
        rng = self.net.rng
        self.first, self.peer_first = rng.getrandbits(32), 0
        self.ip_id, self.clock_ms = rng.randrange(65536), host.clock_ms(peer)
        self.ttl_hops = host.ttl_hops
        self.state, self.out, self.fin_at = "new", bytearray(), -1
        self.una, self.nxt, self.got = 0, 0, 0
        self.sent: list[_Sent] = []
        self.early: dict[int, bytes] = {}
        self.peer_fin_at = -1
        self.peer_window, self.recent_ts = 65535, 0
        # An IPv6 header is twenty bytes longer.
        self.mss_bytes = MSS_BYTES - 20 * (":" in peer)
        self.cwnd, self.ssthresh, self.recover = 10 * self.mss_bytes, 1 << 30, -1
        self.srtt_s, self.rto_s, self.tries, self.timer, self.unacked_pkts = 0.0, FIRST_RTO_S, 0, 0, 0
        self.ack_timer = 0

    # What a program may do.

    def send(self, data: bytes) -> None:
        """Queue bytes."""
        self.out += data
        self._pump()

    def close(self) -> None:
        """Send FIN behind what is queued."""
        if self.fin_at < 0 and self.state == "open":
            self.fin_at = len(self.out)
            self._pump()

    def abort(self, flags: str = "RA") -> None:
        """Send a reset and forget the connection."""
        self._emit(flags, self.nxt, window=0, options=())
        self.forget()

    def forget(self) -> None:
        """Leave no trace, as a process that was frozen or a state that timed out."""
        self.state = "gone"
        self.host.connections.pop((self.peer, self.peer_port, self.port), None)

    # Sending.

    def _emit(self, flags: str, start: int, payload: bytes = b"", **fields: object) -> None:
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        options = self._timestamps() + (self._sack() if "S" not in flags else ())
        body: dict[str, object] = {
            "source": self.host.address,
            "destination": self.peer,
            "ttl_hops": self.ttl_hops,
            "ip_id": 0 if flags == "SA" and self.host.zero_id_in_handshake else self.ip_id,
            "dscp": self.host.dscp,
            "source_port": self.port,
            "destination_port": self.peer_port,
            "seq": self.first + start,
            "ack": self.peer_first + self.got if "A" in flags else 0,
            "flags": flags,
            "window": min(65535, (65536 + 3 * self.got) >> 7),
            "options": options,
            "payload": payload,
        }
        self.unacked_pkts, self.ack_timer = 0, self.ack_timer + 1
        self.net.send(Packet(**{**body, **fields}))  # type: ignore[arg-type]

    def _timestamps(self) -> tuple[tuple[str, object], ...]:
        now_ms = (self.clock_ms + (self.net.now_ns - self.net.start_ns) // 10**6) & 0xFFFFFFFF
        return (("NOP", None), ("NOP", None), ("Timestamp", (now_ms, self.recent_ts)))

    def _sack(self) -> tuple[tuple[str, object], ...]:
        blocks: list[list[int]] = []
        for start in sorted(self.early):
            end = start + len(self.early[start])
            if blocks and blocks[-1][1] >= start:
                blocks[-1][1] = max(end, blocks[-1][1])
            else:
                blocks.append([start, end])
        edges = tuple((self.peer_first + x) & 0xFFFFFFFF for b in blocks[-3:] for x in b)
        return (("NOP", None), ("NOP", None), ("SAck", edges)) if edges else ()

    def open(self) -> None:
        """Send the SYN, or the SYN-ACK, and wait for what comes."""
        self.state = "opening"
        handshake = (
            ("MSS", self.mss_bytes + 12),
            ("SAckOK", b""),
            *self._timestamps()[2:],
            ("NOP", None),
            ("WScale", 7),
        )
        self._emit("S" if self.opener else "SA", 0, window=64240, options=handshake)
        self.nxt = 1
        self._arm()

    def _pump(self) -> None:
        if self.state != "open":
            return
        pipe = sum(s.end - s.start for s in self.sent if not s.sacked and not s.lost)
        for s in self.sent:
            if s.lost and pipe + self.mss_bytes <= max(self.cwnd, self.mss_bytes):
                s.lost, s.sent_ns = False, self.net.now_ns
                pipe += s.end - s.start
                self._segment(s)
        while self.nxt - 1 < len(self.out) and pipe < min(self.cwnd, self.peer_window):
            end = min(self.nxt + self.mss_bytes, len(self.out) + 1)
            self._new(_Sent(self.nxt, end, self.net.now_ns))
            pipe += end - self.sent[-1].start
        if self.fin_at >= 0 and self.nxt == self.fin_at + 1:
            self._new(_Sent(self.nxt, self.nxt + 1, self.net.now_ns))

    def _new(self, sent: _Sent) -> None:
        self.sent.append(sent)
        self.nxt = sent.end
        self._segment(sent)
        if len(self.sent) == 1:
            self._arm()

    def _segment(self, sent: _Sent) -> None:
        data = bytes(self.out[sent.start - 1 : min(sent.end - 1, len(self.out))])
        is_last = sent.end - 1 >= len(self.out)
        fin = 0 <= self.fin_at < sent.end - 1
        self._emit("FA" if fin else "PA" if is_last else "A", sent.start, data)

    def _arm(self) -> None:
        self.timer += 1
        mine = self.timer
        self.net.at(self.rto_s, lambda: self._timed_out() if mine == self.timer else None)

    def _timed_out(self) -> None:
        if self.state == "gone" or (self.state == "open" and not self.sent):
            return
        self.tries += 1
        self.rto_s *= 2
        if self.tries > (SYN_TRIES if self.state == "opening" else DATA_TRIES):
            self.forget()
            self.app.broken(self)
        elif self.state == "opening":
            self.open()
        else:
            self.ssthresh, self.cwnd, self.recover = max(self.cwnd // 2, 2 * self.mss_bytes), self.mss_bytes, self.nxt
            for s in self.sent:
                s.lost = not s.sacked
            self._arm()
            self._pump()

    # Receiving.

    def packet(self, p: Packet) -> None:
        """One packet of the peer."""
        if "R" in p.flags:
            acceptable = "A" in p.flags if self.state == "opening" and self.opener else True
            if acceptable and (self.state == "opening" or self._in_window(p)):
                self.forget()
                self.app.broken(self)
            return
        stamp = p.option("Timestamp")
        if isinstance(stamp, tuple):
            self.recent_ts = stamp[0]
        if "S" in p.flags:
            if self.state == "open":
                self._emit("A", self.nxt)
                return
            self.peer_first, self.got = p.seq, 1
            if not self.opener:
                self.open()
                return
        if self.state == "opening":
            self.state, self.una, self.tries = "open", 1, 0
            self._sample(p)
            if self.opener:
                self._emit("A", 1)
            self._arm()
            self.app.opened(self)
        self.peer_window = p.window << 7
        self._acknowledged((p.ack - self.first) & 0xFFFFFFFF, p)
        if p.payload or "F" in p.flags:
            self._take(p)

    def _in_window(self, p: Packet) -> bool:
        return (p.seq - self.peer_first - self.got) & 0xFFFFFFFF < 65535

    def _sample(self, p: Packet) -> None:
        stamp = p.option("Timestamp")
        if not isinstance(stamp, tuple) or not stamp[1]:
            return
        now_ms = self.clock_ms + (self.net.now_ns - self.net.start_ns) // 10**6
        rtt_s = max(0.001, ((now_ms - stamp[1]) & 0xFFFFFFFF) / 1000)
        self.srtt_s = 0.875 * self.srtt_s + 0.125 * rtt_s if self.srtt_s else rtt_s
        self.rto_s = max(MIN_RTO_S, 1.5 * self.srtt_s + 0.2)

    def _acknowledged(self, ack: int, p: Packet) -> None:
        if ack > self.nxt:
            return
        delivered_ns = 0
        edges = p.option("SAck")
        blocks = [(e - self.first) & 0xFFFFFFFF for e in edges] if isinstance(edges, tuple) else []
        for s in self.sent:
            inside = any(a <= s.start and s.end <= b for a, b in zip(blocks[::2], blocks[1::2], strict=True))
            if s.end <= ack or inside:
                delivered_ns = delivered_ns if s.sacked else max(delivered_ns, s.sent_ns)
                s.sacked = True
        newly = ack - self.una
        if newly > 0:
            self.una, self.tries = ack, 0
            self.sent = [s for s in self.sent if s.end > ack]
            self._sample(p)
            self._grow(newly, ack)
            self._arm()
        reordering_ns = int(self.srtt_s / 4 * 1e9)
        passed = max(blocks, default=0) - 3 * self.mss_bytes
        lost = [
            s
            for s in self.sent
            if not s.sacked
            and not s.lost
            and (s.sent_ns < delivered_ns - reordering_ns or (s.end <= passed and s.sent_ns < delivered_ns))
        ]
        for s in lost:
            s.lost = True
        if lost and self.recover < 0:
            self.ssthresh = self.cwnd = max(int(self.cwnd * 0.7), 2 * self.mss_bytes)
            self.recover = self.nxt
        self._pump()

    def _grow(self, newly: int, ack: int) -> None:
        if self.recover >= 0:
            if ack >= self.recover:
                self.recover = -1
        elif self.cwnd < self.ssthresh:
            self.cwnd += newly
        else:
            self.cwnd += max(1, self.mss_bytes * newly // self.cwnd)
        if self.recover >= 0 and self.cwnd < self.ssthresh:
            self.cwnd += newly  # slow start again after a time-out

    def _take(self, p: Packet) -> None:
        start = (p.seq - self.peer_first) & 0xFFFFFFFF
        if start > 1 << 31:
            start -= 1 << 32
        if 0 <= self.peer_fin_at < self.got:
            self._after_the_end(start, p)
            return
        if "F" in p.flags:
            self.peer_fin_at = start + len(p.payload)
        in_order = start == self.got and not self.early
        if p.payload and start + len(p.payload) > self.got:
            self.early.setdefault(start, p.payload)
        arrived = b""
        while (at := next((k for k in self.early if k <= self.got < k + len(self.early[k])), None)) is not None:
            piece = self.early.pop(at)[self.got - at :]
            arrived += piece
            self.got += len(piece)
        self.early = {k: v for k, v in self.early.items() if k > self.got}
        finished = self.peer_fin_at == self.got
        if finished:
            self.got += 1
        self.unacked_pkts += 1
        if not in_order or finished or self.unacked_pkts >= 2:
            self._emit("A", self.nxt)
        else:
            self.ack_timer += 1
            mine = self.ack_timer
            self.net.at(DELAYED_ACK_S, lambda: self._late_ack(mine))
        if arrived and self.state == "open":
            self.app.received(self, arrived)
        if finished and self.state == "open":
            self.app.ended(self)

    def _after_the_end(self, start: int, p: Packet) -> None:
        """The peer's FIN was taken: a repetition is acknowledged, new data is reset (RFC 1122 section 4.2.2.13)."""
        if p.payload and start + len(p.payload) > self.got:
            self._emit("R", self.nxt, window=0, options=())
            self.forget()
        else:
            self._emit("A", self.nxt)

    def _late_ack(self, mine: int) -> None:
        if mine == self.ack_timer and self.unacked_pkts and self.state == "open":
            self._emit("A", self.nxt)


class Host:
    """An address with its connections, listening ports, and what it does with UDP."""

    def __init__(self, net: Network, address: str, *, ttl_hops: int = 64, dscp: int = 0) -> None:
        self.net, self.address, self.ttl_hops, self.dscp = net, address, ttl_hops, dscp
        self.connections: dict[tuple[str, int, int], Connection] = {}
        self.listening: dict[int, Callable[[], App]] = {}
        self.udp: Callable[[Packet], None] | None = None
        self.closed_ports_answer = True
        # Linux sends SYN-ACKs with IP ID 0; others count from the first packet on.
        self.zero_id_in_handshake = True
        self.clocks: dict[str, int] = {}
        net.receivers[address] = self.receive

    def clock_ms(self, peer: str) -> int:
        """The offset of the timestamp clock, one for each pair of addresses."""
        return self.clocks.setdefault(peer, self.net.rng.getrandbits(28))

    def connect(self, server: str, port: int, app: App, *, source_port: int) -> Connection:
        """Open a connection."""
        new = Connection(self, app, peer=server, port=source_port, peer_port=port, opener=True)
        self.connections[server, port, source_port] = new
        new.open()
        return new

    def receive(self, p: Packet) -> None:
        """A packet arrived; what belongs to nothing is reset, as RFC 9293 section 3.10.7.1 says."""
        if p.protocol == "udp":
            if self.udp:
                self.udp(p)
            return
        if p.protocol != "tcp":
            return
        key = (p.source, p.source_port, p.destination_port)
        known = self.connections.get(key)
        if known is not None:
            known.packet(p)
        elif p.flags == "S" and p.destination_port in self.listening:
            app = self.listening[p.destination_port]()
            new = Connection(self, app, peer=p.source, port=p.destination_port, peer_port=p.source_port, opener=False)
            self.connections[key] = new
            new.packet(p)
        elif "R" not in p.flags and self.closed_ports_answer:
            self._refuse(p)

    def _refuse(self, p: Packet) -> None:
        with_ack = "A" not in p.flags
        self.net.send(
            Packet(
                source=self.address,
                destination=p.source,
                ttl_hops=self.ttl_hops,
                dscp=self.dscp,
                source_port=p.destination_port,
                destination_port=p.source_port,
                flags="RA" if with_ack else "R",
                seq=0 if with_ack else p.ack,
                ack=p.seq + len(p.payload) + ("S" in p.flags) + ("F" in p.flags) if with_ack else 0,
            )
        )
