"""Contradicted DNS answers: each sign in a case that shows it, and beside it the honest case that looks alike."""

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
from techniques.dns_manipulation import (
    ALONE,
    BOGON,
    BOGON_FOR_A_LIVE_NAME,
    CONTRADICTED,
    CONTRADICTED_PROVIDER,
    DEAD_BESIDE_LIVE,
    GIVES_BOGON,
    GIVES_OTHER,
    SHARED,
    SHARED_WIDELY,
    UDP_CHANGED_ALIKE,
    UDP_UNLIKE_TCP,
    ZERO_TTL,
    DnsManipulation,
)
from tests.captures.craft import client_hello
from tests.conversations.dns_talk import ACK, CLIENT, FALSE, OTHER, PSH, RESOLVER, SITE, SYN, Talk

NAME = "news.example.net"
ISP = "81.90.1.1"
PROVIDER = "198.32.1.1"  # in the client's own block, outside its network
THIRD = "208.67.222.222"


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(path=tmp_path / "talk.pcap")


def findings(capture: Capture) -> tuple[Finding, ...]:
    return tuple(DnsManipulation().analyse(capture))


def seen(capture: Capture, name: str = NAME) -> dict[str, Evidence]:
    """Evidence about a name, by clue."""
    return {f.clue.id: f for f in findings(capture) if isinstance(f, Evidence) and f.subject.name == name}


def doubts(capture: Capture) -> list[str]:
    return [f.why for f in findings(capture) if isinstance(f, Inconclusive)]


def verdict(capture: Capture, name: str = NAME) -> Verdict:
    return next(v for v in judge(capture, [("dns-manipulation", f) for f in findings(capture)]) if v.target == name)


def controls(talk: Talk, *, resolver: str = RESOLVER, rtt_s: float = 0.03) -> None:
    """Honest answers to other names."""
    for i, name in enumerate(("www.weather.example", "library.test", "museum.example.org")):
        talk.lookup(-3.0 + i, name, f"93.184.{20 + i}.10", resolver=resolver, rtt_s=rtt_s + i / 5000)


# Resolvers that contradict each other


def _dead(talk: Talk, address: str, at_s: float) -> None:
    for port in (443, 80):
        for i in range(3):
            talk.tcp(at_s + i + port / 1000, (CLIENT, 40000 + port), (address, port), SYN, 5, 0)


def _serves(talk: Talk, address: str, at_s: float) -> None:
    own = talk.handshake(at_s, address, 80)
    asked, said = f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode(), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    talk.tcp(at_s + 0.04, (CLIENT, own), (address, 80), PSH | ACK, 101, 901, asked)
    talk.tcp(at_s + 0.08, (address, 80), (CLIENT, own), PSH | ACK, 901, 101 + len(asked), said)


def _lies(
    talk: Talk, false: str, *, resolver: str = ISP, record_ttl_s: int = 0, dead: bool = True, serve: bool = True
) -> Capture:
    controls(talk, resolver=resolver)
    for at_s in (0.0, 0.5):
        talk.lookup(at_s, NAME, false, resolver=resolver, record_ttl_s=record_ttl_s)
    if dead:
        _dead(talk, false, 1.0)
    talk.lookup(8.0, NAME, SITE, resolver=OTHER, rtt_s=0.04)
    if serve:
        _serves(talk, SITE, 9.0)
    return talk.capture()


def test_a_resolver_that_names_a_dead_address_where_another_names_a_living_one_lies(talk: Talk) -> None:
    capture = _lies(talk, FALSE)
    assert {CONTRADICTED.id, DEAD_BESIDE_LIVE.id, ZERO_TTL.id, GIVES_OTHER.id} <= seen(capture).keys()
    said = verdict(capture)
    assert said.state == "blocked"
    assert [(m.node, m.position) for m in said.mechanisms] == [("dns.injection.other", "resolver")]


def test_resolvers_that_merely_differ_prove_nothing(talk: Talk) -> None:
    capture = _lies(talk, FALSE, record_ttl_s=60, dead=False)
    assert seen(capture) == {}
    assert "nothing says which is false" in doubts(capture)[0]


def test_a_resolver_in_the_own_network_may_filter_by_choice(talk: Talk) -> None:
    capture = _lies(talk, "192.168.1.2", resolver="192.168.1.2")
    assert seen(capture) == {}
    assert any("by choice" in why for why in doubts(capture))


def test_a_bogon_from_a_public_resolver_beside_a_public_address_is_evidence(talk: Talk) -> None:
    evidence = seen(_lies(talk, "10.10.34.34", dead=False, serve=False))
    assert {BOGON.id, GIVES_BOGON.id} <= evidence.keys()
    assert evidence[BOGON.id].disputes == ("10.10.34.34",)


def test_a_bogon_that_nobody_contradicts_is_split_horizon(talk: Talk) -> None:
    controls(talk)
    talk.lookup(0.0, NAME, "10.10.34.34")
    assert findings(talk.capture()) == ()


