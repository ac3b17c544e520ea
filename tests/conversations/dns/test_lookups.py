"""DNS transactions: what belongs together, what was merely seen twice, and what nobody was seen asking."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.conversations.dns_talk import ACK, CLIENT, FALSE, PSH, RESOLVER, SITE, Talk, answer, numbers, query

CLIENT_END, RESOLVER_END = (CLIENT, 4000), (RESOLVER, 53)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(path=tmp_path / "talk.pcap")


def test_a_query_and_its_answer_are_one_lookup(talk: Talk) -> None:
    talk.lookup(0.0, "Example.ORG", SITE, port=4000)
    (lookup,) = talk.capture().lookups
    assert (lookup.name, lookup.qtype, lookup.protocol) == ("example.org", 1, "udp")
    assert (lookup.client, lookup.resolver) == (CLIENT_END, RESOLVER_END)
    assert lookup.rtt_s == pytest.approx(0.03)
    assert lookup.addresses == (SITE,)
    assert lookup.trial == "0:0:1"


def test_two_types_from_one_port_are_two_lookups(talk: Talk) -> None:
    for at_s, kind, given in ((0.0, "A", SITE), (0.001, "AAAA", "2600::1")):
        talk.lookup(at_s, "example.org", given, kind=kind, port=4000)
    assert [x.qtype for x in talk.capture().lookups] == [1, 28]


def test_a_repeated_query_stays_in_its_lookup_and_makes_the_round_trip_unknown(talk: Talk) -> None:
    asked = query("example.org")
    for at_s in (0.0, 1.0):
        talk.udp(at_s, CLIENT_END, RESOLVER_END, asked)
    talk.udp(1.01, RESOLVER_END, CLIENT_END, answer(asked, SITE))
    (lookup,) = talk.capture().lookups
    assert (lookup.asked_times, lookup.rtt_s) == (2, None)


def test_the_same_packet_captured_twice_is_a_copy(talk: Talk) -> None:
    asked = query("example.org")
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked)
    for at_s, ttl_hops in ((0.03, 60), (0.0301, 59)):
        talk.udp(at_s, RESOLVER_END, CLIENT_END, answer(asked, SITE), ip_id=5, ttl_hops=ttl_hops)
    (lookup,) = talk.capture().lookups
    assert [a.copy_of for a in lookup.answers] == [None, 2]


def test_equal_answers_with_other_ip_ids_were_sent_twice(talk: Talk) -> None:
    asked = query("example.org")
    talk.udp(0.0, CLIENT_END, RESOLVER_END, asked)
    for ip_id in (5, 6):
        talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(asked, SITE), ip_id=ip_id)
    (lookup,) = talk.capture().lookups
    assert [a.copy_of for a in lookup.answers] == [None, None]
    assert numbers(lookup.distinct_answers) == [2]


def test_case_mixing_does_not_part_an_answer_from_its_query(talk: Talk) -> None:
    talk.udp(0.0, CLIENT_END, RESOLVER_END, query("eXaMple.org"))
    talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(query("example.org"), SITE))
    assert len(talk.capture().lookups) == 1


def test_an_answer_without_question_belongs_to_the_last_query_of_its_id(talk: Talk) -> None:
    talk.udp(0.0, CLIENT_END, RESOLVER_END, query("example.org"))
    talk.udp(0.03, RESOLVER_END, CLIENT_END, struct.pack("!6H", 7, 0x8182, 0, 0, 0, 0))
    (lookup,) = talk.capture().lookups
    assert (lookup.name, numbers(lookup.answers)) == ("example.org", [2])


def test_an_answer_that_nobody_was_seen_asking_for_is_a_lookup_without_queries(talk: Talk) -> None:
    talk.udp(0.03, RESOLVER_END, CLIENT_END, answer(query("example.org"), SITE))
    (lookup,) = talk.capture().lookups
    assert (lookup.client, lookup.resolver, lookup.queries, lookup.rtt_s) == (CLIENT_END, RESOLVER_END, (), None)


def test_the_same_id_and_port_much_later_is_another_lookup(talk: Talk) -> None:
    for at_s in (0.0, 60.0):
        talk.lookup(at_s, "example.org", SITE, port=4000)
    first, second = talk.capture().lookups
    assert numbers(second.queries) == [3]
    assert first.listened_s == pytest.approx(60.0)


def test_silence_is_measured_to_the_end_of_the_capture(talk: Talk) -> None:
    talk.udp(0.0, CLIENT_END, RESOLVER_END, query("example.org"))
    talk.lookup(4.0, "example.com", SITE)
    silent, _ = talk.capture().lookups
    assert silent.answers == ()
    assert silent.listened_s == pytest.approx(4.03)


def test_multicast_dns_is_left_out(talk: Talk) -> None:
    talk.udp(0.0, (CLIENT, 5353), ("224.0.0.251", 5353), query("printer.local"))
    assert talk.capture().lookups == ()


def _tcp_answer(talk: Talk, order: tuple[int, ...]) -> None:
    own = talk.handshake(0.0, RESOLVER, 53)
    here, there = (CLIENT, own), RESOLVER_END
    asked, said = query("example.org"), answer(query("example.org"), SITE)
    talk.tcp(0.1, here, there, PSH | ACK, 101, 901, struct.pack("!H", len(asked)) + asked)
    stream = (struct.pack("!H", len(said)) + said) * 2
    pieces = [(901 + at, stream[at : at + 40]) for at in range(0, len(stream), 40)]
    for i in order:
        talk.tcp(0.2 + i / 1000, there, here, PSH | ACK, pieces[i][0], 200, pieces[i][1])


def test_messages_over_tcp_are_cut_at_their_length_prefixes_whatever_the_order(talk: Talk) -> None:
    _tcp_answer(talk, (1, 0, 2))
    (lookup,) = talk.capture().lookups
    assert lookup.protocol == "tcp"
    assert lookup.addresses == (SITE,)
    assert len(lookup.answers) == 2


def test_a_hole_in_a_tcp_answer_leaves_the_query_unanswered(talk: Talk) -> None:
    _tcp_answer(talk, (1, 2))
    (lookup,) = talk.capture().lookups
    assert lookup.answers == ()


def test_contradicting_answers_are_all_kept(talk: Talk) -> None:
    asked = talk.lookup(0.0, "example.org", FALSE, port=4000)
    talk.udp(0.05, RESOLVER_END, CLIENT_END, answer(asked, SITE))
    (lookup,) = talk.capture().lookups
    assert lookup.addresses == (FALSE, SITE)
