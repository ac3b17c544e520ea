"""name-matching: in which forms a name passes, and what that says."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fingerprint.conversations.openings import opening
from fingerprint.conversations.tls import hello_forms
from fingerprint.technique import Evidence
from fingerprint.verdict.judge import judge
from techniques.name_matching import NameMatching
from techniques.sni_filtering import SniFiltering
from tests.conversations.resets_talk import ACK, PSH, RST, Talk, hello

RECORD = b"\x16\x03\x03\x04\0" + bytes(1024)


def _pieces(form: str) -> list[bytes]:
    """A hello for news.example in one of the forms, by segments."""
    whole = hello("news.example")
    middle = whole.find(b"news") + 2
    match form:
        case hello_forms.SPLIT:
            return [whole[:middle], whole[middle:]]
        case hello_forms.RECORDS:
            first, second = whole[5:middle], whole[middle:]
            return [b"".join(whole[:3] + struct.pack("!H", len(x)) + x for x in (first, second))]
        case hello_forms.CASE:
            return [hello("nEwS.eXaMpLe")]
        case hello_forms.DOT:
            return [hello("news.example.")]
        case hello_forms.LARGE:
            return [whole[:45], whole[45:]]
        case hello_forms.ECH:
            return [_with_extension(whole, 0xFE0D, bytes(40))]
    return [whole]


def _with_extension(whole: bytes, kind: int, body: bytes) -> bytes:
    more = struct.pack("!HH", kind, len(body)) + body
    at = 5 + 4 + 2 + 32 + 1 + 4 + 2
    size = int.from_bytes(whole[at : at + 2], "big") + len(more)
    message = whole[9:at] + struct.pack("!H", size) + whole[at + 2 :] + more
    return b"\x16\x03\x01" + struct.pack("!H", 4 + len(message)) + b"\x01" + len(message).to_bytes(3, "big") + message


def _send(talk: Talk, at: float, *, port: int, form: str = hello_forms.PLAIN, passes: bool) -> None:
    talk.handshake(at, port=port)
    seq = 1
    for i, piece in enumerate(_pieces(form)):
        talk.send(at + 42 + i, "c", PSH | ACK, seq=seq, ack=1, payload=piece, port=port)
        seq += len(piece)
    if passes:
        talk.send(at + 84, "s", PSH | ACK, seq=1, ack=seq, payload=RECORD, port=port)
    else:
        talk.send(at + 83, "s", RST | ACK, seq=1, ack=seq, port=port)


def _evidence(talk: Talk, folder: Path) -> dict[str, list[Evidence]]:
    out: dict[str, list[Evidence]] = {}
    for f in NameMatching().analyse(talk.capture(folder)):
        if isinstance(f, Evidence):
            out.setdefault(f.clue.id, []).append(f)
    return out


ALL = [
    hello_forms.PLAIN, hello_forms.LARGE, hello_forms.SPLIT, hello_forms.RECORDS, hello_forms.CASE, hello_forms.DOT,
    hello_forms.ECH,
]  # fmt: skip


@pytest.mark.parametrize("form", ALL)
def test_a_form_is_told_from_the_bytes_and_filed_under_the_name(tmp_path: Path, form: str) -> None:
    talk = Talk()
    _send(talk, 0, port=40000, form=form, passes=True)
    (stream,) = talk.capture(tmp_path).streams
    assert (stream.name, hello_forms.form(opening(stream))) == ("news.example", form)


@pytest.mark.parametrize("form", [hello_forms.SPLIT, hello_forms.RECORDS, hello_forms.CASE, hello_forms.DOT])
def test_a_form_that_passes_is_evidence_and_no_contradiction(tmp_path: Path, form: str) -> None:
    talk = Talk()
    for i in range(3):
        _send(talk, 9_000 * i, port=40000 + i, passes=False)
        _send(talk, 9_000 * i + 4_000, port=41000 + i, form=form, passes=True)
    alike = form in hello_forms.SAME_TO_THE_SERVER
    assert ("hidden-name-passes" if alike else "other-spelling-passes") in _evidence(talk, tmp_path)
    found = SniFiltering().analyse(talk.capture(tmp_path))
    assert "this-name-passes-too" not in {f.clue.id for f in found if isinstance(f, Evidence)}


def test_a_plain_hello_that_passes_is_a_contradiction_whatever_else_passes(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        _send(talk, 9_000 * i, port=40000 + i, passes=False)
        _send(talk, 9_000 * i + 3_000, port=41000 + i, form=hello_forms.SPLIT, passes=True)
    _send(talk, 50_000, port=42000, passes=True)
    assert "hidden-name-passes" not in _evidence(talk, tmp_path)
    found = SniFiltering().analyse(talk.capture(tmp_path))
    assert "this-name-passes-too" in {f.clue.id for f in found if isinstance(f, Evidence)}


def test_a_small_hello_that_passes_where_large_ones_fail_is_a_matter_of_size(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        _send(talk, 9_000 * i, port=40000 + i, form=hello_forms.LARGE, passes=False)
        _send(talk, 9_000 * i + 3_000, port=41000 + i, passes=True)
    assert "hidden-name-passes" not in _evidence(talk, tmp_path)
    found = SniFiltering().analyse(talk.capture(tmp_path))
    assert "this-name-passes-too" in {f.clue.id for f in found if isinstance(f, Evidence)}


def test_the_profile_has_one_line_for_each_form_and_moves_nothing(tmp_path: Path) -> None:
    talk = Talk()
    for i, (form, passes) in enumerate(zip(ALL, (False, True, True, True, False, False, False), strict=True)):
        _send(talk, 5_000 * i, port=40000 + i, form=form, passes=passes)
    lines = _evidence(talk, tmp_path)["what-passes"]
    assert len(lines) == len(ALL)
    assert not any(line.clue.given for line in lines)
    assert "hello for news.example cut in its name: 1 of 1 pass on 203.0.113.9" in {line.says for line in lines}


def test_a_client_that_always_sends_an_encrypted_hello_has_no_other_form(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        _send(talk, 9_000 * i, port=40000 + i, form=hello_forms.ECH, passes=i == 2)
    assert "what-passes" not in _evidence(talk, tmp_path)


def test_a_lone_failure_and_a_form_that_passes_convict_nobody(tmp_path: Path) -> None:
    talk = Talk()
    _send(talk, 0, port=40000, passes=False)
    _send(talk, 5_000, port=40001, form=hello_forms.SPLIT, passes=True)
    capture = talk.capture(tmp_path)
    found = [("name-matching", f) for f in NameMatching().analyse(capture)]
    assert not any(v.state == "blocked" for v in judge(capture, found))
