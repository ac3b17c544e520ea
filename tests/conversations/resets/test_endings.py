"""Whatever bytes a censor sends, the facts about endings are found without a stumble and cite only what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerprint.conversations.resets.aftermath import conflict
from fingerprint.conversations.resets.endings import endings, is_near, without_twins
from fingerprint.conversations.resets.headers import contradictions, like_the_sender
from fingerprint.conversations.resets.spotting import spotted
from fingerprint.conversations.resets.timing import cause_of, delay
from fingerprint.technique import Evidence
from techniques.tcp_rst_injection import TcpRstInjection
from tests.conversations.resets_talk import ACK, ALERT, FIN, PSH, RST, SYN, Talk, hello

packets = st.lists(
    st.tuples(
        st.floats(0, 20_000, allow_nan=False),
        st.sampled_from("cs"),
        st.sampled_from([SYN, SYN | ACK, ACK, PSH | ACK, RST, RST | ACK, FIN | ACK, 0, 0xFFF, RST | SYN]),
        st.sampled_from([0, 1, 2, 300, 1461, 2**31, 2**32 - 5]),
        st.sampled_from([0, 1, 61, 301, 2**31 + 7]),
        st.sampled_from([b"", b"x", ALERT, hello("news.example"), b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"]),
        st.integers(0, 255),
        st.integers(0, 65535),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets)
def test_whatever_is_sent_analysis_finishes_and_cites_only_packets_that_exist(
    tmp_path: Path, sent: list[tuple]
) -> None:  # type: ignore[type-arg]
    talk = Talk()
    for at, who, flags, seq, ack, payload, ttl, ip_id, stamps in sent:
        talk.send(at, who, flags, seq=seq, ack=ack, payload=payload, ttl=ttl, ip_id=ip_id, stamps=stamps)
    capture = talk.capture(tmp_path)
    found = list(TcpRstInjection().analyse(capture))
    for finding in found:
        assert all(1 <= p.number <= len(sent) and p.capture == 0 for p in finding.packets)
        assert not isinstance(finding, Evidence) or finding.says
    assert found == list(TcpRstInjection().analyse(capture))


def test_a_frame_that_was_recorded_twice_is_one_segment(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    for at in (47, 47.2):
        talk.send(at, "s", RST | ACK, seq=1, ack=end, ip_id=99, ttl=52)
    talk.send(60, "s", RST | ACK, seq=1, ack=end, ip_id=99, ttl=52)
    assert len(without_twins(talk.segments(tmp_path))) == 6


@pytest.mark.parametrize(
    ("answer", "stage"),
    [
        ([], "request"),
        ([(81, PSH | ACK, b"\x16\x03\x03\0\x01\x02")], "later"),
    ],
)
def test_the_stage_is_how_far_the_connection_had_come(
    tmp_path: Path, answer: list[tuple[int, int, bytes]], stage: str
) -> None:
    talk = Talk()
    end = talk.asked()
    for at, flags, payload in answer:
        talk.send(at, "s", flags, seq=1, ack=end, payload=payload)
    talk.send(95, "s", RST | ACK, seq=1 + sum(len(a[2]) for a in answer), ack=end)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    assert (ending.kind, ending.stage) == ("reset", stage)


def test_a_reset_after_the_senders_own_fin_asks_for_no_judgement(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40000)
    talk.send(120, "s", FIN | ACK, seq=7, ack=60).send(160, "s", RST, seq=8)
    assert endings(talk.segments(tmp_path), protocol="tls") == ()


def test_time_runs_from_the_first_copy_of_what_was_acknowledged(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(342, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"))
    talk.send(345, "s", RST | ACK, seq=1, ack=end)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    cause, measured = cause_of(ending), delay(ending, (0.04, 0.041))
    assert cause is not None
    assert cause.number == 4
    assert measured is not None
    assert not measured.sooner


def test_a_forged_acknowledgement_does_not_vouch_for_itself(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(47, "s", RST | ACK, seq=1, ack=end)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    measured = delay(ending, (0.005, 0.04, 0.041))
    assert measured is not None
    assert measured.rtt_s == 0.04
    assert measured.sooner


def test_windows_repeats_the_acknowledged_number_without_a_flag(tmp_path: Path) -> None:
    talk = Talk()
    talk.asked()
    talk.send(82, "s", RST, seq=1, raw_ack=(4_294_960_000 + 1) % 2**32, stamps=False, window=0)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    assert contradictions(ending) == ()
    assert like_the_sender(ending)


def test_a_reset_below_what_was_sent_is_no_abort(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(82, "s", PSH | ACK, seq=1, ack=end, payload=b"x" * 500).send(84, "s", RST | ACK, seq=1, ack=end)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    found = conflict(ending)
    assert found is not None
    assert found[0] == "DATA_SEQ_RST"


def test_an_abort_carries_the_next_number_and_conflicts_with_nothing(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(82, "s", PSH | ACK, seq=1, ack=end, payload=b"x" * 500).send(84, "s", RST | ACK, seq=501, ack=end)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    assert conflict(ending) is None


def test_nobody_forges_packets_between_a_host_and_its_own_capture(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(60, "c", RST | ACK, seq=end, ack=1)
    (ending,) = endings(talk.segments(tmp_path), protocol="tls")
    assert is_near(ending, (0.5,))
    assert is_near(ending, (0.00005,))


def test_only_flows_that_close_before_a_word_are_looked_at(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001)
    talk.send(200, "s", FIN | ACK, seq=7, ack=60, port=40001)
    end = talk.asked(300, port=40002)
    talk.send(350, "s", FIN | ACK, seq=1, ack=end, port=40002)
    (recording,) = talk.capture(tmp_path).recordings
    assert spotted(recording) == {1}
