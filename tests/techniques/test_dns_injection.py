"""False DNS answers: each sign in a case that shows it, and beside it the honest case that looks alike."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerprint.capture import Capture
from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from fingerprint.verdict.model import Verdict
from techniques.dns_injection import (
    DENIED_AND_ANSWERED,
    IMPOSSIBLE,
    NO_RESOLVER_BUT_LIVE_NAMES,
    NO_RESOLVER_THERE,
    SOONER,
    SOONER_THAN_OTHERS,
    TWO_ANSWERS,
    TWO_ANSWERS_ALIKE,
    UNLIKE_THE_RESOLVER,
    DnsInjection,
)
from tests.conversations.dns_talk import CLIENT, FALSE, RESOLVER, SITE, Talk, answer, query

NAME = "news.example.net"
CLIENT_END, RESOLVER_END = (CLIENT, 4000), (RESOLVER, 53)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(path=tmp_path / "talk.pcap")


def findings(capture: Capture) -> tuple[Finding, ...]:
    return tuple(DnsInjection().analyse(capture))


def seen(capture: Capture, name: str = NAME) -> dict[str, Evidence]:
    """Evidence about a name, by clue."""
    return {f.clue.id: f for f in findings(capture) if isinstance(f, Evidence) and f.subject.name == name}


def doubts(capture: Capture) -> list[str]:
    return [f.why for f in findings(capture) if isinstance(f, Inconclusive)]


def verdict(capture: Capture, name: str = NAME) -> Verdict:
    return next(v for v in judge(capture, [("dns-injection", f) for f in findings(capture)]) if v.target == name)


def controls(talk: Talk, *, resolver: str = RESOLVER, rtt_s: float = 0.03) -> None:
    """Honest answers to other names."""
    for i, name in enumerate(("www.weather.example", "library.test", "museum.example.org")):
        talk.lookup(-3.0 + i, name, f"93.184.{20 + i}.10", resolver=resolver, rtt_s=rtt_s + i / 5000)


def raced(
    talk: Talk, *false: str, kind: str = "A", true: tuple[str, ...] = (SITE,), ttl_hops: int = 60, df: bool = True,
    after_s: float = 0.005, at_s: float = 0.0, rcode: int = 0, aa: bool = False,
) -> None:  # fmt: skip
    """A query, a forged answer and the genuine one 30 ms after the query."""
    asked, client = query(NAME, kind), (CLIENT, 4000 + len(talk.packets))
    talk.udp(at_s, client, RESOLVER_END, asked, ttl_hops=64)
    forged = answer(asked, *false, rcode=rcode, aa=aa)
    talk.udp(at_s + after_s, RESOLVER_END, client, forged, ttl_hops=ttl_hops, df=df)
    talk.udp(at_s + 0.03, RESOLVER_END, client, answer(asked, *true))
    talk.packets.sort(key=lambda packet: packet[0])


# Races


def test_two_answers_that_no_one_resolver_gives_are_a_race_on_the_path(talk: Talk) -> None:
    controls(talk)
    raced(talk, FALSE, ttl_hops=57, df=False)
    evidence = seen(talk.capture())[TWO_ANSWERS.id]
    assert [p.number for p in evidence.packets] == [7, 8, 9]
    assert (evidence.facets.position, evidence.disputes) == ("on-path", (FALSE,))
    assert evidence.facets.trigger is not None
    assert evidence.facets.trigger.value == NAME


def test_raced_on_both_types_a_name_is_blocked(talk: Talk) -> None:
    controls(talk)
    raced(talk, FALSE, ttl_hops=57, df=False)
    raced(talk, FALSE, kind="AAAA", true=(), ttl_hops=57, df=False, at_s=0.2)
    said = verdict(talk.capture())
    assert said.state == "blocked"
    assert [(m.node, m.position) for m in said.mechanisms] == [("dns.injection.other", "on-path")]


def test_an_injector_that_copies_the_ip_ttl_is_still_told_by_other_headers_and_time(talk: Talk) -> None:
    controls(talk)
    raced(talk, FALSE, df=False)
    assert {TWO_ANSWERS.id, SOONER_THAN_OTHERS.id} <= seen(talk.capture()).keys()


def test_a_single_race_with_time_and_headers_against_it_blocks(talk: Talk) -> None:
    controls(talk)
    raced(talk, FALSE, ttl_hops=57, df=False)
    assert verdict(talk.capture()).state == "blocked"


def test_one_flag_of_the_message_does_not_show_two_senders(talk: Talk) -> None:
    raced(talk, FALSE, aa=True)
    assert TWO_ANSWERS_ALIKE.id in seen(talk.capture())


def test_a_relay_that_passes_on_a_failure_and_then_an_answer_is_no_injector(talk: Talk) -> None:
    raced(talk, rcode=2, aa=True)
    assert seen(talk.capture()) == {}
    assert "a relay that asks two resolvers" in doubts(talk.capture())[0]


def test_with_equal_headers_a_race_is_a_weaker_clue(talk: Talk) -> None:
    raced(talk, FALSE)
    assert TWO_ANSWERS_ALIKE.id in seen(talk.capture())
    assert verdict(talk.capture()).state == "insufficient"


def test_a_raced_bogon_names_its_own_leaf(talk: Talk) -> None:
    controls(talk)
    for at_s in (0.0, 1.0):
        raced(talk, "10.10.34.34", ttl_hops=57, df=False, at_s=at_s)
    said = verdict(talk.capture())
    assert [(m.node, m.position) for m in said.mechanisms] == [("dns.injection.bogon", "on-path")]


def test_answers_of_several_injectors_are_all_false(talk: Talk) -> None:
    controls(talk)
    asked = query(NAME)
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked)
    for i, false in enumerate((FALSE, "199.59.148.20", "108.160.166.92")):
        talk.udp(0.004 + i / 1000, RESOLVER_END, CLIENT_END, answer(asked, false), ttl_hops=50 + i, df=bool(i))
    talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(asked, SITE))
    evidence = seen(talk.capture())[TWO_ANSWERS.id]
    assert set(evidence.disputes) == {FALSE, "199.59.148.20", "108.160.166.92"}


def test_a_forged_denial_that_outruns_the_data_denies_the_name(talk: Talk) -> None:
    controls(talk)
    for at_s in (0.0, 1.0):
        raced(talk, rcode=3, ttl_hops=57, df=False, at_s=at_s)
    capture = talk.capture()
    assert seen(capture)[DENIED_AND_ANSWERED.id].disputes == ()
    assert [(m.node, m.position) for m in verdict(capture).mechanisms] == [("dns.nxdomain", "on-path")]


def test_equal_forgeries_under_other_ip_headers_show_two_senders(talk: Talk) -> None:
    controls(talk)
    asked = query(NAME)
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked, ttl_hops=64)
    talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(asked, SITE))
    for i, df in enumerate((True, False)):
        talk.udp(0.06 + i / 1000, RESOLVER_END, CLIENT_END, answer(asked, FALSE, aa=True), df=df)
    evidence = seen(talk.capture())[TWO_ANSWERS.id]
    assert "the genuine one first" in evidence.says
    assert evidence.disputes == (FALSE,)


def test_an_ip_id_outside_the_resolvers_counter_is_another_senders(talk: Talk) -> None:
    talk.lookup(-1.0, "library.test", "93.184.20.10")
    asked = query(NAME)
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked)
    talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(asked, SITE))
    talk.udp(0.04, RESOLVER_END, CLIENT_END, answer(asked, FALSE, aa=True), ip_id=0xEEEE)
    talk.lookup(1.0, "museum.test", "93.184.21.10")
    assert "IP ID sequence" in seen(talk.capture())[TWO_ANSWERS.id].says


def test_a_forged_answer_that_comes_late_is_named_as_late(talk: Talk) -> None:
    controls(talk)
    raced(talk, FALSE, ttl_hops=57, df=False, after_s=0.04)
    evidence = seen(talk.capture())[TWO_ANSWERS.id]
    assert "the genuine one first" in evidence.says
    assert evidence.disputes == (FALSE,)


def test_without_the_query_close_answers_of_two_senders_are_a_weaker_clue(talk: Talk) -> None:
    raced(talk, FALSE, ttl_hops=57, df=False)
    del talk.packets[0]
    assert TWO_ANSWERS_ALIKE.id in seen(talk.capture())


def test_without_the_query_answers_a_second_apart_may_be_to_two_queries(talk: Talk) -> None:
    raced(talk, FALSE, ttl_hops=57, df=False, after_s=1.2)
    del talk.packets[0]
    assert seen(talk.capture()) == {}


def test_rotation_is_no_race(talk: Talk) -> None:
    raced(talk, SITE, "93.184.216.21", true=("93.184.216.21", SITE), ttl_hops=57, df=False)
    assert findings(talk.capture()) == ()


def test_a_repeated_query_explains_two_answers(talk: Talk) -> None:
    asked = query(NAME)
    for at_s, given_, ttl_hops in ((0.0, FALSE, 57), (1.0, SITE, 60)):
        talk.udp(at_s, CLIENT_END, RESOLVER_END, asked)
        talk.udp(at_s + 0.03, RESOLVER_END, CLIENT_END, answer(asked, given_), ttl_hops=ttl_hops)
    assert seen(talk.capture()) == {}
    assert "a repeated query explains them" in doubts(talk.capture())[0]


def test_repeated_queries_do_not_hide_an_injector_that_answers_each(talk: Talk) -> None:
    asked = query(NAME)
    for at_s in (0.0, 1.0):
        talk.udp(at_s, CLIENT_END, RESOLVER_END, asked)
        talk.udp(at_s + 0.005, RESOLVER_END, CLIENT_END, answer(asked, FALSE), ttl_hops=57, df=False)
        talk.udp(at_s + 0.03, RESOLVER_END, CLIENT_END, answer(asked, SITE))
    assert TWO_ANSWERS.id in seen(talk.capture())


def test_an_answer_captured_twice_is_no_race(talk: Talk) -> None:
    asked = talk.lookup(0.0, NAME, SITE, port=4000)
    talk.udp(0.0301, RESOLVER_END, CLIENT_END, answer(asked, SITE), ttl_hops=59, ip_id=102)
    assert findings(talk.capture()) == ()


def test_a_datagram_rewritten_by_the_capturing_host_is_no_race(talk: Talk) -> None:
    asked = query(NAME)
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked)
    for ttl_hops, given_ in ((60, SITE), (59, "10.0.0.9")):
        talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(asked, given_), ttl_hops=ttl_hops, ip_id=77)
    assert TWO_ANSWERS.id not in seen(talk.capture())


def test_a_truncated_answer_and_its_retry_over_tcp_agree(talk: Talk) -> None:
    asked = query(NAME)
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked)
    talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(asked, truncated=True))
    talk.over_tcp(0.1, NAME, SITE)
    assert findings(talk.capture()) == ()


# Answers that do not fit the question


def test_an_a_record_for_an_aaaa_query_is_impossible(talk: Talk) -> None:
    talk.lookup(0.0, NAME, FALSE, kind="AAAA")
    assert seen(talk.capture())[IMPOSSIBLE.id].disputes == (FALSE,)


def test_a_teredo_address_serves_nobody(talk: Talk) -> None:
    talk.lookup(0.0, NAME, "2001::1f0d:5e25", kind="AAAA")
    assert IMPOSSIBLE.id in seen(talk.capture())


def test_an_aaaa_record_for_an_aaaa_query_is_ordinary(talk: Talk) -> None:
    talk.lookup(0.0, NAME, "2606:2800::1", kind="AAAA")
    assert findings(talk.capture()) == ()


# Time and headers


def _forged_alone(talk: Talk, *, rtt_s: float = 0.005, ttl_hops: int = 57, resolver: str = RESOLVER) -> Capture:
    controls(talk, resolver=resolver)
    talk.handshake(-0.5, resolver, 53)
    talk.lookup(0.0, NAME, FALSE, resolver=resolver, rtt_s=rtt_s, ttl_hops=ttl_hops, df=ttl_hops == 60)
    return talk.capture()


def test_an_answer_sooner_than_a_handshake_and_with_other_headers_is_not_the_resolvers(talk: Talk) -> None:
    evidence = seen(_forged_alone(talk))
    assert {SOONER.id, UNLIKE_THE_RESOLVER.id} <= evidence.keys()
    assert evidence[SOONER.id].facets.position is None


def test_being_soon_alone_is_what_caches_do(talk: Talk) -> None:
    assert findings(_forged_alone(talk, ttl_hops=60)) == ()


def test_other_headers_alone_are_what_anycast_does(talk: Talk) -> None:
    assert findings(_forged_alone(talk, rtt_s=0.03)) == ()


def test_a_resolver_in_the_own_network_may_be_as_fast_as_it_likes(talk: Talk) -> None:
    assert findings(_forged_alone(talk, resolver="192.168.1.1")) == ()


# Addresses that run no resolver

NOBODY = "93.184.99.99"


def _silence(talk: Talk, *, answers_control: bool = False) -> None:
    for i, at_s in enumerate((-6.0, -5.0, 8.0, 9.0)):
        asked = query(f"control{i}.example", id_=i + 1)
        talk.udp(at_s, (CLIENT, 5000 + i), (NOBODY, 53), asked)
        if answers_control:
            talk.udp(at_s + 0.03, (NOBODY, 53), (CLIENT, 5000 + i), answer(asked, SITE))
    talk.packets.append((1014.0, talk.packets[-1][1]))


def test_an_answer_where_no_resolver_runs_is_forged(talk: Talk) -> None:
    _silence(talk)
    talk.lookup(0.0, NAME, FALSE, resolver=NOBODY)
    talk.packets.sort(key=lambda packet: packet[0])
    evidence = seen(talk.capture())[NO_RESOLVER_THERE.id]
    assert len(evidence.packets) > 2


def test_silence_weighs_more_where_others_answer_the_silent_names(talk: Talk) -> None:
    _silence(talk)
    for at_s in (-1.0, 1.0, 4.0):
        talk.lookup(at_s, NAME, FALSE, resolver=NOBODY)
    for i in range(4):
        talk.lookup(6.0 + i / 10, f"control{i}.example", SITE)
    talk.packets.sort(key=lambda packet: packet[0])
    capture = talk.capture()
    assert NO_RESOLVER_BUT_LIVE_NAMES.id in seen(capture)
    assert [m.node for m in verdict(capture).mechanisms] == ["dns.injection.other"]


def test_a_proxy_that_answers_the_control_too_is_no_injector(talk: Talk) -> None:
    _silence(talk, answers_control=True)
    talk.lookup(0.0, NAME, FALSE, resolver=NOBODY)
    talk.packets.sort(key=lambda packet: packet[0])
    assert NO_RESOLVER_THERE.id not in seen(talk.capture())


def test_a_server_that_answers_only_for_its_own_zone_is_no_injector(talk: Talk) -> None:
    _silence(talk)
    asked = query(NAME)
    talk.udp(0.0, CLIENT_END, (NOBODY, 53), asked)
    talk.udp(0.03, (NOBODY, 53), CLIENT_END, answer(asked, SITE, aa=True))
    talk.packets.sort(key=lambda packet: packet[0])
    assert NO_RESOLVER_THERE.id not in seen(talk.capture())


def test_an_authority_that_refuses_other_types_speaks_of_its_own_zone_still(talk: Talk) -> None:
    _silence(talk)
    for port, kind, said in ((6000, "A", {"aa": True}), (6001, "AAAA", {"rcode": 5})):
        asked = query(NAME, kind)
        talk.udp(0.0, (CLIENT, port), (NOBODY, 53), asked)
        talk.udp(0.03, (NOBODY, 53), (CLIENT, port), answer(asked, *([SITE] if kind == "A" else []), **said))
    talk.packets.sort(key=lambda packet: packet[0])
    assert not any("no-resolver" in clue for clue in seen(talk.capture()))


# Whatever bytes a censor sends, analyse() finishes and cites only packets that exist


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), changes=st.integers(0, 60))
def test_whatever_bytes_arrive_only_packets_that_exist_are_cited(tmp_path: Path, seed: int, changes: int) -> None:
    talk, chance = Talk(path=tmp_path / "talk.pcap"), random.Random(seed)
    raced(talk, FALSE, kind="AAAA", ttl_hops=57, df=False, at_s=20.0)
    for _ in range(changes):
        at = chance.randrange(len(talk.packets))
        at_s, frame = talk.packets[at]
        mangled = bytearray(frame)
        mangled[chance.randrange(14, len(frame))] = chance.choice((0, 0xC0, 0xFF, chance.randrange(256)))
        talk.packets[at] = (at_s + chance.choice((0, 0, 0.1, -5)), bytes(mangled[: chance.choice((len(frame), 60))]))
    for finding in findings(talk.capture()):
        assert all(p.capture == 0 and 1 <= p.number <= len(talk.packets) for p in finding.packets)
        assert finding.packets