def test_a_null_address_may_be_a_filter_that_was_chosen(talk: Talk) -> None:
    capture = _lies(talk, "0.0.0.0", dead=False)
    assert BOGON.id not in seen(capture)
    assert any("filters say nowhere" in why for why in doubts(capture))


def test_a_local_name_that_the_router_answers_itself_is_not_forged(talk: Talk) -> None:
    controls(talk)
    talk.handshake(-0.5, RESOLVER, 53)
    talk.lookup(0.0, "routerlogin.example", "192.168.1.1", rtt_s=0.003, ttl_hops=64, df=False)
    assert findings(talk.capture()) == ()


def test_a_proxy_that_gives_every_name_an_address_of_its_own_is_no_censor(talk: Talk) -> None:
    for i, name in enumerate((NAME, "www.weather.example", "library.test")):
        talk.lookup(i, name, f"198.18.0.{i}")
        talk.lookup(i + 0.5, name, SITE, resolver=OTHER)
    capture = talk.capture()
    assert seen(capture) == {}
    assert any("no unrelated name" in why for why in doubts(capture))


def test_one_bogon_for_every_name_is_a_captive_portal(talk: Talk) -> None:
    for i, name in enumerate((NAME, "www.weather.example", "library.test")):
        talk.lookup(i, name, "10.1.1.1", resolver=ISP)
        talk.lookup(i + 0.5, name, SITE, resolver=OTHER)
    capture = talk.capture()
    assert seen(capture) == {}
    assert any("captive portal" in why for why in doubts(capture))


def test_one_address_for_unrelated_contradicted_names_is_evidence(talk: Talk) -> None:
    controls(talk, resolver=ISP)
    for i, (name, true) in enumerate(((NAME, SITE), ("chat.sample.com", "104.99.1.1"))):
        talk.lookup(i, name, FALSE, resolver=ISP)
        talk.lookup(i + 0.5, name, true, resolver=OTHER)
    evidence = seen(talk.capture())[SHARED.id]
    assert "chat.sample.com" in evidence.says
    assert verdict(talk.capture()).state != "blocked"


def test_one_address_for_names_of_one_owner_is_ordinary(talk: Talk) -> None:
    for i, name in enumerate(("www.example.net", "img.example.net")):
        talk.lookup(i, name, FALSE, resolver=ISP)
        talk.lookup(i + 0.5, name, SITE, resolver=OTHER)
    assert not any(isinstance(f, Evidence) for f in findings(talk.capture()))


def test_a_carriers_own_resolver_is_no_filter_that_somebody_chose(talk: Talk) -> None:
    evidence = seen(_lies(talk, FALSE, resolver="100.64.0.53"))
    assert CONTRADICTED_PROVIDER.id in evidence
    assert CONTRADICTED.id not in evidence


# Several resolvers


def _visit(talk: Talk, address: str, at_s: float, name: str = NAME) -> None:
    """A TLS visit that succeeds."""
    own = talk.handshake(at_s, address, 443)
    hello = client_hello(name.encode())
    talk.tcp(at_s + 0.04, (CLIENT, own), (address, 443), PSH | ACK, 101, 901, hello)
    said = b"\x16\x03\x03\x04\xb0" + bytes(1200)
    talk.tcp(at_s + 0.08, (address, 443), (CLIENT, own), PSH | ACK, 901, 101 + len(hello), said)


def _against_two(talk: Talk, *, resolver: str = PROVIDER, third: str = SITE, visit: str = SITE) -> Capture:
    """Two rounds: the provider's resolver gives one address for the name, two others another; all agree on others."""
    for at_s in (0.0, 10.0):
        controls(talk, resolver=resolver)
        controls(talk, resolver=OTHER)
        talk.lookup(at_s, NAME, FALSE, resolver=resolver)
        talk.lookup(at_s + 1, NAME, SITE, resolver=OTHER)
        talk.lookup(at_s + 2, NAME, third, resolver=THIRD)
        _visit(talk, visit, at_s + 3)
    talk.packets.sort(key=lambda packet: packet[0])
    return talk.capture()


def test_the_providers_resolver_alone_against_two_that_agree_lies(talk: Talk) -> None:
    capture = _against_two(talk)
    assert {ALONE.id, GIVES_OTHER.id} <= seen(capture).keys()
    assert [(m.node, m.position) for m in verdict(capture).mechanisms] == [("dns.injection.other", "resolver")]


def test_a_content_network_gives_every_resolver_another_address(talk: Talk) -> None:
    assert seen(_against_two(talk, third="104.99.1.1")) == {}


def test_an_address_that_serves_the_name_is_no_false_one(talk: Talk) -> None:
    capture = _against_two(talk, visit=FALSE)
    assert seen(capture) == {}
    assert any("serves the name" in why for why in doubts(capture))


def test_a_resolver_far_from_the_provider_may_be_a_filter_that_somebody_chose(talk: Talk) -> None:
    assert seen(_against_two(talk, resolver=ISP)) == {}


