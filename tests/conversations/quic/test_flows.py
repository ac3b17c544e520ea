"""QUIC connections: named by their own Initials, and answered or not."""

from __future__ import annotations

from pathlib import Path

import captures
from fingerprint.capture import Capture
from fingerprint.conversations.quic.flows import FIRST_DATAGRAM_BYTES, quic_flows
from fingerprint.plugins.registry import load
from fingerprint.verdict.judge import judge

SAMPLES = Path(captures.__file__).parent / "samples"


def _flows(case: str) -> dict[str, list[bool]]:
    out: dict[str, list[bool]] = {}
    for flow in quic_flows(captures.read(SAMPLES / case / "capture.pcapng")):
        assert flow.server.port == 443
        assert flow.client_bytes >= FIRST_DATAGRAM_BYTES
        out.setdefault(flow.name or "", []).append(flow.answered)
    return out


def test_initials_name_their_connection_and_a_dropped_one_is_unanswered() -> None:
    flows = _flows("quic_sni_dropped")
    assert flows["chatter.test"]
    assert not any(flows["chatter.test"])
    assert all(answered for name, some in flows.items() if name != "chatter.test" for answered in some)
    assert len(flows) > 1


def test_a_name_that_was_reached_over_quic_alone_is_ok() -> None:
    recording = captures.read(SAMPLES / "quic_sni_dropped" / "capture.pcapng")
    capture = Capture(recordings=(recording,))
    reached = {f.name for f in capture.quic if f.answered}
    states = {v.target: v.state for v in judge(capture, [])}
    assert reached
    assert {states[name] for name in reached if name} == {"ok"}


def test_an_unanswered_initial_is_no_failure_of_the_name() -> None:
    recording = captures.read(SAMPLES / "quic_sni_dropped" / "capture.pcapng")
    capture = Capture(recordings=(recording,))
    findings = [(name, f) for name, technique in load().techniques for f in technique.analyse(capture)]
    assert {v.target: v.state for v in judge(capture, findings)}["chatter.test"] != "down"


def test_a_capture_without_quic_has_none() -> None:
    assert _flows("sni_forged_reset") == {}
