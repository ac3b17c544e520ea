"""From packets to states: the order of DESIGN section 5, and one cause for one mechanism."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fingerprint.technique import Clue, Evidence, Facets, Finding, Subject, cite
from fingerprint.verdict.judge import judge
from fingerprint.verdict.model import Verdict
from tests.conversations.resets_talk import ACK, PSH, RST, SYN, Talk

FALSE_ANSWER = Clue(
    id="false", says="a false answer", group="dns", given={"dns.injection": 0.9, "*": 0.0002}, source="a test"
)
FORGED = Clue(id="forged", says="a forged reset", group="reset", given={"*.reset": 0.9, "*": 0.0002}, source="a test")
OWN = Clue(
    id="own", says="the server's own reset", group="reset", given={"server-refuses": 0.9, "*": 0.0005}, source="a test"
)


def _judged(talk: Talk, folder: Path, *findings: Finding) -> dict[str, Verdict]:
    return {v.target: v for v in judge(talk.capture(folder), [("a-test", f) for f in findings])}


def _about(talk: Talk, folder: Path, clue: Clue, *, stream: int = 0, disputes: tuple[str, ...] = ()) -> Evidence:
    s = talk.capture(folder).streams[stream]
    subject = Subject(name=s.name, address=s.server.address, port=443, protocol="tls", trial=s.trial)
    return cite(clue, subject, s.segments[-1], facets=Facets(), disputes=disputes)


def _reset(port: int = 40000, at: float = 0) -> Talk:
    talk = Talk()
    end = talk.asked(at, port=port)
    return talk.send(at + 50, "s", RST | ACK, seq=1, ack=end, port=port)


def test_a_reset_that_nobody_explains_is_insufficient(tmp_path: Path) -> None:
    verdict = _judged(_reset(), tmp_path)["news.example"]
    assert verdict.state == "insufficient"
    assert verdict.mechanisms == ()
    assert "reset" in (verdict.cause.says if verdict.cause else "")


def test_completed_work_is_ok(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(83, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03" + bytes(400))
    assert _judged(talk, tmp_path)["news.example"].state == "ok"


@pytest.mark.parametrize(("port", "address", "state"), [
    (80, "203.0.113.9", "ok"), (443, "203.0.113.9", "insufficient"), (443, "203.0.113.77", "ok"),
])  # fmt: skip
def test_a_port_that_never_answers_is_not_excused_by_another_that_does(
    tmp_path: Path, port: int, address: str, state: str
) -> None:
    asked, said = b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
    talk = Talk(server_port=80)
    talk.handshake().send(42, "c", PSH | ACK, seq=1, ack=1, payload=asked)
    talk.send(83, "s", PSH | ACK, seq=1, ack=1 + len(asked), payload=said)
    talk.server, talk.server_port = address, port
    for i, wait in enumerate((0, 1000, 3000, 7000)):
        talk.send(wait, "c", SYN, seq=0, port=41000 + i // 4)
    talk.works(9000, port=42000)  # the recording goes on
    capture = replace(talk.capture(tmp_path), given={address: {"news.example"}})
    assert {v.target: v for v in judge(capture, [])}["news.example"].state == state


def test_an_alert_alone_is_no_completed_work(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(83, "s", PSH | ACK, seq=1, ack=end, payload=bytes.fromhex("15030300020228"))
    assert _judged(talk, tmp_path)["news.example"].state == "insufficient"


def test_blocked_comes_before_ok(tmp_path: Path) -> None:
    talk = _reset()
    end = talk.asked(5000, port=40001)
    talk.send(5083, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03" + bytes(400), port=40001)
    strong = _about(talk, tmp_path, FORGED)
    more = _about(
        talk, tmp_path, Clue(id="m", says="more", group="g", given={"*.reset": 0.5, "*": 0.1}, source="a test")
    )
    verdict = _judged(talk, tmp_path, strong, more)["news.example"]
    assert verdict.state == "blocked"
    assert verdict.reach == "partial"
    assert verdict.mechanisms[0].node == "tls.reset"


def test_a_server_that_refuses_is_down_not_blocked(tmp_path: Path) -> None:
    talk = _reset()
    verdict = _judged(talk, tmp_path, _about(talk, tmp_path, _speaking(OWN)))["news.example"]
    assert verdict.state == "down"
    assert verdict.cause is not None
    assert verdict.cause.hypothesis == "server-refuses"


def _speaking(clue: Clue) -> Clue:
    return Clue(id=clue.id, says=clue.says, group=clue.group, source="a test", given={**clue.given, "*.reset": 0.0005})


def test_packets_from_one_side_only_are_invalid(tmp_path: Path) -> None:
    talk = Talk()
    talk.asked()
    talk.packets = [p for p in talk.packets if p[1][12:16] == talk.packets[0][1][12:16]]
    assert _judged(talk, tmp_path)["news.example"].state == "invalid"


def test_a_connection_to_a_disputed_address_is_a_consequence_and_no_evidence(tmp_path: Path) -> None:
    talk = _reset()
    forged = _about(talk, tmp_path, FORGED)
    stream = talk.capture(tmp_path).streams[0]
    subject = Subject(name="news.example", address="192.0.2.53", port=53, protocol="dns", trial="0:99:1")
    lie = cite(FALSE_ANSWER, subject, stream.segments[0], disputes=(stream.server.address,))
    verdict = _judged(talk, tmp_path, forged, lie)["news.example"]
    assert [m.node for m in verdict.mechanisms] == ["dns.injection"]
    assert verdict.consequences


def test_set_up_that_fails_after_a_trigger_belongs_to_the_trigger(tmp_path: Path) -> None:
    talk = _reset()
    talk.send(3000, "c", SYN, seq=0, port=40009, window=64240)
    talk.send(4000, "c", SYN, seq=0, port=40009, window=64240)
    extra = Clue(id="m", says="more", group="g", given={"*.reset": 0.5, "*": 0.1}, source="a test")
    found = [_about(talk, tmp_path, c) for c in (FORGED, extra)]
    verdicts = _judged(talk, tmp_path, *found)
    late = verdicts[talk.server]
    assert late.state == "insufficient"
    assert any("cut off" in says for says, _ in late.consequences)
    before = _judged(talk, tmp_path)[talk.server]
    assert before.consequences == ()


def test_the_name_passing_later_at_the_same_address_explains_one_failure(tmp_path: Path) -> None:
    talk = Talk()
    talk.send(0, "c", SYN, seq=0, port=40001)
    end = talk.asked(5000, port=40002)
    talk.send(5083, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03" + bytes(400), port=40002)
    assert _judged(talk, tmp_path)["news.example"].state == "ok"


def test_every_cited_packet_exists(tmp_path: Path) -> None:
    talk = _reset()
    verdict = _judged(talk, tmp_path, _about(talk, tmp_path, FORGED))["news.example"]
    numbers = {c.number for m in verdict.mechanisms for w in m.evidence for c in w.evidence.packets}
    assert numbers <= set(range(1, len(talk.packets) + 1))
