"""Throttling is claimed against a control that ran free, and against nothing less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from fingerprint.verdict.model import Verdict
from techniques.throttling import Throttling
from tests.conversations.transfer_talk import Path, Talk, capped, capture, link, policed, shaped

TARGET, CONTROL = "video.example", "other.example"


def _fast(loss: float = 0.0, seed: int = 1) -> Path:
    return link(20e6, 0.03, loss=loss, seed=seed)


def _aba(path: Path, **target: object) -> tuple[Talk, ...]:
    """Control, target, control, on one address."""
    return (
        Talk(path=_fast(), name=CONTROL),
        Talk(**{"path": path, "name": TARGET, "start_s": 5.0, "size_bytes": 400_000, **target}),  # type: ignore[arg-type]
        Talk(path=_fast(), name=CONTROL, start_s=50.0),
    )


def _findings(*talks: Talk) -> list[Finding]:
    return list(Throttling().analyse(capture(*talks)))


def _verdict(*talks: Talk, name: str = TARGET) -> Verdict:
    made = capture(*talks)
    found = [("throttling", f) for f in Throttling().analyse(made)]
    return next(v for v in judge(made, found) if v.target == name)


def _claims(findings: list[Finding]) -> list[Evidence]:
    return [f for f in findings if isinstance(f, Evidence) and f.clue.given]


def _why(findings: list[Finding]) -> str:
    return " | ".join(f.why for f in findings if isinstance(f, Inconclusive))


@pytest.mark.parametrize("view", ["receiver", "sender"])
@pytest.mark.parametrize(
    ("form", "path"), [("policer", policed(_fast(), 200e3, 25e3)), ("shaper", shaped(_fast(), 200e3, 10e3))]
)
def test_a_name_that_is_limited_between_two_free_controls_is_blocked_by_name(view: str, form: str, path: Path) -> None:
    made = [Talk(**{**{f: getattr(t, f) for f in t.__dataclass_fields__}, "view": view}) for t in _aba(path)]
    verdict = _verdict(*made)
    assert verdict.state == "blocked"
    mechanism = verdict.mechanisms[0]
    assert (mechanism.node, mechanism.shape) == ("tls.throttle.sni", form)
    assert mechanism.rate_bps is not None
    assert mechanism.rate_bps.value == pytest.approx(200e3, rel=0.25)
    assert _verdict(*made, name=CONTROL).state == "ok"


@pytest.mark.parametrize("view", ["receiver", "sender"])
def test_an_upload_that_is_policed_by_name_is_blocked_by_name(view: str) -> None:
    common = {"view": view, "upload": True, "linger_s": 15.0}
    verdict = _verdict(
        Talk(path=_fast(), name=CONTROL, **common),  # type: ignore[arg-type]
        Talk(path=policed(_fast(), 200e3, 25e3), name=TARGET, start_s=5.0, size_bytes=400_000, **common),  # type: ignore[arg-type]
        Talk(path=_fast(), name=CONTROL, start_s=50.0, **common),  # type: ignore[arg-type]
    )
    assert verdict.state == "blocked"
    mechanism = verdict.mechanisms[0]
    assert (mechanism.node, mechanism.shape, mechanism.position) == ("tls.throttle.sni", "policer", "in-path")


def test_a_delay_that_is_added_to_one_name_is_told_by_its_shape() -> None:
    paths = (("a.example", _fast()), (TARGET, link(20e6, 0.9)), ("c.example", _fast()))
    talks = [Talk(path=p, name=n, start_s=20.0 * i, size_bytes=3_000_000) for i, (n, p) in enumerate(paths)]
    evidence = _claims(_findings(*talks))
    assert {e.facets.shape for e in evidence} == {"delay"}
    assert {e.facets.position for e in evidence if e.facets.trigger} == {"in-path"}


def test_a_limit_on_another_address_does_not_say_where_it_sits() -> None:
    control = {"name": CONTROL, "server": "198.51.100.99"}
    evidence = _claims(
        _findings(
            Talk(path=_fast(), **control),  # type: ignore[arg-type]
            Talk(path=policed(_fast(), 200e3, 25e3), name=TARGET, start_s=5.0, size_bytes=400_000),
            Talk(path=_fast(), start_s=50.0, **control),  # type: ignore[arg-type]
        )
    )
    assert evidence
    assert all(e.facets.position is None for e in evidence)


def test_a_limit_without_control_is_an_observation_with_shape_and_rate() -> None:
    talk = Talk(path=policed(_fast(), 200e3, 25e3), name=TARGET, size_bytes=400_000)
    findings = _findings(talk)
    assert not _claims(findings)
    observed = next(f for f in findings if isinstance(f, Evidence))
    assert observed.facets.shape == "policer"
    assert observed.facets.rate_bps is not None
    assert "no control" in _why(findings)
    assert _verdict(talk).state == "insufficient"


def test_a_slow_line_slows_the_control_too_and_is_not_blocked() -> None:
    talks = [
        Talk(path=shaped(_fast(), 300e3, 10e3), name=n, start_s=20.0 * i, size_bytes=400_000)
        for i, n in enumerate((CONTROL, TARGET, CONTROL))
    ]
    assert not _claims(_findings(*talks))
    assert _verdict(*talks).state == "ok"


def test_a_server_that_paces_one_name_is_not_throttled_by_the_path() -> None:
    findings = _findings(*_aba(_fast(), server_delay_s=lambda n: 0.5 if n % 10 == 0 else 0.0))
    assert not _claims(findings)
    assert "pace" in _why(findings)


def test_random_loss_on_one_stream_is_not_throttling() -> None:
    findings = _findings(*_aba(_fast(0.08, seed=3), size_bytes=1_500_000))
    assert not _claims(findings)


def test_a_transfer_of_half_a_second_is_too_short() -> None:
    findings = _findings(*_aba(policed(_fast(), 200e3, 40e3), size_bytes=60_000))
    assert not _claims(findings)
    assert "steady transfer" in _why(findings)


def test_one_turn_is_not_enough() -> None:
    control, target, _ = _aba(policed(_fast(), 200e3, 25e3))
    findings = _findings(control, target)
    assert not _claims(findings)
    assert "turns only 1" in _why(findings)


def test_a_name_that_also_ran_free_on_the_address_is_not_throttled_by_name() -> None:
    talks = (*_aba(policed(_fast(), 200e3, 25e3)), Talk(path=_fast(), name=TARGET, start_s=60.0))
    findings = _findings(*talks)
    assert not _claims(findings)
    assert "also ran free" in _why(findings)


def test_a_name_that_ran_free_on_another_port_is_throttled_on_this_one() -> None:
    elsewhere = Talk(path=_fast(), name=TARGET, start_s=60.0, server_port=8443)
    verdict = _verdict(*_aba(policed(_fast(), 200e3, 25e3)), elsewhere)
    assert verdict.state == "blocked"
    assert verdict.mechanisms[0].node == "tls.throttle.sni"


def test_a_control_on_another_port_does_not_make_the_name_the_trigger() -> None:
    first, target, last = _aba(policed(_fast(), 200e3, 25e3))
    far = [replace(t, server_port=8443) for t in (first, last)]
    claims = _claims(_findings(far[0], target, far[1]))
    assert claims
    assert not any(e.facets.trigger for e in claims)
    assert {m.node for m in _verdict(far[0], target, far[1]).mechanisms} <= {"tls.throttle", "tls"}


def test_equal_caps_on_two_streams_beside_a_control_are_a_freeze() -> None:
    talks = (
        Talk(path=_fast(), name=CONTROL),
        *(Talk(path=capped(_fast(), 16_000), name=TARGET, start_s=5.0 + 2 * i) for i in range(2)),
        Talk(path=_fast(), name=CONTROL, start_s=20.0),
    )
    verdict = _verdict(*talks)
    assert verdict.state == "blocked"
    assert (verdict.mechanisms[0].node, verdict.mechanisms[0].shape) == ("tls.throttle.sni", "freeze")


def test_one_frozen_stream_is_insufficient() -> None:
    talks = _aba(capped(_fast(), 16_000))
    assert "seen once" in _why(_findings(*talks))
    assert _verdict(*talks).state == "insufficient"


def test_a_path_that_died_for_everybody_is_no_cap() -> None:
    talks = (Talk(path=_fast(), name=CONTROL), Talk(path=capped(_fast(), 16_000), name=TARGET, start_s=5.0))
    assert "no control" in _why(_findings(*talks))


def test_streams_that_froze_at_different_sizes_are_not_blocked() -> None:
    caps = (9_000, 30_000)
    talks = (
        Talk(path=_fast(), name=CONTROL),
        *(Talk(path=capped(_fast(), c), name=TARGET, start_s=5.0 + i) for i, c in enumerate(caps)),
        Talk(path=_fast(), name=CONTROL, start_s=20.0),
    )
    assert _verdict(*talks).state != "blocked"


def test_the_same_capture_gives_the_same_findings() -> None:
    made = [capture(*_aba(policed(_fast(), 200e3, 25e3))) for _ in range(2)]
    assert list(Throttling().analyse(made[0])) == list(Throttling().analyse(made[1]))


def test_every_finding_cites_packets_that_exist() -> None:
    made = capture(*_aba(shaped(_fast(), 200e3, 10e3)))
    count = len(made.recordings[0].columns)
    for finding in Throttling().analyse(made):
        assert finding.packets
        assert all(1 <= c.number <= count for c in finding.packets)
