"""What the public helpers make: conversations, damaged captures, techniques behind boxes."""

from __future__ import annotations

import pytest

import captures
from captures.errors import PluginError, TargetError
from fingerprint import engine
from fingerprint.capture import Capture
from fingerprint.lab.censor import Drop, Pass
from fingerprint.plugins import registry
from fingerprint.testing import Conversation, blocked, mangled, run_behind, written
from fingerprint.testing.mangling import HOW
from fingerprint.testing.named import named


class Deaf:
    """Swallows whatever mentions a forum."""

    def inspect(self, packet, _direction):
        return Drop() if b"forum" in packet.payload else Pass()


def read(file):
    return Capture(recordings=(captures.read(file),))


def test_a_conversation_is_a_stream_from_its_handshake_to_its_end(tmp_path):
    talk = Conversation(port=80, rtt_s=0.08)
    talk.opens()
    talk.asks(b"GET / HTTP/1.1\r\nHost: forum.test\r\n\r\n")
    talk.answers(b"HTTP/1.1 200 OK\r\n\r\nhello")
    talk.closes()
    (stream,) = read(written(tmp_path / "a.pcapng", talk.packets)).streams
    assert (stream.name, stream.protocol, stream.answered) == ("forum.test", "http", True)
    assert stream.first_bytes(from_client=False).endswith(b"hello")
    assert all(s.seq >= 0 for s in stream.segments)
    (rtt_s, *_) = read(tmp_path / "a.pcapng").handshake_samples("45.83.220.10")
    assert 0.08 <= rtt_s < 0.081


def test_a_reset_comes_in_the_servers_name(tmp_path):
    talk = Conversation()
    talk.opens()
    talk.reset(ttl_hops=61, payload=b"no")
    (stream,) = read(written(tmp_path / "a.pcapng", talk.packets)).streams
    last = stream.segments[-1]
    assert (last.is_reset, last.from_client, last.ttl_hops, last.payload_bytes) == (True, False, 61, 2)


def test_a_recorder_may_have_listened_longer(tmp_path):
    talk = Conversation()
    talk.opens()
    capture = read(written(tmp_path / "a.pcapng", talk.packets, until_s=9.0))
    assert capture.listened_s(capture.streams[0]) > 8


@pytest.mark.parametrize("how", HOW)
def test_a_damaged_capture_can_be_read_and_is_the_same_every_time(how, samples, tmp_path):
    recording = captures.read(next(s for s in samples if s.parent.name == "sni_forged_reset"))
    first = mangled(recording, how)
    assert first == mangled(recording, how)
    (tmp_path / "a.pcap").write_bytes(first)
    assert len(captures.read(tmp_path / "a.pcap").columns) >= (how != "empty")


@pytest.mark.parametrize("box", [Deaf, Deaf(), "sni-drop"], ids=["class", "object", "preset"])
def test_a_technique_stands_behind_a_box_of_any_kind(box):
    assert blocked(run_behind(box, "sni-filtering")) == {"forum.test": ("tls.timeout.sni",)}


async def test_it_may_be_called_where_a_loop_runs():
    assert blocked(run_behind("none", "sni-filtering")) == {}


def test_the_recording_is_kept_where_one_asks_for_it(tmp_path):
    report = run_behind(Deaf, "sni-filtering", folder=tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"run.pcapng", "run.script.json"}
    again = engine.analyse([str(tmp_path / "run.pcapng")], techniques=registry.load(only=["sni-filtering"]))
    assert blocked(again) == blocked(report)


def test_a_technique_that_is_none_is_refused(tmp_path):
    (tmp_path / "torn.py").write_text("def torn(:\n")
    with pytest.raises(PluginError, match=r"torn\.py: line 1: "):
        named(tmp_path / "torn.py")
    with pytest.raises(TargetError, match="there is no file"):
        named(tmp_path / "gone.py")
    with pytest.raises(TargetError, match="there is no technique 'gone'"):
        named("gone")
