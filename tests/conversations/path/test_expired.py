"""What routers report as having died on the way, and how the quoted packet compares with the one that was sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.resets_talk import ACK, CLIENT6, PSH, SERVER6, Talk, hello


@pytest.mark.parametrize("size", [28, 40, 200])
def test_a_report_is_about_the_packet_that_it_quotes(tmp_path: Path, size: int) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=3, router=False)
    (report,) = talk.dies(60, "192.0.2.3", size=size).capture(tmp_path).expired
    assert (report.router, report.row, report.rewritten) == ("192.0.2.3", 3, ())


def test_a_report_over_ipv6_is_read_too(tmp_path: Path) -> None:
    talk = Talk(client=CLIENT6, server=SERVER6)
    talk.limited(0, port=40000, ttl=3, router=False)
    (report,) = talk.dies(60, "2001:db8:9::3").capture(tmp_path).expired
    assert (report.router, report.row, report.rewritten) == ("2001:db8:9::3", 3, ())


def test_of_copies_the_one_with_the_quoted_ip_id_died(tmp_path: Path) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=3, router=False, copies=3)
    (report,) = talk.dies(1200, "192.0.2.3", of=3).capture(tmp_path).expired
    assert report.row == 3


def test_a_report_on_a_packet_that_was_never_sent_is_about_nothing(tmp_path: Path) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=3, router=False)
    talk.dies(60, "192.0.2.3", change={27: 7})  # another sequence number
    talk.dies(61, "192.0.2.3", change={21: 7})  # another port
    assert talk.capture(tmp_path).expired == ()


def test_fields_that_a_router_saw_otherwise_were_rewritten_before_it(tmp_path: Path) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=3, router=False)
    talk.dies(60, "192.0.2.3", change={1: 0x28})
    talk.dies(61, "192.0.2.3", of=3, size=60, change={34: 0, 35: 1})
    first, second = talk.capture(tmp_path).expired
    assert first.rewritten == ("traffic class",)
    assert second.rewritten == ("window",)


def test_a_quotation_of_eight_bytes_says_nothing_about_what_lies_behind_them(tmp_path: Path) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=3)
    assert talk.capture(tmp_path).expired[0].rewritten == ()


def test_an_acknowledgement_with_the_number_of_a_segment_is_not_taken_for_it(tmp_path: Path) -> None:
    talk = Talk()
    talk.limited(0, port=40000, ttl=3, router=False)
    talk.send(50, "c", ACK, seq=1, ack=1, ip_id=0)
    talk.send(51, "c", PSH | ACK, seq=1, ack=1, payload=hello("news.example"), ip_id=0, ttl=3)
    talk.send(52, "c", ACK, seq=1, ack=1, ip_id=0)
    (report,) = talk.dies(60, "192.0.2.3", of=-2).capture(tmp_path).expired
    assert report.row == 5
