"""Addresses that serve notice pages: which leaf a false answer speaks for, and that they convict nobody by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fingerprint import signatures
from fingerprint.capture import Capture
from fingerprint.technique import Known, Table
from fingerprint.verdict.judge import judge
from techniques.dns_injection import DnsInjection
from techniques.dns_manipulation import DnsManipulation
from tests.conversations.dns_talk import FALSE, Talk
from tests.techniques.test_dns_injection import NAME, raced
from tests.techniques.test_dns_manipulation import _lies


def known(*rows):
    return Known(tables=(Table(name="blockpages", version="test", sha256=repr(rows), rows=rows),))


def row(pattern, scope="nat", **changes):
    return {"id": "zz-notice", "where": "dns", "match": "full", "pattern": pattern, "scope": scope, **changes}


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(path=tmp_path / "talk.pcap")


def nodes(capture: Capture, technique, *rows):
    capture = replace(capture, known=known(*rows))
    findings = [("t", f) for f in technique.analyse(capture)]
    return [m.node for v in judge(capture, findings) if v.target == NAME for m in v.mechanisms]


def test_a_raced_answer_with_a_known_address_is_a_block_page(talk):
    for at_s in (0.0, 10.0):
        raced(talk, FALSE, ttl_hops=57, df=False, at_s=at_s)
    capture = talk.capture()
    assert nodes(capture, DnsInjection()) == ["dns.injection.other"]
    assert nodes(capture, DnsInjection(), row(FALSE)) == ["dns.injection.blockpage"]


def test_a_lying_resolver_that_gives_a_known_address_shows_a_block_page(talk):
    capture = _lies(talk, FALSE)
    assert nodes(capture, DnsManipulation()) == ["dns.injection.other"]
    assert nodes(capture, DnsManipulation(), row(FALSE, "isp")) == ["dns.injection.blockpage"]


def test_words_products_and_known_mistakes_make_no_block_page(talk):
    capture = _lies(talk, FALSE)
    for scope in ("prod", "inst", "vbw", "fp"):
        assert nodes(capture, DnsManipulation(), row(FALSE, scope)) == ["dns.injection.other"]


def test_a_notice_page_in_private_space_is_told_as_private(talk):
    for at_s in (0.0, 10.0):
        raced(talk, "10.10.34.34", ttl_hops=57, df=False, at_s=at_s)
    assert nodes(talk.capture(), DnsInjection(), row("10.10.34.34")) == ["dns.injection.bogon"]


def test_a_known_address_alone_convicts_nobody(talk):
    talk.lookup(0.0, NAME, FALSE)
    assert nodes(talk.capture(), DnsInjection(), row(FALSE)) == []
    assert nodes(talk.capture(), DnsManipulation(), row(FALSE)) == []


def test_an_address_is_known_however_it_is_written():
    found = signatures.signatures([("t", row("2001:DB8:0:0::0001")), ("t", row("Stop.ZZ.example", id="name"))])
    assert found.address("2001:db8::1").id == "zz-notice"
    assert found.address("stop.zz.example").id == "name"
    assert found.notice(["192.0.2.1", "2001:db8::1"]).id == "zz-notice"
    assert found.notice([]) is None
