"""What QUIC that goes unanswered, or is ended, may be called, and what it may not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import pytest

import captures
from fingerprint.capture import Capture
from fingerprint.conversations.quic import attempts as quic_attempts
from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from fingerprint.technique import Evidence, Inconclusive
from fingerprint.verdict.model import Verdict

SAMPLES = Path(captures.__file__).parent / "samples"


@cache
def verdict(case: str, name: str = "chatter.test") -> Verdict:
    report = analyse([str(SAMPLES / case / "capture.pcapng")], techniques=load())
    return next(v for v in report.verdicts if v.target == name)


def findings(case: str, technique: str = "quic-blocking") -> list[Evidence | Inconclusive]:
    capture = Capture(recordings=(captures.read(SAMPLES / case / "capture.pcapng"),))
    return list(load().get(technique).analyse(capture))


def clues(case: str, technique: str = "quic-blocking") -> set[str]:
    return {f.clue.id for f in findings(case, technique) if isinstance(f, Evidence)}


def test_quic_dies_and_tcp_loads_is_blocked_in_part():
    v = verdict("quic_sni_dropped")
    assert (v.state, v.reach) == ("blocked", "partial")
    assert v.mechanisms[0].trigger.value == "chatter.test"


def test_a_race_that_quic_lost_to_tcp_is_ordinary():
    assert verdict("quic_race").state == "ok"
    assert clues("quic_race") == set()


def test_silence_that_a_name_leaves_behind_is_the_names_and_not_its_neighbours():
    v = verdict("quic_silenced_after_name")
    assert [m.node for m in v.mechanisms] == ["quic.timeout.sni"]
    residual = v.mechanisms[0].residual_s
    assert residual.low <= 180 <= residual.high
    assert verdict("quic_silenced_after_name", "weather.test").state == "ok"


def test_one_outage_is_no_censor_whoever_came_first_in_it():
    assert verdict("quic_server_stops", "garden.test").state == "insufficient"


def test_a_network_without_quic_is_left_undecided_though_its_servers_have_it():
    v = verdict("quic_dropped_altogether")
    assert v.state == "insufficient"
    assert "speaks QUIC" in v.cause.says


def test_what_ends_a_connection_and_is_contradicted_is_cited_as_forged():
    forged = {p for f in findings("quic_close_injected", "quic-closing") if isinstance(f, Evidence) for p in f.forged}
    assert len(forged) == 3


def test_a_close_of_the_servers_own_says_nothing():
    assert clues("quic_closed_by_server", "quic-closing") == set()
    assert any(isinstance(f, Inconclusive) for f in findings("quic_closed_by_server", "quic-closing"))


def test_a_client_that_has_gone_away_is_no_refusal_of_the_servers(tmp_path):
    """The client's own host tells the server that its port is closed, in the words of a refusal."""
    from captures.samples.recipe import Packet, Scene
    from captures.samples.recipe_quic import QuicServer, visit

    scene = Scene(77)
    address = "151.101.65.77"
    QuicServer(scene.site(address))
    ports: list[int] = []
    visit(scene, address, "chatter.test", at_s=1, tell=ports.append)

    def gone() -> None:
        last = next(p for _, p, inbound in reversed(scene.net.taps["client"]) if inbound and p.protocol == "udp")
        told = Packet(
            source=scene.net.client, destination=address, protocol="icmp", source_port=3, destination_port=3,
            payload=last.ip_bytes()[:28],
        )  # fmt: skip
        scene.net.send(told)

    scene.net.when(2, gone)
    scene.record(tmp_path / "run.pcapng", until_s=4)
    capture = Capture(recordings=(captures.read(tmp_path / "run.pcapng"),))
    assert len(capture.unreachables) == 1
    assert capture.quic_tried[0].refusals == ()
    assert list(load().get("quic-closing").analyse(capture)) == []


def test_datagrams_that_say_they_are_quic_and_are_not_change_nothing(tmp_path):
    """Unknown versions, cut headers, long ids, noise: bounded, and nothing is claimed of them."""
    from captures.samples.recipe import Packet, Scene

    scene, draw = Scene(78), Random(78)
    address = "151.101.65.78"
    scene.site(address)
    heads = (b"\xc0\x0a\x1a\x2a\x3a", b"\xff\xff\xff\xff\xff", b"\xc0\x00\x00\x00\x01\xff", b"\xe0\x6b\x33\x43\xcf\x14")
    for i in range(400):
        payload = heads[i % 4][: draw.randrange(1, 7)] + draw.randbytes(draw.choice((3, 60, 1200, 1400)))
        there = i % 3 != 0
        ends = (scene.net.client, address) if there else (address, scene.net.client)
        ports = (40000 + i % 7, 443) if there else (443, 40000 + i % 7)
        packet = Packet(
            source=ends[0], destination=ends[1], protocol="udp", source_port=ports[0], destination_port=ports[1],
            payload=payload,
        )  # fmt: skip
        scene.net.when(1 + 0.05 * i, lambda p=packet: scene.net.send(p))
    scene.record(tmp_path / "run.pcapng", until_s=30)
    capture = Capture(recordings=(captures.read(tmp_path / "run.pcapng"),))
    for technique in ("quic-blocking", "quic-closing", "encrypted-dns-blocking"):
        assert not [f for f in load().get(technique).analyse(capture) if isinstance(f, Evidence)]
    assert all(v.state != "blocked" for v in analyse([str(tmp_path / "run.pcapng")], techniques=load()).verdicts)


@pytest.mark.parametrize("outcome", [quic_attempts.ANSWERED, quic_attempts.DEAF])
def test_what_the_server_said_shows_that_it_speaks_quic(outcome):
    capture = Capture(recordings=(captures.read(SAMPLES / "quic_silenced_after_name" / "capture.pcapng"),))
    assert any(a.outcome == outcome and a.passed for a in capture.quic_tried)


def test_a_resolver_is_one_by_the_table_or_by_its_port_and_never_by_its_name():
    assert verdict("dot_dropped_on_the_way", "9.9.9.9").role == "resolver"
    assert verdict("dot_dropped_on_the_way", "dns.quad9.net").role == "resolver"
    assert verdict("dot_not_offered", "151.101.65.253").role == "resolver"
    assert verdict("dot_not_offered", "meadow.test").role is None
