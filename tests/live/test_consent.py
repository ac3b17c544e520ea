"""What is told before the first packet, and what is listed."""

from __future__ import annotations

import io

import pytest

from captures.errors import TargetError
from fingerprint.live import consent
from fingerprint.live.asking import Named, Wish
from fingerprint.live.running import foreseen_plan
from fingerprint.plugins import registry
from fingerprint.steps import Datagram, Hello, Payload, Send
from fingerprint.technique import Technique
from tests.live.wires import SERVER


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Sends(Technique):
    def probe(self, target):
        replies = yield Send(Hello(address=target.addresses[0], name=target.name), label="trigger", listen_s=1)
        if replies.outcome == "reset":
            for hops in (1, 2):
                yield Send(
                    Hello(address=target.addresses[0], name=target.name, ttl_hops=hops), label="x", seeks="location"
                )
        if replies.outcome == "silent":
            yield Send(Hello(address=target.addresses[0], name="quiet.test"), label="after silence")

    def analyse(self, capture):
        yield from ()


PLAN = Wish(targets=(Named(name=SERVER),), controls=("herbs.test",)).plan({SERVER: (SERVER,)}, (), "none")
STEPS = consent.foreseen(PLAN, [("sends", Sends())])


def test_the_list_holds_the_longest_course_and_what_only_others_send():
    assert [s.step.message.name for s in STEPS] == [SERVER, SERVER, SERVER, "quiet.test"]


def test_a_dry_run_names_every_step_and_place():
    out = io.StringIO()
    consent.dry_run(PLAN, STEPS, out)
    lines = out.getvalue().splitlines()
    assert f"{SERVER} port 443/tcp" in lines[0]
    assert "2 hops far" in lines[2]
    assert "only if something was found" in lines[2]
    assert "Nothing was sent" in lines[-1]


def test_payloads_and_datagrams_are_told_with_their_names_and_places():
    class Other(Technique):
        def probe(self, target):
            yield Send(Payload(address=SERVER, port=22, payload=b"SSH-2.0-Go\r\n"), label="banner")
            yield Send(
                Datagram(address=SERVER, port=443, payload=bytes(1200), name="quic.test", copies=3), label="quic"
            )
            yield Send(Datagram(address=SERVER, port=3478, payload=bytes(20), ttl_hops=4), label="stun")

        def analyse(self, capture):
            yield from ()

    steps = consent.foreseen(PLAN, [("other", Other())])
    out = io.StringIO()
    consent.dry_run(PLAN, steps, out)
    payload, quic, stun = out.getvalue().splitlines()[:3]
    assert f"{SERVER} port 22/tcp" in payload
    assert "payload of 12 bytes" in payload
    assert f"{SERVER} port 443/udp" in quic
    assert "datagram of 1200 bytes that names quic.test, up to 3 times" in quic
    assert "4 hops far" in stun
    said = "\n".join(consent.explain(PLAN, steps))
    assert f"the name quic.test to {SERVER}" in said
    assert consent.cost(PLAN, steps)[0] > 3


def test_a_sensitive_name_is_named_one_by_one():
    said = "\n".join(consent.explain(PLAN, STEPS, sensitive={SERVER}))
    assert f"{SERVER} is a sensitive name" in said


def test_yes_goes_on_and_anything_else_does_not(capsys):
    consent.ask(PLAN, STEPS, yes=False, given=Terminal("yes\n"))
    consent.ask(PLAN, STEPS, yes=True, given=io.StringIO(""))
    for word in ("no\n", "\n", ""):
        with pytest.raises(TargetError, match="nothing was sent"):
            consent.ask(PLAN, STEPS, yes=False, given=Terminal(word))
    with pytest.raises(TargetError, match="--yes"):
        consent.ask(PLAN, STEPS, yes=False, given=io.StringIO("yes\n"))


def test_a_dry_run_of_the_built_in_techniques_sends_and_asks_nothing(monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    plan = foreseen_plan(Wish(targets=(Named(name="forum.test"),), resolvers=("192.0.2.53",)))
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = consent.foreseen(plan, registry.load().techniques)
    assert {one.technique for one in found} >= {"dns-injection", "sni-filtering", "tcp-rst-injection", "throttling"}
    packets, size_bytes = consent.cost(plan, found)
    assert 0 < size_bytes <= 20_000_000
    assert packets > 0
