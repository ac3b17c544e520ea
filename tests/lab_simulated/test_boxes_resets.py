"""Reset injectors, field by field, as the tables of the field have them."""

import pytest

from fingerprint.lab.boxes import airtel, closing, gfw_resets, packetlogic, turkmenistan
from fingerprint.lab.censor import Inject, Pass
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN
from fingerprint.lab.presets import preset
from tests.lab_simulated.talking import DOWN, UP, down, forged, hello, request, shake, up


def salvo(box, payload=None, **more):
    shake(box)
    return box.inspect(up(payload or hello(), **more), UP)


def many(name, times=60):
    """What a preset's box forges over many flows, to the client and to the server."""
    (box,) = preset(name).boxes(180.0)
    to_client, to_server = [], []
    for flow in range(times):
        shake(box, sport=40000 + flow, at_s=1000.0 * flow)
        action = box.inspect(up(hello(), sport=40000 + flow, at_s=1000.0 * flow), UP)
        to_client.append(forged(action, DOWN))
        to_server.append(forged(action, UP))
    return to_client, to_server


def test_gfw_type_i_is_one_bare_reset_to_both_ends():
    for side in many("gfw-rst-i"):
        assert {len(s) for s in side} == {1}
        resets = [s[0] for s in side]
        assert {(p.flags, p.df, p.ip_id, p.ack) for p in resets} == {(RST, False, 0, 0)}
        assert all(55 <= p.ttl <= 118 for p in resets)
        assert len({p.ttl for p in resets}) > 10


def test_gfw_type_ii_is_three_identical_reset_acks_to_both_ends():
    for side in many("gfw-rst-ii"):
        assert {len(s) for s in side} == {3}
        assert all(len(set(s)) == 1 for s in side)
        resets = [s[0] for s in side]
        assert {(p.flags, p.df) for p in resets} == {(RST | ACK, True)}
        assert all(0x00A3 <= p.ip_id <= 0xFE5F for p in resets)
        assert all(39 <= p.ttl <= 238 for p in resets)
        assert {p.window - p.ttl for p in resets} == {1375}
        assert [p.ttl for p in resets] == sorted(p.ttl for p in resets)


def test_gfw_type_iii_is_one_reset_ack_with_ttl_248():
    for side in many("gfw-rst-iii"):
        assert {len(s) for s in side} == {1}
        resets = [s[0] for s in side]
        assert {(p.flags, p.df, p.ttl) for p in resets} == {(RST | ACK, False, 248)}
        assert all(0x9916 <= p.ip_id <= 0x9933 for p in resets)


def test_gfw_types_i_and_ii_meet_on_one_flow():
    for side in many("gfw-rst", times=5):
        for burst in side:
            assert [p.flags for p in burst] == [RST, RST | ACK, RST | ACK, RST | ACK]
            assert len({p.ip_id for p in burst[1:]}) == 1


@pytest.mark.parametrize(
    "name", ["gfw-rst-i", "gfw-rst-ii", "gfw-rst-iii", "gfw-rst", "turkmenistan-rst", "packetlogic", "airtel"]
)
def test_forged_resets_hit_both_ends_where_the_next_byte_is_expected(name):
    (box,) = preset(name).boxes(180.0)
    said = hello()
    action = salvo(box, said)
    for p in forged(action, DOWN):
        assert (p.flow, p.seq) == (up().way_back, 5001)
        assert p.ack == ((1001 + len(said)) if p.flags & ACK else 0)
    for p in forged(action, UP):
        assert (p.flow, p.seq) == (up().flow, 1001 + len(said))
        assert p.ack == (5001 if p.flags & ACK else 0)


def test_the_gfw_reads_requests_in_the_clear_as_well():
    assert isinstance(salvo(gfw_resets.gfw(lambda p, d: (), 180.0), request(), dport=80), Inject)


def test_an_innocent_name_passes():
    (box,) = preset("gfw-rst").boxes(180.0)
    assert salvo(box, hello("herbs.test")) == Pass()


def test_the_residual_block_holds_for_the_three_tuple_and_runs_out():
    (box,) = preset("gfw-rst-i").boxes(180.0)
    salvo(box)
    innocent = hello("herbs.test")
    assert isinstance(box.inspect(up(innocent, sport=50001, at_s=179.9), UP), Inject)
    assert box.inspect(up(flags=SYN, sport=50002, at_s=10.0), UP) == Pass(), "a SYN is let through"
    assert box.inspect(up(innocent, sport=50003, dport=8443, at_s=10.0), UP) == Pass(), "another port of the server"
    assert box.inspect(up(innocent, sport=50004, at_s=180.0), UP) == Pass()


