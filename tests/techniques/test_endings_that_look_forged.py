"""Endings that look forged and are not: overtaken, answered late, timed by a poor clock, of an earlier connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.verdict.judge import judge
from techniques.sni_filtering import SniFiltering
from techniques.tcp_rst_injection import TcpRstInjection
from tests.conversations.resets_talk import ACK, PSH, RST, SYN, Talk, hello
from tests.techniques.test_tcp_rst_injection import FORGED, OWN, balance, clues, findings


def test_an_answer_that_its_own_reset_overtook_is_no_continuation_however_late_it_comes(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(2):
        at, port = 1000 * i, 40000 + i
        end = talk.asked(at, port=port)
        talk.send(at + 82, "s", RST | ACK, seq=61, ack=end, port=port)
        talk.send(at + 110, "s", ACK, seq=1, ack=end, port=port)
        for seq in (31, 1):
            talk.send(at + 140 - seq, "s", PSH | ACK, seq=seq, ack=end, payload=b"\x16\x03\x03" + bytes(27), port=port)
    found = findings(talk.capture(tmp_path))
    assert "reset-sender-went-on" not in clues(found)
    assert balance(found).blocked() < 0.5


def test_bytes_beyond_the_number_of_a_reset_were_sent_after_it(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(82, "s", RST | ACK, seq=1, ack=end)
    talk.send(110, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03" + bytes(27))
    assert "reset-sender-went-on" in clues(findings(talk.capture(tmp_path)))


def test_a_bare_acknowledgement_after_a_reset_counts_if_the_reset_was_too_soon_for_its_sender(tmp_path: Path) -> None:
    for reset_at, counts in ((48, True), (82, False)):
        talk = Talk().works(500, port=40009)
        end = talk.asked()
        talk.send(reset_at, "s", RST | ACK, seq=1, ack=end, stamps=False, ip_id=0)
        talk.send(reset_at + 36, "s", ACK, seq=1, ack=end)
        assert ("reset-sender-went-on" in clues(findings(talk.capture(tmp_path)))) is counts


def test_a_firewall_a_hop_before_its_servers_is_not_sooner_than_they_are(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(4):
        talk.works(2000 * i, port=41000 + i)
        end = talk.asked(2000 * i + 1000, port=40000 + i)
        talk.send(
            2000 * i + 1042 + 36.2, "s", RST | ACK, seq=1, ack=end, port=40000 + i, ttl=240, stamps=False, ip_id=0
        )
    found = findings(talk.capture(tmp_path))
    assert not any("sooner" in c for c in clues(found))
    assert balance(found).blocked() < 0.5


def test_data_after_a_bare_reset_may_have_left_before_it(tmp_path: Path) -> None:
    for seq, counts in ((1, False), (77, True)):
        talk = Talk()
        end = talk.asked()
        talk.send(84, "s", RST, seq=seq, stamps=False, ip_id=0, window=0)
        talk.send(99, "s", PSH | ACK, seq=1, ack=end, payload=bytes(300))
        # Number 1 repeats the client's acknowledgement, as a closed socket's answer does; nobody acknowledged 77.
        assert ("reset-sender-went-on" in clues(findings(talk.capture(tmp_path)))) is counts


@pytest.mark.parametrize(("handshakes_ms", "firm"), [((120, 150, 171), False), ((120, 121, 122), True)])
def test_handshakes_that_scatter_tell_no_distance(tmp_path: Path, handshakes_ms: tuple[float, ...], firm: bool) -> None:
    talk = Talk()
    for i, rtt in enumerate(handshakes_ms):
        at, port = 5000 * i, 40000 + i
        end = talk.asked(at, port=port, rtt=rtt)
        talk.send(at + rtt + 2 + 40, "s", RST | ACK, seq=1, ack=end, port=port, **OWN, stamps=False, ip_id=0)
    found = findings(talk.capture(tmp_path))
    assert ("reset-sooner-than-the-sender-could" in clues(found)) is firm
    assert (balance(found).blocked() > 0.95) is firm


def test_handshakes_that_scatter_are_believed_where_data_elsewhere_takes_as_long(tmp_path: Path) -> None:
    for elsewhere_ms, believed in ((120, True), (300, False)):
        talk = Talk()
        for i, rtt in enumerate((120, 150)):
            at, port = 5000 * i, 40000 + i
            end = talk.asked(at, port=port, rtt=rtt)
            talk.send(at + rtt + 2 + 40, "s", RST | ACK, seq=1, ack=end, port=port, **OWN, stamps=False, ip_id=0)
        talk.server = "203.0.113.77"
        end = talk.asked(20_000, port=43000, name="park.example", rtt=elsewhere_ms)
        talk.send(20_000 + elsewhere_ms + 123, "s", PSH | ACK, seq=1, ack=end, payload=bytes(300), port=43000)
        assert ("reset-sooner-than-the-sender-could" in clues(findings(talk.capture(tmp_path)))) is believed


def test_an_acknowledgement_of_data_makes_the_distance_known_whatever_the_handshakes_do(tmp_path: Path) -> None:
    talk = Talk().works(20_000, port=40009, rtt=120)
    for i, rtt in enumerate((125, 150, 171)):
        at, port = 5000 * i, 40000 + i
        end = talk.asked(at, port=port, rtt=rtt)
        talk.send(at + rtt + 2 + 40, "s", RST | ACK, seq=1, ack=end, port=port, **OWN, stamps=False, ip_id=0)
    assert "reset-sooner-than-the-sender-could" in clues(findings(talk.capture(tmp_path)))


@pytest.mark.parametrize(("tick_ms", "sooner"), [(10, False), (0.05, True)])
def test_a_clock_of_ten_milliseconds_does_not_see_one_tick(tmp_path: Path, tick_ms: float, sooner: bool) -> None:
    talk = Talk()
    for i in range(4):
        talk.works(4000 * i, port=41000 + i, rtt=40)
        end = talk.asked(4000 * i + 2000, port=40000 + i, rtt=40)
        talk.send(4000 * i + 2042 + 31, "s", RST | ACK, seq=1, ack=end, port=40000 + i, stamps=False, ip_id=0)
    talk.packets = [(at // tick_ms * tick_ms, raw) for at, raw in talk.packets]
    assert any("sooner" in c for c in clues(findings(talk.capture(tmp_path)))) is sooner


def test_a_reset_below_the_initial_number_belongs_to_an_earlier_use_of_the_ports(tmp_path: Path) -> None:
    for seq, counts in ((-1_700_000, False), (1, True)):
        talk = Talk(client="198.51.100.8").works(0, port=40009)
        talk.handshake(1000)
        talk.send(1041, "s", RST, seq=seq, stamps=False, ip_id=0, window=0)
        talk.send(1045, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
        talk.send(1090, "s", PSH | ACK, seq=1, ack=1 + len(hello("news.example")), payload=bytes(99))
        assert bool(clues(findings(talk.capture(tmp_path)))) is counts


def test_what_breaks_in_set_up_after_a_trigger_is_its_consequence_even_if_plainly_forged(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40009)
    for i in range(3):
        at, port = 10_000 * i + 1000, 40000 + i
        end = talk.asked(at, port=port)
        talk.send(at + 48, "s", RST | ACK, seq=1, ack=end, port=port, **FORGED)
        talk.send(at + 82, "s", PSH | ACK, seq=1, ack=end, payload=bytes(300), port=port)
        talk.send(at + 3000, "c", SYN, seq=0, port=41000 + i, window=64240)
        talk.send(at + 3007, "s", RST | ACK, seq=0, ack=1, port=41000 + i, **FORGED)
    capture = talk.capture(tmp_path)
    found = [("tcp-rst-injection", f) for f in TcpRstInjection().analyse(capture)]
    found += [("sni-filtering", f) for f in SniFiltering().analyse(capture)]
    blocked = {v.target: [m.node for m in v.mechanisms] for v in judge(capture, found) if v.state == "blocked"}
    assert list(blocked) == ["news.example"]


def test_rising_numbers_are_no_guesses_where_the_acknowledgements_were_not_captured(tmp_path: Path) -> None:
    for captured in (True, False):
        talk = Talk()
        end = talk.asked()
        talk.packets = talk.packets if captured else talk.packets[1:2]
        talk.send(81, "s", ACK, seq=1, ack=end)
        for i, seq in enumerate((1, 1461, 4381)):
            talk.send(83 + i / 100, "s", RST, seq=seq, stamps=False, ip_id=0, window=0)
        assert ("reset-guesses-the-sequence" in clues(findings(talk.capture(tmp_path)))) is captured
