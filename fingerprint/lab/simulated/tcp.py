"""One end of a TCP connection that behaves as Linux does: options, delayed acknowledgements, recovery, resets.

Sequence numbers inside count from 0 at the SYN; the initial numbers are added on the wire.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, Packet
from fingerprint.lab.simulated import options
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.receiving import Inbox
from fingerprint.lab.simulated.sending import Flight

if TYPE_CHECKING:
    from fingerprint.lab.simulated.host import Host

# RFC 9293 section 3.8.6.3 allows 500 ms; Linux waits 40.
_DELAYED_ACK_S = 0.040
# Linux: tcp_syn_retries 6; data are given up after about as long as anybody listens here.
_SYN_TRIES, _DATA_TRIES = 6, 15
# The buffer of a receiver, announced with a scale of 7.
_BUFFER_BYTES, _SCALE = 1 << 20, 7
# A program may write more when less than this is unsent.
_LOW_WATER_BYTES = 256 * 1024
_SEQUENCES = 1 << 32


class Connection:
    """One end. ``states``: opening, open, gone."""

    def __init__(self, host: Host, app: App, *, local: tuple[str, int], peer: tuple[str, int], opener: bool) -> None:
        self.host, self.app, self.clock = host, app, host.network.clock
        self.local, self.peer, self.opener = local, peer, opener
        draw = host.random
        self.first, self.peer_first = draw.getrandbits(32), 0
        self.ip_id, self.stamp_ms = draw.randrange(1 << 16), host.stamp_ms(peer[0])
        self.ttl_hops = 64
        self.state = "opening"
        self.stamps, self.sack, self.scaled = host.timestamps, True, True
        self._out, self._out_at = bytearray(), 1  # unacknowledged and unsent bytes; the number of the first
        self._edges: deque[int] = deque()  # numbers at which a segment has to end
        self.nxt, self.fin_at, self.sent_bytes = 0, -1, 0
        self.inbox = Inbox()
        # An IPv6 header is twenty bytes longer; timestamps take twelve.
        self._announced_mss = 1460 - 20 * (":" in peer[0])
        self.flight = Flight(self._announced_mss - 12 * self.stamps)
        self._peer_window, self._peer_scale, self._peer_stamp = 65535, 0, 0
        self._timer = self._ack_timer = self._look_timer = 0
        self._unacked_pkts = 0
        self._ended = self._deaf = False

    # What a program may do.

    def send(self, data: bytes, *, apart: bool = False) -> None:
        """Queue bytes; ``apart`` has the last segment of them end where they end."""
        if self.state == "gone" or self.fin_at >= 0:
            return
        self._out += data
        if apart:
            self._edges.append(self._out_at + len(self._out))
        self._pump()

    @property
    def unsent_bytes(self) -> int:
        """Written but not yet on the wire."""
        return self._out_at + len(self._out) - max(self.nxt, 1)

    def close(self) -> None:
        """Send FIN behind what is queued; what still arrives is not wanted and will be reset."""
        self._deaf = True
        self.finish()

    def finish(self) -> None:
        """Send FIN behind what is queued, and read on."""
        if self.fin_at < 0 and self.state == "open":
            self.fin_at = self._out_at + len(self._out)
            self._pump()

    def abort(self) -> None:
        """Send a reset, as far as anything goes here, and forget the connection with all that was not sent."""
        if self.state == "gone":
            return
        if self.inbox.next:
            self._emit(RST | ACK, self.nxt, window=0, options=b"")
        self.forget()

    def forget(self) -> None:
        """Leave no trace."""
        self.state = "gone"
        self.host.forget(self)

    def insert(self, data: bytes, *, ttl_hops: int) -> None:
        """Put bytes on the wire where the next ones belong, and count them as never sent."""
        self._emit(PSH | ACK, self.nxt, data, ttl=ttl_hops)

    @property
    def acknowledged_bytes(self) -> int:
        """Payload that the peer has confirmed."""
        return max(0, min(self.flight.una, self._out_at + len(self._out)) - 1)

    # Sending.

    def open(self) -> None:
        """The SYN, or the SYN-ACK, until something comes of it."""
        stamps = self._stamps() if self.stamps else None
        raw = options.of_handshake(self._announced_mss, stamps, sack=self.sack, scale=_SCALE if self.scaled else None)
        fields: dict[str, Any] = {"window": 64240, "options": raw}
        if self.opener:
            self._emit(SYN, 0, **fields)
        else:
            self._emit(SYN | ACK, 0, ip_id=0, **fields)  # as Linux answers a SYN
        self._opened_ns = self.clock.now_ns
        self.nxt = 1
        self._arm()

    def _stamps(self) -> tuple[int, int]:
        now_ms = (self.stamp_ms + self.clock.now_ns // 10**6) & 0xFFFFFFFF
        return now_ms, self._peer_stamp

    def _emit(self, flags: int, start: int, payload: bytes = b"", **fields: object) -> None:
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        header: dict[str, object] = {
            "source": self.local[0],
            "destination": self.peer[0],
            "sport": self.local[1],
            "dport": self.peer[1],
            "ttl": self.ttl_hops,
            "ip_id": self.ip_id,
            "seq": (self.first + start) % _SEQUENCES,
            "ack": (self.peer_first + self.inbox.next) % _SEQUENCES if flags & ACK else 0,
            "flags": flags,
            "window": _BUFFER_BYTES >> _SCALE if self.scaled else 65535,
            "payload": payload,
        }
        if "options" not in fields:
            early = self.inbox.blocks() if self.sack and self.inbox.early else []
            blocks = [((a + self.peer_first) % _SEQUENCES, (b + self.peer_first) % _SEQUENCES) for a, b in early]
            header["options"] = options.of_segment(self._stamps() if self.stamps else None, blocks)
        self._unacked_pkts = 0
        self._ack_timer += 1
        self.host.network.send(Packet(**{**header, **fields}))  # type: ignore[arg-type]

    def _pump(self) -> None:
        if self.state != "open":
            return
        flight = self.flight
        while flight.pipe_bytes < flight.cwnd_bytes and (lost := flight.next_lost()) is not None:
            flight.repeated(lost, self.clock.now_ns)
            self._segment(lost.start, lost.end)
        end_of_data = self._out_at + len(self._out)
        limit = flight.una + self._peer_window
        while self.nxt < end_of_data and flight.pipe_bytes < flight.cwnd_bytes and self.nxt < limit:
            end = min(self.nxt + flight.mss_bytes, end_of_data)
            while self._edges and self._edges[0] <= self.nxt:
                self._edges.popleft()
            if self._edges:
                end = min(end, self._edges[0])
            self._new(end)
        if self.fin_at >= 0 and self.nxt == self.fin_at:
            self._new(self.fin_at + 1)

    def _new(self, end: int) -> None:
        idle = not self.flight.segments
        start, self.nxt = self.nxt, end
        self.flight.sent(start, end, self.clock.now_ns)
        self._segment(start, end)
        if idle:
            self._arm()

    def _segment(self, start: int, end: int) -> None:
        data = bytes(self._out[start - self._out_at : end - self._out_at])
        self.sent_bytes += len(data)
        flags = FIN | ACK if 0 <= self.fin_at < end else ACK
        if data and (end >= self._out_at + len(self._out) or (self._edges and end == self._edges[0])):
            flags |= PSH
        self._emit(flags, start, data)

    def _arm(self) -> None:
        self._timer += 1
        mine = self._timer
        probe_s = self.flight.probe_s if self.state == "open" else None
        event = self._timed_out if probe_s is None else self._probe
        self.clock.at(probe_s or self.flight.rto_s, lambda: event() if mine == self._timer else None)

    def _probe(self) -> None:
        """Something at the end of the flight may be lost and nothing would tell: send what does."""
        if self.state != "open" or not self.flight.segments:
            return
        self.flight.probed = True
        segment = self.flight.probe(self.clock.now_ns)
        if not segment.sacked and not segment.lost:
            self._segment(segment.start, segment.end)
        self._arm()

    def _timed_out(self) -> None:
        if self.state == "gone" or (self.state == "open" and not self.flight.segments):
            return
        if self.flight.backoff >= (_SYN_TRIES if self.state == "opening" else _DATA_TRIES):
            self._break("time")
        elif self.state == "opening":
            self.flight.backoff += 1
            self.open()
        else:
            self.flight.timed_out(self.nxt)
            self._pump()
            self._arm()

    # Receiving.

    def packet(self, packet: Packet) -> None:
        """A segment for this connection."""
        said = options.read(packet.options) if packet.options else options.Options()
        if self.state == "opening":
            self._handshake(packet, said)
            return
        start = self._number(packet.seq)
        if packet.flags & RST:
            self._reset(start)
            return
        if packet.flags & SYN or not self._fits(start, packet):
            self._emit(ACK, self.nxt)
            return
        if said.timestamps is not None and start <= self.inbox.next:
            self._peer_stamp = said.timestamps[0]
        if packet.flags & ACK and not self._acknowledged(packet, said):
            return
        if packet.payload or packet.flags & FIN:
            self._take(start, packet)
        if self.state == "open":
            self._pump()
            if self.unsent_bytes < _LOW_WATER_BYTES:
                self.app.drained(self)

    def _number(self, seq: int) -> int:
        """The number within the connection that is nearest to what is expected."""
        off = (seq - self.peer_first - self.inbox.next) % _SEQUENCES
        return self.inbox.next + (off - _SEQUENCES if off >= _SEQUENCES // 2 else off)

    def _fits(self, start: int, packet: Packet) -> bool:
        """RFC 9293 section 3.10.7.4, the first check: some of it lies in the window."""
        length = len(packet.payload) + bool(packet.flags & FIN)
        return (
            start + length >= self.inbox.next
            and start <= self.inbox.next + _BUFFER_BYTES
            and (not length or start + length > self.inbox.next)
        )

    def _reset(self, start: int) -> None:
        """RFC 5961 section 3.2: exactly what is expected resets; what is merely in the window is asked back."""
        if start == self.inbox.next:
            self._break("reset")
        elif self.inbox.next < start <= self.inbox.next + _BUFFER_BYTES:
            self._emit(ACK, self.nxt)

    def _break(self, why: str) -> None:
        was_over = self.state == "gone"
        self.forget()
        if not was_over:
            self.app.broken(self, why)

    def unreachable(self) -> None:
        """ICMP told that a packet did not get there: a SYN gives up, an open connection goes on (RFC 1122)."""
        if self.state == "opening":
            self._break("unreachable")

    def _handshake(self, packet: Packet, said: options.Options) -> None:
        acceptable = bool(packet.flags & ACK) and (packet.ack - self.first) % _SEQUENCES == 1
        if packet.flags & RST:
            if self.opener and acceptable:
                self._break("refused")
            elif not self.opener and (packet.seq - self.peer_first) % _SEQUENCES == 1:
                self.forget()
            return
        if self.opener:
            if packet.flags & ACK and not acceptable:
                self.host.refuse(packet)
            elif packet.flags & SYN and acceptable:
                self._negotiated(packet, said)
                self._establish(packet)
                self._emit(ACK, self.nxt)
                self.app.opened(self)
        elif packet.flags & SYN:
            if self.inbox.next == 0:
                self._negotiated(packet, said)
            self.open()
        elif acceptable:
            self._establish(packet)
            self.app.opened(self)
            self.packet(packet)

    def _negotiated(self, syn: Packet, said: options.Options) -> None:
        self.peer_first, self.inbox.next = syn.seq, 1
        self.stamps = self.stamps and said.timestamps is not None
        self.sack = self.sack and said.sack_permitted
        self.scaled = self.scaled and said.scale is not None
        self._peer_scale = said.scale or 0 if self.scaled else 0
        self._peer_stamp = said.timestamps[0] if said.timestamps else 0
        self._peer_window = syn.window
        self.flight.mss_bytes = min(self._announced_mss, said.mss_bytes or 536) - 12 * self.stamps
        self.flight.cwnd_bytes = 10 * self.flight.mss_bytes

    def _establish(self, packet: Packet) -> None:
        self.state, self.flight.una = "open", 1
        self._timer += 1
        if not packet.flags & SYN:
            self._peer_window = packet.window << self._peer_scale
        if not self.flight.backoff:
            self.flight.sample((self.clock.now_ns - self._opened_ns) / 1e9)
        self.flight.backoff = 0

    def _acknowledged(self, packet: Packet, said: options.Options) -> bool:
        """Whether the segment may be read further."""
        flight = self.flight
        off = (packet.ack - self.first - flight.una) % _SEQUENCES
        if off >= _SEQUENCES // 2:
            return True  # an old one
        ack = flight.una + off
        if ack > self.nxt:
            self._emit(ACK, self.nxt)
            return False
        self._peer_window = packet.window << self._peer_scale
        blocks = [(self._mine(a), self._mine(b)) for a, b in said.blocks]
        progress = ack > flight.una
        rtt_s = flight.acknowledged(ack, blocks, self.clock.now_ns)
        if rtt_s is not None:
            flight.sample(rtt_s)
        if progress:
            self._trim(ack)
            self._arm()
        self._look()
        return not self._over()

    def _mine(self, seq: int) -> int:
        return self.flight.una + (seq - self.first - self.flight.una) % _SEQUENCES

    def _trim(self, ack: int) -> None:
        done = min(ack - self._out_at, len(self._out))
        if done > _LOW_WATER_BYTES or done == len(self._out):
            del self._out[:done]
            self._out_at += done

    def _look(self) -> None:
        """For losses now, and again when a segment has been out for too long."""
        wait_s = self.flight.find_losses(self.clock.now_ns, self.nxt)
        if wait_s is not None:
            self._look_timer += 1
            mine = self._look_timer
            self.clock.at(wait_s, lambda: self._look_again(mine))

    def _look_again(self, mine: int) -> None:
        if mine == self._look_timer and self.state == "open":
            self._look()
            self._pump()

    def _over(self) -> bool:
        """Both ends have closed, and it was acknowledged: nothing is left to do."""
        if self.fin_at >= 0 and self.flight.una > self.fin_at and self._ended:
            self.state = "gone"
            # RFC 9293 section 3.6: whoever closed first answers repetitions for a while.
            self.clock.at(1.0, lambda: self.host.forget(self))
            return True
        return False

    def _take(self, start: int, packet: Packet) -> None:
        in_order = start <= self.inbox.next and not self.inbox.early
        if packet.flags & FIN:
            self.inbox.fin_at = start + len(packet.payload)
        if self._deaf and packet.payload and not self._ended:
            # RFC 1122 section 4.2.2.13: nobody reads any more.
            self._emit(RST, self.nxt, window=0, options=b"")
            self.forget()
            return
        arrived = self.inbox.take(start, packet.payload) if packet.payload else b""
        finished = not self._ended and self.inbox.fin_at == self.inbox.next
        if finished:
            self.inbox.next += 1
            self._ended = True
        self._unacked_pkts += 1
        if arrived:
            self.app.received(self, arrived)
        if self.state != "open":
            return
        if finished:
            self._emit(ACK, self.nxt)
            self.app.ended(self)
            self._over()
        elif not in_order or self._unacked_pkts >= 2:
            self._emit(ACK, self.nxt)
        elif self._unacked_pkts:
            self._ack_timer += 1
            mine = self._ack_timer
            self.clock.at(_DELAYED_ACK_S, lambda: self._late_ack(mine))

    def _late_ack(self, mine: int) -> None:
        if mine == self._ack_timer and self._unacked_pkts and self.state == "open":
            self._emit(ACK, self.nxt)