def test_henan_sends_ten_bytes_to_the_client_alone_and_only_where_tcp_has_no_options():
    action = salvo(gfw_resets.henan(), options=b"")
    assert forged(action, UP) == []
    (p,) = forged(action, DOWN)
    assert (p.flags, p.df, p.ip_id, p.ttl, p.payload) == (
        RST | ACK,
        False,
        1,
        58,
        bytes.fromhex("01020304050607080900"),
    )
    assert salvo(gfw_resets.henan()) == Pass(), "timestamps make the header longer"
    again = gfw_resets.henan()
    salvo(again, options=b"")
    assert again.inspect(up(hello("herbs.test"), options=b"", sport=41000, at_s=1.0), UP) == Pass(), "no residual block"


def test_august_2025_answers_every_syn_and_syn_ack_of_port_443():
    box = gfw_resets.EverySyn()
    syn, syn_ack, ack = shake(box)
    for action, seq, number in ((syn, 0, 1001), (syn_ack, 5001, 1001)):
        burst = forged(action, DOWN)
        assert forged(action, UP) == []
        assert [p.flags for p in burst] == [RST | ACK] * 3
        assert [p.window - burst[0].window for p in burst] == [0, 1, 2]
        assert {(p.flow, p.seq, p.ack) for p in burst} == {(up().way_back, seq, number)}
    assert ack == Pass()
    assert shake(gfw_resets.EverySyn(), dport=8443) == (Pass(), Pass(), Pass())


def test_turkmenistan_resets_in_both_directions_and_on_all_ports():
    for sent, way in ((up(hello(), dport=9999), UP), (down(hello()), DOWN)):
        action = turkmenistan.resets(30.0).inspect(sent, way)
        for p in (*forged(action, UP), *forged(action, DOWN)):
            assert (p.flags, p.window, p.ip_id, p.ttl, p.ack) == (RST, 0, 30000, 128, 0)
        assert len(action.packets) == 2


def test_airtel_outlives_the_clients_ttl_by_two_to_five():
    box = airtel.resets()
    seen = set()
    for flow in range(40):
        (p,) = forged(box.inspect(up(hello(), sport=40000 + flow, ttl=60), UP), UP)
        assert (p.flags, p.ip_id, p.window, p.df) == (RST | ACK, 242, 16, False)
        seen.add(p.ttl - 60)
    assert seen == {2, 3, 4, 5}


def test_airtel_reads_single_packets():
    data = hello()
    cut = data.index(b"forum.test") + 4
    box = airtel.resets()
    assert box.inspect(up(data[:cut]), UP) == Pass()
    assert box.inspect(up(data[cut:], seq=1001 + cut), UP) == Pass()


def test_packetlogic_borrows_the_servers_ttl():
    box = packetlogic.PacketLogic()
    shake(box)
    for p in (*forged(action := box.inspect(up(hello()), UP), DOWN), *forged(action, UP)):
        assert (p.flags, p.ip_id, p.df, p.window, p.ttl) == (RST | ACK, 13330, False, 32120, 62)


def test_packetlogic_redirects_with_a_fin():
    box = packetlogic.PacketLogic(form="redirect")
    action = salvo(box, request(), dport=443)
    (p,) = forged(action, DOWN)
    assert (p.flags, p.ip_id, p.df, p.window) == (FIN | ACK, 13330, False, 32120)
    assert p.payload.startswith(b"HTTP/1.1 307 ")
    assert forged(action, UP) == []
    assert salvo(packetlogic.PacketLogic(form="redirect")) == Pass(), "TLS cannot be redirected"


def test_the_gfws_redirects_alternate():
    box = gfw_resets.redirects()
    seen = []
    for flow in range(2):
        (p,) = forged(box.inspect(up(request(), sport=40000 + flow, dport=80), UP), DOWN)
        seen.append((p.ip_id, p.ttl, p.window, p.flags, p.payload[9:12]))
    assert seen == [(0x99B3, 251, 502, PSH | ACK, b"301"), (0x4C57, 251, 65535, FIN | PSH | ACK, b"302")]


def test_a_forged_fin_goes_to_both_ends():
    action = salvo(closing.fins())
    assert [p.flags for p, _ in action.packets] == [FIN | ACK, FIN | ACK]
    assert {d for _, d in action.packets} == {UP, DOWN}


def test_a_forged_alert_is_followed_by_a_fin_and_the_hello_dies():
    box = closing.AlertInjector()
    action = salvo(box)
    alert, fin = forged(action, DOWN)
    assert action.drop
    assert alert.payload[0] == 21
    assert (fin.seq, fin.flags) == (alert.end, FIN | ACK)
