"""What the probes for certificates, veils and clients send, and when they stop."""

from __future__ import annotations

from collections.abc import Callable

from fingerprint.steps import BARE, ESNI, IN_THE_CLEAR, OTHER_CLIENT, VEILED, Control, Hello, Replies, Send, Target
from techniques.ech_blocking import EchBlocking
from techniques.tls_fingerprint_blocking import TlsFingerprintBlocking
from techniques.tls_interception import TlsInterception

HERE, AWAY = "192.0.2.1", "198.51.100.9"
TARGET = Target(
    name="forum.test", addresses=(HERE,), controls=(Control(name="garden.test", addresses=(AWAY,)),), hops=4
)
Fate = Callable[[Hello], str]


def sent(technique, fate: Fate, target: Target = TARGET, *, took_s: float = 0.1) -> list[tuple[str, str | None, str]]:
    """(form, name, role) of every step, each answered as ``fate`` says."""
    out, probe, replies = [], technique.probe(target), None
    while True:
        try:
            step = probe.send(replies)
        except StopIteration:
            return out
        assert isinstance(step, Send)
        assert isinstance(step.message, Hello)
        out.append((step.message.form, step.message.name, step.role))
        replies = Replies(outcome=fate(step.message), took_s=took_s)


def passes(_: Hello) -> str:
    return "answered"


def test_where_no_veil_is_minded_each_is_tried_once_and_never_under_the_target_s_name() -> None:
    assert sent(EchBlocking(), passes) == [
        (BARE, "garden.test", "control"), (VEILED, "garden.test", "target"), (ESNI, "garden.test", "target"),
    ]  # fmt: skip


def test_where_a_veil_fails_the_target_is_greeted_both_ways_in_turn() -> None:
    steps = sent(EchBlocking(), lambda m: "silent" if m.form == VEILED else "answered")
    mine = [form for form, name, _ in steps if name == "forum.test"]
    assert mine == [BARE, VEILED] * 3
    assert all(role == "target" for _, name, role in steps if name == "forum.test"), "its own name may be minded"


def test_where_nothing_passes_a_veil_cannot_be_tried() -> None:
    assert len(sent(EchBlocking(), lambda _: "reset")) == 1


def test_two_clients_are_told_apart_only_while_one_passes_and_one_fails() -> None:
    steps = sent(TlsFingerprintBlocking(), lambda m: "answered" if m.form == OTHER_CLIENT else "reset")
    assert [form for form, name, _ in steps if name == "forum.test"] == [OTHER_CLIENT, "plain"] * 3
    assert steps[0] == (OTHER_CLIENT, "garden.test", "control")
    assert {name for _, name, _ in steps} == {"forum.test", "garden.test"}
    assert len(sent(TlsFingerprintBlocking(), passes)) == 3
    assert len(sent(TlsFingerprintBlocking(), lambda _: "reset")) == 1


def test_a_certificate_is_asked_for_once_where_it_comes_in_time() -> None:
    pairs = [s for s in sent(TlsInterception(), lambda m: "silent" if m.ttl_hops else "answered") if s[2] == "target"]
    assert pairs == [(IN_THE_CLEAR, "forum.test", "target")]


def test_without_a_control_or_tls_nothing_is_sent() -> None:
    for technique in (EchBlocking(), TlsInterception()):
        assert sent(technique, passes, Target(name="forum.test", addresses=(HERE,))) == []
        plain = Target(name="forum.test", addresses=(HERE,), controls=TARGET.controls, secure=False)
        assert sent(technique, passes, plain) == []
