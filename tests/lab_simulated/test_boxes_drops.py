"""Boxes that stand in the path: what they drop, rewrite and let pass, and for how long."""

import pytest

from fingerprint.lab.boxes.dropping import AddressBlackHole, HelloDropper, SizeLimit
from fingerprint.lab.boxes.iran import Filter
from fingerprint.lab.boxes.load_balancer import LoadBalancer
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.syn_proxy import SynProxy
from fingerprint.lab.boxes.tspu import Dropper, LateDropper, QuicDropper, Rewriter
from fingerprint.lab.censor import Drop, Inject, Pass, Rewrite
from fingerprint.lab.chain import Chain
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, UDP, Packet
from fingerprint.lab.world import SERVER_A, SERVER_B
from tests.lab_simulated.talking import DOWN, UP, down, forged, hello, request, shake, up


def flow(seconds):
    return Residual(seconds=seconds, scope="4-tuple")


@pytest.mark.parametrize(
    "box", [Dropper(residual=flow(40.0)), HelloDropper(), AddressBlackHole(addresses=frozenset(SERVER_A))]
)
def test_a_sniffer_cannot_drop(box):
    sent = up(hello())
    in_path = Chain((box,)).arrive(sent, UP)
    assert not in_path
    beside = Chain((box,), on_path=True).arrive(up(hello(), sport=41000), UP)
    assert [o.packet.payload for o in beside] == [beside[0].packet.payload]


def test_sni_i_turns_the_servers_own_answer_into_a_reset():
    box = Rewriter(residual=flow(75.0))
    shake(box)
    assert box.inspect(up(hello()), UP) == Pass(), "the hello goes through"
    answer = down(b"\x16\x03\x03" + bytes(90), ttl=51, ip_id=7)
    action = box.inspect(answer, DOWN)
    assert isinstance(action, Rewrite)
    p = action.packet
    assert (p.flags, p.payload) == (RST | ACK, b"")
    assert (p.seq, p.ack, p.ttl, p.ip_id, p.window) == (answer.seq, answer.ack, 51, 7, answer.window)
    assert box.inspect(down(b"x", at_s=75.0), DOWN) == Pass(), "the state runs out"


def test_sni_ii_lets_five_to_eight_packets_pass_then_none_either_way():
    counts = set()
    box = LateDropper(residual=flow(420.0))
    for n in range(30):
        sport = 40000 + n
        shake(box, sport=sport)
        assert box.inspect(up(hello(), sport=sport), UP) == Pass()
        actions = [box.inspect(down(b"x", sport=sport), DOWN) for _ in range(12)]
        passed = actions.count(Pass())
        assert actions == [Pass()] * passed + [Drop()] * (12 - passed)
        assert box.inspect(up(b"x", sport=sport, at_s=419.0), UP) == Drop()
        assert box.inspect(up(b"x", sport=sport, at_s=421.0), UP) == Pass()
        counts.add(passed)
    assert counts == {5, 6, 7, 8}


def test_sni_iv_drops_the_hello_and_everything_for_forty_seconds_on_that_flow_alone():
    box = Dropper(residual=flow(40.0))
    shake(box)
    assert box.inspect(up(hello()), UP) == Drop()
    assert box.inspect(down(b"x", at_s=39.0), DOWN) == Drop()
    assert box.inspect(up(hello("herbs.test"), sport=40001, at_s=1.0), UP) == Pass()
    assert box.inspect(up(b"x", at_s=41.0), UP) == Pass()


def datagram(size, *, version=1, sport=50000, dport=443):
    payload = b"\xc3" + version.to_bytes(4, "big") + bytes(size - 5)
    return Packet(
        source="81.17.24.10", destination=SERVER_A[0], protocol=UDP, sport=sport, dport=dport, payload=payload
    )


def test_quic_of_version_1_and_1001_bytes_is_silenced():
    for sent, dies in (
        (datagram(1001), True), (datagram(1000), False), (datagram(1200, version=0x6B3343CF), False),
        (datagram(1200, dport=4443), False),
    ):  # fmt: skip
        assert (QuicDropper(residual=flow(420.0)).inspect(sent, UP) == Drop()) is dies
    box = QuicDropper(residual=flow(420.0))
    box.inspect(datagram(1200), UP)
    assert box.inspect(datagram(40), UP) == Drop()
    assert box.inspect(datagram(40, sport=50001), UP) == Pass()