def test_a_bogon_for_a_name_that_is_served_blocks_after_two_lookups(talk: Talk) -> None:
    for at_s in (0.0, 10.0):
        controls(talk, resolver=ISP)
        talk.lookup(at_s, NAME, "10.10.34.34", resolver=ISP)
        talk.lookup(at_s + 1, NAME, SITE, resolver=OTHER)
        _visit(talk, SITE, at_s + 2)
    talk.packets.sort(key=lambda packet: packet[0])
    capture = talk.capture()
    assert BOGON_FOR_A_LIVE_NAME.id in seen(capture)
    assert [(m.node, m.position) for m in verdict(capture).mechanisms] == [("dns.injection.bogon", "resolver")]


def test_an_inner_address_that_serves_the_name_is_split_horizon(talk: Talk) -> None:
    controls(talk, resolver=ISP)
    talk.lookup(0.0, NAME, "10.10.34.34", resolver=ISP)
    talk.lookup(1.0, NAME, SITE, resolver=OTHER)
    _visit(talk, "10.10.34.34", 2.0)
    assert seen(talk.capture()) == {}


def _many_names(talk: Talk, *trues: str) -> Capture:
    """The provider's resolver gives one address for unrelated names, another resolver one each."""
    for at_s in (0.0, 20.0):
        controls(talk, resolver=PROVIDER)
        controls(talk, resolver=OTHER)
        for i, true in enumerate(trues):
            name = NAME if i == 0 else f"www.sample{i}.com"
            talk.lookup(at_s + i, name, FALSE, resolver=PROVIDER)
            talk.lookup(at_s + i + 0.5, name, true, resolver=OTHER)
    talk.packets.sort(key=lambda packet: packet[0])
    return talk.capture()


def test_one_address_for_names_with_nothing_in_common_is_false_for_each(talk: Talk) -> None:
    capture = _many_names(talk, SITE, "104.99.1.1", "142.250.74.14")
    assert SHARED_WIDELY.id in seen(capture)
    assert verdict(capture).state == verdict(capture, "www.sample1.com").state == "blocked"


def test_names_that_the_others_put_into_one_network_too_share_a_host(talk: Talk) -> None:
    capture = _many_names(talk, SITE, "93.184.1.1", "93.184.2.2")
    assert SHARED_WIDELY.id not in seen(capture)
    assert verdict(capture).state != "blocked"


# One resolver over two protocols


def test_udp_that_tcp_contradicts_is_rewritten_on_the_way(talk: Talk) -> None:
    controls(talk)
    talk.lookup(0.0, NAME, FALSE, df=False)
    talk.over_tcp(1.0, NAME, SITE)
    evidence = seen(talk.capture())
    assert evidence[UDP_UNLIKE_TCP.id].facets.position == "in-path"


def _two_over_both(talk: Talk, *, rtt_s: float) -> Capture:
    for resolver in (OTHER, THIRD):
        for at_s in (0.0, 10.0):
            talk.lookup(at_s, NAME, FALSE, resolver=resolver, rtt_s=rtt_s)
            talk.over_tcp(at_s + 1, NAME, SITE, resolver=resolver, rtt_s=0.03)
        talk.lookup(5.0, "library.test", "93.184.20.10", resolver=resolver)
    talk.packets.sort(key=lambda packet: packet[0])
    return talk.capture()


def test_udp_of_two_resolvers_changed_alike_is_changed_on_the_way(talk: Talk) -> None:
    capture = _two_over_both(talk, rtt_s=0.031)
    assert UDP_CHANGED_ALIKE.id in seen(capture)
    assert [(m.node, m.position) for m in verdict(capture).mechanisms] == [("dns.injection.other", "in-path")]


def test_a_proxy_that_answers_udp_in_the_resolvers_place_may_be_honest(talk: Talk) -> None:
    capture = _two_over_both(talk, rtt_s=0.006)
    assert UDP_CHANGED_ALIKE.id not in seen(capture)
    assert verdict(capture).state != "blocked"


def test_udp_and_tcp_within_one_network_agree_well_enough(talk: Talk) -> None:
    talk.lookup(0.0, NAME, "93.184.1.1")
    talk.over_tcp(1.0, NAME, SITE)
    assert findings(talk.capture()) == ()


# Whatever bytes a censor sends, analyse() finishes and cites only packets that exist


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), changes=st.integers(0, 60))
def test_whatever_bytes_arrive_only_packets_that_exist_are_cited(tmp_path: Path, seed: int, changes: int) -> None:
    talk, chance = Talk(path=tmp_path / "talk.pcap"), random.Random(seed)
    _lies(talk, FALSE)
    talk.over_tcp(21.0, NAME, SITE)
    for _ in range(changes):
        at = chance.randrange(len(talk.packets))
        at_s, frame = talk.packets[at]
        mangled = bytearray(frame)
        mangled[chance.randrange(14, len(frame))] = chance.choice((0, 0xC0, 0xFF, chance.randrange(256)))
        talk.packets[at] = (at_s + chance.choice((0, 0, 0.1, -5)), bytes(mangled[: chance.choice((len(frame), 60))]))
    for finding in findings(talk.capture()):
        assert all(p.capture == 0 and 1 <= p.number <= len(talk.packets) for p in finding.packets)
        assert finding.packets
