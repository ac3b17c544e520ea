"""What the techniques' probes send, given what comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fingerprint.plugins import registry
from fingerprint.probing.names_asked import never_registered
from fingerprint.steps import FORMS, NAMED_BY_SERVER, Control, Handshake, Hello, Query, Replies, Request, Send, Transfer
from tests.probing.worlds import TARGET

TECHNIQUES = dict(registry.load().techniques)
BOTH = replace(
    TARGET,
    addresses=("45.83.220.10", "2a0e:97c0:220::10"),
    controls=(Control(name="garden.test", addresses=("45.83.221.20", "2a0e:97c0:221::20")),),
)
FAR_S = 0.05


def sent(technique: str, target, reply) -> list[Send]:
    """All that is sent if every message is answered so."""
    steps, out, answer = TECHNIQUES[technique].probe(target), [], None
    try:
        while len(out) < 1000:
            step = steps.send(answer)
            answer = None
            if isinstance(step, Send):
                out.append(step)
                answer = reply(step)
    except StopIteration:
        return out
    raise AssertionError("it never ends")


def passing(step: Send) -> Replies:
    m = step.message
    if isinstance(m, Query) and m.resolver not in BOTH.resolvers:
        return Replies(outcome="silent")
    if isinstance(m, Transfer):
        up = m.size_bytes if m.upload else 0
        return Replies(outcome="answered", took_s=FAR_S, received_bytes=m.size_bytes - up, sent_bytes=up, span_s=0.5)
    return Replies(outcome="answered", took_s=FAR_S)


def failing(outcome: str, hops: int = 4):
    """Everything named forum.test fails; routers answer, the far end is ``hops`` + 1 away."""

    def reply(step: Send) -> Replies:
        m = step.message
        ttl = getattr(m, "ttl_hops", None)
        if ttl is not None and ttl <= hops:
            return Replies(outcome="silent", answers=(f"router {ttl}",))
        return Replies(outcome=outcome) if step.role == "target" and not isinstance(m, Handshake) else passing(step)

    return reply


@pytest.mark.parametrize("technique", ["dns-injection", "sni-filtering", "tcp-rst-injection", "throttling"])
@pytest.mark.parametrize("reply", [passing, failing("reset"), failing("silent"), failing("slow")])
def test_only_hosts_that_the_user_named_are_spoken_to(technique, reply):
    named = {*BOTH.addresses, *BOTH.resolvers, *BOTH.controls[0].addresses}
    for step in sent(technique, BOTH, reply):
        m = step.message
        assert (m.resolver if isinstance(m, Query) else m.address) in named
        if isinstance(m, Query):
            assert m.name in {BOTH.name, "garden.test", never_registered(BOTH)}


def test_a_false_answer_is_not_visited():
    def lying(step: Send) -> Replies:
        answers = ("81.17.26.80",) if step.message.name == BOTH.name else ("45.83.221.20",)
        return Replies(outcome="answered", took_s=FAR_S, answers=answers)

    assert all(isinstance(s.message, Query) for s in sent("dns-injection", BOTH, lying))


def test_every_resolver_is_asked_for_both_types_over_both_transports():
    steps = sent("dns-injection", BOTH, passing)
    asked = {(s.message.resolver, s.message.over, s.message.rtype) for s in steps if s.message.name == BOTH.name}
    for resolver in BOTH.resolvers:
        assert {(resolver, over, t) for over in ("udp", "tcp") for t in ("A", "AAAA")} <= asked
    assert any(s.message.name == never_registered(BOTH) for s in steps)
    assert never_registered(BOTH) != never_registered(replace(BOTH, seed=2))


def test_where_no_resolver_runs_the_control_is_asked_first():
    steps = [s for s in sent("dns-injection", BOTH, passing) if s.message.resolver in BOTH.addresses]
    assert {s.message.resolver for s in steps} == set(BOTH.addresses)
    for address in BOTH.addresses:
        first, second = [s for s in steps if s.message.resolver == address][:2]
        assert (first.role, second.role) == ("control", "target")


def test_a_proxy_that_answers_for_every_address_is_not_asked_on():
    def proxied(step: Send) -> Replies:
        return Replies(outcome="answered", took_s=FAR_S, answers=("45.83.220.10",))

    steps = [s for s in sent("dns-injection", BOTH, proxied) if s.message.resolver in BOTH.addresses]
    assert [s.role for s in steps] == ["control"] * 2
    assert {s.message.name for s in steps} == {"garden.test"}


def test_an_answer_from_no_resolver_is_placed():
    def injecting(step: Send) -> Replies:
        m = step.message
        if m.resolver in BOTH.resolvers:
            return passing(step)
        ttl = m.ttl_hops or 64
        if m.name == BOTH.name and ttl >= 3:
            return Replies(outcome="answered", took_s=0.01, answers=("10.10.34.34",))
        return Replies(outcome="silent", answers=(f"router {ttl}",) if ttl < 5 else ())

    steps = sent("dns-injection", BOTH, injecting)
    swept = [s for s in steps if s.seeks == "location"]
    assert {s.role for s in swept} == {"control", "target"}
    assert {s.message.ttl_hops for s in swept if s.role == "target"} >= {2, 3}


def test_an_address_as_target_has_no_name_to_ask_for():
    assert sent("dns-injection", replace(BOTH, name="45.83.220.10"), passing) == []
    assert sent("dns-injection", replace(BOTH, name="2a0e:97c0:220::10"), passing) == []


def test_pairs_of_hellos_differ_in_the_name_alone_on_both_families():
    steps = sent("sni-filtering", BOTH, passing)
    assert [s.role for s in steps] == ["control", "target"] * 6
    for control, trigger in zip(steps[::2], steps[1::2], strict=True):
        assert replace(control.message, name=None) == replace(trigger.message, name=None)
        assert control.trial == trigger.trial
    assert {s.message.address for s in steps} == set(BOTH.addresses)


def test_a_failing_hello_is_repeated_innocently_placed_and_told_in_every_form():
    steps = sent("sni-filtering", BOTH, failing("silent"))
    repeats = [s for s in steps if s.at_once]
    assert len(repeats) == 2, "once on each address"
    assert all(s.role == "control" for s in repeats)
    assert {s.seeks for s in steps} == {"mechanism", "location", "profile"}
    forms = {(s.message.form, s.role) for s in steps if s.seeks == "profile" and s.message.form != "plain"}
    assert forms == {(form, role) for form in FORMS if form != "plain" for role in ("control", "target")}
    beside = {s.message.address for s in steps if s.seeks == "profile" and s.message.form == "plain"}
    assert beside == set(BOTH.controls[0].addresses), "the name at the control's address"


def test_a_form_that_the_control_fails_in_is_not_tried_with_the_target():
    def reply(step: Send) -> Replies:
        if isinstance(step.message, Hello) and step.message.form == "ech":
            return Replies(outcome="alert" if step.role == "target" else "reset")
        return failing("reset")(step)

    steps = [s for s in sent("sni-filtering", BOTH, reply) if s.message.form == "ech"]
    assert [s.role for s in steps] == ["control"]


def test_in_the_clear_the_host_takes_the_place_of_the_name():
    plain = replace(BOTH, secure=False, port=80)
    steps = sent("http-filtering", plain, failing("reset"))
    assert all(isinstance(s.message, Request) for s in steps)
    assert {s.message.host for s in steps} == {"forum.test", "garden.test"}


def test_a_skipped_pair_ends_the_pairs_of_an_address():
    steps = sent("sni-filtering", BOTH, lambda _: Replies(outcome="skipped"))
    assert [s.role for s in steps] == ["control", "control"]


def test_without_a_control_no_hello_is_sent():
    assert sent("sni-filtering", replace(BOTH, controls=()), passing) == []
    assert sent("throttling", replace(BOTH, controls=()), passing) == []


def test_handshakes_go_to_both_servers_and_the_certificate_names_the_target():
    steps = sent("tcp-rst-injection", BOTH, passing)
    assert {s.message.address for s in steps if isinstance(s.message, Handshake)} == {
        *BOTH.addresses, *BOTH.controls[0].addresses,
    }  # fmt: skip
    nameless = [s for s in steps if isinstance(s.message, Hello)]
    assert [s.role for s in nameless] == ["control", "target"]
    assert all((s.message.form, s.message.name) == (NAMED_BY_SERVER, None) for s in nameless)


def test_transfers_that_run_alike_are_not_repeated():
    steps = sent("throttling", BOTH, passing)
    assert [(s.role, s.message.upload) for s in steps] == [
        ("control", False), ("target", False), ("control", True), ("target", True),
    ]  # fmt: skip
    assert len({s.message.size_bytes for s in steps}) == 1


def slowed(step: Send) -> Replies:
    m = step.message
    if isinstance(m, Transfer) and step.role == "target" and m.decoy is None:
        return Replies(outcome="slow", took_s=FAR_S, received_bytes=60_000, sent_bytes=60_000, span_s=5.0)
    return failing("silent")(step) if isinstance(m, Hello) else passing(step)


def test_a_slow_transfer_is_repeated_in_turn_and_placed_behind_decoys():
    steps = sent("throttling", BOTH, slowed)
    assert [s.role for s in steps if isinstance(s.message, Transfer) and not s.message.decoy] == [
        "control",
        "target",
    ] * 4
    decoys = [s.message.decoy for s in steps if isinstance(s.message, Transfer) and s.message.decoy]
    assert decoys
    assert {d.name for d in decoys} == {BOTH.name}


@pytest.mark.parametrize("outcome", ["reset", "silent", "alert", "unanswered"])
def test_what_is_blocked_outright_is_not_timed_again(outcome):
    def reply(step: Send) -> Replies:
        return Replies(outcome=outcome) if step.role == "target" else passing(step)

    assert [s.role for s in sent("throttling", BOTH, reply)] == ["control", "target"]


def test_a_control_with_nothing_to_fetch_is_fetched_from_its_own_server():
    def reply(step: Send) -> Replies:
        small = step.role == "control" and step.message.address in BOTH.addresses
        return Replies(outcome="answered", took_s=FAR_S, received_bytes=900) if small else passing(step)

    steps = sent("throttling", BOTH, reply)
    where = [(s.role, s.message.address) for s in steps][:3]
    assert where == [
        ("control", BOTH.addresses[0]),
        ("control", BOTH.controls[0].addresses[0]),
        ("target", BOTH.addresses[0]),
    ]


def test_no_transfer_is_larger_than_the_target_allows():
    small = replace(BOTH, transfer_bytes=200_000)
    assert (
        max(s.message.size_bytes for s in sent("throttling", small, slowed) if isinstance(s.message, Transfer))
        == 200_000
    )


def test_beside_tls_one_pair_of_requests_is_sent_and_no_more_while_it_passes():
    def served(step: Send) -> Replies:
        return Replies(outcome="answered", took_s=FAR_S, heard=b"HTTP/1.1 200 OK\r\n\r\n<html>herbs</html>")

    steps = sent("http-filtering", replace(BOTH, path="/"), served)
    assert [(s.role, s.message.port, s.message.path) for s in steps] == [("control", 80, "/"), ("target", 80, "/")] * 2
    assert {s.message.address for s in steps} == set(BOTH.addresses)
    with_path = sent("http-filtering", replace(BOTH, path="/june"), served)
    assert {s.message.path for s in with_path} == {"/", "/june"}


@pytest.mark.parametrize(
    ("heard", "more"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n<html>This site is blocked by order of a court</html>", True),
        (b"HTTP/1.1 302 Found\r\nLocation: http://notice.test/\r\n\r\n", True),
        (b"<html>This site is blocked</html>", True),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>the forum</html>", False),
    ],
)
def test_an_answer_of_another_kind_than_the_controls_is_looked_into(heard, more):
    def reply(step: Send) -> Replies:
        said = heard if step.role == "target" else b"HTTP/1.1 200 OK\r\n\r\n<html>herbs</html>"
        return Replies(outcome="answered", took_s=FAR_S, heard=said)

    steps = sent("http-filtering", replace(BOTH, path="/"), reply)
    assert any(s.seeks == "location" for s in steps) is more
    assert any(s.at_once for s in steps) is more


def test_a_path_that_fails_is_asked_for_beside_a_harmless_one_and_under_another_host():
    def reply(step: Send) -> Replies:
        fails = step.message.path == "/june" and step.message.host == BOTH.name
        return Replies(outcome="reset") if fails else Replies(outcome="answered", took_s=FAR_S)

    asked = {(s.message.host, s.message.path) for s in sent("http-filtering", replace(BOTH, path="/june"), reply)}
    assert {(BOTH.name, "/"), ("garden.test", "/june"), (BOTH.name, "/june"), (BOTH.name, "/herb")} <= asked


def test_a_word_that_fails_the_control_as_well_is_asked_for_beside_a_harmless_one():
    def reply(step: Send) -> Replies:
        return Replies(outcome="reset" if step.message.path == "/june" else "answered", took_s=FAR_S)

    asked = {(s.message.host, s.message.path) for s in sent("http-filtering", replace(BOTH, path="/june"), reply)}
    assert (BOTH.name, "/herb") in asked


def test_a_server_without_port_80_is_not_asked_on():
    steps = sent("http-filtering", BOTH, lambda _: Replies(outcome="refused"))
    assert all(s.seeks == "mechanism" for s in steps if s.message.path == "/")
    assert not any(s.seeks == "location" for s in steps)