def test_irans_filter_says_push_with_nothing_and_drops_for_a_minute():
    box = Filter(residual=flow(60.0))
    shake(box)
    action = box.inspect(up(hello()), UP)
    (p,) = forged(action, DOWN)
    assert (p.flags, p.payload, action.drop) == (PSH | ACK, b"", True)
    assert box.inspect(up(hello(), at_s=59.0), UP) == Drop()
    assert box.inspect(down(b"x", at_s=59.0), DOWN) == Drop()
    assert box.inspect(up(b"x", at_s=61.0), UP) == Pass()


@pytest.mark.parametrize(
    ("payload", "port", "dies"),
    [
        (bytes(range(40)), 443, True), (b"SSH-2.0-x\r\n", 80, True), (b"SSH-2.0-x\r\n", 22, False),
        (request("herbs.test"), 80, False), (hello("herbs.test"), 443, False), (hello("herbs.test")[:7], 443, False),
    ],
)  # fmt: skip
def test_irans_filter_of_protocols(payload, port, dies):
    box = Filter(residual=flow(60.0))
    shake(box, dport=port)
    assert (box.inspect(up(payload, dport=port), UP) == Drop()) is dies
    assert (box.inspect(down(b"x", dport=port, at_s=1.0), DOWN) == Drop()) is dies


def test_a_stateless_dropper_lets_a_split_hello_pass_and_drops_every_repetition():
    data, box = hello(), HelloDropper()
    cut = data.index(b"forum.test") + 3
    assert [box.inspect(up(data), UP) for _ in range(3)] == [Drop()] * 3
    assert box.inspect(up(data[:cut]), UP) == Pass()
    assert box.inspect(up(data[cut:], seq=1001 + cut), UP) == Pass()


def test_a_black_hole_is_an_address_whatever_the_port():
    box = AddressBlackHole(addresses=frozenset(SERVER_A))
    assert box.inspect(up(flags=SYN, dport=22), UP) == Drop()
    assert box.inspect(up(flags=SYN).with_(destination=SERVER_B[0]), UP) == Pass()


def test_a_small_tunnel_loses_what_does_not_fit():
    box = SizeLimit()
    room = 1400 - 40 - 12
    assert box.inspect(down(bytes(room)), DOWN) == Pass()
    assert box.inspect(down(bytes(room + 1)), DOWN) == Drop()


def test_a_load_balancer_changes_ttl_and_ip_id_of_the_servers_side_only():
    box = LoadBalancer()
    _, syn_ack, _ = shake(box)
    assert syn_ack.packet.ttl == 251
    changed = [box.inspect(down(b"x", seq=5001 + n), DOWN).packet for n in range(30)]
    assert len({p.ttl for p in changed}) > 1
    assert {p.with_(ttl=62, ip_id=0x4321, seq=5001) for p in changed} == {down(b"x")}
    assert box.inspect(up(b"x"), UP) == Pass()


def test_a_syn_proxy_answers_itself_and_then_shifts_numbers():
    box = SynProxy()
    syn = up(flags=SYN, seq=1000, ack=0)
    action = box.inspect(syn, UP)
    (own,) = forged(action, DOWN)
    assert (own.flags, own.ttl, own.ack, action.drop) == (SYN | ACK, 251, 1001, True)
    (opening,) = forged(box.inspect(up(flags=ACK, ack=own.seq + 1), UP), UP)
    assert (opening.flags, opening.seq) == (SYN, 1000)
    early = up(b"early", ack=own.seq + 1)
    assert isinstance(box.inspect(early, UP), Inject)
    ack, flushed = forged(box.inspect(down(flags=SYN | ACK, seq=9000, ack=1001), DOWN), UP)
    assert (ack.flags, ack.ack, flushed.payload, flushed.ack) == (ACK, 9001, b"early", 9001)
    to_client = box.inspect(down(b"page", seq=9001), DOWN).packet
    assert to_client.seq == own.seq + 1
    assert box.inspect(up(flags=ACK, ack=own.seq + 5), UP).packet.ack == 9005
    assert box.inspect(up(flags=FIN | ACK, ack=own.seq + 5), UP).packet.ack == 9005


def test_the_state_of_a_flow_lives_as_long_as_it_is_heard_of():
    box = Dropper(residual=Residual(seconds=2.0, scope="4-tuple", renews=True))
    shake(box)
    box.inspect(up(hello()), UP)
    assert [box.inspect(up(b"x", at_s=at_s), UP) for at_s in (1.5, 3.0, 4.9, 7.0)] == [Drop(), Drop(), Drop(), Pass()]
