"""Packets that were sent to die on the way: they are probes of a path, and no failures of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.technique import Evidence
from techniques.mid_path_interference import MidPathInterference
from tests.conversations.dns_talk import CLIENT, FALSE, RESOLVER, SITE, answer, query
from tests.conversations.dns_talk import Talk as DnsTalk
from tests.conversations.resets_talk import ACK, PSH, SYN, Talk, hello


def test_a_syn_that_was_sent_to_die_is_no_unanswered_connection(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40000)
    for ttl in (1, 2, 3):
        talk.send(1000 * ttl, "c", SYN, seq=0, port=41000 + ttl, ttl=ttl)
    assert len(talk.capture(tmp_path).streams) == 1


def test_at_a_router_every_ttl_is_lower_and_nothing_was_limited(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        talk.send(1000 * i, "c", SYN, seq=0, port=41000 + i, ttl=30 + i)
    assert len(talk.capture(tmp_path).streams) == 3


def test_a_decoy_is_taken_out_and_the_stream_speaks_for_nobody(tmp_path: Path) -> None:
    talk = Talk().handshake()
    talk.send(41, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"), ttl=4)
    talk.send(42, "c", PSH | ACK, seq=1, ack=1, payload=hello("park.example"))
    capture = talk.capture(tmp_path)
    (armed,) = capture.armed
    assert capture.streams == ()
    assert (armed.name, armed.ttl_hops, armed.stream.name) == ("news.example", 4, "park.example")
    assert [s.ttl_hops for s in armed.stream.from_client] == [64, 64, 64]


def test_a_hello_that_is_limited_with_all_its_copies_is_no_decoy(tmp_path: Path) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=4, copies=3)
    capture = talk.capture(tmp_path)
    assert capture.armed == ()
    assert capture.streams[0].request_ttl_hops == 4


def _asked(
    talk: DnsTalk, at_s: float, name: str, *, ttl_hops: int, port: int, given: str = "", arrives: int = 60
) -> None:
    asked = query(name, id_=port & 0xFFFF)
    talk.udp(at_s, (CLIENT, port), (RESOLVER, 53), asked, ttl_hops=ttl_hops)
    if given:
        talk.udp(at_s + 0.01, (RESOLVER, 53), (CLIENT, port), answer(asked, given), ttl_hops=arrives, df=False)


def _queries(folder: Path, *, starts: int, upto: int, reach: int = 99) -> DnsTalk:
    """Queries with 1, 2, 3 … hops for a control and for a name that is answered falsely from ``starts`` on."""
    talk = DnsTalk(folder / "dns.pcap")
    for i in range(3):
        talk.lookup(i, "park.example", SITE)
    for ttl in range(1, upto):
        reached = ttl >= reach
        _asked(talk, 10 + 2 * ttl, "park.example", ttl_hops=ttl, port=30_000 + ttl, given=SITE if reached else "")
        false = FALSE if ttl >= starts else ""
        _asked(talk, 11 + 2 * ttl, "news.example", ttl_hops=ttl, port=31_000 + ttl, given=false, arrives=61)
    talk.lookup(99, "park.example", SITE)
    return talk


def _found(talk: DnsTalk) -> dict[str, Evidence]:
    return {f.clue.id: f for f in MidPathInterference().analyse(talk.capture()) if isinstance(f, Evidence)}


def test_queries_that_were_sent_to_die_are_no_silence_of_a_resolver(tmp_path: Path) -> None:
    capture = _queries(tmp_path, starts=99, upto=8).capture()
    assert {x.name for x in capture.lookups} == {"park.example"}
    assert all(x.answers for x in capture.lookups)


def test_the_smallest_reach_of_a_query_that_is_answered_names_the_link(tmp_path: Path) -> None:
    found = _found(_queries(tmp_path, starts=4, upto=10, reach=8))["answer-to-a-query-that-died"]
    assert found.facets.location is not None
    assert (found.facets.location.hop, found.facets.location.link) == (4, (3, 4))
    assert found.disputes == (FALSE,)


@pytest.mark.parametrize("reach", [4, 3])
def test_answers_from_where_the_resolver_answers_itself_name_no_link(tmp_path: Path, reach: int) -> None:
    assert "answer-to-a-query-that-died" not in _found(_queries(tmp_path, starts=4, upto=10, reach=reach))


def test_a_proxy_that_answers_every_name_from_some_reach_on_is_no_injector(tmp_path: Path) -> None:
    talk = DnsTalk(tmp_path / "dns.pcap")
    talk.lookup(0, "park.example", SITE)
    for ttl in range(1, 8):
        for i, name in enumerate(("park.example", "news.example")):
            given = SITE if ttl >= 2 else ""
            _asked(talk, 10 + 2 * ttl + i, name, ttl_hops=ttl, port=30_000 + 100 * ttl + i, given=given)
    assert "answer-to-a-query-that-died" not in _found(talk)
