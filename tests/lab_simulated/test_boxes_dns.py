"""DNS injectors, field by field."""

import pytest
from dns.message import from_wire

from fingerprint.lab.boxes import gfw_dns, iran, turkmenistan
from fingerprint.lab.boxes.captive_portal import PORTAL, CaptivePortal
from fingerprint.lab.censor import Pass
from tests.lab_simulated.talking import DOWN, UP, forged, query


def answered(box, **asked):
    sent = query(**asked)
    (packet,) = forged(box.inspect(sent, UP), DOWN)
    assert packet.flow == sent.way_back
    message = from_wire(packet.payload)
    assert message.id == 77
    assert message.question[0].name.to_text() == f"{asked.get('name', 'forum.test')}."
    (record,) = [r for rrset in message.answer for r in rrset]
    return packet, message, str(record)


@pytest.mark.parametrize(("number", "authoritative", "df"), [(1, True, None), (2, False, True), (3, False, False)])
def test_the_gfws_injectors_differ_in_aa_and_df(number, authoritative, df):
    packet, message, _ = answered(gfw_dns.injector(number))
    assert bool(message.flags & 0x0400) is authoritative
    assert df is None or packet.df is df


def test_only_type_3_mirrors_the_ttl_of_the_query():
    assert {answered(gfw_dns.injector(3), ttl=t)[0].ttl for t in (3, 17, 61)} == {3, 17, 61}
    box = gfw_dns.injector(2)
    assert len({answered(box, ttl=17)[0].ttl for _ in range(20)} - {17}) > 5


def test_the_pool_is_walked_in_fixed_order_and_holds_592_and_30_addresses():
    assert (len(set(gfw_dns.POOL_V4)), len(set(gfw_dns.POOL_V6))) == (592, 30)
    box = gfw_dns.injector(1)
    walked = [answered(box)[2] for _ in range(593)]
    assert walked[:592] == list(gfw_dns.POOL_V4)
    assert walked[592] == walked[0]
    assert answered(gfw_dns.injector(1), rtype=28)[2].startswith("2001::"), "Teredo for AAAA"


def test_turkmenistan_answers_with_loopback_for_300_seconds():
    packet, message, address = answered(turkmenistan.answers())
    assert (address, message.answer[0].ttl, packet.ip_id, packet.ttl) == ("127.0.0.1", 300, 30000, 128)


def test_iran_copies_ip_id_and_ttl_of_the_clients_packet():
    box = iran.answers()
    seen = []
    for n in range(3):
        packet, _, address = answered(box, ttl=40 + n, ip_id=900 + n)
        assert (packet.ttl, packet.ip_id) == (40 + n, 900 + n)
        seen.append(address)
    assert seen == ["10.10.34.34", "10.10.34.35", "10.10.34.36"]
    assert answered(box, rtype=28)[2] == "d0::11"


@pytest.mark.parametrize("box", [gfw_dns.injector(2), iran.answers(), turkmenistan.answers()])
def test_other_names_types_and_answers_pass(box):
    assert box.inspect(query("herbs.test"), UP) == Pass()
    assert box.inspect(query(rtype=15), UP) == Pass()
    action = box.inspect(query(), UP)
    assert not action.drop
    reply = forged(action, DOWN)[0]
    assert box.inspect(reply, DOWN) == Pass()


def test_a_portal_gives_every_name_its_own_address():
    for name in ("forum.test", "herbs.test", "never-registered.test"):
        packet, _, address = answered(CaptivePortal(), name=name)
        assert address == PORTAL
        assert packet.ttl == 64
