"""Forged or honest: every claim on packets made here, with the half that must not match beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pytest

from fingerprint.capture import Capture
from fingerprint.technique import Clue, Evidence, Finding, Inconclusive
from fingerprint.verdict.symptoms import Found, symptoms
from fingerprint.verdict.weighing import Balance, weigh
from techniques.tcp_rst_injection import TcpRstInjection
from tests.conversations.resets_talk import ACK, ALERT, CLIENT6, FIN, PSH, RST, SERVER6, SYN, Talk, hello

OWN = {"ttl": 52}
# A single RST+ACK of an injector: other TTL, DF clear, own IP ID, no timestamps, odd window.
FORGED = {"ttl": 61, "df": False, "ip_id": 0xFBA6, "window": 15695, "stamps": False}


def findings(capture: Capture) -> list[Finding]:
    return list(TcpRstInjection().analyse(capture))


def clues(found: Iterable[Finding]) -> set[str]:
    return {f.clue.id for f in found if isinstance(f, Evidence) and f.clue.given}


def balance(found: Iterable[Finding]) -> Balance:
    evidence = [
        Found(technique="tcp-rst-injection", evidence=f, vantage=None) for f in found if isinstance(f, Evidence)
    ]
    (symptom,) = symptoms(evidence)
    return weigh(symptom)


def test_a_reset_sooner_than_a_round_trip_convicts_after_two_connections(tmp_path: Path) -> None:
    talk = Talk().works(500, port=40009)
    for i in range(2):
        end = talk.asked(1000 * i, port=40000 + i)
        talk.send(1000 * i + 48, "s", RST | ACK, seq=1, ack=end, port=40000 + i, **OWN, stamps=False, ip_id=0)
    found = findings(talk.capture(tmp_path))
    assert "reset-sooner-than-the-sender-could" in clues(found)
    assert balance(found).blocked() > 0.95


def test_a_reset_after_a_round_trip_in_its_own_headers_is_the_servers(tmp_path: Path) -> None:
    talk = Talk().works(500, port=40009)
    for i in range(2):
        end = talk.asked(1000 * i, port=40000 + i)
        talk.send(1000 * i + 83, "s", RST | ACK, seq=1, ack=end, port=40000 + i)
    found = findings(talk.capture(tmp_path))
    assert clues(found) == {"reset-before-any-answer", "reset-after-a-round-trip-in-its-own-headers"}
    assert balance(found).innocent() == ("server-refuses", pytest.approx(0.96, abs=0.05))


def test_a_rewritten_answer_stays_open_to_a_pair_of_names(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(82, "s", RST | ACK, seq=1, ack=end)
    found = findings(talk.capture(tmp_path))
    # An in-path device that rewrites the answer leaves just this; a pair may still outweigh it by ten to one.
    b = balance(found)
    nodes = max(b.log_likelihood[n] for n in b.symptom.nodes)
    assert math.exp(nodes - b.log_likelihood["server-refuses"]) > 0.1


def test_one_round_trip_sample_alone_does_not_carry_a_block(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(48, "s", RST | ACK, seq=1, ack=end, **OWN, stamps=False, ip_id=0)
    found = findings(talk.capture(tmp_path))
    assert "reset-sooner-by-one-sample" in clues(found)
    assert "reset-sooner-than-the-sender-could" not in clues(found)
    assert balance(found).blocked() < 0.5


def test_a_reset_that_keeps_the_senders_clock_says_that_the_round_trips_were_inflated(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40009, rtt=300)
    for i in range(2):
        end = talk.asked(5 * i, port=40000 + i, rtt=300)
        talk.send(5 * i + 362, "s", RST | ACK, seq=1, ack=end, port=40000 + i)
    found = findings(talk.capture(tmp_path))
    assert "reset-sooner-than-the-sender-could" not in clues(found)
    assert balance(found).blocked() < 0.95


def test_a_bare_reset_is_also_timed_from_the_handshake(tmp_path: Path) -> None:
    talk = Talk().works(3000, port=40009).handshake()
    talk.send(1000, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    talk.send(1006, "s", RST, seq=1, **OWN, ip_id=0, window=0, stamps=False)
    found = findings(talk.capture(tmp_path))
    assert clues(found) == {"reset-before-any-answer"}
    assert any(isinstance(f, Inconclusive) for f in found)


def test_nothing_is_sooner_than_a_server_on_the_same_link(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked(rtt=0.4)
    talk.send(2.5, "s", RST | ACK, seq=1, ack=end, **FORGED)
    assert clues(findings(talk.capture(tmp_path))) == set()


def test_a_sender_that_goes_on_after_its_reset_did_not_send_it(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(47, "s", RST | ACK, seq=1, ack=end, **{**FORGED, "ttl": 52})
    talk.send(81, "s", ACK, seq=1, ack=end)
    talk.send(82, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02")
    found = findings(talk.capture(tmp_path))
    (went_on,) = [f for f in found if isinstance(f, Evidence) and f.clue.id == "reset-sender-went-on"]
    assert went_on.facets.position == "on-path"
    assert [p.number for p in went_on.packets] == [5, 7]  # packet 6 might have been overtaken
    assert balance(found).blocked() > 0.95


def test_a_packet_that_was_only_overtaken_is_not_a_continuation(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(82, "s", RST | ACK, seq=7, ack=end)
    talk.send(83, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02")
    found = findings(talk.capture(tmp_path))
    assert "reset-sender-went-on" not in clues(found)


def test_a_continuation_from_another_distance_is_not_the_senders(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(82, "s", RST | ACK, seq=1, ack=end)
    talk.send(120, "s", PSH | ACK, seq=1, ack=end, payload=b"x" * 20, ttl=240)
    assert "reset-sender-went-on" not in clues(findings(talk.capture(tmp_path)))


def test_a_stray_reset_of_an_earlier_connection_changes_nothing(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(60, "s", RST, seq=900_000_000, window=0, stamps=False, ip_id=0)
    talk.send(82, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02")
    assert "reset-sender-went-on" not in clues(findings(talk.capture(tmp_path)))


def test_a_router_that_resets_a_forgotten_connection_is_a_nat(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40009).handshake()
    talk.send(20_000, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    talk.send(20_002, "s", RST | ACK, seq=1, ack=1 + len(hello("news.example")), ttl=255, stamps=False, window=0)
    found = findings(talk.capture(tmp_path))
    assert clues(found) == {"reset-after-silence-by-another"}
    assert balance(found).innocent()[0] == "nat-timeout"


def test_guessed_numbers_and_several_distances_are_an_injectors(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    for i, seq in enumerate((1, 1461, 4381)):
        talk.send(47 + i / 100, "s", RST | ACK, seq=seq, ack=end, ttl=78 + i, df=False, window=4658 + i, stamps=False)
    talk.send(47.05, "s", RST, seq=1, ttl=95, df=False, window=8647, stamps=False)
    assert {"reset-guesses-the-sequence", "reset-several-makers"} <= clues(findings(talk.capture(tmp_path)))


def test_resets_that_answer_late_acknowledgements_rise_honestly(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(60, "c", ACK, seq=end, ack=1461).send(60.1, "c", ACK, seq=end, ack=4381)
    talk.send(82, "s", RST, seq=1, ip_id=0, window=0, stamps=False)
    talk.send(100, "s", RST, seq=1461, ip_id=0, window=0, stamps=False)
    talk.send(100.1, "s", RST, seq=4381, ip_id=0, window=0, stamps=False)
    assert not {"reset-guesses-the-sequence", "reset-several-makers"} & clues(findings(talk.capture(tmp_path)))


@pytest.mark.parametrize(
    "own",
    [
        {"ttl": 240},  # a load balancer's distance
        {"ip_id": 0, "window": 0, "stamps": False},  # Linux, from no connection state
        {"ttl": 240, "ip_id": 0, "window": 0, "stamps": False},
    ],
)
def test_what_honest_stacks_and_balancers_do_is_no_contradiction(tmp_path: Path, own: dict[str, int]) -> None:
    talk = Talk()
    talk.asked()
    talk.send(82, "s", RST, seq=1, **own)  # type: ignore[arg-type]
    found = findings(talk.capture(tmp_path))
    assert not any("header" in c and "own-headers" not in c for c in clues(found))


def test_headers_alone_never_convict_a_server_that_resets_every_time(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(8):
        end = talk.asked(1000 * i, port=40000 + i)
        talk.send(1000 * i + 83, "s", RST | ACK, seq=1, ack=end, port=40000 + i, **{**FORGED, "window": 65535})
        talk.works(1000 * i + 500, port=41000 + i)
    found = findings(talk.capture(tmp_path))
    assert "reset-only-headers-of-another" in clues(found) or "reset-only-headers-unlike" in clues(found)
    assert balance(found).blocked() < 0.95


def test_a_reset_made_from_the_clients_own_packet_is_no_hosts(tmp_path: Path) -> None:
    talk = Talk().works(500, port=40009)
    talk.handshake()
    talk.send(42, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"), ip_id=0x5B59)
    talk.send(82, "s", RST | 0xE00, seq=1, ttl=43, df=False, ip_id=0x5B59, window=65535, stamps=False, raw_ack=77)
    found = findings(talk.capture(tmp_path))
    assert "reset-headers-of-no-host" in clues(found)
    assert balance(found).blocked() < 0.95  # one connection and headers alone


def test_a_reset_in_the_clients_name_is_judged_at_the_server(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(2):
        at, port, question = 3000 * i, 41000 + i, b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n"
        far = {"ttl": 44, "port": port}
        talk.send(at, "c", SYN, seq=0, **far)
        talk.send(at + 0.1, "s", SYN | ACK, seq=0, ack=1, ttl=64, port=port)
        talk.send(at + 240, "c", ACK, seq=1, ack=1, **far)
        talk.send(at + 240.1, "c", PSH | ACK, seq=1, ack=1, payload=question, **far)
        talk.send(
            at + 240.2,
            "s",
            PSH | ACK,
            seq=1,
            ack=1 + len(question),
            payload=b"HTTP/1.1 200 OK\r\n\r\n" * 90,
            ttl=64,
            port=port,
        )
        talk.send(
            at + 240.4, "c", RST | ACK, seq=1, ack=1, port=port, ttl=49, ip_id=242, df=False, window=16, stamps=False
        )
        talk.send(at + 249, "c", ACK, seq=1 + len(question), ack=362, **far)
        talk.send(at + 249.1, "c", FIN | ACK, seq=1 + len(question), ack=362, **far)
    found = findings(talk.capture(tmp_path))
    seen = {"reset-in-the-clients-name", "reset-sender-went-on", "reset-beside-bytes-of-a-third"}
    assert seen | {"reset-headers-of-another-host", "reset-below-what-was-sent"} == clues(found)
    assert balance(found).blocked() > 0.95


def test_a_client_that_aborts_far_from_the_capture_point_is_not_an_injector(tmp_path: Path) -> None:
    talk = Talk()
    far = {"ttl": 44}
    talk.send(0, "c", SYN, seq=0, **far).send(0.1, "s", SYN | ACK, seq=0, ack=1, ttl=64)
    talk.send(240, "c", ACK, seq=1, ack=1, **far)
    talk.send(241, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"), **far)
    talk.send(300, "c", RST | ACK, seq=1 + len(hello("news.example")), ack=1, window=0, **far)
    assert clues(findings(talk.capture(tmp_path))) == set()


def test_the_kernel_of_a_prober_resets_and_the_prober_goes_on(tmp_path: Path) -> None:
    talk = Talk()
    talk.send(0, "c", SYN, seq=0).send(40, "s", SYN | ACK, seq=0, ack=1, ip_id=0)
    talk.send(40.1, "c", RST, seq=1, ip_id=0, window=0, stamps=False)
    talk.send(50, "c", ACK, seq=1, ack=1).send(51, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    assert clues(findings(talk.capture(tmp_path))) == set()


def test_a_refused_syn_is_a_closed_port(tmp_path: Path) -> None:
    talk = Talk().works(500, port=40009)
    talk.send(0, "c", SYN, seq=0, port=40000).send(41, "s", RST | ACK, seq=0, ack=1, port=40000, window=0, stamps=False)
    found = findings(talk.capture(tmp_path))
    assert clues(found) == {"syn-refused"}
    assert balance(found).innocent()[0] == "server-down"


def test_a_syn_is_not_refused_sooner_than_the_address_is_away(tmp_path: Path) -> None:
    talk = Talk().works(500, port=40009)
    talk.send(0, "c", SYN, seq=0, port=40000).send(8, "s", RST | ACK, seq=0, ack=1, port=40000, window=0, stamps=False)
    talk.send(40, "s", SYN | ACK, seq=0, ack=1, port=40000)
    found = findings(talk.capture(tmp_path))
    assert {"reset-sooner-than-the-sender-could", "reset-sender-went-on"} <= clues(found)


def test_the_ends_own_resets_after_a_forged_one_are_left_alone(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(47, "s", RST | ACK, seq=1, ack=end, **FORGED)
    talk.send(81, "s", ACK, seq=1, ack=end)
    talk.send(81.1, "c", RST, seq=end, ip_id=0, window=0, stamps=False)
    cited = {
        p.number
        for f in findings(talk.capture(tmp_path))
        if isinstance(f, Evidence) and f.clue.given
        for p in f.packets
    }
    assert 7 not in cited


@pytest.mark.parametrize(("kind", "flags", "payload"), [("close", FIN | ACK, b""), ("alert", PSH | ACK, ALERT)])
def test_closes_and_alerts_are_judged_like_resets(tmp_path: Path, kind: str, flags: int, payload: bytes) -> None:
    talk = Talk().works(500, port=40009)
    for i in range(2):
        end = talk.asked(1000 * i, port=40000 + i)
        talk.send(1000 * i + 47, "s", flags, seq=1, ack=end, payload=payload, port=40000 + i, **FORGED)
    found = findings(talk.capture(tmp_path))
    assert {f"{kind}-sooner-than-the-sender-could", f"{kind}-headers-unlike-the-sender"} <= clues(found)
    assert balance(found).blocked() > 0.95


@pytest.mark.parametrize(("flags", "payload"), [(FIN | ACK, b""), (PSH | ACK, ALERT)])
def test_a_server_may_close_or_alert_after_a_round_trip(tmp_path: Path, flags: int, payload: bytes) -> None:
    talk = Talk().works(500, port=40009)
    end = talk.asked()
    talk.send(83, "s", flags, seq=1, ack=end, payload=payload)
    assert balance(findings(talk.capture(tmp_path))).innocent()[0] == "server-refuses"


def test_a_finished_exchange_is_of_no_concern(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40000)
    end = 1 + len(hello("park.example"))
    talk.send(90, "c", FIN | ACK, seq=end, ack=7).send(131, "s", FIN | ACK, seq=7, ack=end + 1)
    talk.send(132, "s", RST, seq=8, ip_id=0, window=0, stamps=False)
    assert findings(talk.capture(tmp_path)) == []


def test_ipv6_has_no_ip_id_and_is_judged_all_the_same(tmp_path: Path) -> None:
    talk = Talk(client=CLIENT6, server=SERVER6).works(500, port=40009)
    for i in range(2):
        end = talk.asked(1000 * i, port=40000 + i)
        talk.send(1000 * i + 47, "s", RST | ACK, seq=1, ack=end, port=40000 + i, ttl=61, window=1375, stamps=False)
        talk.send(1000 * i + 82, "s", ACK, seq=1, ack=end, port=40000 + i)
    found = findings(talk.capture(tmp_path))
    assert {"reset-sooner-than-the-sender-could", "reset-sender-went-on", "reset-headers-unlike-the-sender"} <= clues(
        found
    )
    assert balance(found).blocked() > 0.95


def test_a_stream_that_ends_early_is_named_and_the_name_moves_no_verdict(tmp_path: Path) -> None:
    talk = Talk().send(0, "c", SYN, seq=0).works(5000, port=40001)
    (named,) = [f for f in findings(talk.capture(tmp_path)) if isinstance(f, Evidence)]
    assert named.says == "the connection ends as SYN → ∅"
    assert not named.clue.given


def test_a_warning_alert_and_a_half_closed_server_may_go_on(tmp_path: Path) -> None:
    talk = Talk()
    for port, flags, payload in ((40000, PSH | ACK, ALERT), (40001, FIN | ACK, b"")):
        at = port - 40000
        end = talk.asked(at, port=port)
        talk.send(at + 83, "s", flags, seq=1, ack=end, payload=payload, port=port)
        talk.send(at + 95, "c", PSH | ACK, seq=end, ack=1 + len(payload), payload=b"more", port=port)
        talk.send(at + 136, "s", ACK, seq=1 + (len(payload) or 1), ack=end + 4, port=port)
    assert not any("went-on" in c for c in clues(findings(talk.capture(tmp_path))))


@pytest.mark.parametrize(("flags", "payload"), [(FIN | ACK, b""), (FIN | PSH | ACK, ALERT)])
def test_the_true_answer_under_the_same_numbers_gives_a_forged_close_away(
    tmp_path: Path, flags: int, payload: bytes
) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(47, "s", flags, seq=1, ack=end, payload=payload, ip_id=7)
    talk.send(83, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x05\x02\0\0\x01\0")
    on_path = [
        f for f in findings(talk.capture(tmp_path)) if isinstance(f, Evidence) and f.facets.position == "on-path"
    ]
    assert [p.number for f in on_path for p in f.packets] == [5, 6]


def router_view(client_reset_at: float) -> Talk:
    """Resets in both names, seen 30 ms from the server and 20 ms from the client."""
    talk, far = Talk(), {"ttl": 60}
    talk.send(0, "c", SYN, seq=0, **far).send(30, "s", SYN | ACK, seq=0, ack=1, ip_id=0)
    talk.send(50, "c", ACK, seq=1, ack=1, **far)
    talk.send(51, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"), **far)
    end = 1 + len(hello("news.example"))
    talk.send(53, "s", RST | ACK, seq=1, ack=end, **FORGED)
    return talk.send(client_reset_at, "c", RST | ACK, seq=end, ack=1, **FORGED)


def test_resets_at_both_ends_closer_than_either_could_hear_are_a_third_partys(tmp_path: Path) -> None:
    assert "reset-at-both-ends" in clues(findings(router_view(53.2).capture(tmp_path)))


def test_a_reset_that_had_time_to_be_an_answer_is_not_one_of_a_pair(tmp_path: Path) -> None:
    assert "reset-at-both-ends" not in clues(findings(router_view(75).capture(tmp_path)))


@pytest.mark.parametrize("clue", TcpRstInjection.clues, ids=lambda c: c.id)
def test_every_clue_states_probabilities_and_a_default(clue: Clue) -> None:
    assert clue.source
    assert not clue.given or "*" in clue.given
    assert all(0 < p < 1 for p in clue.given.values())
