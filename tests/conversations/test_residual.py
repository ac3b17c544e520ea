"""What follows from a trigger: failures of innocent names, how long they last, and what is none of them."""

from __future__ import annotations

from pathlib import Path

from fingerprint.engine import analyse
from fingerprint.plugins.registry import load
from tests.conversations.resets_talk import ACK, PSH, RST, SYN, Talk, hello

FORGED = {"ttl": 61, "ip_id": 7, "df": False, "window": 1375, "stamps": False}
RECORD = b"\x16\x03\x03\x04\0" + bytes(1024)


def _reset(talk: Talk, at: float, *, port: int, name: str) -> None:
    end = talk.asked(at, port=port, name=name)
    talk.send(at + 47, "s", RST | ACK, seq=1, ack=end, port=port, **FORGED)


def _loads(talk: Talk, at: float, *, port: int, name: str = "park.example") -> None:
    end = talk.asked(at, port=port, name=name)
    talk.send(at + 83, "s", ACK, seq=1, ack=end, port=port)
    talk.send(at + 84, "s", PSH | ACK, seq=1, ack=end, payload=RECORD, port=port)


def _poisoned(talk: Talk) -> Talk:
    """Park loads; news is cut off; park is cut off for ten seconds; park loads again at twelve. Twice."""
    for start in (0, 60_000):
        port = 40_000 + start // 100
        _loads(talk, start, port=port)
        _reset(talk, start + 2_000, port=port + 1, name="news.example")
        for i in range(2):
            _reset(talk, start + 6_000 + 6_000 * i, port=port + 2 + i, name="park.example")
        _loads(talk, start + 14_000, port=port + 9)
    return talk


def _verdicts(talk: Talk, folder: Path) -> dict[str, tuple[str, float | None]]:
    talk.capture(folder)
    report = analyse([str(folder / "talk.pcap")], techniques=load())
    return {
        v.target: (v.state, next((m.residual_s.value for m in v.mechanisms if m.residual_s), None))
        for v in report.verdicts
    }


def test_innocent_names_that_fail_after_a_trigger_are_never_blocked(tmp_path: Path) -> None:
    found = _verdicts(_poisoned(Talk()), tmp_path)
    assert found["park.example"] == ("ok", None)
    assert found["news.example"][0] == "blocked"


def test_the_window_lies_between_the_last_failure_and_the_first_pass(tmp_path: Path) -> None:
    (left,) = _poisoned(Talk()).capture(tmp_path).residuals
    assert left.window_s is not None
    assert 9 < left.window_s.low < 10.1
    assert 12 <= left.window_s.high < 12.2
    assert len(left.failing) == 4
    assert _verdicts(_poisoned(Talk()), tmp_path)["news.example"][1] == left.window_s.value


def test_consequences_are_listed_under_the_innocent_name(tmp_path: Path) -> None:
    _poisoned(Talk()).capture(tmp_path)
    report = analyse([str(tmp_path / "talk.pcap")], techniques=load())
    (park,) = [v for v in report.verdicts if v.target == "park.example"]
    assert len(park.consequences) == 4
    assert {says for says, _ in park.consequences} == {
        "fails while news.example was just cut off at the same address, and passes there otherwise"
    }


def test_a_name_that_never_passes_is_a_trigger_of_its_own(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        _loads(talk, 20_000 * i, port=40_000 + i)
        _reset(talk, 20_000 * i + 3_000, port=41_000 + i, name="news.example")
        _reset(talk, 20_000 * i + 6_000, port=42_000 + i, name="forum.example")
    found = _verdicts(talk, tmp_path)
    assert {found[n][0] for n in ("news.example", "forum.example")} == {"blocked"}


def test_who_passes_meanwhile_shows_that_no_block_holds(tmp_path: Path) -> None:
    talk = Talk()
    _loads(talk, 0, port=40_000)
    _reset(talk, 2_000, port=40_001, name="news.example")
    _loads(talk, 4_000, port=40_002, name="lake.example")
    _reset(talk, 6_000, port=40_003, name="park.example")
    _loads(talk, 9_000, port=40_004)
    assert talk.capture(tmp_path).residuals == ()


def _together(*talks: Talk) -> Talk:
    whole = Talk()
    whole.packets = sorted(packet for talk in talks for packet in talk.packets)
    return whole


def test_a_trigger_may_pass_on_another_port(tmp_path: Path) -> None:
    beside = Talk(server_port=8443)
    for start, port in ((1_000, 50_000), (5_500, 50_001), (21_000, 50_002)):
        _loads(beside, start, port=port, name="news.example")
    (left,) = _together(_poisoned(Talk()), beside).capture(tmp_path).residuals
    assert (left.name, left.port) == ("news.example", 443)
    (alone,) = _poisoned(Talk()).capture(tmp_path).residuals
    assert left.window_s == alone.window_s, "what passes on another port ends no window"


def test_the_trigger_itself_may_be_held_on_another_port(tmp_path: Path) -> None:
    here, beside = Talk(), Talk(server_port=8443)
    _loads(beside, 0, port=50_000, name="news.example")
    _reset(here, 2_000, port=40_001, name="news.example")
    _reset(beside, 4_000, port=50_001, name="news.example")
    _loads(beside, 9_000, port=50_002, name="news.example")
    _reset(here, 12_000, port=40_002, name="lake.example")
    (left,) = _together(here, beside).capture(tmp_path).residuals
    assert (left.name, left.port, left.window_s) == ("news.example", 443, None)
    assert left.failing[0].server.port == 8443


def test_a_set_up_that_takes_several_tries_measures_the_window(tmp_path: Path) -> None:
    talk = Talk()
    _loads(talk, 0, port=40_000)
    _reset(talk, 2_000, port=40_001, name="news.example")
    for wait in (0, 1_000, 3_000, 7_000):
        talk.send(4_000 + wait, "c", SYN, seq=0, port=40_002)
    talk.send(11_040, "s", SYN | ACK, seq=0, ack=1, port=40_002, ip_id=0)
    talk.send(11_041, "c", ACK, seq=1, ack=1, port=40_002)
    end = 1 + len(hello("park.example"))
    talk.send(11_042, "c", PSH | ACK, seq=1, ack=1, payload=hello("park.example"), port=40_002)
    talk.send(11_083, "s", PSH | ACK, seq=1, ack=end, payload=RECORD, port=40_002)
    (left,) = talk.capture(tmp_path).residuals
    assert left.window_s is not None
    assert 4.9 < left.window_s.low < 5.0
    assert 9.0 < left.window_s.high < 9.1


def test_a_handshake_without_a_request_is_no_failure(tmp_path: Path) -> None:
    talk = Talk()
    _loads(talk, 0, port=40_000)
    _reset(talk, 2_000, port=40_001, name="news.example")
    talk.handshake(4_000, port=40_002)
    assert talk.capture(tmp_path).residuals == ()


def test_a_form_that_passes_does_not_make_the_trigger_innocent(tmp_path: Path) -> None:
    talk = _poisoned(Talk())
    whole = hello("news.example")
    at = whole.find(b"news") + 2
    talk.handshake(90_000, port=45_000)
    talk.send(90_042, "c", PSH | ACK, seq=1, ack=1, payload=whole[:at], port=45_000)
    talk.send(90_043, "c", PSH | ACK, seq=1 + at, ack=1, payload=whole[at:], port=45_000)
    talk.send(90_084, "s", PSH | ACK, seq=1, ack=1 + len(whole), payload=RECORD, port=45_000)
    assert [left.name for left in talk.capture(tmp_path).residuals] == ["news.example"]
