"""Boxes that mind addresses and ports, and those that deny names, packet by packet."""

import pytest
from dns.message import from_wire

from fingerprint.lab.boxes.dns_denying import NXDOMAIN, SERVFAIL, Denier, QueryDropper, TruthfulProxy
from fingerprint.lab.boxes.forbidding import Forbid, LoseWayBack, Minded, ResetSyn, Swallow
from fingerprint.lab.censor import Drop, Pass
from fingerprint.lab.packet import ACK, ICMP, RST, SYN
from fingerprint.lab.simulated import icmp
from fingerprint.lab.world import NAMES, SERVER_A
from tests.lab_simulated.talking import DOWN, UP, down, forged, query, up

PORT = Minded(addresses=frozenset(SERVER_A), port=443)
SYN_TO_IT = up(flags=SYN, seq=1000, ack=0)


def test_only_the_minded_port_is_swallowed_and_only_on_the_way_there():
    box = Swallow(minded=PORT)
    assert box.inspect(SYN_TO_IT, UP) == Drop()
    assert box.inspect(up(flags=SYN, dport=80), UP) == Pass()
    assert box.inspect(down(), DOWN) == Pass()


def test_a_router_that_forbids_quotes_what_it_dropped():
    action = Forbid(minded=PORT, senders=("62.115.2.9", "2001:2034:2::9")).inspect(SYN_TO_IT, UP)
    assert action.drop
    (told,) = forged(action, DOWN)
    assert (told.protocol, told.source, told.payload[:2]) == (ICMP, "62.115.2.9", b"\x03\x0d")
    about = icmp.quoted(told)[1]
    assert (about.sport, about.dport, about.seq) == (40000, 443, 1000)


def test_a_syn_is_reset_in_the_servers_name_and_goes_on():
    box = ResetSyn(minded=PORT)
    action = box.inspect(SYN_TO_IT, UP)
    assert not action.drop
    (reset,) = forged(action, DOWN)
    assert (reset.flags, reset.ack, reset.flow) == (RST | ACK, 1001, SYN_TO_IT.way_back)
    assert box.inspect(up(b"x"), UP) == Pass()


def test_the_way_back_is_cut_alone():
    box = LoseWayBack(addresses=frozenset(SERVER_A))
    assert (box.inspect(SYN_TO_IT, UP), box.inspect(down(flags=SYN | ACK), DOWN)) == (Pass(), Drop())


@pytest.mark.parametrize(("rcode", "drops"), [(NXDOMAIN, False), (SERVFAIL, True)])
def test_a_denier_answers_for_the_minded_name_alone(rcode, drops):
    box = Denier(rcode=rcode, drops=drops)
    action = box.inspect(query(), UP)
    (said,) = forged(action, DOWN)
    message = from_wire(said.payload)
    assert (int(message.rcode()), message.id, action.drop) == (rcode, 77, drops)
    assert box.inspect(query("garden.test"), UP) == Pass()


def test_queries_are_dropped_over_both_transports():
    box = QueryDropper()
    over_tcp = query().payload
    over_tcp = len(over_tcp).to_bytes(2, "big") + over_tcp
    assert box.inspect(query(), UP) == box.inspect(up(over_tcp, dport=53), UP) == Drop()
    assert box.inspect(query("garden.test"), UP) == Pass()


def test_a_truthful_proxy_answers_wherever_the_query_was_going():
    box = TruthfulProxy()
    for name, known in (("forum.test", True), ("never-registered.test", False)):
        (said,) = forged(box.inspect(query(name, resolver=SERVER_A[0]), UP), DOWN)
        message = from_wire(said.payload)
        assert said.source == SERVER_A[0]
        given = [str(r) for rrset in message.answer for r in rrset]
        assert given == ([NAMES[name][0]] if known else [])
        assert int(message.rcode()) == (0 if known else NXDOMAIN)
