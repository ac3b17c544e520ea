"""The small TCP: whatever the way does to packets, the bytes arrive as they were sent, and resets are honest."""

from itertools import pairwise
from random import Random

import pytest

from fingerprint.lab.chain import Chain
from fingerprint.lab.packet import ACK, FIN, RST, SYN, Packet
from fingerprint.lab.simulated import options
from fingerprint.lab.simulated.host import Host
from fingerprint.lab.simulated.network import Network
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.world import CLIENT, SERVER_A, Path


class Collect(App):
    def __init__(self, say=b"", *, closes=True):
        self.heard, self.say, self.closes, self.why = bytearray(), say, closes, None

    def opened(self, connection):
        connection.send(self.say)
        if self.say and self.closes:
            connection.finish()

    def received(self, connection, data):
        self.heard += data

    def broken(self, connection, why):
        self.why = why


class World:
    def __init__(self, *boxes, path=None, seed=0, on_path=False):
        self.network = Network(path or Path(), Chain(boxes, on_path=on_path), seed=seed)
        self.client = Host(self.network, CLIENT, seed=seed)
        self.server = Host(self.network, SERVER_A, seed=seed)
        self.seen = []
        self.network.tap = lambda p: self.seen.append((self.network.clock.now_ns, p))

    def talk(self, *, up=b"", down=b"", seconds=60.0, port=443):
        here, there = Collect(up), Collect(down)
        self.server.listening[port] = lambda: there
        connection = self.client.connect(SERVER_A[0], port, here)
        self.network.clock.run(seconds)
        return here, there, connection

    def flags(self):
        return [p.flags for _, p in self.seen]


PATHS = {
    "clean": Path(),
    "lossy": Path(loss_ratio=0.05),
    "very lossy": Path(loss_ratio=0.2),
    "reordered": Path(reorder_ratio=0.3, reorder_s=0.02),
    "both": Path(loss_ratio=0.03, reorder_ratio=0.1),
    "narrow": Path(rate_bps=2_000_000.0, queue_bytes=20_000),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PATHS)
def test_what_arrives_is_what_was_sent(name, seed):
    data = Random(seed).randbytes(300_000)
    here, there, connection = World(path=PATHS[name], seed=seed).talk(up=data, down=data[::-1], seconds=300.0)
    assert bytes(there.heard) == data
    assert bytes(here.heard) == data[::-1]
    assert connection.state == "gone"


def test_a_clean_path_repeats_nothing():
    world = World()
    world.talk(down=bytes(2_000_000))
    arrived = [p.seq for _, p in world.seen if p.payload]
    assert len(arrived) == len(set(arrived)) > 1300


def test_reordering_alone_repeats_next_to_nothing():
    world = World(path=Path(reorder_ratio=0.05))
    world.talk(down=bytes(2_000_000))
    arrived = [p.seq for _, p in world.seen if p.payload]
    assert len(arrived) - len(set(arrived)) < 0.01 * len(arrived)


def test_the_handshake_looks_like_linux():
    world = World()
    world.talk(down=b"page")
    (_, syn), (at_ns, syn_ack), (_, ack) = world.seen[:3]
    assert [syn.flags, syn_ack.flags, ack.flags] == [SYN, SYN | ACK, ACK]
    assert (syn.ttl, syn.df, syn.window, syn_ack.ttl, syn_ack.ip_id) == (64, True, 64240, 60, 0)
    assert at_ns / 1e9 == pytest.approx(0.05)
    said = options.read(syn.options)
    assert (said.mss_bytes, said.scale, said.sack_permitted) == (1460, 7, True)
    assert options.read(syn_ack.options).timestamps[1] == said.timestamps[0]
    assert len(ack.options) == 12
    mine = [p.ip_id for _, p in world.seen if p.source == CLIENT[0]]
    assert [(b - a) % 65536 for a, b in pairwise(mine)] == [1] * (len(mine) - 1), "a counter"


class DropsPayload:
    def inspect(self, packet, direction):
        from fingerprint.lab.censor import Direction, Drop, Pass

        return Drop() if packet.payload and direction is Direction.TO_SERVER else Pass()


