"""sni-filtering: what a lost hello means, and what it takes to blame the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from techniques.sni_filtering import SniFiltering
from tests.conversations.resets_talk import ACK, FIN, PSH, RST, SYN, Talk, hello


def _findings(talk: Talk, folder: Path) -> list[Finding]:
    return list(SniFiltering().analyse(talk.capture(folder)))


def _named(talk: Talk, folder: Path) -> list[tuple[str, Finding]]:
    return [("sni-filtering", f) for f in _findings(talk, folder)]


def _clues(talk: Talk, folder: Path) -> set[str]:
    return {f.clue.id for f in _findings(talk, folder) if isinstance(f, Evidence)}


def _lost(talk: Talk, *, at: float = 0, port: int = 40000, name: str = "news.example", copies: int = 4) -> None:
    talk.asked(at, port=port, name=name)
    for i in range(1, copies):
        talk.send(at + 42 + 300 * (2**i - 1), "c", PSH | ACK, seq=1, ack=1, payload=hello(name), port=port)


def test_a_hello_sent_four_times_and_never_acknowledged_is_evidence(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(2):
        _lost(talk, at=9000 * i, port=40000 + i)
    assert "hello-never-acknowledged" in _clues(talk, tmp_path)


def test_a_hello_that_was_lost_on_one_connection_alone_may_have_met_a_crash(tmp_path: Path) -> None:
    talk = Talk()
    _lost(talk)
    assert "hello-lost-once" in _clues(talk, tmp_path)
    talk.works(1000, port=40001, name="park.example")
    assert "hello-never-acknowledged" in _clues(talk, tmp_path)


@pytest.mark.parametrize("repeats", [True, False])
def test_a_server_that_repeats_its_syn_ack_never_took_the_connection_up(tmp_path: Path, repeats: bool) -> None:
    talk = Talk().works(0, port=41000)
    talk.server = "203.0.113.77"
    for i in range(3):
        _lost(talk, at=9000 * i, port=40000 + i)
        if repeats:
            for at in (1040, 3040):
                talk.send(9000 * i + at, "s", SYN | ACK, seq=0, ack=1, port=40000 + i, ip_id=0, window=65160)
    clues = _clues(talk, tmp_path)
    assert ("connection-never-taken-up" in clues) is repeats
    assert "server-lives-without-the-hello" not in clues  # a SYN-ACK is no sign that the server hears the client
    blocked = any(v.state == "blocked" for v in judge(talk.capture(tmp_path), _named(talk, tmp_path)))
    assert blocked is not repeats


@pytest.mark.parametrize("overloaded", [True, False])
def test_an_address_that_drops_syns_beside_the_hellos_may_be_overloaded(tmp_path: Path, overloaded: bool) -> None:
    talk = Talk().works(0, port=41000)
    talk.server = "203.0.113.77"
    for i in range(2):
        _lost(talk, at=9000 * i, port=40000 + i)
        for again in (0, 1000, 3000) if overloaded else ():
            talk.send(9000 * i + 500 + again, "c", SYN, seq=0, port=42000 + i, window=64240)
    assert ("address-fails-otherwise-too" in _clues(talk, tmp_path)) is overloaded
    states = {v.target: v.state for v in judge(talk.capture(tmp_path), _named(talk, tmp_path))}
    assert states["news.example"] == ("insufficient" if overloaded else "blocked")


@pytest.mark.parametrize("queue", ["hangs", "bursts", "neither"])
def test_a_full_queue_takes_up_nobody(tmp_path: Path, queue: str) -> None:
    talk = Talk().works(0, port=41000)
    talk.server = "203.0.113.77"
    apart_ms = 9000 if queue == "neither" else 20
    if queue == "hangs":  # the program accepts nobody, and the kernel still acknowledges the first
        end = talk.asked(0, port=39999)
        talk.send(85, "s", ACK, seq=1, ack=end, port=39999)
    for i in range(4):
        _lost(talk, at=apart_ms * i, port=40000 + i)
    if queue == "bursts":
        for again in (0, 1000, 3000):
            talk.send(500 + again, "c", SYN, seq=0, port=42000, window=64240)
    talk.send(40_000, "c", SYN, seq=0, port=43000, window=64240)
    assert ("connection-never-taken-up" in _clues(talk, tmp_path)) is (queue != "neither")
    states = {v.target: v.state for v in judge(talk.capture(tmp_path), _named(talk, tmp_path))}
    assert (states["news.example"] == "blocked") is (queue == "neither")


def test_a_name_that_passes_after_an_outage_was_not_there_to_compare(tmp_path: Path) -> None:
    for control_at, clue in ((40_000, "other-name-passes-here-at-another-time"), (9500, "name-decides-here")):
        talk = Talk()
        for i in range(2):
            _lost(talk, at=9000 * i, port=40000 + i)
            talk.works(control_at + 500 * i, port=41000 + i)
        assert clue in _clues(talk, tmp_path)


def test_two_sendings_are_inconclusive(tmp_path: Path) -> None:
    talk = Talk()
    _lost(talk, copies=2)
    (finding,) = _findings(talk, tmp_path)
    assert isinstance(finding, Inconclusive)
    assert "want 4" in finding.why


def test_an_acknowledged_hello_is_not_a_lost_one(tmp_path: Path) -> None:
    talk = Talk()
    _lost(talk)
    talk.send(3000, "s", ACK, seq=1, ack=1 + len(hello("news.example")))
    assert "hello-never-acknowledged" not in _clues(talk, tmp_path)


def test_silence_counts_only_if_we_listened_long_enough(tmp_path: Path) -> None:
    for wait, heard in ((3000, False), (9000, True)):
        talk = Talk()
        end = talk.asked()
        talk.send(83, "s", ACK, seq=1, ack=end)
        talk.send(wait, "c", ACK, seq=end, ack=1)
        assert ("silence-after-acknowledgement" in _clues(talk, tmp_path)) is heard


def test_another_name_on_the_same_address_names_the_trigger(tmp_path: Path) -> None:
    talk = Talk()
    _lost(talk)
    talk.works(1000, port=40001, name="park.example")
    found = [f for f in _findings(talk, tmp_path) if isinstance(f, Evidence) and f.clue.id == "other-name-passes-here"]
    assert [f.facets.trigger.value for f in found if f.facets.trigger] == ["news.example"]


def test_the_same_name_on_the_same_address_is_no_control_but_a_contradiction(tmp_path: Path) -> None:
    talk = Talk()
    _lost(talk)
    talk.works(20_000, port=40001, name="news.example")
    assert not {c for c in _clues(talk, tmp_path) if "passes-here" in c}
    assert "this-name-passes-too" in _clues(talk, tmp_path)


def test_a_name_decides_after_two_failures_and_two_passes(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(2):
        _lost(talk, at=20_000 * i, port=40000 + i)
        talk.works(20_000 * i + 9000, port=41000 + i)
    assert "name-decides-here" in _clues(talk, tmp_path)


def test_a_failed_control_is_no_control(tmp_path: Path) -> None:
    talk = Talk()
    _lost(talk)
    end = talk.asked(9000, port=40001, name="park.example")
    talk.send(9050, "s", RST | ACK, seq=1, ack=end, port=40001)
    assert not {c for c in _clues(talk, tmp_path) if "passes" in c}


def test_a_smaller_hello_of_another_name_is_told_from_a_black_hole_for_large_packets(tmp_path: Path) -> None:
    talk = Talk().handshake()
    whole = hello("news.example") + b"\x16\x03\x01" + bytes(2000)
    for i in range(4):
        at = 42 + 300 * (2**i - 1)
        talk.send(at, "c", ACK, seq=1, ack=1, payload=whole[:1400])
        talk.send(at + 0.1, "c", PSH | ACK, seq=1401, ack=1, payload=whole[1400:])
    talk.works(20_000, port=40001)
    clues = _clues(talk, tmp_path)
    assert "smaller-hello-passes-here" in clues
    assert "large-hello-never-acknowledged" in clues


def test_a_large_hello_in_one_segment_may_fall_into_a_black_hole_as_well(tmp_path: Path) -> None:
    for size, alike in ((300, False), (1340, True)):
        talk = Talk()
        for k in range(2):
            talk.handshake(30_000 * k, port=40000 + k)
            whole = (hello("news.example") + b"\x16\x03\x01" + bytes(2000))[:1340]
            for i in range(4):
                at = 30_000 * k + 42 + 300 * (2**i - 1)
                talk.send(at, "c", PSH | ACK, seq=1, ack=1, payload=whole, port=40000 + k)
            at, port = 30_000 * k + 20_000, 41000 + k
            whole = (hello("park.example") + b"\x16\x03\x01" + bytes(2000))[:size]
            talk.handshake(at, port=port).send(at + 42, "c", PSH | ACK, seq=1, ack=1, payload=whole, port=port)
            reply = b"\x16\x03\x03" + bytes(200)
            talk.send(at + 84, "s", PSH | ACK, seq=1, ack=1 + size, payload=reply, port=port)
        clues = _clues(talk, tmp_path)
        assert ("name-decides-here" in clues) is alike
        assert ("smaller-hello-passes-here" in clues) is not alike


def test_limited_probes_are_left_out(tmp_path: Path) -> None:
    talk = Talk().handshake()
    for i in range(5):
        talk.send(42 + 300 * (2**i - 1), "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"), ttl=5)
    assert _findings(talk, tmp_path) == []


def test_a_capture_where_everything_works_yields_nothing(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001).works(500, port=40002, name="news.example")
    talk.packets = [(at, raw) for at, raw in talk.packets]
    assert not [f for f in _findings(talk, tmp_path) if isinstance(f, Evidence)]


def test_a_fin_that_nobody_acknowledges_after_the_hello_is_a_dead_path_not_a_hanging_program(tmp_path: Path) -> None:
    for answered in (False, True):
        talk = Talk()
        end = talk.asked()
        talk.send(83, "s", ACK, seq=1, ack=end)
        for at in (6000, 6300, 6900, 8100, 10_500):
            talk.send(at, "c", FIN | ACK, seq=end, ack=1)
        if answered:
            talk.send(6040, "s", ACK, seq=1, ack=end + 1)
        assert ("deaf-after-the-hello" in _clues(talk, tmp_path)) is not answered


@pytest.mark.parametrize("control_passes", [True, False])
def test_a_name_is_not_blamed_where_every_other_name_fails_as_well(tmp_path: Path, control_passes: bool) -> None:
    talk = Talk()
    for i in range(3):
        _lost(talk, at=20_000 * i, port=40000 + i)
        if control_passes:
            talk.works(20_000 * i + 9_000, port=41000 + i)
        else:
            _lost(talk, at=20_000 * i + 9_000, port=41000 + i, name="park.example")
    states = {v.target: v.state for v in judge(talk.capture(tmp_path), _named(talk, tmp_path))}
    assert ("other-names-fail-here-too" in _clues(talk, tmp_path)) is not control_passes
    assert (states["news.example"] == "blocked") is control_passes
    assert states["park.example"] != "blocked"
