"""ech-blocking: it is the veil only where the same hello passes without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.technique import Evidence, Finding, Inconclusive
from techniques.ech_blocking import EchBlocking
from techniques.sni_filtering import SniFiltering
from tests.conversations.certificates_talk import OLD, flight, greeting, visit
from tests.conversations.resets_talk import ACK, PSH, RST, Talk

ECH, ESNI = 0xFE0D, 0xFFCE


def lost(talk: Talk, at: float, hello: bytes, *, port: int) -> None:
    """Sent five times, never acknowledged."""
    talk.handshake(at, port=port)
    for i in range(5):
        talk.send(at + 42 + 300 * (2**i - 1), "c", PSH | ACK, seq=1, ack=1, payload=hello, port=port)


def reset(talk: Talk, at: float, hello: bytes, *, port: int) -> None:
    """Reset after a round trip."""
    talk.handshake(at, port=port)
    talk.send(at + 42, "c", PSH | ACK, seq=1, ack=1, payload=hello, port=port)
    talk.send(at + 83, "s", RST | ACK, seq=1, ack=1 + len(hello), port=port)


def turns(
    *, fate=lost, veil: int = ECH, size: int = 400, bare_size: int = 400, bare: str = "passes", times: int = 3
) -> Talk:
    """news.example under a veil, which fails, and without, in turn."""
    talk, answer = Talk(), flight(None, version=0x0304)
    name = None if veil == ESNI else "news.example"
    for i in range(times):
        at, hello = 20000.0 * i, greeting("news.example", size=bare_size)
        if bare == "passes":
            visit(talk, at, "news.example", answer, port=41000 + i, pieces=(hello,))
        else:
            fate(talk, at, hello, port=41000 + i)
        fate(talk, at + 6000, greeting(name, veil=veil, size=size), port=42000 + i)
    visit(talk, 20000.0 * times, "park.example", answer, port=43000)
    if bare == "passes":
        visit(talk, 20000.0 * times + 1000, "news.example", answer, port=43001, pieces=(greeting("news.example"),))
    return talk


def findings(talk: Talk, folder: Path) -> list[Finding]:
    return list(EchBlocking().analyse(talk.capture(folder)))


def clues(talk: Talk, folder: Path) -> set[str]:
    return {f.clue.id for f in findings(talk, folder) if isinstance(f, Evidence)}


def test_a_hello_that_fails_under_the_veil_and_passes_without_fails_for_it(tmp_path: Path) -> None:
    assert "veil-decides-unheard" in clues(turns(), tmp_path)
    assert "veil-decides-reset" in clues(turns(fate=reset), tmp_path)


def test_a_hello_that_names_nobody_is_compared_with_those_that_do(tmp_path: Path) -> None:
    assert {"veil-decides-unheard", "veiled-hello-never-acknowledged"} <= clues(turns(veil=ESNI), tmp_path)


def test_a_name_that_fails_without_the_veil_too_is_another_matter(tmp_path: Path) -> None:
    found = findings(turns(bare="fails"), tmp_path)
    assert [f.why for f in found if isinstance(f, Inconclusive)]
    assert not [f for f in found if isinstance(f, Evidence)]


def test_a_larger_hello_may_be_lost_for_its_size(tmp_path: Path) -> None:
    assert "veil-decides-unheard-larger" in clues(turns(size=1400), tmp_path)
    assert "veil-decides-unheard" in clues(turns(size=1400, bare_size=1400), tmp_path)


def test_another_client_without_the_veil_is_no_twin(tmp_path: Path) -> None:
    talk, answer = Talk(), flight(None, version=0x0304)
    for i in range(3):
        bare = greeting("news.example", ciphers=OLD)
        visit(talk, 20000 * i, "news.example", answer, port=41000 + i, pieces=(bare,))
        lost(talk, 20000 * i + 6000, greeting("news.example", veil=ECH), port=42000 + i)
    found = findings(talk, tmp_path)
    assert not [f for f in found if isinstance(f, Evidence)]
    assert any(isinstance(f, Inconclusive) and "another client" in f.why for f in found)


def test_once_is_not_enough(tmp_path: Path) -> None:
    found = findings(turns(times=1), tmp_path)
    assert not [f for f in found if isinstance(f, Evidence)]
    assert any(isinstance(f, Inconclusive) and "want 2" in f.why for f in found)


def test_an_outage_that_begins_and_stays_is_not_in_turn(tmp_path: Path) -> None:
    talk, answer = Talk(), flight(None, version=0x0304)
    for i in range(3):
        visit(talk, 1000 * i, "news.example", answer, port=41000 + i, pieces=(greeting("news.example"),))
        lost(talk, 30000 + 9000 * i, greeting("news.example", veil=ECH), port=42000 + i)
    assert not [f for f in findings(talk, tmp_path) if isinstance(f, Evidence)]


@pytest.mark.parametrize("fate", [lost, reset])
def test_the_name_is_not_blamed_for_what_only_the_veil_meets(tmp_path: Path, fate) -> None:
    found = list(SniFiltering().analyse(turns(fate=fate).capture(tmp_path)))
    groups = {f.clue.group for f in found if isinstance(f, Evidence)}
    assert not groups & {"name-pair", "contradiction"}


def test_hellos_that_all_pass_concern_nobody(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        hello = greeting("news.example", veil=ECH if i % 2 else None)
        visit(talk, 1000 * i, "news.example", flight(None, version=0x0304), port=41000 + i, pieces=(hello,))
    assert findings(talk, tmp_path) == []