def test_a_dropped_hello_is_repeated_with_doubling_pauses():
    world = World(DropsPayload())
    world.talk(up=bytes(517), seconds=8.0)
    times = [at / 1e9 for at, p in world.seen if p.payload]
    gaps = [b - a for a, b in pairwise(times)]
    assert len(times) >= 5
    assert gaps[0] == pytest.approx(0.25, abs=0.01)
    assert all(b == pytest.approx(2 * a, rel=0.01) for a, b in pairwise(gaps))


class Forges:
    """One segment in the server's name, right behind the first data of the client."""

    def __init__(self, **fields):
        self.fields, self.done = fields, False

    def inspect(self, packet, direction):
        from fingerprint.lab.boxes.forging import back
        from fingerprint.lab.censor import Direction, Inject, Pass

        if self.done or not packet.payload:
            return Pass()
        self.done = True
        fields = dict(self.fields)
        made = back(packet, fields.pop("flags"))
        shift = fields.pop("shift", 0)
        return Inject(((made.with_(seq=(made.seq + shift) % 2**32, **fields), Direction.TO_CLIENT),), after_s=0.0005)


def test_a_reset_where_the_next_byte_is_expected_ends_the_connection():
    world = World(Forges(flags=RST), on_path=True)
    here, _, _ = world.talk(up=b"hello", down=b"page", seconds=5.0)
    assert here.why == "reset"
    late = [p for _, p in world.seen if p.payload == b"page"]
    assert late, "the server's own answer still arrives"
    assert world.seen[[p for _, p in world.seen].index(late[0]) + 1][1].flags == RST, "and is answered by a reset"


def test_a_reset_elsewhere_in_the_window_is_asked_back_and_one_outside_is_ignored():
    for shift in (1000, -1000, 2**31):
        world = World(Forges(flags=RST, shift=shift), on_path=True)
        here, _, _ = world.talk(up=b"hello", down=b"page", seconds=5.0)
        assert here.why is None
        assert bytes(here.heard) == b"page"


def test_a_closed_port_refuses_and_a_missing_host_is_silent():
    world = World()
    here = Collect()
    world.client.connect(SERVER_A[0], 81, here)
    lost = Collect()
    world.client.connect("198.41.0.99", 81, lost)
    world.network.clock.run(200.0)
    assert here.why == "refused"
    assert lost.why == "time"
    refusal = next(p for _, p in world.seen if p.flags & RST)
    assert (refusal.flags, refusal.seq, refusal.ip_id, refusal.window) == (RST | ACK, 0, 0, 0)


def test_data_for_a_connection_that_nobody_knows_are_reset():
    world = World()
    world.network.send(
        Packet(source=CLIENT[0], destination=SERVER_A[0], sport=4444, dport=443, seq=7, ack=99, flags=ACK, payload=b"x")
    )
    world.network.clock.run(1.0)
    answer = world.seen[-1][1]
    assert (answer.flags, answer.seq, answer.source) == (RST, 99, SERVER_A[0])


def test_who_has_closed_resets_what_still_comes():
    world = World()
    there = Collect(bytes(3_000_000), closes=False)
    world.server.listening[443] = lambda: there

    class Stops(App):
        def received(self, connection, data):
            connection.close()

    world.client.connect(SERVER_A[0], 443, Stops())
    world.network.clock.run(5.0)
    sent = [p.flags for _, p in world.seen if p.source == CLIENT[0]]
    assert any(f & FIN for f in sent)
    assert sent[-1] == RST
    assert there.why == "reset"


def test_a_time_to_live_that_is_too_short_is_told_by_the_router_where_it_ends():
    from fingerprint.lab.simulated import icmp
    from fingerprint.lab.world import router

    for version in (0, 1):
        for ttl in range(1, 6):
            world = World()
            world.network.send(
                Packet(source=CLIENT[version], destination=SERVER_A[version], sport=9, dport=443, flags=SYN, ttl=ttl)
            )
            world.network.clock.run(1.0)
            _, answer = world.seen[-1]
            if ttl == 5:
                assert answer.flags & RST, "four routers are passed"
                continue
            kind, about = icmp.quoted(answer)
            assert (kind, answer.source, about.ttl) == ("expired", router(ttl)[version], 1)
            assert (about.sport, about.dport, answer.ttl) == (9, 443, 64 - ttl + 1)
