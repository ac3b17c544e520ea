"""Denied, refused and unanswered names: what convicts, and the honest case beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.capture import Capture
from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from techniques.dns_denial import (
    DENIED,
    DENIED_BY_CARRIER,
    DENIED_SOONER,
    FAILS_HERE,
    REFUSED_HERE,
    UNANSWERED,
    DnsDenial,
)
from tests.conversations.dns_talk import CLIENT, OTHER, SITE, Talk, answer, query

NAME = "news.example.net"
CARRIERS = "100.77.53.53"
PUBLIC = "81.90.1.1"


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(path=tmp_path / "talk.pcap")


def findings(capture: Capture) -> tuple[Finding, ...]:
    return tuple(DnsDenial().analyse(capture))


def seen(capture: Capture) -> dict[str, Evidence]:
    return {f.clue.id: f for f in findings(capture) if isinstance(f, Evidence)}


def state(capture: Capture) -> tuple[str, list[str]]:
    said = next(v for v in judge(capture, [("dns-denial", f) for f in findings(capture)]) if v.target == NAME)
    return said.state, [m.node for m in said.mechanisms]


def _denied(
    talk: Talk, resolver: str, *, rcode: int = 3, known: bool = True, controls: bool = True, rtt_s: float = 0.03
) -> Capture:
    for i, name in enumerate(("weather.test", "library.test") if controls else ()):
        talk.lookup(i, name, SITE, resolver=resolver)
    for i, kind in enumerate(("A", "AAAA")):
        asked, client = query(NAME, kind), (CLIENT, 4000 + i)
        talk.udp(3.0 + i, client, (resolver, 53), asked)
        talk.udp(3.0 + i + rtt_s, (resolver, 53), client, answer(asked, rcode=rcode))
    if known:
        talk.lookup(6.0, NAME, SITE, resolver=OTHER)
    return talk.capture()


def test_a_name_that_only_the_carriers_resolver_denies_is_blocked(talk: Talk) -> None:
    capture = _denied(talk, CARRIERS)
    evidence = seen(capture)[DENIED_BY_CARRIER.id]
    assert (evidence.facets.position, evidence.disputes) == ("resolver", ())
    assert state(capture) == ("blocked", ["dns.nxdomain"])


def test_a_public_resolver_that_denies_may_be_a_filter_that_was_chosen(talk: Talk) -> None:
    capture = _denied(talk, PUBLIC)
    assert DENIED.id in seen(capture)
    assert state(capture)[0] == "insufficient"


def test_a_denial_sooner_than_any_other_answer_says_so(talk: Talk) -> None:
    assert DENIED_SOONER.id in seen(_denied(talk, PUBLIC, rtt_s=0.004))


def test_a_name_that_nobody_knows_does_not_exist(talk: Talk) -> None:
    assert findings(_denied(talk, CARRIERS, known=False)) == ()


def test_a_resolver_that_answers_nothing_else_is_not_compared(talk: Talk) -> None:
    assert findings(_denied(talk, CARRIERS, controls=False)) == ()


def test_a_resolver_in_the_own_network_is_its_owners_business(talk: Talk) -> None:
    capture = _denied(talk, "192.168.1.1")
    assert seen(capture) == {}
    assert all(isinstance(f, Inconclusive) for f in findings(capture))


@pytest.mark.parametrize(("rcode", "clue"), [(5, REFUSED_HERE), (2, FAILS_HERE)])
def test_refusal_and_failure_alone_do_not_block(talk: Talk, rcode: int, clue: object) -> None:
    capture = _denied(talk, PUBLIC, rcode=rcode)
    assert [e.clue for e in seen(capture).values()] == [clue]
    assert state(capture)[0] == "insufficient"


def _unanswered(talk: Talk, *, queries: int = 3, after: bool = True, known: bool = True, shown: bool = True) -> Capture:
    if shown:
        talk.lookup(-1.0, "weather.test", SITE, resolver=OTHER)
    talk.lookup(0.0, "weather.test", SITE, resolver=PUBLIC)
    for port in (4000, 4001):
        for i in range(queries):
            talk.udp(1.0 + i, (CLIENT, port), (PUBLIC, 53), query(NAME))
    if after:
        talk.lookup(9.0, "library.test", SITE, resolver=PUBLIC)
    if known:
        talk.lookup(10.0, NAME, SITE, resolver=OTHER)
    talk.lookup(14.0, "museum.test", SITE, resolver=OTHER)
    return talk.capture()


def test_a_name_that_alone_gets_no_answer_is_dropped(talk: Talk) -> None:
    capture = _unanswered(talk)
    assert UNANSWERED.id in seen(capture)
    assert state(capture) == ("blocked", ["dns.timeout"])


def test_an_address_that_nothing_shows_to_run_a_resolver_drops_no_name(talk: Talk) -> None:
    capture = _unanswered(talk, shown=False)
    assert seen(capture) == {}
    assert any("nothing shows that" in f.why for f in findings(capture) if isinstance(f, Inconclusive))


def test_a_single_lost_query_proves_nothing(talk: Talk) -> None:
    capture = _unanswered(talk, queries=1)
    assert seen(capture) == {}
    assert findings(capture)


def test_a_resolver_that_fell_silent_for_all_names_is_down(talk: Talk) -> None:
    assert seen(_unanswered(talk, after=False)) == {}


def test_a_zone_that_no_resolver_can_reach_is_not_blocked(talk: Talk) -> None:
    assert seen(_unanswered(talk, known=False)) == {}
