"""DNS messages: what can be read is read, what cannot is named, and nothing raises."""

from __future__ import annotations

import struct
import time

import dns.edns
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprint.messages.dns import NXDOMAIN, Outline, addresses, head, name_text, outline, parse


def _answer(*records: tuple[str, str]) -> bytes:
    made = dns.message.make_response(dns.message.make_query("WwW.Example.org", "A", id=77, use_edns=True))
    for kind, value in records:
        made.answer.append(dns.rrset.from_text("www.example.org.", 300, "IN", kind, value))
    return made.to_wire()


ANSWER = _answer(("CNAME", "a.example.net."), ("A", "192.88.99.1"), ("AAAA", "2600::1"))


def test_header_and_question_are_read_without_the_rest() -> None:
    first = head(ANSWER[:33])
    assert first is not None
    assert (first.id, first.is_answer, first.name, first.qtype, first.qclass) == (77, True, "www.example.org", 1, 1)


def test_the_case_that_was_sent_is_kept() -> None:
    message = parse(ANSWER)
    assert message is not None
    assert message.question is not None
    assert (message.question.name, message.question.sent_name) == ("www.example.org", "WwW.Example.org")


def test_addresses_are_found_behind_other_records() -> None:
    assert sorted(r.address for r in addresses(ANSWER)) == ["192.88.99.1", "2600::1"]


def test_the_careful_reading_has_every_section() -> None:
    message = parse(ANSWER)
    assert message is not None
    assert {(r.type, r.value) for r in message.answers} >= {(5, "a.example.net"), (1, "192.88.99.1")}
    assert message.edns is not None
    assert message.malformed == ()
    assert (message.qr, message.rd, message.aa, message.rcode) == (True, True, False, 0)


def test_the_outline_of_a_whole_message_shows_edns() -> None:
    assert outline(ANSWER) == Outline(whole=True, edns=dns.message.from_wire(ANSWER).edns >= 0)
    assert outline(ANSWER).edns


@pytest.mark.parametrize("raw", [ANSWER[:-1], ANSWER + b"x", b"", ANSWER[:33] + b"\xc0\x40" + ANSWER[35:]])
def test_junk_cuts_and_pointers_ahead_leave_no_whole_message(raw: bytes) -> None:
    assert not outline(raw).whole


@given(raw=st.binary(max_size=80))
def test_the_outline_of_any_bytes_is_an_answer(raw: bytes) -> None:
    assert outline(ANSWER[:20] + raw).whole in (True, False)


def test_rcode_is_read_from_the_header() -> None:
    denied = bytearray(_answer())
    denied[3] |= NXDOMAIN
    first = head(bytes(denied))
    assert first is not None
    assert first.rcode == NXDOMAIN


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (ANSWER + b"junk", "trailing junk"),
        (ANSWER[:-3], "cut short"),
        (ANSWER.replace(b"\xc0\x0c", b"\xc0\xff", 1), "compression pointer"),
        (ANSWER.replace(b"\xc0\x0c", b"\x80\x0c", 1), "label of an undefined type"),
    ],
)
def test_junk_truncation_and_bad_names_are_told_apart(raw: bytes, why: str) -> None:
    message = parse(raw)
    assert message is not None
    assert any(why in m.why for m in message.malformed)


def test_a_name_that_points_at_itself_ends() -> None:
    assert addresses(ANSWER[:33] + b"\xc0\x21" * 200) == ()


@pytest.mark.parametrize("pointers", [10, 400, 8000])
def test_chains_of_pointers_cost_no_more_than_their_message_is_long(pointers: int) -> None:
    """Thousands of records whose names all lead through one chain: hops times records would take minutes."""
    asked = b"\x01a\0" + struct.pack("!HH", 1, 1)
    at = 12 + len(asked) + 11
    chain, last = b"\0\0", at
    for place in range(at + 2, at + 2 + 2 * pointers, 2):
        chain, last = chain + struct.pack("!H", 0xC000 | last), place
    holder = b"\0" + struct.pack("!HHIH", 65280, 1, 0, len(chain)) + chain
    one = struct.pack("!H", 0xC000 | last) + struct.pack("!HHIH", 1, 1, 0, 4) + b"\x01\x02\x03\x04"
    count = (65535 - 12 - len(asked) - len(holder)) // len(one)
    raw = struct.pack("!HHHHHH", 1, 0x8180, 1, 1 + count, 0, 0) + asked + holder + one * count
    began = time.process_time()
    message = parse(raw)
    assert message is not None
    assert len(addresses(raw)) == count
    assert outline(raw).whole
    assert time.process_time() - began < 2.0


def test_the_codes_of_extended_errors_are_read() -> None:
    said = dns.message.make_response(dns.message.make_query("a.test", "A", use_edns=0))
    said.use_edns(0, options=[dns.edns.EDEOption(16, "by order"), dns.edns.EDEOption(22)])
    message = parse(said.to_wire())
    assert message is not None
    assert message.edns is not None
    assert message.edns.errors == (16, 22)


def test_octets_that_are_no_plain_character_are_escaped() -> None:
    assert name_text(b"\x03a\x1bb\x02c.\0") == r"a\027b.c\046"
    assert name_text(b"\0") == "."


def test_less_than_a_header_is_no_message() -> None:
    assert (head(ANSWER[:11]), parse(ANSWER[:11]), addresses(ANSWER[:11])) == (None, None, ())


@given(st.binary(max_size=80), st.integers(0, len(ANSWER)), st.integers(0, len(ANSWER)))
def test_no_bytes_raise(junk: bytes, start: int, end: int) -> None:
    raw = ANSWER[:start] + junk + ANSWER[end:]
    first, message = head(raw), parse(raw)
    assert (first is None) == (message is None)
    if first is not None:
        assert first.name is None or isinstance(first.name, str)
    assert all(r.type in (1, 28) for r in addresses(raw))
